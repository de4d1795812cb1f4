"""The search space: what may be varied, between which bounds, under which constraints."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import msgspec
from msgspec.structs import force_setattr

from titrant.errors import ParameterizationError, SearchSpaceError
from titrant.model.constraints import LinearConstraint, conflict
from titrant.model.expressions import key
from titrant.model.parameters import (
    ChoiceParameterConfig,
    FixedParameterConfig,
    ParameterConfig,
    RangeParameterConfig,
)
from titrant.model.roles import Role
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

    def having(self, role: Role) -> tuple[str, ...]:
        """Names of the parameters that play a part, in order."""
        return tuple(p.name for p in self.parameters if p.role == role)

    def targets(self) -> Parameterization:
        """The task and the fidelity for which the best is sought, by name; empty where there are none."""
        found: dict[str, ParameterValue] = {}
        for p in self.parameters:
            if not isinstance(p, FixedParameterConfig) and not isinstance(p.target_value, msgspec.UnsetType):
                found[p.name] = p.target_value
        return found

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
