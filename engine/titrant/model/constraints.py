"""What restricts values: the kind and the grid of one parameter, linear constraints between several."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Self

import msgspec

from titrant.errors import ParameterizationError, SearchSpaceError
from titrant.model.expressions import ParameterType, Relation, cast, is_same, parse_relation

TOLERANCE = 1e-8
"""How far a constraint may be missed, relative to the magnitude of its terms: the noise of floating point."""

Interval = tuple[float, float]

_EXACT = 2**53  # whole numbers up to here survive a trip through a float, and so through the log

_ROUNDS = 20  # of tightening; enough for contradictions people write, and an end for those that converge for ever


KINDS: dict[ParameterType, str] = {
    "float": "a finite number",
    "int": "a whole number",
    "str": "a text",
    "bool": "True or False",
}
"""What a value of each parameter type is called in messages."""


def require_name(name: object) -> None:
    """Raise SearchSpaceError for what is no name."""
    if not isinstance(name, str) or not name.strip():
        raise SearchSpaceError(f"a parameter is called {name!r}: give it a name, as text")


def require_one_of(name: str, field: str, value: object, allowed: Iterable[str | None]) -> None:
    """Raise SearchSpaceError for a field's value that is not among the allowed ones."""
    if value not in (allowed := tuple(allowed)):
        raise SearchSpaceError(f"parameter {name!r} has the {field} {value!r}: use one of {allowed}")


def number(name: str, value: object, kind: ParameterType) -> int | float:
    """A parameter's value as a number of that kind.

    Raises:
        ParameterizationError: It is of another kind or not finite.
    """
    if isinstance(found := cast(value, kind), int | float):
        return found
    raise wrong_type(name, value, kind)


def chosen(
    name: str, value: object, allowed: Sequence[bool | int | float | str], kind: ParameterType
) -> bool | int | float | str:
    """The one of ``allowed`` that a value is.

    Raises:
        ParameterizationError: It is of another type, or none of them.
    """
    wanted = cast(value, kind)
    if wanted is None:
        raise wrong_type(name, value, kind)
    for one in allowed:
        if is_same(one, wanted):
            return one
    some = ", ".join(map(repr, allowed[:10])) + (", …" if len(allowed) > 10 else "")
    raise ParameterizationError(f"parameter {name!r} is {wanted!r}, not among its values: use one of {some}")


def wrong_type(name: str, value: object, kind: ParameterType) -> ParameterizationError:
    """What to raise for a value of another kind than the parameter's."""
    return ParameterizationError(
        f"parameter {name!r} is {value!r} ({type(value).__name__}), which is no {kind}: give {KINDS[kind]}"
    )


class Grid(NamedTuple):
    """The numbers a range allows: all from ``lower`` to ``upper``, or only ``lower + k * step``."""

    lower: float
    upper: float
    step: float | None
    whole: bool

    @property
    def steps(self) -> int:
        """The number of the last allowed value; the first has number 0."""
        return math.floor((self.upper - self.lower) / (self.step or math.inf) + 1e-9)

    @property
    def last(self) -> float:
        """The greatest allowed value."""
        return self.at(self.steps) if self.step else self.upper

    def at(self, index: int) -> float:
        """The allowed value number ``index``, to 15 digits, so that 0.1 + 2 * 0.1 is 0.3."""
        value = self.lower + index * (self.step or 0)
        return value if self.whole or not index else min(float(f"{value:.15g}"), self.upper)

    def nearest(self, number: float) -> float:
        """The allowed value nearest to ``number``."""
        clipped = min(max(number, self.lower), self.upper)
        return self.at(min(round((clipped - self.lower) / self.step), self.steps)) if self.step else clipped

    def snapped(self, name: str, number: float) -> float:
        """``number`` without the noise of floating point, where it is allowed.

        Raises:
            ParameterizationError: It is out of bounds or between two steps.
        """
        noise = 1e-12 * max(abs(self.lower), abs(self.upper))  # exp(log(upper)) is not always upper
        if not self.lower - noise <= number <= self.upper + noise:
            raise ParameterizationError(
                f"parameter {name!r} is {number!r}, outside its bounds [{self.lower!r}, {self.upper!r}]: "
                "choose a value between them, or widen the bounds"
            )
        near = self.nearest(number)
        if self.step and abs(near - number) > 1e-6 * self.step:
            raise ParameterizationError(
                f"parameter {name!r} is {number!r}, between the steps of {self.step!r} from {self.lower!r} "
                f"to {self.last!r}: the nearest allowed value is {near!r}"
            )
        return near


def checked_bounds(name: str, given: tuple[float, float], kind: ParameterType, scaling: str | None) -> Interval:
    """The bounds of a range in the parameter's own type.

    Raises:
        SearchSpaceError: They are not two finite numbers of that type, the lower first, above 0 for log scaling.
    """
    what = f"parameter {name!r} has the bounds {given!r}"
    match [cast(bound, kind) for bound in given] if isinstance(given, list | tuple) else None:
        case [int() | float() as lower, int() | float() as upper] if math.isfinite(upper - lower):
            if lower >= upper:
                raise SearchSpaceError(
                    f"{what}: the lower must be below the upper; for one value use a fixed parameter"
                )
            if kind == "int" and max(-lower, upper) > _EXACT:
                raise SearchSpaceError(f"{what}: whole numbers beyond 2**53 are not exact; use other units")
            if scaling == "log" and lower <= 0:
                raise SearchSpaceError(f"{what} and log scaling: both must be above 0; use linear scaling")
            return lower, upper
    raise SearchSpaceError(f"{what}: give two finite numbers of type {kind}, (lower, upper)")


def checked_step(name: str, given: float, kind: ParameterType, bounds: Interval) -> float:
    """The step of a range in the parameter's own type.

    Raises:
        SearchSpaceError: It is not above 0, wider than the range, or too fine.
    """
    what = f"parameter {name!r} has the step_size {given!r}"
    step = cast(given, kind)
    if not isinstance(step, int | float) or not 0 < step <= (bounds[1] - bounds[0]) * (1 + 1e-9):
        raise SearchSpaceError(f"{what}: give {KINDS[kind]} above 0 and at most upper - lower")
    if step < 1e-10 * max(map(abs, bounds)):
        raise SearchSpaceError(f"{what}, too fine to tell its values apart: leave step_size out")
    return step


def checked_values(name: str, given: Sequence[object], kind: ParameterType) -> tuple[bool | int | float | str, ...]:
    """The values of a choice in the parameter's own type.

    Raises:
        SearchSpaceError: There is none, one is of another type, or one stands twice.
    """
    if isinstance(given, str) or not given:
        raise SearchSpaceError(f"parameter {name!r} has the values {given!r}: give a list of at least one value")
    values: list[bool | int | float | str] = []
    for one in given:
        what = f"parameter {name!r} has the value {one!r}"
        value = cast(one, kind)
        if value is None:
            raise SearchSpaceError(f"{what} ({type(one).__name__}), not {KINDS[kind]}: set parameter_type")
        if value in values:
            raise SearchSpaceError(f"{what} twice: remove one")
        values.append(value)
    return tuple(values)


class LinearConstraint(msgspec.Struct, frozen=True):
    """``sum(weight * parameter) relation bound``, in the parameters' own units."""

    text: str
    terms: tuple[tuple[str, float], ...]
    relation: Relation
    bound: float

    def __post_init__(self) -> None:
        if not self.terms:
            raise SearchSpaceError(f"constraint {self.text!r} has no parameter in it: name at least one")
        if len(set(self.names)) < len(self.terms):
            raise SearchSpaceError(f"constraint {self.text!r} has a parameter twice: add its weights up")
        for name, weight in self.terms:
            if weight == 0 or not math.isfinite(weight):
                raise SearchSpaceError(
                    f"constraint {self.text!r} gives {name!r} the weight {weight:g}: "
                    "leave the parameter out, or give it a finite weight other than 0"
                )
        if self.relation not in {"<=", ">=", "=="} or not math.isfinite(self.bound):
            raise SearchSpaceError(f"constraint {self.text!r}: use <=, >= or == and a finite bound")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a constraint such as ``"x1 + 2*x2 <= 3"`` or ``"a + b == 1"``.

        Raises:
            SearchSpaceError: The text is not a linear relation between parameters.
        """
        terms, relation, bound = parse_relation(text, error=SearchSpaceError)
        return cls(text.strip(), terms, relation, bound)

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters in it."""
        return tuple(name for name, _ in self.terms)

    def excess(self, values: Mapping[str, bool | int | float | str]) -> float:
        """By how much ``values`` miss the bound; 0.0 where they keep it within the tolerance."""
        parts = [weight * float(values[name]) for name, weight in self.terms]
        total = math.fsum(parts)
        over = {"<=": total - self.bound, ">=": self.bound - total, "==": abs(total - self.bound)}[self.relation]
        return over if over > self._tolerance(parts) else 0.0

    def reach(self, intervals: Mapping[str, Interval]) -> Interval:
        """The least and the greatest value the sum of the terms can take within ``intervals``."""
        low, high = zip(*(_scaled(intervals[name], weight) for name, weight in self.terms), strict=True)
        return sum(low), sum(high)

    def is_beyond(self, intervals: Mapping[str, Interval]) -> bool:
        """True if no values within ``intervals`` keep the constraint."""
        low, high = self.reach(intervals)
        slack = self._slack(intervals)
        too_high = self.relation != ">=" and low > self.bound + slack
        return too_high or (self.relation != "<=" and high < self.bound - slack)

    def tightened(self, intervals: Mapping[str, Interval]) -> dict[str, Interval]:
        """The intervals of this constraint's parameters, without what the constraint rules out."""
        low, high = self.reach(intervals)
        slack = self._slack(intervals)  # outwards, or rounds of rounding could shut out what is allowed
        narrowed = {}
        for name, weight in self.terms:
            least, most = _scaled(intervals[name], weight)
            part_most = most if self.relation == ">=" else min(most, self.bound + slack - (low - least))
            part_least = least if self.relation == "<=" else max(least, self.bound - slack - (high - most))
            ends = part_least / weight, part_most / weight
            narrowed[name] = ends if weight > 0 else ends[::-1]
        return narrowed

    def _slack(self, intervals: Mapping[str, Interval]) -> float:
        return self._tolerance(max(map(abs, _scaled(intervals[name], weight))) for name, weight in self.terms)

    def _tolerance(self, parts: Iterable[float]) -> float:
        return TOLERANCE * max(math.fsum(map(abs, parts)), abs(self.bound))


def conflict(constraints: Iterable[LinearConstraint], bounds: Mapping[str, Interval | None]) -> str | None:
    """Say why no values within ``bounds`` can keep all constraints, or None where no reason was found.

    Each constraint is tried alone, then the intervals are narrowed by all of them in turn: what is refused has no
    solution, but a contradiction that takes a linear program or whole numbers to find may pass.  In ``bounds`` None
    marks a parameter that is no ordered number.
    """
    constraints = tuple(constraints)
    intervals = {name: ends for name, ends in bounds.items() if ends}
    for constraint in constraints:
        for name in constraint.names:
            if name not in intervals:
                why = "is no ordered number" if name in bounds else f"is none of {', '.join(bounds)}"
                return f"constraint {constraint.text!r}: {name!r} {why}; use numeric parameters of the space"
        if constraint.is_beyond(intervals):
            return _sentence(constraint, intervals, "the bounds")
    for _ in range(_ROUNDS):
        before = dict(intervals)
        for constraint in constraints:
            if constraint.is_beyond(intervals):
                return _sentence(constraint, intervals, "the bounds and the other constraints")
            intervals |= constraint.tightened(intervals)
        if intervals == before:
            break
    return None


def _sentence(constraint: LinearConstraint, intervals: Mapping[str, Interval], leave: str) -> str:
    low, high = constraint.reach(intervals)
    parts = " + ".join(f"{weight:g}*{name}" for name, weight in constraint.terms)
    return (
        f"constraint {constraint.text!r} cannot be met: {leave} leave {parts} between {low:g} and {high:g}, "
        f"and it must be {constraint.relation} {constraint.bound:g}: change the constraint or the bounds"
    )


def _scaled(interval: Interval, weight: float) -> Interval:
    one, other = interval[0] * weight, interval[1] * weight
    return (one, other) if weight > 0 else (other, one)
