"""Which components may be present together where their number is restricted.

A support is a set of components that are other than zero. Inside one support the space is as without the restriction:
the absent components are held at 0, so that everything made for linear constraints holds there too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from titrant.errors import GenerationError, SearchSpaceError
from titrant.generators.axes import Axis, Floats
from titrant.model.parameters import ChoiceParameterConfig, FixedParameterConfig, ParameterConfig, RangeParameterConfig
from titrant.model.restrictions import HAIR, Cardinality
from titrant.model.space import SearchSpace
from titrant.model.trial import ParameterValue

if TYPE_CHECKING:
    from titrant.generators.encoding import LinearSystem, Mask

# Supports that are drawn from; where there are more, a random choice of them, the same for every seed.
_MOST = 4096
# Up to so many components all supports are looked at.
_LISTABLE = 14
_DRAWS = 1 << 16


class Supports:
    """The restrictions on the number of free components that are present.

    Attributes:
        columns: Places of the components among the free axes: ``u``.
        floor: The least number of each where it is present: ``u``; 0 where any above 0 is enough.
    """

    def __init__(
        self,
        restrictions: Iterable[Cardinality],
        axes: tuple[Axis, ...],
        fixed: Mapping[str, ParameterValue],
        system: LinearSystem,
    ) -> None:
        places = {axis.name: j for j, axis in enumerate(axes)}
        restrictions = tuple(restrictions)
        names = [name for name in places if any(name in one.names for one in restrictions)]
        self.columns = np.array([places[name] for name in names], dtype=np.intp)
        self.floor = np.zeros(len(names))
        self._groups: list[tuple[Mask, int, int]] = []
        for one in restrictions:
            known = {name: fixed[name] for name in one.names if name in fixed}
            fault = replace(one, names=tuple(known), least=0).fault(known) if known else None
            among = np.array([name in one.names for name in names], dtype=bool)
            there = len(known) - sum(value == 0 for value in known.values())
            if fault or one.least - there > among.sum():
                raise GenerationError(f"what is held fixed breaks the constraint {one.text!r}")
            self._groups.append((among, max(0, one.least - there), one.most - there))
            self.floor[among] = np.maximum(self.floor[among], one.minimum)
            if one.least:  # a step of 0 would not be present
                first = [axes[j].at(np.array([1.0]))[0] if axes[j].count else 0.0 for j in self.columns[among]]
                self.floor[among] = np.maximum(self.floor[among], first)
        self._high = np.array([axes[j].high for j in self.columns])
        self._low = np.array([axis.low for axis in axes])
        self._top = np.array([axis.high for axis in axes])
        self._system = system

    def present(self, z: Floats) -> Mask:
        """Which components are other than zero: ``n x d`` to ``n x u``."""
        return np.asarray(z[:, self.columns] != 0)

    def holds(self, z: Floats) -> Mask:
        """True for each row that keeps the restrictions: ``n x d`` to ``n``."""
        there = self.present(z)
        enough = ~there | (z[:, self.columns] >= self.floor * (1 - HAIR))
        return self._counted(there) & enough.all(1)

    def _counted(self, there: Mask) -> Mask:
        fits = np.ones(len(there), bool)
        for among, least, most in self._groups:
            count = there[:, among].sum(1)
            fits &= (count >= least) & (count <= most)
        return fits

    def nearest(self, row: Floats) -> Mask:
        """The support nearest to a row, ``d``: the largest components, relative to what they may be; ``u``."""
        share = row[self.columns] / self._high
        there = row[self.columns] > self.floor / 2
        for among, least, most in self._groups:
            order = np.flatnonzero(among)[np.argsort(-share[among], kind="stable")]
            count = int(there[among].sum())
            if count > most:
                there[order[most:]] = False
            elif count < least:
                there[order[:least]] = True
        return np.asarray(there)

    def moved(self, row: Floats, there: Mask) -> Floats:
        """A row, ``d``, with the components of another support, ``u``: what is gone is shared out among what is new."""
        was = row[self.columns]
        gone, new = (was != 0) & ~there, (was == 0) & there
        share = float(was[gone].sum()) / max(1, int(new.sum())) if gone.any() else float(was.max(initial=0.0)) / 4
        now = np.where(there, was, 0.0)
        now[new] = np.clip(share or self._high[new] / 4, self.floor[new], self._high[new])
        found = row.copy()
        found[self.columns] = now
        return found

    def kept(self, z: Floats, before: Floats) -> Floats:
        """Rows ``n x d`` in which the components are present that were in others, at least at their least."""
        z = z.copy()
        there = self.present(before)
        z[:, self.columns] = np.where(there, np.maximum(z[:, self.columns], self.floor), 0.0)
        return z

    def near(self, there: Mask) -> list[Mask]:
        """The supports one exchange, one addition or one removal away from one, ``u`` each."""
        flips = [[i] for i in range(len(there))]
        exchanges = [[int(i), int(j)] for i in np.flatnonzero(there) for j in np.flatnonzero(~there)]
        masks = np.tile(there, (len(flips) + len(exchanges), 1))
        for mask, changed in zip(masks, [*flips, *exchanges], strict=True):
            mask[changed] = ~mask[changed]
        return list(masks[self._counted(masks) & self._reachable(masks)])

    def draw(self, rng: np.random.Generator) -> Mask | None:
        """A support that may have a point, ``u``: larger ones more often; None where there is none."""
        table, weights = self._table
        return np.asarray(table[rng.choice(len(table), p=weights)]) if len(table) else None

    @cached_property
    def _table(self) -> tuple[Mask, Floats]:
        """Supports that intervals do not rule out, ``s x u``, and how often each is drawn, ``s``."""
        rng = np.random.default_rng(0)  # of the space, not of the experiment: the same for every seed
        masks = self._every() if len(self.columns) <= _LISTABLE else self._some(rng)
        masks = masks[self._counted(masks)]
        masks = masks[self._reachable(masks)]
        if len(masks) > _MOST:
            masks = masks[np.sort(rng.choice(len(masks), size=_MOST, replace=False))]
        # Each number of components in proportion to it; without, the largest sets alone would ever be drawn.
        sizes = masks.sum(1)
        weights = np.zeros(len(masks))
        for size in np.unique(sizes):
            weights[sizes == size] = max(float(size), 1e-3) / (sizes == size).sum()
        return masks, weights / max(float(weights.sum()), np.finfo(float).tiny)

    def _every(self) -> Mask:
        number = len(self.columns)
        return np.asarray((np.arange(1 << number)[:, None] >> np.arange(number)) & 1, dtype=bool)

    def _some(self, rng: np.random.Generator) -> Mask:
        """Random supports, group by group: ``s x u``, each once."""
        masks = np.zeros((_DRAWS, len(self.columns)), dtype=bool)
        free = np.ones(len(self.columns), dtype=bool)
        for among, least, most in self._groups:
            own = np.flatnonzero(among & free)
            free &= ~among
            if len(own):
                sizes = rng.integers(min(least, len(own)), min(most, len(own)) + 1, size=_DRAWS)
                masks[:, own] = rng.random((_DRAWS, len(own))).argsort(1).argsort(1) < sizes[:, None]
        return np.unique(masks, axis=0)

    def _reachable(self, masks: Mask) -> Mask:
        """True for each support, ``s x u``, within whose bounds every linear constraint may be met: ``s``."""
        low = np.tile(self._low, (len(masks), 1))
        high = np.tile(self._top, (len(masks), 1))
        low[:, self.columns] = np.where(masks, np.maximum(low[:, self.columns], self.floor), 0.0)
        high[:, self.columns] = np.where(masks, high[:, self.columns], 0.0)
        fits = (low <= high).all(1)
        for matrix, bound, exact in ((self._system.a, self._system.b, False), (self._system.c, self._system.d, True)):
            up, down = np.maximum(matrix, 0.0), np.minimum(matrix, 0.0)
            least, most = low @ up.T + high @ down.T, high @ up.T + low @ down.T  # s x m
            slack = 1e-8 * np.maximum(np.abs(least) + np.abs(most), np.abs(bound))
            fits &= (least <= bound + slack).all(1)
            if exact:
                fits &= (most >= bound - slack).all(1)
        return np.asarray(fits)


def narrowed(space: SearchSpace, names: Iterable[str], there: Mask, floor: Floats) -> SearchSpace | None:
    """The space of one support: absent components at 0, present ones at their least or above; None where it is empty.

    Args:
        space: The whole space.
        names: The components, ``u``.
        there: Which of them are present, ``u``.
        floor: The least of each that is, ``u``.
    """
    limits = {name: (bool(is_there), float(least)) for name, is_there, least in zip(names, there, floor, strict=True)}
    try:
        parameters = tuple(
            _limited(config, *limits[config.name]) if config.name in limits else config for config in space.parameters
        )
        others = tuple(one for one in space.restrictions or () if not isinstance(one, Cardinality))
        return replace(space, parameters=parameters, restrictions=others)
    except SearchSpaceError:
        return None


def _limited(config: ParameterConfig, is_there: bool, least: float) -> ParameterConfig:
    if not is_there:
        return FixedParameterConfig(config.name, config.check(0))
    if least <= 0:
        return config
    match config:
        case ChoiceParameterConfig(values=values):
            return replace(config, values=tuple(value for value in values if float(value) >= least))
        case RangeParameterConfig(bounds=(_, high)):
            grid = config.grid
            if grid.step:  # the steps stay where they are
                at = next(k for k in range(grid.steps + 2) if grid.at(k) >= least * (1 - HAIR) or k > grid.steps)
                least = grid.at(at) if at <= grid.steps else high + 1
                high = grid.last
            if least == high:
                return FixedParameterConfig(config.name, config.check(high))
            return replace(config, bounds=(least, high))
        case _:
            return config
