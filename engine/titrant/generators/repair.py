"""Bring a point that stepped values or a model left outside the constraints back inside them."""

from __future__ import annotations

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.encoding import Encoding, LinearSystem

# Moves tried before giving a point up; spaces people write need a handful.
_MOVES = 50
# How often a random instead of the best move is taken, so that the search leaves dead ends (as in WalkSAT).
_RESTLESS = 0.15
# Supports tried where the nearest one has no point.
_SUPPORTS = 8


def repair(encoding: Encoding, z: Floats, rng: np.random.Generator) -> Floats | None:
    """A point near ``z`` that is allowed and keeps the constraints, or None where none was found.

    Stepped axes move by levels, by the least number of steps that mend most (min-conflicts: S. Minton et al.,
    Artificial Intelligence 58 (1992)); continuous ones then take up what is left, by the least distance.

    Args:
        encoding: The space.
        z: Numbers, ``d``.
        rng: Breaks ties and dead ends.
    """
    if encoding.supports is not None:
        return _on_support(encoding, z, rng)
    mended = repair_linear(encoding, z, rng)
    return mended if mended is None or encoding.nonlinear is None else encoding.nonlinear.mend(mended, rng)


def repair_linear(encoding: Encoding, z: Floats, rng: np.random.Generator) -> Floats | None:
    """The same, of the linear constraints only."""
    system = encoding.system
    z = encoding.snap(z[None])[0]
    if not system.any:
        return z
    involved = np.flatnonzero(system.columns)
    stepped = [int(j) for j in involved if encoding.axes[j].count is not None]
    smooth = np.array([j for j in involved if encoding.axes[j].count is None], dtype=np.intp)
    for _ in range(_MOVES):
        if len(smooth):
            z = project(encoding, z, smooth)
        if system.holds(z[None])[0]:
            return z
        if not stepped:
            return None
        z = _best_move(encoding, z, stepped, rng)
    return None


def _on_support(encoding: Encoding, z: Floats, rng: np.random.Generator) -> Floats | None:
    """A point near ``z`` with as many components as may be present, the largest ones: ``d`` to ``d``."""
    assert encoding.supports is not None
    there = encoding.supports.nearest(z)
    for number in range(_SUPPORTS):
        inner = encoding.within(there)
        mended = None if inner is None else repair(inner, encoding.narrowed(inner, z[None])[0], rng)
        if inner is not None and mended is not None:
            row = encoding.widened(inner, mended[None])
            if encoding.holds(row)[0]:
                return np.asarray(row[0])
        # No point there: the supports next to it, then any.
        others = encoding.supports.near(there) if number < _SUPPORTS // 2 else []
        drawn = others[int(rng.integers(len(others)))] if others else encoding.supports.draw(rng)
        if drawn is None:
            return None
        there = drawn
    return None


def project(encoding: Encoding, z: Floats, smooth: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Floats:
    """Move the continuous coordinates as little as possible towards what holds: ``d`` to ``d``."""
    system = encoding.system.at(z)
    low, high = encoding.low[smooth], encoding.high[smooth]
    scale = high - low
    z = z.copy()
    for _ in range(30):
        over = system.a @ z - system.b > 0
        matrix = np.concatenate([system.c, system.a[over]])  # rows x d
        missed = np.concatenate([system.d, system.b[over]]) - matrix @ z
        if system.holds(z[None])[0]:
            break
        # A coordinate at its bound that would be pushed out stays there, and the others do the work.
        slopes = matrix[:, smooth] * scale
        step = np.linalg.lstsq(slopes, missed, rcond=None)[0]
        stuck = ((z[smooth] <= low) & (step < 0)) | ((z[smooth] >= high) & (step > 0))
        step = np.zeros_like(step)
        step[~stuck] = np.linalg.lstsq(slopes[:, ~stuck], missed, rcond=None)[0] if (~stuck).any() else 0.0
        z[smooth] = without_noise(np.clip(z[smooth] + step * scale, low, high), scale)
    return z


def without_noise(z: Floats, width: Floats) -> Floats:
    """Numbers with 0 where there is but a hair of their axes' width: a sum of such must be exact to be kept."""
    return np.where(np.abs(z) < 1e-12 * width, 0.0, z)


def _best_move(encoding: Encoding, z: Floats, stepped: list[int], rng: np.random.Generator) -> Floats:
    """The neighbour with the least excess over all constraints, or now and then any: ``d`` to ``d``."""
    neighbours = []
    for j in stepped:
        axis = encoding.axes[j]
        level = float(axis.level(z[j : j + 1])[0])
        wanted = {level - 1, level + 1} | _exact_levels(encoding.system, encoding, z, j)
        for target in sorted(wanted):
            number = float(axis.at(np.array([np.clip(target, 0, (axis.count or 1) - 1)]))[0])
            if number != z[j]:
                moved = z.copy()
                moved[j] = number
                neighbours.append(moved)
    if not neighbours:
        return z
    if rng.random() < _RESTLESS:
        return neighbours[int(rng.integers(len(neighbours)))]
    total = encoding.system.excess(np.stack(neighbours)).sum(1)
    best = np.flatnonzero(total <= total.min() * (1 + 1e-12))
    return neighbours[int(rng.choice(best))]


def _exact_levels(system: LinearSystem, encoding: Encoding, z: Floats, j: int) -> set[float]:
    """Levels of axis ``j`` at which, or next to which, one of the missed constraints would hold by itself."""
    axis = encoding.axes[j]
    found = set()
    for matrix, bound in ((system.a, system.b), (system.c, system.d)):
        missed = matrix @ z - bound
        for row, by in zip(matrix, missed, strict=True):
            if row[j] and by:
                target = axis.level(axis.snap(np.array([z[j] - by / row[j]])))[0]
                found |= {float(target), float(target - np.sign(by / row[j]))}
    return found
