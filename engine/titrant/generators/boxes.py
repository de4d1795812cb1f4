"""Boxes over the parameters in constraints: made smaller by these, found to have no point, and split."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.intervals import Boxed
from titrant.generators.rows import Mask, keeps
from titrant.model.constraints import TOLERANCE, LinearConstraint
from titrant.model.parameters import ParameterConfig, RangeParameterConfig
from titrant.model.restrictions import HAIR, Cardinality, Formula
from titrant.model.space import AnyConstraint

# Values of one parameter that are told apart; where there are more, it is as if all between them were allowed.
_VALUES = 10_000
# Sides are not split further than to this part of the whole.
_SMALL = 1e-12

Ends = tuple[Floats, Floats]
"""Least and greatest values of boxes, ``n x d`` each."""


class Side(NamedTuple):
    """One parameter as a side of boxes.

    Attributes:
        low, high: Its ends.
        values: All its values in order; None where they are too many.
        is_log: Whether it is split in the geometric middle.
    """

    low: float
    high: float
    values: Floats | None
    is_log: bool


def side(config: ParameterConfig, *, steps: bool = True) -> Side:
    """The side of a numeric parameter; without steps, all numbers between its ends are allowed."""
    low, high = config.interval or (0.0, 0.0)
    if not isinstance(config, RangeParameterConfig):
        numbers = np.array(sorted(map(float, config.allowed)))
        return Side(low, high, numbers if steps or len(numbers) == 1 else None, is_log=False)
    size = config.size()
    listed = steps and size is not None and size <= _VALUES
    values = np.array([config.grid.at(k) for k in range(size or 0)], dtype=np.float64) if listed else None
    return Side(float(low), float(high), values, config.scaling == "log")


class Boxes:
    """Boxes in which constraints may hold; always as least and greatest values, ``n x d`` each."""

    def __init__(self, constraints: Sequence[AnyConstraint], sides: Mapping[str, Side]) -> None:
        self._constraints = constraints
        self._linear = [one for one in constraints if isinstance(one, LinearConstraint)]
        self._counted = [one for one in constraints if isinstance(one, Cardinality)]
        self._formulas = [one for one in constraints if isinstance(one, Formula)]
        self._sides = list(sides.values())
        self._places = {name: j for j, name in enumerate(sides)}
        self.all: Ends = (
            np.array([[one.low for one in self._sides]], dtype=np.float64),
            np.array([[one.high for one in self._sides]], dtype=np.float64),
        )
        # The least amount of what may be absent.
        self._least = np.full(len(self._sides), np.nan)
        for one in self._counted:
            places = self._of(one)
            self._least[places] = np.fmax(
                np.fmax(self._least[places], one.minimum * (1 - HAIR)), np.nextafter(0.0, 1.0)
            )

    def _of(self, one: AnyConstraint) -> list[int]:
        return [self._places[name] for name in one.names]

    def keeps(self, z: Floats) -> Mask:
        """True for each point that keeps the constraints: ``n x d`` to ``n``."""
        values = {name: z[:, j] for name, j in self._places.items()}
        return np.asarray(np.logical_and.reduce([keeps(one, values) for one in self._constraints]))

    def left(self, low: Floats, high: Floats) -> Ends:
        """Boxes that may have a point, without what the constraints that are simple rule out."""
        low, high = low.copy(), high.copy()
        for one in self._linear:
            self._tighten(one, low, high)
        for counted in self._counted:
            self._count(counted, low, high)
        for j, along in enumerate(self._sides):
            if along.values is not None:
                first = np.searchsorted(along.values, low[:, j])
                last = np.searchsorted(along.values, high[:, j], side="right") - 1
                low[:, j] = np.append(along.values, np.inf)[first]
                high[:, j] = np.append(along.values, -np.inf)[last]
        may = (low <= high).all(1)
        low, high = low[may], high[may]
        may = self._may(low, high)
        return low[may], high[may]

    def _may(self, low: Floats, high: Floats) -> Mask:
        """True for each box in which each formula may hold, as intervals tell: ``n``."""
        boxed = Boxed({name: (low[:, j], high[:, j]) for name, j in self._places.items()}, len(low))
        may = np.ones(len(low), dtype=bool)
        for one in self._formulas:
            left, relation, right = one.parsed
            small, large = boxed.reach(left), boxed.reach(right)
            if relation == ">=":
                small, large = large, small
            # The tolerance grows more slowly than the sides do, so that of the ends is enough.
            least, most = small[0], large[1]
            with np.errstate(invalid="ignore"):
                may &= ~(least - most > TOLERANCE * np.maximum(np.abs(least), np.abs(most)))
        return may & ~boxed.nowhere

    def _tighten(self, one: LinearConstraint, low: Floats, high: Floats) -> None:
        """Rule out what a linear constraint does (see ``LinearConstraint.tightened``); changes the boxes."""
        places = self._of(one)
        weights = np.array([weight for _, weight in one.terms])
        ends = weights * low[:, places], weights * high[:, places]
        least, most = np.minimum(*ends), np.maximum(*ends)
        slack = TOLERANCE * np.maximum(np.maximum(np.abs(least), np.abs(most)).sum(1), abs(one.bound))[:, None]
        total, top = least.sum(1)[:, None], most.sum(1)[:, None]
        if one.relation != ">=":
            most = np.minimum(most, one.bound + slack - (total - least))
        if one.relation != "<=":
            least = np.maximum(least, one.bound - slack - (top - np.maximum(*ends)))
        first, last = least / weights, most / weights
        low[:, places] = np.maximum(low[:, places], np.where(weights > 0, first, last))
        high[:, places] = np.minimum(high[:, places], np.where(weights > 0, last, first))

    def _count(self, one: Cardinality, low: Floats, high: Floats) -> None:
        """Rule out what the number of components does; changes the boxes."""
        places = self._of(one)
        below, above = low[:, places], high[:, places]
        least = self._least[places]
        above = np.where((above >= 0) & (above < least), 0.0, above)
        below = np.where(below > 0, np.maximum(below, least), below)
        there = (below > 0).sum(1)
        above[(there >= one.most)[:, None] & (below <= 0)] = 0.0
        can = (above > 0).sum(1)
        below[(there > one.most) | (can < one.least)] = np.inf
        low[:, places], high[:, places] = below, above

    def middle(self, low: Floats, high: Floats) -> Floats:
        """A point of each box, about in its middle: ``n x d``."""
        return self._cut(low, high)[0]

    def _cut(self, low: Floats, high: Floats) -> Ends:
        """Where the lower half of each side ends and where the upper one begins: ``n x d`` each."""
        ends = low + (high - low) / 2
        begins = ends.copy()
        for j, one in enumerate(self._sides):
            if one.values is not None:
                first, last = np.searchsorted(one.values, low[:, j]), np.searchsorted(one.values, high[:, j])
                half = (first + last) // 2
                ends[:, j] = one.values[half]
                begins[:, j] = one.values[np.minimum(half + 1, len(one.values) - 1)]
            elif one.is_log:
                ends[:, j] = begins[:, j] = np.clip(np.sqrt(low[:, j]) * np.sqrt(high[:, j]), low[:, j], high[:, j])
        return ends, begins

    def split(self, low: Floats, high: Floats) -> Ends | None:
        """Both halves of each box, cut where it is widest; None where one is as small as numbers get."""
        widths = np.zeros_like(low)
        for j, one in enumerate(self._sides):
            if one.values is not None:
                levels = np.searchsorted(one.values, high[:, j]) - np.searchsorted(one.values, low[:, j])
                widths[:, j] = levels / max(1, len(one.values) - 1)
            elif one.high == one.low:
                continue
            elif one.is_log:
                widths[:, j] = np.log(high[:, j] / low[:, j]) / np.log(one.high / one.low)
            else:
                widths[:, j] = (high[:, j] - low[:, j]) / (one.high - one.low)
        ends, begins = self._cut(low, high)
        # What may be absent is either 0 or at least so much; the number of components tells soonest what is left.
        absent = (low == 0) & (high > 0) & ~np.isnan(self._least)
        widths = np.where(absent, widths + 1, widths)
        ends = np.where(absent, 0.0, ends)
        first = [
            math.nan if one.values is None else min(one.values[one.values > 0], default=0.0) for one in self._sides
        ]
        begins = np.where(absent, np.fmax(self._least, first), begins)
        rows, widest = np.arange(len(low)), widths.argmax(1)
        if (widths[rows, widest] <= _SMALL).any():
            return None
        lower, upper = high.copy(), low.copy()
        lower[rows, widest] = ends[rows, widest]
        upper[rows, widest] = begins[rows, widest]
        return np.concatenate([low, upper]), np.concatenate([lower, high])
