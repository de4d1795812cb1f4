"""Where to look in a candidate set: at every candidate as long as that takes a second, then near the best ones."""

from __future__ import annotations

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.gp.domain import LISTABLE, Domain
from titrant.generators.pool import Pool, pool_of
from titrant.model.space import SearchSpace
from titrant.model.trial import Parameterization

# A look at a candidate costs the square of the known points: so many of these products take about a second.
_WORTH = 2e9
# How much dearer a look is by methods that average over models, or have several objectives.
_DEARER = 8
# Candidates looked at by further searches of one request, all over the pool and near good points.
_FURTHER, _NEAR = 4096, 1024


class PoolDomain(Domain):
    """The candidates of a space; nothing between them can be climbed to."""

    def __init__(self, space: SearchSpace, fixed: Parameterization, seed: int, known: int, *, dear: bool) -> None:
        """Take the space, what is held, a seed, how many points are known, and whether a look is dear."""
        super().__init__(space, fixed, seed)
        self.relaxed[:] = False
        self._most = max(_FURTHER, int(_WORTH / (known + 100) ** 2 / (_DEARER if dear else 1)))

    @property
    def _pool(self) -> Pool:
        return pool_of(self.free)

    def scattered(self, count: int, turn: int) -> Floats:
        """All candidates at the first turn, where that takes no more than about a second; then others of them."""
        most = self._most if turn == 0 else _FURTHER
        if len(self._pool) <= most:
            return self._pool.z
        places = np.random.default_rng([self.seed, 9, turn]).choice(len(self._pool), size=most, replace=False)
        return np.asarray(self._pool.z[np.sort(places)])

    def around(self, z: Floats, count: int) -> Floats:
        """The candidates next to the rows of ``z``, ``n x f``."""
        if not len(z):
            return np.empty((0, self.free.dimension))
        places = [self._pool.nearest(x, _NEAR // len(z)) for x in self.free.to_model(z)]
        return np.asarray(self._pool.z[np.unique(np.concatenate(places))])

    def neighbours(self, z: Floats) -> Floats:
        """The candidates next to ``z``, ``f``."""
        (x,) = self.free.to_model(z[None])
        return np.asarray(self._pool.z[self._pool.nearest(x, 64)])

    def from_model(self, x: Floats) -> list[Floats]:
        """The candidates next to columns ``n x w``."""
        rows = self.whole.from_model(np.clip(x, 0.0, 1.0))[:, self._columns]
        return [self._pool.z[self._pool.nearest(one, 1)[0]] for one in self.free.to_model(rows)]

    def everything(self) -> Floats | None:
        """All candidates where they are few."""
        return self._pool.z if len(self._pool) <= LISTABLE else None


def domain_of(space: SearchSpace, fixed: Parameterization, seed: int, known: int = 0, *, dear: bool = False) -> Domain:
    """Where to look in a space, with or without candidates.

    Args:
        space: The search space.
        fixed: Parameters held at a value.
        seed: Where the chance comes from.
        known: How many points a model knows.
        dear: Whether a look at a point takes longer than with one model of one objective.
    """
    return PoolDomain(space, fixed, seed, known, dear=dear) if space.candidates else Domain(space, fixed, seed)
