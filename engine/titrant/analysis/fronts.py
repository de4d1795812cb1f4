"""How much a front has won: its hypervolume, above thresholds or a reference point that the front itself suggests."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from titrant.analysis import results
from titrant.errors import CommandRefused
from titrant.model.objective import Objective
from titrant.rules.state import State
from titrant.rules.withdrawing import baseline_means

Row = tuple[float, ...]

MOST_OBJECTIVES = 6
"""The parts that a front's volume is made of become too many beyond."""

BELOW = 0.3
"""Where a threshold is missing, an objective counts from so much of the front's range below its worst value: as for
suggestions between two objectives (``generators.pareto.reference``)."""


class Volume(msgspec.Struct, frozen=True):
    """A hypervolume, and from where it was measured.

    Attributes:
        value: In the product of the objectives' units.
        reference: Values of the objectives as they are measured, by text: ``"-cost"`` has a cost.
        inferred: Texts of the objectives that have no threshold.
    """

    value: float
    reference: dict[str, float]
    inferred: tuple[str, ...]


def volume(state: State, front: Sequence[dict[str, float]]) -> Volume:
    """The hypervolume of a front.

    Args:
        state: What is known.
        front: Metric values of its trials, in their own units.

    Raises:
        CommandRefused: There is one objective, or far too many of them, or the front is empty.
    """
    optimization = results.configured(state)
    count = len(optimization.objectives)
    if not 1 < count <= MOST_OBJECTIVES:
        raise CommandRefused(f"there are {count} objectives: a hypervolume is told of 2 to {MOST_OBJECTIVES}")
    if not front:
        raise CommandRefused("the front is empty: no finished trial keeps the constraints and thresholds yet")
    values = [optimization.utilities(one) for one in front]
    given = optimization.reference(baseline_means(state))
    reference = tuple(
        _worst(column) if threshold is None else threshold
        for column, threshold in zip(zip(*values, strict=True), given, strict=True)
    )
    return Volume(
        hypervolume(values, reference),
        {one.text: _measured(one, value) for one, value in zip(optimization.objectives, reference, strict=True)},
        tuple(one.text for one, value in zip(optimization.objectives, given, strict=True) if value is None),
    )


def hypervolume(values: Sequence[Row], reference: Row) -> float:
    """The volume between a reference point and what is above it, of objectives that are to be large.

    Source: L. While, L. Bradstreet and L. Barone, "A fast way of calculating exact hypervolumes", IEEE Transactions on
    Evolutionary Computation 16 (2012).
    """
    above = sorted({row for row in values if all(a > r for a, r in zip(row, reference, strict=True))}, reverse=True)
    total = 0.0
    for place, row in enumerate(above):
        # What this one adds to those after it: its box, less what they have of it.
        shared = _undominated([tuple(map(min, row, other)) for other in above[place + 1 :]])
        box = math.prod(a - r for a, r in zip(row, reference, strict=True))
        total += box - (hypervolume(shared, reference) if shared else 0.0)
    return total


def _undominated(rows: Sequence[Row]) -> list[Row]:
    kept: list[Row] = []
    for row in sorted(set(rows), reverse=True):
        if not any(all(a >= b for a, b in zip(other, row, strict=True)) for other in kept):
            kept.append(row)
    return kept


def _worst(column: Row) -> float:
    """From where an objective counts that has no threshold."""
    size = max(column) - min(column)
    return min(column) - BELOW * (size or abs(min(column)) or 1.0)


def _measured(objective: Objective, utility: float) -> float:
    """An objective's value as it is measured: one metric that is minimized without its minus."""
    return utility / objective.terms[0][1] if len(objective.terms) == 1 else utility
