"""Feasible points where constraints are not linear: those of the sequence, or found by a search from each of them."""

from __future__ import annotations

from collections.abc import Iterator, Set

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.encoding import Encoding, Mask
from titrant.generators.sampler import Key, Method, Sampler
from titrant.generators.sequences import Kind
from titrant.generators.unmet import explained
from titrant.model.trial import Parameterization

# Points of the sequence tried to find out how many keep the constraints, and the share from which that is enough.
_PROBES = 256
_WORTHWHILE = 0.02


class SearchingSampler(Sampler):
    """Points that keep the linear constraints, left out where they break others, or mended where most do.

    Attributes:
        mends: True where most are mended, which takes longer.
    """

    def __init__(self, encoding: Encoding, seed: int, kind: Kind = "sobol", size: int = 0) -> None:
        self._plain = Sampler(encoding, seed, kind, size)
        super().__init__(encoding, seed, kind, size)
        self.mends |= self.method == "search"

    def _choose(self) -> Method:
        if self._is_short:
            return "list"
        if self._plain.method == "list":
            return "list"
        assert self.encoding.nonlinear is not None
        # Of a fixed seed: the method, and so the points, must not change with chance.
        z, fits = Sampler(self.encoding, 0).block(0, _PROBES)
        kept = self.encoding.nonlinear.holds(z[fits]) if fits.any() else np.zeros(1, bool)
        return self._plain.method if kept.mean() >= _WORTHWHILE else "search"

    def draw(self, position: int, avoid: Set[Key]) -> Iterator[tuple[Floats, Parameterization, int]]:  # noqa: D102
        return explained(super().draw(position, avoid), self.encoding)

    def block(self, start: int, count: int) -> tuple[Floats, Mask]:  # noqa: D102 - as the parent's
        if self.method == "list":
            return super().block(start, count)
        z, fits = self._plain.block(start, count)
        nonlinear = self.encoding.nonlinear
        assert nonlinear is not None
        kept = fits.copy()
        kept[fits] = nonlinear.holds(z[fits])
        for i in np.flatnonzero(fits & ~kept) if self.method == "search" else ():
            rng = np.random.default_rng([self._seed, 9, start + int(i)])
            if (mended := nonlinear.mend(z[i], rng, inside=True)) is not None:
                z[i], kept[i] = mended, True
        return z, kept
