"""The search for the best point: many points looked at, the best ones climbed by gradient, then by single steps."""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import Protocol

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.gp.domain import Domain
from titrant.generators.sampler import Key
from titrant.model.trial import Parameterization

# Against BoTorch's optimize_acqf with 20 starts and 1024 points, in 24 searches on Hartmann6 with 9 to 26 points: the
# same maximum in 19, a lower one in 4 (by at most 0.09 of the logarithm), a higher one in 1.
_SCATTERED = 256
_AROUND = 128
# The same where each point must be mended, which takes a millisecond.
_FEW = 64
_STARTS = 4
# After so many suggestions of one request, which by then fills the space more than it seeks the top, half of them: a
# plate of 96 wells should not be waited for.
_CAREFUL = 16
# How much likelier a start is for a value one standard deviation better.
_EAGERNESS = 2.0
# Rounds of single steps, each over all neighbours.
_CLIMBS = 12
# Points looked at in one call, so that memory stays bounded.
_CHUNK = 512
# Points nearer to each other than this in each of a model's coordinates (ranges run from 0 to 1) are one point.
_SAME = 1e-4


class Function(Protocol):
    """What is to be maximized, over the columns of a model."""

    def values(self, points: Floats) -> Floats:
        """``b x w`` to ``b``."""

    def climbed(self, points: Floats, domain: Domain) -> Floats:
        """Where gradients lead from each of ``s x w`` within the domain's planes and relaxed columns: ``s x w``."""


class Search:
    """One maximization: remembers every feasible point it looked at, so that the best new one can be taken."""

    def __init__(self, domain: Domain, function: Function) -> None:
        self._domain = domain
        self._function = function
        self._rows: list[Floats] = []  # each n x f
        self._values: list[Floats] = []  # each n

    def run(self, best: Floats, turn: int) -> None:
        """Look for the maximum.

        Args:
            best: Good observed points to look around, ``n x f``.
            turn: Number of the search within its request; each looks at other quasi-random points.
        """
        everything = self._domain.everything()
        if everything is not None:
            self._look(everything)
            return
        self._look(self._domain.scattered(_FEW if self._domain.sampler.mends else _SCATTERED, turn))
        self._look(self._domain.around(best, _AROUND))
        if self._domain.relaxed.any():
            self._look(self._climbed(self._starts(_STARTS if turn < _CAREFUL else _STARTS // 2)))
        if self._domain.free.supports is not None or any(axis.count is not None for axis in self._domain.free.axes):
            self._step(self._top())
            if self._domain.relaxed.any():
                self._look(self._climbed(self._top()[None]))

    def ranked(self) -> Iterable[tuple[Floats, Parameterization, float]]:
        """What was found, best first: numbers ``f``, the parameterization, the value."""
        return ranked(self._domain, self.looked_at, np.concatenate(self._values))

    @property
    def looked_at(self) -> Floats:
        """All rows that were looked at, ``n x f``."""
        return np.concatenate(self._rows)

    def best(self, avoid: Set[Key], known: Floats) -> tuple[Floats, Parameterization, float] | None:
        """The best new point that fits the space; None where there is none.

        Args:
            avoid: What is not new in a finite space.
            known: What is not new in any other, in a model's coordinates: ``k x w``.  Whoever wants a point measured
                once more asks for a replicate.
        """
        return best_new(self._domain, self.looked_at, np.concatenate(self._values), avoid, known)

    def _look(self, z: Floats) -> None:
        """Evaluate and remember rows, ``n x f``."""
        if len(z):
            self._rows.append(z)
            self._values.append(self._valued(z))

    def _valued(self, z: Floats) -> Floats:
        """The values of rows: ``n x f`` to ``n``."""
        x = self._domain.to_model(z)
        parts = [self._function.values(x[start : start + _CHUNK]) for start in range(0, len(x), _CHUNK)]
        values = np.concatenate(parts)
        if not np.isfinite(values).any():
            raise FloatingPointError("the acquisition function is not finite anywhere")
        return np.where(np.isfinite(values), values, -np.inf)

    def _top(self) -> Floats:
        """The best row, ``f``."""
        rows, values = np.concatenate(self._rows), np.concatenate(self._values)
        return np.asarray(rows[values.argmax()])

    def _starts(self, count: int) -> Floats:
        """Rows to climb from: the best of each look, and others at random, better ones more likely: ``s x f``."""
        rows, values = np.concatenate(self._rows), np.concatenate(self._values)
        begins = np.cumsum([0, *map(len, self._values)])
        tops = [int(begin + part.argmax()) for begin, part in zip(begins, self._values, strict=False)]
        chosen = [i for i in sorted(tops, key=lambda i: -values[i]) if np.isfinite(values[i])][:count]
        finite = np.isfinite(values)
        spread = (values - values[finite].mean()) / max(float(values[finite].std()), 1e-12)
        weights = np.where(finite, np.exp(np.clip(_EAGERNESS * spread, -50.0, 50.0)), 0.0)
        weights[chosen] = 0.0
        more = min(count - len(chosen), int(np.count_nonzero(weights)))
        if more > 0:
            chosen.extend(self._domain.rng.choice(len(rows), size=more, replace=False, p=weights / weights.sum()))
        return rows[chosen]

    def _climbed(self, z: Floats) -> Floats:
        """Where gradients lead from rows ``s x f``, back on the grid and inside the constraints: ``n x f``."""
        domain = self._domain
        x = domain.to_model(z)  # s x w
        found = np.empty_like(x)
        for places, view in domain.views(z):
            found[places] = self._function.climbed(x[places], view)
        rows = domain.from_model(np.where(np.isfinite(found), found, x))
        return np.array(rows).reshape(-1, domain.free.dimension)

    def _step(self, z: Floats) -> None:
        """Go to the best neighbour as long as it is better, from a row ``f``."""
        value = -np.inf
        for _ in range(_CLIMBS):
            around = self._domain.neighbours(z)
            if not len(around):
                return
            values = self._valued(around)
            self._rows.append(around)
            self._values.append(values)
            place = int(values.argmax())
            if values[place] <= value:
                return
            z, value = around[place], float(values[place])


def ranked(domain: Domain, rows: Floats, values: Floats) -> Iterable[tuple[Floats, Parameterization, float]]:
    """Rows ``n x f`` by their values ``n``, best first: numbers ``f``, the parameterization, the value."""
    for i in np.argsort(-values, kind="stable"):
        yield rows[i], domain.free.parameters(rows[i]), float(values[i])


def best_new(
    domain: Domain, rows: Floats, values: Floats, avoid: Set[Key], known: Floats
) -> tuple[Floats, Parameterization, float] | None:
    """The best of rows ``n x f`` that is new and fits the space; ``avoid`` and ``known`` as of ``Search.best``."""
    space, finite = domain.free.space, domain.free.size is not None
    for row, parameters, value in ranked(domain, rows, values):
        if finite and domain.free.key(parameters) in avoid:
            continue
        if not finite and len(known) and np.abs(known - domain.to_model(row[None])).max(1).min() < _SAME:
            continue
        if space.contains(parameters):
            return row, parameters, value
    return None
