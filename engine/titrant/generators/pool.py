"""Points out of a candidate set: those next to the points of a sequence, each of them once."""

from __future__ import annotations

from collections.abc import Iterator, Set
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
from msgspec import UNSET

from titrant.errors import GenerationError
from titrant.generators.axes import Continuous, Floats
from titrant.generators.encoding import Encoding, Mask
from titrant.generators.sampler import Key, Sampler
from titrant.generators.sequences import Kind, sequence_of
from titrant.model.trial import Parameterization, ParameterValue

Places = npt.NDArray[np.intp]


class Pool:
    """The candidates that fit what a request holds.

    Attributes:
        z: Their numbers, ``n x d`` (see ``encoding.py``).
        x: Their coordinates for the model, ``n x width``.
    """

    def __init__(self, encoding: Encoding) -> None:
        candidates = encoding.space.candidates
        assert candidates is not UNSET
        columns = dict(zip(candidates.names, candidates.columns, strict=True))
        fits = np.ones(candidates.count, bool)
        for name, held in encoding.fixed.items():
            if name in columns:
                fits &= np.array([value == held or value is None for value in columns[name]])
        z = np.empty((candidates.count, encoding.dimension))
        for j, axis in enumerate(encoding.axes):
            if axis.name not in columns:
                raise GenerationError(f"{axis.name!r} is no part of the candidates: say which value it has")
            if isinstance(axis, Continuous) and None not in columns[axis.name]:
                z[:, j] = columns[axis.name]
                continue
            known: dict[ParameterValue | None, float] = {None: float(axis.from_unit(np.array([0.5]))[0])}
            for value in set(columns[axis.name]) - {None}:
                known[value] = axis.number(value)  # type: ignore[arg-type]  # None is left out
            z[:, j] = [known[value] for value in columns[axis.name]]
        fits &= encoding.holds(z)
        if not fits.any():
            raise GenerationError("no candidate fits what is held fixed")
        self._encoding = encoding
        self._columns = columns
        self._places = np.flatnonzero(fits)
        self.z: Floats = z[fits]
        self.x: Floats = np.ascontiguousarray(encoding.to_model(self.z))
        self._squares: Floats = (self.x * self.x).sum(1)

    def __len__(self) -> int:
        return len(self.z)

    def parameters(self, i: int) -> Parameterization:
        """The canonical parameterization of a candidate, with what is held."""
        place = int(self._places[i])
        own = {name: column[place] for name, column in self._columns.items()}
        values = {**self._encoding.fixed, **own}
        names = (config.name for config in self._encoding.space.parameters)
        return {name: value for name in names if (value := values.get(name)) is not None}

    def distances(self, x: Floats) -> Floats:
        """Squared distances of all candidates to a point, ``width``, less what is the same for all: ``n``."""
        found: Floats = self._squares - 2.0 * (self.x @ x)
        return found

    def nearest(self, x: Floats, count: int) -> Places:
        """Places of the ``count`` candidates next to a point, ``width``."""
        distances = self.distances(x)
        if count >= len(distances):
            return np.argsort(distances, kind="stable")
        some = np.argpartition(distances, count)[:count]
        return np.asarray(some[np.argsort(distances[some], kind="stable")])


class PoolSampler(Sampler):
    """Candidates next to the points of a sequence, so that they fill the space as evenly as the pool allows."""

    def __init__(self, encoding: Encoding, seed: int, kind: Kind = "sobol", size: int = 0) -> None:
        self.encoding = encoding
        self.mends = False
        self.method = "pool"
        self._kind = kind
        self._seed = seed
        self._sequence = sequence_of(kind, max(1, encoding.dimension), seed, size)

    @property
    def pool(self) -> Pool:
        """The candidates."""
        return pool_of(self.encoding)

    def block(self, start: int, count: int) -> tuple[Floats, Mask]:  # noqa: D102 - told by Sampler
        u = self._sequence.points(start, count)[:, : self.encoding.dimension]
        places = [self._place(row, np.zeros(len(self.pool))) for row in u]
        return self.pool.z[places], np.ones(count, bool)

    def draw(self, position: int, avoid: Set[Key]) -> Iterator[tuple[Floats, Parameterization, int]]:
        """Candidates from ``position`` on (see ``Sampler.draw``); ends where each of them was tried."""
        tried = set(avoid)
        away = np.zeros(len(self.pool))  # infinite for those that must not come out
        while np.isfinite(away).any():
            u = self._sequence.points(position, 1)[0, : self.encoding.dimension]
            position += 1
            while np.isfinite(away).any():
                place = self._place(u, away)
                away[place] = np.inf
                parameters = self.pool.parameters(place)
                signature = self.encoding.space.signature(parameters)
                if signature not in tried:
                    tried.add(signature)
                    yield self.pool.z[place], parameters, position
                    break

    def nearest(self, z: Floats, avoid: Set[Key]) -> Parameterization | None:
        """The candidate next to a row of numbers, ``d``, that is not to be avoided; None where there is none."""
        (x,) = self.encoding.to_model(z[None])
        for place in self.pool.nearest(x, len(avoid) + 1):
            parameters = self.pool.parameters(int(place))
            if self.encoding.space.signature(parameters) not in avoid:
                return parameters
        return None

    @cached_property
    def _shuffled(self) -> Places:
        return np.random.default_rng([self._seed, 10]).permutation(len(self.pool))

    def _place(self, u: Floats, away: Floats) -> int:
        """The candidate for uniform coordinates, ``d``; of independent points, any."""
        if self._kind == "random":
            # By the place in one shuffled list, whatever has been taken, and the next one where that one is gone.
            begin = int((u[0] if len(u) else 0.0) * len(away))
            left = np.roll(self._shuffled, -begin)
            return int(left[np.isfinite(away[left]).argmax()])
        (x,) = self.encoding.to_model(self.encoding.from_unit(u[None]))
        return int((self.pool.distances(x) + away).argmin())


@lru_cache(maxsize=4)
def pool_of(encoding: Encoding) -> Pool:
    """The candidates that fit an encoding, kept for the next request."""
    return Pool(encoding)
