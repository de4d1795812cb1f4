"""The search space: what may be varied, between which bounds, under which constraints."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Literal

import msgspec
from msgspec.structs import force_setattr

from titrant.errors import ParameterizationError, SearchSpaceError
from titrant.model.constraints import (
    KINDS,
    Grid,
    Interval,
    LinearConstraint,
    checked_bounds,
    checked_step,
    checked_values,
    chosen,
    conflict,
    number,
    require_name,
    require_one_of,
)
from titrant.model.expressions import ParameterType, cast, key, kind_of
from titrant.model.trial import Parameterization, ParameterValue

__all__ = [
    "ChoiceParameterConfig",
    "FixedParameterConfig",
    "LinearConstraint",
    "ParameterConfig",
    "RangeParameterConfig",
    "SearchSpace",
    "search_space",
]


class RangeParameterConfig(msgspec.Struct, frozen=True, tag="range"):
    """A numeric parameter between two bounds (fields as in Ax).

    Attributes:
        name: The parameter's name.
        bounds: Lower and upper bound, both included, in the parameter's own unit.
        parameter_type: ``"float"`` or ``"int"``.
        step_size: Where given, only ``lower + k * step_size`` may be suggested; where the upper bound is no such
            value, the last one below it is the greatest allowed.
        scaling: ``"log"`` to search on a logarithmic scale (bounds must be positive).
    """

    name: str
    bounds: tuple[float, float]
    parameter_type: Literal["float", "int"] = "float"
    step_size: float | None = None
    scaling: Literal["linear", "log"] | None = None

    def __post_init__(self) -> None:
        require_name(self.name)
        require_one_of(self.name, "parameter_type", self.parameter_type, ("float", "int"))
        require_one_of(self.name, "scaling", self.scaling, (None, "linear", "log"))
        force_setattr(self, "bounds", checked_bounds(self.name, self.bounds, self.parameter_type, self.scaling))
        if self.step_size is not None:
            step = checked_step(self.name, self.step_size, self.parameter_type, self.bounds)
            force_setattr(self, "step_size", step)

    @property
    def grid(self) -> Grid:
        """The allowed numbers; whole numbers have a step of 1 where none is given."""
        whole = self.parameter_type == "int"
        return Grid(*self.bounds, 1 if whole and self.step_size is None else self.step_size, whole)

    @property
    def interval(self) -> Interval:
        """The least and the greatest allowed value."""
        return self.bounds[0], self.grid.last

    def check(self, value: object) -> float:
        """The canonical form of an allowed value; ParameterizationError where it is not allowed."""
        return self.grid.snapped(self.name, number(self.name, value, self.parameter_type))

    def nearest(self, value: object) -> float:
        """The allowed value nearest to a number, at the bounds where it lies outside."""
        return self.grid.nearest(number(self.name, value, "float"))

    def centre(self) -> float:
        """The middle of the bounds, the geometric one where scaling is log, at the nearest allowed value."""
        lower, upper = self.bounds
        return self.nearest(math.sqrt(lower) * math.sqrt(upper) if self.scaling == "log" else lower / 2 + upper / 2)

    def size(self) -> int | None:
        """How many values are allowed; None where infinitely many."""
        return self.grid.steps + 1 if self.grid.step else None


class _Listed:
    """What choice and fixed parameters have in common: a few allowed values, that may be ordered numbers."""

    __slots__ = ()
    name: str

    @property
    def parameter_type(self) -> ParameterType:
        """The type of the values."""
        return kind_of(self.allowed[0]) or "str"

    @property
    def ordered(self) -> bool:
        """True if neighbouring values are alike."""
        return True

    @property
    def allowed(self) -> tuple[ParameterValue, ...]:
        """The values."""
        raise NotImplementedError

    @property
    def interval(self) -> Interval | None:
        """The least and the greatest value; None where they are no ordered numbers."""
        if not self.ordered or self.parameter_type not in {"int", "float"}:
            return None
        return min(map(float, self.allowed)), max(map(float, self.allowed))

    def check(self, value: object) -> ParameterValue:
        """The canonical form of an allowed value; ParameterizationError where it is not allowed."""
        return chosen(self.name, value, self.allowed, self.parameter_type)

    def nearest(self, value: object) -> ParameterValue:
        """The nearest of numeric values; of others, the value itself."""
        if self.parameter_type not in {"int", "float"}:
            return self.check(value)
        wanted = number(self.name, value, "float")
        return min(self.allowed, key=lambda choice: abs(float(choice) - wanted))

    def centre(self) -> ParameterValue:
        """The middle one of ordered values (the upper middle of an even number), the first of unordered ones."""
        ranked = sorted(self.allowed, key=float) if self.interval else self.allowed
        return ranked[len(ranked) // 2 if self.ordered else 0]

    def size(self) -> int:
        """How many values there are."""
        return len(self.allowed)


class ChoiceParameterConfig(_Listed, msgspec.Struct, frozen=True, tag="choice"):
    """A parameter with a list of values (fields as in Ax)."""

    name: str
    values: tuple[bool | int | float | str, ...]
    parameter_type: Literal["float", "int", "str", "bool"] = "str"
    is_ordered: bool | None = None

    def __post_init__(self) -> None:
        require_name(self.name)
        require_one_of(self.name, "parameter_type", self.parameter_type, KINDS)
        force_setattr(self, "values", checked_values(self.name, self.values, self.parameter_type))

    @property
    def ordered(self) -> bool:
        """True if neighbouring values are alike: ``is_ordered``, or where it is None, whether they are numbers."""
        return self.parameter_type in {"int", "float"} if self.is_ordered is None else self.is_ordered

    @property
    def allowed(self) -> tuple[ParameterValue, ...]:
        """The values."""
        return self.values


class FixedParameterConfig(_Listed, msgspec.Struct, frozen=True, tag="fixed"):
    """A parameter that always has the same value."""

    name: str
    value: bool | int | float | str

    def __post_init__(self) -> None:
        require_name(self.name)
        value = cast(self.value, kind_of(self.value) or "str")
        if value is None:
            raise SearchSpaceError(f"parameter {self.name!r} is fixed at {self.value!r}: use a finite number or a text")
        force_setattr(self, "value", value)

    @property
    def allowed(self) -> tuple[ParameterValue, ...]:
        """The value alone."""
        return (self.value,)


ParameterConfig = RangeParameterConfig | ChoiceParameterConfig | FixedParameterConfig


class SearchSpace(msgspec.Struct, frozen=True):
    """Parameters and the linear constraints between them."""

    parameters: tuple[ParameterConfig, ...]
    constraints: tuple[LinearConstraint, ...] = ()

    def __post_init__(self) -> None:
        for field in ("parameters", "constraints"):
            force_setattr(self, field, tuple(getattr(self, field)))
        if not self.names:
            raise SearchSpaceError("the search space has no parameter: give at least one")
        if twice := sorted({name for name in self.names if self.names.count(name) > 1}):
            raise SearchSpaceError(f"more than one parameter is called {', '.join(map(repr, twice))}: rename one")
        if why := conflict(self.constraints, {p.name: p.interval for p in self.parameters}):
            raise SearchSpaceError(why)

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters' names, in order."""
        return tuple(p.name for p in self.parameters)

    def parameter(self, name: str) -> ParameterConfig:
        """The parameter of that name; SearchSpaceError where there is none."""
        if name in self.names:
            return self.parameters[self.names.index(name)]
        raise SearchSpaceError(f"there is no parameter {name!r}: there are {', '.join(self.names)}")

    def check(self, parameterization: Mapping[str, Any]) -> Parameterization:
        """The canonical form: the space's order, the parameters' types, fixed values filled in.

        Raises:
            ParameterizationError: It does not fit; the message tells everything that is wrong.
        """
        values, problems = self._examined(parameterization)
        if problems:
            raise ParameterizationError("; ".join(problems))
        return values

    def violations(self, parameterization: Mapping[str, Any]) -> tuple[str, ...]:
        """Everything that keeps a parameterization from fitting the space, a sentence each."""
        return tuple(self._examined(parameterization)[1])

    def contains(self, parameterization: Mapping[str, Any]) -> bool:
        """True if the parameterization fits the space, its constraints included."""
        return not self._examined(parameterization)[1]

    def round(self, parameterization: Mapping[str, Any]) -> Parameterization:
        """The nearest allowed value of each parameter, constraints not looked at; texts and bools must be allowed."""
        return {p.name: p.nearest(_given(p, parameterization)) for p in self.parameters}

    def centre(self) -> Parameterization:
        """The middle of each parameter (see its ``centre``); constraints are not looked at."""
        return {p.name: p.centre() for p in self.parameters}

    def size(self) -> int | None:
        """How many distinct points there are, constraints not looked at; None where infinitely many."""
        sizes = [size for p in self.parameters if (size := p.size()) is not None]
        return math.prod(sizes) if len(sizes) == len(self.parameters) else None

    def signature(self, parameterization: Mapping[str, Any]) -> tuple[Hashable, ...]:
        """A key for finding duplicates, fitting the space or not: floats to 1e-10 of themselves, None if missing."""
        fixed = {p.name: p.value for p in self.parameters if isinstance(p, FixedParameterConfig)}
        filled = {**fixed, **parameterization}
        return tuple(key(filled.get(p.name), p.parameter_type) for p in self.parameters)

    def _examined(self, parameterization: Mapping[str, Any]) -> tuple[Parameterization, list[str]]:
        values: Parameterization = {}
        problems = [
            f"{name!r} is no parameter of this search space: use {', '.join(self.names)}"
            for name in parameterization
            if name not in self.names
        ]
        for p in self.parameters:
            try:
                values[p.name] = p.check(_given(p, parameterization))
            except ParameterizationError as error:
                problems.append(str(error))
        for constraint in self.constraints:
            if all(name in values for name in constraint.names) and (excess := constraint.excess(values)):
                at = ", ".join(f"{name} = {values[name]!r}" for name in constraint.names)
                problems.append(f"constraint {constraint.text!r} is violated by {excess:g} at {at}: change one of them")
        return values, problems


def search_space(parameters: Iterable[Any], constraints: Iterable[str | LinearConstraint] = ()) -> SearchSpace:
    """Make a space of titrant's or Ax's parameter configs and of texts; SearchSpaceError where it cannot be."""
    read = (c if isinstance(c, LinearConstraint) else LinearConstraint.parse(c) for c in constraints)
    return SearchSpace(tuple(map(_converted, parameters)), tuple(read))


def _converted(given: Any) -> ParameterConfig:
    """Ax's config, known by its fields, as ours."""
    if isinstance(given, RangeParameterConfig | ChoiceParameterConfig | FixedParameterConfig):
        return given
    for field in ("dependent_parameters", "expression_str", "log_scale"):
        if getattr(given, field, None):
            raise SearchSpaceError(f"parameter {given.name!r} has {field}, which is not supported yet: leave it out")
    for ours in (RangeParameterConfig, ChoiceParameterConfig, FixedParameterConfig):
        if hasattr(given, ours.__struct_fields__[1]):
            return ours(**{field: getattr(given, field) for field in ours.__struct_fields__ if hasattr(given, field)})
    raise SearchSpaceError(f"{given!r} is no parameter: use RangeParameterConfig or ChoiceParameterConfig")


def _given(parameter: ParameterConfig, parameterization: Mapping[str, Any]) -> object:
    if parameter.name in parameterization:
        return parameterization[parameter.name]
    if isinstance(parameter, FixedParameterConfig):
        return parameter.value
    raise ParameterizationError(f"parameter {parameter.name!r} has no value: give every parameter one")
