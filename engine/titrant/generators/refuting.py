"""Whether a point keeps constraints that need not be linear: by listing all, or by refuting box after box.

Functions are left out: only generators ask them, in their own process.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from msgspec import UNSET
from msgspec.structs import replace

from titrant.generators.axes import Floats
from titrant.generators.boxes import Boxes, Side, side
from titrant.generators.points import from_all_over, swept
from titrant.generators.rows import keeps
from titrant.model.constraints import LinearConstraint
from titrant.model.restrictions import Formula, Function
from titrant.model.space import AnyConstraint, SearchSpace
from titrant.model.trial import Parameterization

# Combinations of the values that stand in constraints, up to which all are looked at.
_LISTABLE = 100_000
# What all searches about one space may cost, in boxes times terms of the constraints: about a second. A clock would
# decide otherwise each time. Of it, what the first of them may cost; the others find out what can be left out.
_WORK = 5_000_000
_FIRST = 2_000_000
# Boxes looked at together, and those of them from whose middle a point is searched for.
_TOGETHER = 1024
_SEARCHED = 2
# Points tried before that, times the square of the number of constraints: each is left out, and the others looked at.
_TRIES = 20_000


class Refuter:
    """Whether some point of a space keeps some of its constraints."""

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._left = _FIRST
        self._again = False

    def again(self) -> None:
        """Allow for what it takes to find out which constraints can be left out."""
        self._left += _WORK - _FIRST
        self._again = True

    def allows(self, constraints: Sequence[AnyConstraint], *, steps: bool = True) -> bool | None:
        """Whether some point keeps the constraints; None where the search gives up (see ``clashes.Solver``)."""
        constraints = [one for one in constraints if not isinstance(one, Function)]
        names = list(dict.fromkeys(name for one in constraints for name in one.names))
        sides = {name: side(self._space.parameter(name), steps=steps) for name in names}
        counts = [len(one.values) if one.values is not None else math.inf for one in sides.values()]
        if not names:
            return True
        if math.prod(counts) <= _LISTABLE:
            return self._listed(constraints, sides)
        return self._searched(constraints, sides, steps=steps)

    def stepped(self, constraints: Sequence[AnyConstraint]) -> tuple[str, ...]:
        """The parameters in constraints that have steps."""
        names = dict.fromkeys(name for constraint in constraints for name in constraint.names)
        return tuple(name for name in names if (self._space.parameter(name).size() or 0) > 1)

    def _listed(self, constraints: Sequence[AnyConstraint], sides: Mapping[str, Side]) -> bool:
        levels = [one.values for one in sides.values() if one.values is not None]
        grid: Sequence[Floats] = np.meshgrid(*levels, indexing="ij")
        values = {name: numbers.ravel() for name, numbers in zip(sides, grid, strict=True)}
        return bool(np.logical_and.reduce([keeps(one, values) for one in constraints]).any())

    def _searched(self, constraints: Sequence[AnyConstraint], sides: Mapping[str, Side], *, steps: bool) -> bool | None:
        """Branch and bound: boxes that may have a point are split until one is found, or none is left."""
        boxes = Boxes(constraints, sides)
        space = self._within(constraints)
        if self._again and from_all_over(space, _TRIES // len(constraints) ** 2) is not None:
            return True
        cost = sum(map(_terms, constraints)) + len(sides)
        stack = [boxes.all]
        while stack:
            low, high = stack.pop()
            if len(low) > _TOGETHER:
                stack.append((low[:-_TOGETHER], high[:-_TOGETHER]))
                low, high = low[-_TOGETHER:], high[-_TOGETHER:]
            self._left -= len(low) * cost
            if self._left < 0:
                return None
            low, high = boxes.left(low, high)
            if not len(low):
                continue
            middle = boxes.middle(low, high)
            kept = np.flatnonzero(boxes.keeps(middle))
            if len(kept) and not steps:
                return True
            alone = np.flatnonzero((low == high).all(1))
            looked_at = (*kept[:_SEARCHED], *range(min(len(low), _SEARCHED)), *alone)
            if any(self._point(space, sides, middle[i]) for i in looked_at):
                return True
            low, high = np.delete(low, alone, axis=0), np.delete(high, alone, axis=0)
            parts = boxes.split(low, high)
            if parts is None:  # as small as numbers get
                return None
            stack.append(parts)
        return False

    def _within(self, constraints: Sequence[AnyConstraint]) -> SearchSpace:
        """The space with these constraints only."""
        linear = tuple(one for one in constraints if isinstance(one, LinearConstraint))
        others = tuple(one for one in constraints if not isinstance(one, LinearConstraint))
        return replace(self._space, constraints=linear, restrictions=others or UNSET)

    def _point(self, space: SearchSpace, sides: Mapping[str, Side], numbers: Floats) -> Parameterization | None:
        near = zip(sides, numbers.tolist(), strict=True)
        return swept(
            space, space.centre() | {name: space.parameter(name).nearest(number) for name, number in near}, sparse=True
        )


def _terms(constraint: AnyConstraint) -> int:
    if not isinstance(constraint, Formula):
        return len(constraint.names)
    return sum(1 for tree in (constraint.parsed.left, constraint.parsed.right) for _ in _nodes(tree))


def _nodes(tree: tuple[object, ...]) -> Iterator[object]:
    yield tree
    for part in tree[1:]:
        if isinstance(part, tuple):
            yield from _nodes(part)
