"""A trust region that follows the best known point, for searches in many dimensions (TuRBO).

Far from everything that is known a model of many dimensions has nothing to say, and an acquisition function drives
points into the corners.  So the model and the search stay in a box around the best point, which grows while that helps,
shrinks while it does not, and starts anew elsewhere when it is used up.

Nothing of it is kept: the box is found by going through what was observed, in the order of the trials.

Source: D. Eriksson, M. Pearce, J. R. Gardner, R. Turner and M. Poloczek, "Scalable global optimization via local
Bayesian optimization", NeurIPS 2019; here successes and failures are counted by trial, since results come one by one.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.gp.domain import Domain
from titrant.generators.gp.hyperparameters import Hyperparameters
from titrant.model.space import SearchSpace
from titrant.model.trial import Parameterization

# Side of the box in units of the cube: at its beginning, at most, and where it is given up.
_FIRST, _GREATEST, _LEAST = 0.8, 1.6, 0.5**7
# Better trials that make it grow; worse ones that make it shrink are as many as there are dimensions, no fewer than 4.
_SUCCESSES, _FAILURES = 3, 4
# What counts as better, in standard deviations of the outcomes.
_BETTER = 1e-3
# Coordinates of its middle that a point differs from it in, on average.
_MOVED = 20.0


class Region(msgspec.Struct, frozen=True):
    """Where the search stands.

    Attributes:
        begin: Place of the first trial that belongs to it; earlier ones are of boxes that were given up.
        side: The box's side, before length scales stretch it.
    """

    begin: int = 0
    side: float = _FIRST


def start(dimension: int) -> int:
    """How many points a box that starts anew is begun with."""
    return max(5, min(dimension, 20))


def replayed(worth: Floats, dimension: int) -> Region:
    """The region after trials of some worth.

    Args:
        worth: Standardized, the larger the better, in the order of the trials: ``n``.
        dimension: Of the search space.
    """
    begin, side, better, worse = 0, _FIRST, 0, 0
    best = -math.inf
    for place, value in enumerate(worth):
        if place - begin < start(dimension):
            best = max(best, float(value))
            continue
        if value > best + _BETTER:
            better, worse = better + 1, 0
            best = float(value)
        else:
            worse += 1
        if better >= _SUCCESSES:
            side, better = min(2.0 * side, _GREATEST), 0
        elif worse >= max(_FAILURES, dimension):
            side, better, worse = side / 2.0, 0, 0
        if side < _LEAST:
            begin, side, better, worse, best = place + 1, _FIRST, 0, 0, -math.inf
    return Region(begin, side)


def box(centre: Floats, side: float, hyper: Hyperparameters) -> tuple[Floats, Floats]:
    """The least and greatest coordinates of the box around ``centre``, ``w`` each: wide where it is smooth."""
    logs = np.log(hyper.lengthscales)
    half = 0.5 * side * np.exp(logs - logs.mean())
    return np.clip(centre - half, 0.0, 1.0), np.clip(centre + half, 0.0, 1.0)


class BoxedDomain(Domain):
    """A domain of which only a box is looked at; unordered choices may change within it."""

    def __init__(
        self, space: SearchSpace, fixed: Parameterization, seed: int, middle: Floats, low: Floats, high: Floats
    ) -> None:
        """Take what a domain is made of, the box's middle, numbers ``d``, and its ends, columns ``w``."""
        super().__init__(space, fixed, seed)
        self._middle = self.free.snap(middle[None, self._columns])[0]  # f
        self.box = low, high

    def scattered(self, count: int, turn: int) -> Floats:
        """About ``count`` feasible points of the box, each unlike its middle on some axes only: ``n x f``."""
        free = self.free
        if not free.dimension:
            return super().scattered(count, turn)
        low, high = self.box
        share = min(1.0, _MOVED / free.dimension)
        moved = self.rng.random((count, free.dimension)) < share
        moved[np.arange(count), self.rng.integers(free.dimension, size=count)] = True
        inside = self.whole.from_model(low + self.rng.random((count, len(low))) * (high - low))[:, self._columns]
        z = np.where(moved, inside, self._middle)
        for j, axis in enumerate(free.axes):
            if axis.count is not None and not self.relaxed[self.whole.slices[self._columns[j]]].all():
                levels = self.rng.integers(axis.count, size=count).astype(np.float64)
                z[:, j] = np.where(moved[:, j], axis.at(levels), z[:, j])
        z = free.snap(z)
        z = z[free.holds(z)]
        return z if len(z) else super().scattered(count, turn)

    def around(self, z: Floats, count: int) -> Floats:
        """As of the whole domain, inside the box."""
        rows = super().around(z, count)
        low, high = self.box
        x = self.to_model(rows)
        return rows[((x >= low - 1e-9) & (x <= high + 1e-9))[:, self.relaxed].all(1)]
