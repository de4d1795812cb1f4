"""Where to look: the points that a request allows, as rows of numbers and as columns of the model."""

from __future__ import annotations

from copy import copy

import numpy as np
import numpy.typing as npt

from titrant.generators.axes import Category, Floats
from titrant.generators.encoding import encoding_of
from titrant.generators.repair import project, repair
from titrant.generators.sampler import sampler_for
from titrant.model.space import SearchSpace
from titrant.model.trial import Parameterization

# Spaces up to here are searched by looking at every point.
LISTABLE = 1024
# Stretches of the sequence looked through for feasible points.
_BLOCKS = 16
# Sets of components among which points are scattered where their number is restricted; steps lead to others.
_SETS = 24
_Plane = tuple[npt.NDArray[np.int64], Floats, float]


class Domain:
    """The axes that are free in a request, within the whole space that the model knows.

    Attributes:
        whole: Encoding of the space, ``d`` axes and ``w`` columns.
        free: Encoding with the request's values held, ``f`` axes.
        seed: Of all that is random.
        sampler: Feasible points of the free axes.
        relaxed: Columns that a gradient may move, ``w`` booleans: no held values, no unordered choices, nothing whose
            constraint is no plane in the model's columns.
        least: In a view, axes with a least number of their own, and that number.
    """

    def __init__(self, space: SearchSpace, fixed: Parameterization, seed: int) -> None:
        self.whole = encoding_of(space, {})
        self.free = encoding_of(space, fixed)
        self.seed = seed
        self.sampler = sampler_for(self.free, seed, sets=_SETS)
        names = [axis.name for axis in self.whole.axes]
        self._columns = np.array([names.index(axis.name) for axis in self.free.axes], dtype=np.intp)
        held = [
            axis.number(self.free.fixed[axis.name]) if axis.name in self.free.fixed else 0.0 for axis in self.whole.axes
        ]
        self._template = np.array(held, dtype=np.float64)  # d
        self.rng = np.random.default_rng([seed, 5])
        system = self.free.system
        rows = np.concatenate([system.a, system.c])
        curved = np.array([not axis.linear for axis in self.free.axes], dtype=bool)
        bent = rows[:, curved].any(1) if len(rows) else np.zeros(0, bool)
        if system.gates:  # planes for some points only
            bent |= np.array([bool(gate) for gate in system.gates])
        stiff = (rows[bent] != 0).any(0) if len(rows) else np.zeros(len(curved), bool)
        self._planes = ~bent
        self.least: tuple[tuple[int, float], ...] = ()
        self.relaxed = np.zeros(self.whole.width, bool)
        for j, axis in enumerate(self.free.axes):
            if not isinstance(axis, Category) and not stiff[j] and j not in self.free.parents:
                self.relaxed[self.whole.slices[self._columns[j]]] = True

    def held(self, z: Floats) -> Floats:
        """Rows of the whole space, ``n x d``, with the held values put in: feasible ones, ``n x f``."""
        rows = self.free.snap(z[:, self._columns])
        return rows[self.free.holds(rows)]

    def to_model(self, z: Floats) -> Floats:
        """Columns of free rows: ``n x f`` to ``n x w``."""
        rows = np.tile(self._template, (len(z), 1))  # n x d
        rows[:, self._columns] = z
        return self.whole.to_model(rows)

    def from_model(self, x: Floats) -> list[Floats]:
        """The nearest feasible rows, ``f`` each, to columns ``n x w``; those that cannot be mended are left out."""
        z = self.whole.from_model(np.clip(x, 0.0, 1.0))[:, self._columns]
        rows = [repair(self.free, row, self.rng) for row in z]
        return [row for row in rows if row is not None]

    def planes(self) -> tuple[list[_Plane], list[_Plane]]:
        """Constraints between relaxed columns.

        Returns:
            Inequalities and equalities, each as places, weights and a bound that their sum must reach or equal.
        """
        system, m = self.free.system, len(self.free.system.a)
        low, width = self.free.low, (self.free.high - self.free.low) / [axis.extent for axis in self.free.axes]
        planes: tuple[list[_Plane], list[_Plane]] = ([], [])
        rows, bounds = np.concatenate([system.a, system.c]), np.concatenate([system.b, system.d])
        for i in np.flatnonzero(self._planes):
            used = np.flatnonzero(rows[i])
            places = np.array([self.whole.slices[self._columns[j]].start for j in used], dtype=np.int64)
            sign = -1.0 if i < m else 1.0  # ours are "at most", BoTorch's "at least"
            weights = sign * rows[i, used] * width[used]
            rest = sign * (bounds[i] - float(rows[i, used] @ low[used]))
            planes[int(i >= m)].append((places, weights, float(rest)))
        for j, least in self.least:
            place = np.array([self.whole.slices[self._columns[j]].start], dtype=np.int64)
            planes[0].append((place, np.ones(1), (least - float(low[j])) / float(width[j])))
        return planes

    def views(self, z: Floats) -> list[tuple[npt.NDArray[np.intp], Domain]]:
        """Rows, ``n x f``, by the components that are present in them.

        Returns:
            Places in ``z``, and for these rows the domain in which what is absent stays so. All rows and this domain
            where the number of components is not restricted.
        """
        supports = self.free.supports
        if supports is None:
            return [(np.arange(len(z)), self)]
        there = supports.present(z)
        found = []
        for mask in np.unique(there, axis=0):
            view = copy(self)
            view.relaxed = self.relaxed.copy()
            for j in supports.columns[~mask]:
                view.relaxed[self.whole.slices[self._columns[j]]] = False
            limits = zip(supports.columns[mask], supports.floor[mask], strict=True)
            view.least = tuple((int(j), float(least)) for j, least in limits if least > 0 and self.free.axes[j].linear)
            found.append((np.flatnonzero((there == mask).all(1)), view))
        return found

    def scattered(self, count: int, turn: int) -> Floats:
        """About ``count`` feasible points all over the space, others at each turn: ``n x f``."""
        rows: list[Floats] = []
        start = turn * _BLOCKS * count
        for _ in range(_BLOCKS):
            z, feasible = self.sampler.block(start, count)
            rows.append(z[feasible])
            start += count
            if sum(map(len, rows)) >= count:
                break
        return np.concatenate(rows)[:count]

    def around(self, z: Floats, count: int) -> Floats:
        """Feasible points near the rows of ``z``: ``n x f`` to about ``count x f``.

        Each moves on a few axes only, by steps from a thousandth to a fifth of the axis.
        """
        if not len(z) or not self.free.dimension:
            return np.empty((0, self.free.dimension))
        near = z[self.rng.integers(len(z), size=count)]
        moved = self.rng.random(near.shape) < min(1.0, 3.0 / self.free.dimension + 0.2)
        size = 10.0 ** self.rng.uniform(-3.0, -0.7, size=(count, 1))
        step = size * self.rng.standard_normal(near.shape) * (self.free.high - self.free.low)
        z = self.free.snap(near + moved * step)
        if self.free.supports is not None:
            z = self.free.supports.kept(z, near)
        if not self.free.restricted:
            return z
        if len(self.free.system.c):  # hardly any neighbour keeps an equality by chance
            rows = [repair(self.free, row, self.rng) for row in z[: count // 4]]
            return np.array([row for row in rows if row is not None]).reshape(-1, self.free.dimension)
        return z[self.free.holds(z)]

    def neighbours(self, z: Floats) -> Floats:
        """Feasible points one step or one choice away from ``z``: ``f`` to ``n x f``."""
        rows = []
        for j, axis in enumerate(self.free.axes):
            if axis.count is None:
                continue
            level = float(axis.level(z[j : j + 1])[0])
            others = range(axis.count) if isinstance(axis, Category) else (level - 1, level + 1)
            for other in others:
                if 0 <= other < axis.count and other != level:
                    row = z.copy()
                    row[j] = axis.at(np.array([float(other)]))[0]
                    rows.append(row)
        rows.extend(self._with_other_components(z))
        found = np.array(rows).reshape(-1, self.free.dimension)
        return found[self.free.holds(found)]

    def _with_other_components(self, z: Floats) -> list[Floats]:
        """Points near ``z``, ``f``, with one component exchanged, more or fewer, ``f`` each; not all are feasible."""
        supports = self.free.supports
        if supports is None:
            return []
        smooth = np.array([axis.count is None for axis in self.free.axes], dtype=bool)
        rows = []
        for mask in supports.near(supports.present(z[None])[0]):
            row = supports.moved(z, mask)
            if not self.free.holds(row[None])[0]:
                movable = smooth.copy()
                movable[supports.columns[~mask]] = False
                row = project(self.free, row, np.flatnonzero(movable))
            rows.append(row)
        return rows

    def everything(self) -> Floats | None:
        """All feasible points of a small finite space, ``n x f``; None of any other."""
        size = self.free.size
        return self.sampler.listed if size is not None and size <= LISTABLE else None
