"""Feasible points where the number of components is restricted: a set of them first, then a point of its space."""

from __future__ import annotations

from collections.abc import Iterator, Set

import numpy as np

from titrant.errors import GenerationError
from titrant.generators.axes import Floats
from titrant.generators.encoding import Encoding, Mask
from titrant.generators.sampler import Key, Method, Sampler, sampler_for
from titrant.generators.sequences import Kind
from titrant.generators.unmet import explained
from titrant.model.trial import Parameterization

# Sets of components drawn for a position before it is given up, where each has no point.
_TRIES = 20
# Samplers of sets that are kept.
_KEPT = 1024


class SupportSampler(Sampler):
    """Points with a restricted number of components: each position has a random set of them, and a point inside.

    A position's set depends on the space, the seed and the position only, as its point does.
    """

    def __init__(self, encoding: Encoding, seed: int, kind: Kind = "sobol", size: int = 0, sets: int = 0) -> None:
        self._kind, self._size, self._sets = kind, size, sets
        self._inner: dict[bytes, Sampler | None] = {}
        self._drawn: dict[int, Sampler | None] = {}
        super().__init__(encoding, seed, kind, size)

    def _choose(self) -> Method:
        return "list" if self._is_short else "supports"

    def draw(self, position: int, avoid: Set[Key]) -> Iterator[tuple[Floats, Parameterization, int]]:  # noqa: D102
        return explained(super().draw(position, avoid), self.encoding)

    def block(self, start: int, count: int) -> tuple[Floats, Mask]:  # noqa: D102 - as the parent's
        if self.method == "list":
            return super().block(start, count)
        z = np.zeros((count, self.encoding.dimension))
        feasible = np.zeros(count, bool)
        turns = self._sets or count + start
        for turn in range(min(turns, count)):
            rows = np.arange(turn, count, turns)
            sampler = self._sampler((start + turn) % turns if self._sets else start + turn)
            if sampler is None:
                continue
            # Positions with one set follow each other in the sequence on it.
            first = (start + turn) // turns if self._sets else start + turn
            inner, fits = sampler.block(first, len(rows))
            z[rows] = self.encoding.widened(sampler.encoding, inner)
            feasible[rows] = fits
        return z, feasible & self.encoding.holds(z)

    def _sampler(self, slot: int) -> Sampler | None:
        """The sampler of the set with a number; None where no set with a point was found."""
        if slot in self._drawn:
            return self._drawn[slot]
        found = None
        supports = self.encoding.supports
        assert supports is not None
        for attempt in range(_TRIES):
            there = supports.draw(np.random.default_rng([self._seed, 8, slot, attempt]))
            if there is not None and (found := self._within(there)) is not None:
                break
        if len(self._drawn) > _KEPT:
            self._drawn.clear()
        self._drawn[slot] = found
        return found

    def _within(self, there: Mask) -> Sampler | None:
        key = there.tobytes()
        if key not in self._inner:
            if len(self._inner) > _KEPT:
                self._inner.clear()
            encoding = self.encoding.within(there)
            try:
                made = None if encoding is None else sampler_for(encoding, self._seed, self._kind, self._size)
                if made is not None:
                    made.block(0, 1)  # walks find out here that there is no point
            except GenerationError:
                made = None
            self._inner[key] = made
        return self._inner[key]
