"""Feasible points of a space in which constraints depend on choices: each made within its own plain space."""

from __future__ import annotations

from collections.abc import Iterator, Set

import numpy as np

from titrant.errors import ConfigurationError, GenerationError
from titrant.generators.axes import Floats
from titrant.generators.encoding import Encoding, Mask, encoding_of
from titrant.generators.sampler import Key, Method, Sampler, sampler_for
from titrant.generators.sequences import Kind
from titrant.generators.unmet import explained
from titrant.model.trial import Parameterization

# Points tried in a branch for each position, beyond those of all positions that anybody reaches.
_TRIES = 64
_BEYOND = 1 << 20


class BranchedSampler(Sampler):
    """Points of a conditional space: the sequence chooses the branch, and the branch's own sampler the rest.

    A mixture that holds under one solvent only is met there exactly, and binds nothing anywhere else.
    """

    def __init__(self, encoding: Encoding, seed: int, kind: Kind = "sobol", size: int = 0) -> None:
        self._kind: Kind = kind
        self._size = size
        self._branches: dict[tuple[float, ...], tuple[Sampler, list[int]] | None] = {}
        super().__init__(encoding, seed, kind, size)
        self.mends = True  # each point takes its time

    def _choose(self) -> Method:
        return "box"

    def draw(self, position: int, avoid: Set[Key]) -> Iterator[tuple[Floats, Parameterization, int]]:  # noqa: D102
        return explained(super().draw(position, avoid), self.encoding)

    def block(self, start: int, count: int) -> tuple[Floats, Mask]:  # noqa: D102 - told by Sampler
        encoding = self.encoding
        z = encoding.from_unit(self._sequence.points(start, count)[:, : encoding.dimension])
        inside = np.zeros(count, bool)
        for i in range(count):
            if (branch := self._branch(z[i])) is not None:
                sampler, places = branch
                row = _first(sampler, start + i)
                inside[i] = row is not None
                z[i, places] = z[i, places] if row is None else row
        return z, inside & encoding.holds(z)

    def _branch(self, row: Floats) -> tuple[Sampler, list[int]] | None:
        """The sampler of the plain space that a row lies in, and the places of its axes; None where it has no point."""
        parents = sorted(self.encoding.parents)
        key = tuple(float(row[j]) for j in parents)
        if key not in self._branches:
            self._branches[key] = self._made(row)
        return self._branches[key]

    def _made(self, row: Floats) -> tuple[Sampler, list[int]] | None:
        encoding = self.encoding
        try:
            space = encoding.space.branch(encoding.parameters(row))
            held = {name: value for name, value in encoding.fixed.items() if name in space.names}
            own = encoding_of(space, held)
            names = [axis.name for axis in encoding.axes]
            sampler = sampler_for(own, self._seed, self._kind, self._size)
            return sampler, [names.index(axis.name) for axis in own.axes]
        except (ConfigurationError, GenerationError):
            return None


def _first(sampler: Sampler, position: int) -> Floats | None:
    """The point of a position, ``d``; where it breaks constraints, one of some further ones that are its own."""
    rows, feasible = sampler.block(position, 1)
    if not feasible[0]:
        rows, feasible = sampler.block(_BEYOND + _TRIES * position, _TRIES)
    return rows[feasible.argmax()] if feasible.any() else None
