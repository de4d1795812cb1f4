"""Continuous parameters that the others determine: where the solvent fills up, only finitely many points are left."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

from titrant.model.conditions import is_never_active
from titrant.model.constraints import Interval, LinearConstraint
from titrant.model.expressions import as_float
from titrant.model.parameters import ParameterConfig, RangeParameterConfig
from titrant.model.space import SearchSpace
from titrant.model.trial import Parameterization, ParameterValue

# What sums of floats may be off by, relative to their terms.
_NOISE = 1e-12
# A weight in an equality, times the range of its parameter, relative to the largest: below, the tolerance with which
# constraints are kept leaves the parameter much of its range.  So narrow, too, an interval must become to be a point.
_LEAST = 1e-6
_ROUNDS = 20  # of narrowing


class Formula(NamedTuple):
    """What a parameter is by the others: a constant, and those with finitely many values with their weights."""

    constant: float
    weights: dict[str, float]


Formulas = dict[str, Formula]
"""The continuous parameters that the others determine, by name."""


def determined(space: SearchSpace, held: Parameterization) -> Formulas | None:
    """How the continuous parameters follow from those with finitely many values; None where one of them may vary.

    Equalities determine as many as they have independent rows, and bounds those that they leave a single value.
    Constraints that do not always count are not looked at, so that there may be fewer points than this says.

    Args:
        space: The search space, without candidates.
        held: Parameters held at a value.
    """
    free = [p.name for p in space.parameters if p.name not in held and _is_continuous(p)]
    if not free:
        return {}
    if not space.constraints:
        return None
    known = _known(space, held)
    free = [name for name in free if not is_never_active(space.conditions, name, known)]
    counting = _counting(space)
    if not {name for one in counting for name in one.names}.issuperset(free):
        return None
    ends = _ends(space, known)
    if any(name not in ends for one in counting for name in one.names):  # held at what is no number
        return None
    return _solved(counting, free, ends)


def reach(space: SearchSpace, held: Parameterization) -> dict[str, Interval]:
    """Between which values the constraints leave each parameter that is a number, held ones at theirs."""
    ends = _ends(space, _known(space, held))
    return _narrowed([one for one in _counting(space) if ends.keys() >= set(one.names)], ends)


def _known(space: SearchSpace, held: Parameterization) -> dict[str, ParameterValue | None]:
    """The values of parameters that are held or have but one; None for the others."""
    return {p.name: held[p.name] if p.name in held else _only(p) for p in space.parameters}


def _counting(space: SearchSpace) -> list[LinearConstraint]:
    """The constraints that always count."""
    return [one for one in space.constraints if space.conditions.keys().isdisjoint(one.names)]


def _ends(space: SearchSpace, known: Mapping[str, ParameterValue | None]) -> dict[str, Interval]:
    """The least and the greatest value of each parameter that is a number."""
    ends: dict[str, Interval] = {}
    for p in space.parameters:
        value = known[p.name]
        number = None if value is None else as_float(value)
        if number is not None:
            ends[p.name] = number, number
        elif value is None and p.interval is not None:
            ends[p.name] = float(p.interval[0]), float(p.interval[1])
    return ends


def key_of(space: SearchSpace, formulas: Formulas | None, parameters: Parameterization) -> tuple[Hashable, ...]:
    """What tells a point from others: its ``signature``, without what the others determine where it fits the space."""
    signature = space.signature(parameters)
    if not formulas or not space.contains(parameters):
        return signature
    return tuple(None if name in formulas else part for name, part in zip(space.names, signature, strict=True))


def _is_continuous(parameter: ParameterConfig) -> bool:
    return isinstance(parameter, RangeParameterConfig) and parameter.size() is None


def _only(parameter: ParameterConfig) -> ParameterValue | None:
    """The value of a parameter that has but one."""
    if isinstance(parameter, RangeParameterConfig):
        return parameter.nearest(parameter.bounds[0]) if parameter.size() == 1 else None
    return parameter.allowed[0] if len(parameter.allowed) == 1 else None


def _solved(
    constraints: Sequence[LinearConstraint], free: Sequence[str], ends: Mapping[str, Interval]
) -> Formulas | None:
    """The formulas of the free parameters, from the ends between which each parameter lies."""
    narrow = _narrowed(constraints, ends)
    found = {name: Formula(narrow[name][0], {}) for name in free if narrow[name][0] == narrow[name][1]}
    unknown = [name for name in free if name not in found]
    equalities = [one for one in constraints if one.relation == "=="]
    if len(equalities) < len(unknown):
        return None
    single = {name: low for name, (low, high) in ends.items() if low == high}
    single |= {name: formula.constant for name, formula in found.items()}
    others = [name for name in ends if name not in single and name not in unknown]
    columns = [*unknown, *others]
    widths = [ends[name][1] - ends[name][0] for name in columns]
    matrix = [_row(one, columns, single) for one in equalities]
    scales = [max(map(_times, row, widths), default=0.0) for row in matrix]  # the last number of a row has no width
    pivots: dict[int, int] = {}  # column to row
    for _ in unknown:
        pivot, i, j = max(
            (_times(row[j], widths[j]) / (scales[i] or 1.0), i, j)
            for i, row in enumerate(matrix)
            if i not in pivots.values()
            for j in range(len(unknown))
            if j not in pivots
        )
        if pivot < _LEAST:
            return None
        pivots[j] = i
        matrix[i] = [value / matrix[i][j] for value in matrix[i]]
        for k, row in enumerate(matrix):
            if k != i and row[j]:
                matrix[k] = [value - row[j] * one for value, one in zip(row, matrix[i], strict=True)]
    for j, i in pivots.items():
        weights = {name: -weight for name, weight in zip(columns, matrix[i], strict=False) if name in others and weight}
        found[unknown[j]] = Formula(matrix[i][-1], weights)
    return found


def _row(one: LinearConstraint, columns: Sequence[str], single: Mapping[str, float]) -> list[float]:
    """Weights of an equality by column and, last, its bound less what has but one value."""
    weights = dict(one.terms)
    rest = one.bound - sum(weight * single[name] for name, weight in one.terms if name in single)
    return [*(weights.get(name, 0.0) for name in columns), rest]


def _times(weight: float, width: float) -> float:
    return abs(weight) * width


def _narrowed(constraints: Sequence[LinearConstraint], ends: Mapping[str, Interval]) -> dict[str, Interval]:
    """What the constraints leave of intervals, in turn; without slack, and where it is a point exactly that."""
    narrow = dict(ends)
    for _ in range(_ROUNDS):
        before = dict(narrow)
        for one in constraints:
            low, high = one.reach(narrow)
            room = {name: _left(one, narrow[name], weight, (low, high)) for name, weight in one.terms}
            narrow |= {name: interval for name, interval in room.items() if interval is not None}
        if narrow == before:
            break
    return narrow


def _left(one: LinearConstraint, ends: Interval, weight: float, reach: Interval) -> Interval | None:
    """What a constraint leaves of the interval of one of its parameters; None where nothing changes."""
    low, high = sorted((weight * ends[0], weight * ends[1]))
    if low == high:
        return None
    most = high if one.relation == ">=" else min(high, one.bound - (reach[0] - low))
    least = low if one.relation == "<=" else max(low, one.bound - (reach[1] - high))
    noise = _NOISE * max(abs(reach[0]), abs(reach[1]), abs(one.bound), abs(low), abs(high))
    if most - least <= min(noise, _LEAST * (high - low)):
        if most - least < -noise:
            return None  # a contradiction, which is told elsewhere
        value = (most + least) / 2 / weight
        near = min(ends, key=lambda end: abs(end - value))
        value = near if abs(near - value) * abs(weight) <= noise else value
        return value, value
    if (least, most) == (low, high):
        return None
    return (least / weight, most / weight) if weight > 0 else (most / weight, least / weight)
