"""Feasible points of a search space, one for each position of a sequence that leads to one."""

from __future__ import annotations

from collections.abc import Iterator, Set
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from msgspec import UNSET
from msgspec.structs import replace

from titrant.errors import GenerationError
from titrant.generators.axes import Floats
from titrant.generators.digital_net import SobolSequence
from titrant.generators.encoding import LISTABLE, Encoding, Mask, encoding_of
from titrant.generators.polytope import Polytope
from titrant.generators.repair import repair_linear, without_noise
from titrant.generators.sequences import Kind, sequence_of
from titrant.generators.shares import Shares
from titrant.model.parameters import FixedParameterConfig
from titrant.model.space import SearchSpace
from titrant.model.trial import Parameterization

if TYPE_CHECKING:
    from titrant.generators.programme import Programme

# Points tried to find out how many of the sequence keep the constraints.
_PROBES = 512
# With fewer than that feasible, points are made inside the constraints instead of being thrown away.
_WORTHWHILE = 0.02
# Of a total that is shared out, as a part of all that fits: beyond this hardly anything is left to choose.
_MARGIN = 1e-6
# Points that are mended to find out whether that leads anywhere.
_TRIED = 8
# Positions in a row without a feasible, untried point after which a search ends; fewer where each takes longer.
_PATIENCE = {
    "box": 20_000,
    "simplex": 5_000,
    "shares": 5_000,
    "polytope": 300,
    "list": 5_000,
    "supports": 300,
    "search": 100,
    "pool": 1,
}
_PATIENCE_MENDING = 200
# Where constraints leave no more points than this of a finite space, none needs to be searched for.
_FEW = 1_000

Method = Literal["box", "simplex", "shares", "polytope", "list", "supports", "search", "pool"]
Key = tuple[object, ...]


class Sampler:
    """Points of one space and one seed.

    A position's point depends on the space, the seed and the position only: so it is the same whether points are
    asked for one by one or many at a time, and whatever was asked before.

    Attributes:
        encoding: The space.
        mends: Whether stepped axes stand in constraints, so that points made inside them have to be mended.
        method: ``"box"``: points of the sequence, those that break constraints left out. ``"simplex"``: the sequence
            mapped to the simplex that one equality with weights of one sign cuts out (L. Devroye, "Non-uniform random
            variate generation", 1986, chapter XI.4), the same then. ``"shares"``: mapped to what upper bounds leave of
            such a simplex, see ``shares.py``. ``"polytope"``: random walks, see ``polytope.py``.
            ``"list"``: the few points there are, in random order.
    """

    FEW = _FEW

    def __init__(self, encoding: Encoding, seed: int, kind: Kind = "sobol", size: int = 0) -> None:
        self.encoding = encoding
        self._seed = seed
        self._sequence = sequence_of(kind, max(1, encoding.dimension), seed, size)
        self._involved = np.flatnonzero(encoding.system.columns)
        self.mends = any(encoding.axes[j].count is not None for j in self._involved)
        self.method: Method = self._choose()

    def _choose(self) -> Method:
        system = self.encoding.system
        if not system.any:
            return "box"
        # Of a fixed seed: the method, and so the points, must not change with chance.
        probes = SobolSequence(max(1, self.encoding.dimension), 0).points(0, _PROBES)
        if system.holds(self.encoding.from_unit(probes)).mean() >= _WORTHWHILE:
            return "box"
        if self._is_short:
            return "list"
        if len(system.c) == 1 and (corner := self._simplex()) is not None:
            z = self._on_simplex(self.encoding.from_unit(probes), probes, corner)
            inside = ((z >= self.encoding.low) & (z <= self.encoding.high)).all(1)
            if (inside & (z @ system.a.T <= system.b).all(1)).mean() >= _WORTHWHILE:
                return "simplex"
            # The bounds cut off so much that hardly any point would be left.
            if self._is_cut() and system.holds(self._shared_out(z, probes)).mean() >= _WORTHWHILE:
                return "shares"
        return "polytope"

    @property
    def _is_short(self) -> bool:
        """Whether so few points keep the constraints that they are listed.

        Not where these determine what is continuous: a position beyond the list must have a point, too, since with
        other components or in another branch there may be no end of them.
        """
        size = self.encoding.size
        return size is not None and size <= LISTABLE and not self.encoding.determined and len(self.listed) <= _FEW

    def block(self, start: int, count: int) -> tuple[Floats, Mask]:
        """What positions ``start`` to ``start + count - 1`` lead to.

        Returns:
            Numbers, ``count x d``, and which rows are feasible, ``count``.
        """
        encoding, system = self.encoding, self.encoding.system
        if self.method == "list":
            rows = self.listed[start : start + count]
            rest = np.zeros((count - len(rows), encoding.dimension))
            return np.concatenate([rows, rest]), np.arange(count) < len(rows)
        u = self._sequence.points(start, count)[:, : encoding.dimension]
        z = encoding.from_unit(u)
        if self.method == "box":
            return z, system.holds(z)
        if self.method == "simplex":
            z = self._on_simplex(z, u, self._simplex() or 0.0)
            inside: Mask = np.asarray(((z >= encoding.low) & (z <= encoding.high)).all(1))
        elif self.method == "shares":
            z = self._shared_out(z, u)
            inside = np.ones(count, bool)
        else:
            rngs = [np.random.default_rng([self._seed, 1, start + i]) for i in range(count)]
            z[:, self._involved] = self._unscaled(self._polytope.sample(rngs))
            inside = np.ones(count, bool)
        if not self.mends:
            return z, inside & system.holds(z)
        for i in np.flatnonzero(inside):
            if self._is_needle:
                mended = self._solved(np.random.default_rng([self._seed, 2, start + int(i)]))
                inside[i] = mended is not None
                z[i, self._involved] = 0.0 if mended is None else mended
                continue
            mended = repair_linear(encoding, z[i], np.random.default_rng([self._seed, 2, start + int(i)]))
            inside[i] = mended is not None
            z[i] = z[i] if mended is None else mended
        return z, inside

    @cached_property
    def _is_needle(self) -> bool:
        """Whether so few points keep the constraints that mending finds none: then each is solved for."""
        if self.method != "polytope" or any(gate for gate in self.encoding.system.gates):
            return False
        rngs = [np.random.default_rng([0, 1, i]) for i in range(_TRIED)]
        z = self.encoding.from_unit(np.full((_TRIED, self.encoding.dimension), 0.5))
        z[:, self._involved] = self._unscaled(self._polytope.sample(rngs))
        return all(repair_linear(self.encoding, row, np.random.default_rng(0)) is None for row in z)

    @cached_property
    def _programme(self) -> Programme:
        from titrant.generators.programme import Programme  # noqa: PLC0415 - hardly ever needed

        held = self.encoding.fixed
        return Programme(
            replace(
                self.encoding.space,
                parameters=tuple(
                    FixedParameterConfig(one.name, held[one.name]) if one.name in held else one
                    for one in self.encoding.space.parameters
                ),
                restrictions=UNSET,
                candidates=UNSET,
            )
        )

    def _solved(self, rng: np.random.Generator) -> Floats | None:
        """Numbers of the axes in constraints, that keep these: as many as ``_involved``."""
        values = self._programme.point(rng)
        if values is None:
            return None
        z = self.encoding.from_unit(np.full((1, self.encoding.dimension), 0.5))
        z[0, self._involved] = [values[self.encoding.axes[j].name] for j in self._involved]
        mended = repair_linear(self.encoding, z[0], rng)
        return None if mended is None else mended[self._involved]

    @property
    def _polytope(self) -> Polytope:
        return polytope_of(self.encoding)

    def _unscaled(self, v: Floats) -> Floats:
        low, high = self.encoding.low[self._involved], self.encoding.high[self._involved]
        z: Floats = low + v * (high - low)
        return without_noise(z, high - low)

    def _simplex(self) -> float | None:
        """What the equality leaves to share out above the lower bounds; None where its weights differ in sign."""
        weights, bound = self.encoding.system.c[0], float(self.encoding.system.d[0])
        if (weights < 0).any():
            weights, bound = -weights, -bound
        if (weights < 0).any():
            return None
        share = bound - float(weights @ self.encoding.low)
        return share if share > 0 else None

    def _on_simplex(self, z: Floats, u: Floats, share: float) -> Floats:
        """Points that keep the equality, uniform before bounds are looked at: ``n x d``.

        Args:
            z: Numbers for the other axes, ``n x d``.
            u: Uniform coordinates, ``n x d``.
            share: What is shared out.
        """
        weights = np.abs(self.encoding.system.c[0])
        parts = np.flatnonzero(weights)
        exponential = -np.log(u[:, parts])
        shares = share * exponential / exponential.sum(1, keepdims=True)
        z = z.copy()
        z[:, parts] = self.encoding.low[parts] + shares / weights[parts]
        return z

    def _is_cut(self) -> bool:
        """Whether the one equality shares out among continuous axes, with room on both sides."""
        weights = np.abs(self.encoding.system.c[0])
        most = float(weights @ (self.encoding.high - self.encoding.low))
        share = (self._simplex() or 0.0) / most
        return bool(not self.mends and np.count_nonzero(weights) > 1 and _MARGIN < share < 1 - _MARGIN)

    def _shared_out(self, z: Floats, u: Floats) -> Floats:
        """Points that keep the equality and the bounds, uniform: ``n x d``; arguments as of ``_on_simplex``."""
        parts = np.flatnonzero(self.encoding.system.c[0])
        z = z.copy()
        z[:, parts] = self.encoding.low[parts] + self._shares.points(u[:, parts]) / np.abs(
            self.encoding.system.c[0, parts]
        )
        return z

    @cached_property
    def _shares(self) -> Shares:
        weights = np.abs(self.encoding.system.c[0])
        parts = np.flatnonzero(weights)
        most = (weights * (self.encoding.high - self.encoding.low))[parts]
        return Shares(most, self._simplex() or 0.0)

    def draw(self, position: int, avoid: Set[Key]) -> Iterator[tuple[Floats, Parameterization, int]]:
        """Feasible points from ``position`` on, each with the positions used up once it is taken.

        Args:
            position: Where to go on.
            avoid: Keys (see ``Encoding``) that must not come out, nor come out twice; looked at in finite spaces only.

        Yields:
            Numbers ``d``, the parameterization, the position after it. Ends where a finite space is used up.

        Raises:
            GenerationError: Nothing that keeps the constraints was found.
        """
        tried = set(avoid)
        found = False
        while True:
            missed, block = 0, 8
            while missed < self._patience:
                z, feasible = self.block(position, block)
                for row, fits in zip(z, feasible, strict=True):
                    position += 1
                    missed += 1
                    found |= bool(fits)
                    if fits and missed <= self._patience and (parameters := self._accepted(row, tried)) is not None:
                        missed = 0
                        yield row, parameters, position
                block = min(2 * block, 16 if self.method in {"polytope", "supports", "search"} else 1024)
            # One from the list, and back to the sequence: as if each point had been asked for by itself.
            rows = self.listed if self.encoding.size is not None and self.encoding.size <= LISTABLE else ()
            accepted = ((row, self._accepted(row, tried)) for row in rows)
            row, parameters = next((pair for pair in accepted if pair[1] is not None), (None, None))
            if row is None or parameters is None:
                break
            found = True
            yield row, parameters, position
        if not found and not len(rows):
            raise GenerationError(
                f"no point found that keeps the constraints {'; '.join(self.encoding.texts)}: "
                "relax one of them, or make steps finer"
            )

    @property
    def _patience(self) -> int:
        patience = min(_PATIENCE[self.method], _PATIENCE_MENDING) if self.mends else _PATIENCE[self.method]
        return patience if self.encoding.size is None else min(patience, 64 + 2 * self.encoding.size)

    def _accepted(self, row: Floats, tried: set[Key]) -> Parameterization | None:
        """The row's parameterization, unless it was tried or does not fit the space after all."""
        space = self.encoding.space
        parameters = self.encoding.parameters(row)
        if self.encoding.size is not None:
            key = self.encoding.key(parameters)
            if key in tried:
                return None
            tried.add(key)
        return parameters if not space.every_constraint or space.contains(parameters) else None

    @cached_property
    def listed(self) -> Floats:
        """All feasible points of a finite space in an order of the seed's: ``n x d``. Only where they are few."""
        axes = self.encoding.axes
        levels = [np.zeros(1) if axis.count is None else self.encoding.levels(axis) for axis in axes]
        grid = np.stack(np.meshgrid(*levels, indexing="ij"), axis=-1).reshape(-1, len(axes)) if axes else None
        rows = np.empty((1, 0)) if grid is None else grid
        rows = self._completed(rows)
        rows = rows[self.encoding.holds(rows)]
        order = np.random.default_rng([self._seed, 3]).permutation(len(rows))
        return np.asarray(rows[order], dtype=np.float64)

    def _completed(self, rows: Floats) -> Floats:
        """Rows with the numbers that the others determine, within their bounds: ``n x d``."""
        encoding = self.encoding
        place = {axis.name: j for j, axis in enumerate(encoding.axes)}
        for name, (constant, weights) in (encoding.determined or {}).items():
            j = place[name]
            width = encoding.high[j] - encoding.low[j]
            terms = [weight * rows[:, place[other]] for other, weight in weights.items()]
            z = np.sum([np.full(len(rows), constant), *terms], axis=0)
            rows[:, j] = encoding.axes[j].snap(np.clip(without_noise(z, width), encoding.low[j], encoding.high[j]))
        return rows


@lru_cache(maxsize=16)
def polytope_of(encoding: Encoding) -> Polytope:
    """The polytope of the axes that stand in constraints, scaled to the unit box."""
    system = encoding.system
    columns = np.flatnonzero(system.columns)
    low, width = encoding.low[columns], (encoding.high - encoding.low)[columns]

    def scaled(matrix: Floats, bound: Floats) -> tuple[Floats, Floats]:
        rows = matrix[:, columns] * width
        length = np.linalg.norm(rows, axis=1)  # rows of length 1: the linear programs' tolerances are absolute
        return rows / length[:, None], (bound - matrix[:, columns] @ low) / length

    return Polytope(*scaled(system.a, system.b), *scaled(system.c, system.d), system.names)


def sampler_of(space: SearchSpace, fixed: Parameterization, seed: int, kind: Kind = "sobol", size: int = 0) -> Sampler:
    """The sampler of a space, kept for the next request with the same space and seed.

    Args:
        space: The search space.
        fixed: Parameters held at a value.
        seed: Where the chance comes from.
        kind: Which sequence the points come from.
        size: Of a latin hypercube.

    Raises:
        GenerationError: What is held fixed does not fit the space, or nothing keeps the constraints.
    """
    encoding = encoding_of(space, fixed)
    return _cached(encoding, seed, kind, size)


def sampler_for(encoding: Encoding, seed: int, kind: Kind = "sobol", size: int = 0, sets: int = 0) -> Sampler:
    """A sampler of an encoding.

    Args:
        encoding: The space.
        seed: Where the chance comes from.
        kind: Which sequence the points come from.
        size: Of a latin hypercube.
        sets: How many supports take turns where the number of components is restricted; 0 for another at each
            position, which takes longer.
    """
    if encoding.space.candidates:
        from titrant.generators.pool import PoolSampler  # noqa: PLC0415 - it is made of this

        return PoolSampler(encoding, seed, kind, size)
    if encoding.system.gates:
        from titrant.generators.branched import BranchedSampler  # noqa: PLC0415 - it is made of this

        return BranchedSampler(encoding, seed, kind, size)
    if encoding.supports is None and encoding.nonlinear is not None:
        from titrant.generators.searching import SearchingSampler  # noqa: PLC0415 - it is made of this

        return SearchingSampler(encoding, seed, kind, size)
    if encoding.supports is None:
        return Sampler(encoding, seed, kind, size)
    from titrant.generators.combinations import SupportSampler  # noqa: PLC0415 - it is made of this

    return SupportSampler(encoding, seed, kind, size, sets)


@lru_cache(maxsize=16)
def _cached(encoding: Encoding, seed: int, kind: Kind, size: int) -> Sampler:
    return sampler_for(encoding, seed, kind, size)
