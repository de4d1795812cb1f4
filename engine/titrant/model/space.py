"""The search space: what may be varied, between which bounds, under which constraints."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import force_setattr

from titrant.errors import ParameterizationError, SearchSpaceError
from titrant.model.candidates import CandidateSet, with_candidates
from titrant.model.conditions import (
    MOST_BRANCHES,
    Conditions,
    branches,
    conditions_of,
    count,
    dependents,
    depth,
    is_active,
)
from titrant.model.constraints import LinearConstraint, conflict
from titrant.model.expressions import key
from titrant.model.given import listed
from titrant.model.parameters import (
    ChoiceParameterConfig,
    FixedParameterConfig,
    ParameterConfig,
    RangeParameterConfig,
)
from titrant.model.restrictions import Cardinality, Restriction, constraint, parted
from titrant.model.roles import Role
from titrant.model.trial import Parameterization, ParameterValue

__all__ = [
    "Cardinality",
    "ChoiceParameterConfig",
    "FixedParameterConfig",
    "LinearConstraint",
    "ParameterConfig",
    "RangeParameterConfig",
    "SearchSpace",
    "search_space",
]


AnyConstraint = LinearConstraint | Restriction
"""A constraint of any kind."""


class SearchSpace(msgspec.Struct, frozen=True):
    """Parameters and what restricts them.

    Attributes:
        parameters: What is varied.
        constraints: Linear constraints.
        restrictions: Constraints of other kinds; unset where there are none, as in logs of before there were any.
        candidates: The only points that may be suggested; unset where all may (see ``with_candidates``).
    """

    parameters: tuple[ParameterConfig, ...]
    constraints: tuple[LinearConstraint, ...] = ()
    restrictions: tuple[Restriction, ...] | UnsetType = UNSET
    candidates: CandidateSet | UnsetType = UNSET

    def __post_init__(self) -> None:
        for field in ("parameters", "constraints"):
            force_setattr(self, field, tuple(getattr(self, field)))
        force_setattr(self, "restrictions", tuple(self.restrictions or ()) or UNSET)
        if not self.names:
            raise SearchSpaceError("the search space has no parameter: give at least one")
        if twice := sorted({name for name in self.names if self.names.count(name) > 1}):
            raise SearchSpaceError(f"more than one parameter is called {', '.join(map(repr, twice))}: rename one")
        if why := self._conflict():
            raise SearchSpaceError(why)
        by_name = {p.name: p for p in self.parameters}
        conditions = self.conditions
        for restriction in self.restrictions or ():
            if why := restriction.misfit(by_name):
                raise SearchSpaceError(why)
            if lost := [name for name in restriction.names if name in conditions]:
                raise SearchSpaceError(
                    f"constraint {restriction.text!r} names {lost[0]!r}, which is active under a value of "
                    f"{conditions[lost[0]].parent!r} only: name parameters that are always active"
                )

    @property
    def every_constraint(self) -> tuple[AnyConstraint, ...]:
        """The constraints of all kinds, the linear ones first."""
        return (*self.constraints, *(self.restrictions or ()))

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters' names, in order."""
        return tuple(p.name for p in self.parameters)

    def parameter(self, name: str) -> ParameterConfig:
        """The parameter of that name; SearchSpaceError where there is none."""
        if name in self.names:
            return self.parameters[self.names.index(name)]
        raise SearchSpaceError(f"there is no parameter {name!r}: there are {', '.join(self.names)}")

    @property
    def is_conditional(self) -> bool:
        """True if some parameters are active only under a value of another."""
        return any(dependents(p) for p in self.parameters)

    @property
    def conditions(self) -> Conditions:
        """When the parameters that are not always active are."""
        return conditions_of(self.parameters) if self.is_conditional else {}

    def active(self, values: Mapping[str, object]) -> tuple[str, ...]:
        """Names of the parameters that are active at canonical values of those on which others depend, in order."""
        conditions = self.conditions
        return tuple(name for name in self.names if is_active(conditions, name, values))

    def branches(self) -> Iterator[SearchSpace]:
        """The plain spaces of which this one consists, those that certainly have no point left out; itself if plain.

        Each point lies in exactly one of them.
        """
        for parameters in branches(self.parameters):
            within = self._within(parameters)
            if conflict(within, {p.name: p.interval for p in parameters}) is None:
                yield SearchSpace(parameters, within, self._restricted(parameters))

    def branch(self, values: Mapping[str, ParameterValue]) -> SearchSpace:
        """The plain space of what is active at the canonical values of the choices on which others depend.

        Raises:
            SearchSpaceError: Its constraints clash.
        """
        active = self.active(values)
        parameters = tuple(
            FixedParameterConfig(p.name, values[p.name]) if dependents(p) else p
            for p in self.parameters
            if p.name in active
        )
        return SearchSpace(parameters, self._within(parameters), self._restricted(parameters))

    def filled(self, parameterization: Mapping[str, ParameterValue]) -> Parameterization:
        """A parameterization with the centre of each parameter that it lacks, for those that know no conditions."""
        return {p.name: parameterization[p.name] if p.name in parameterization else p.centre() for p in self.parameters}

    def _within(self, parameters: Iterable[ParameterConfig]) -> tuple[LinearConstraint, ...]:
        """The constraints whose parameters are all among some."""
        names = {p.name for p in parameters}
        return tuple(one for one in self.constraints if names.issuperset(one.names))

    def _restricted(self, parameters: Iterable[ParameterConfig]) -> tuple[Restriction, ...]:
        names = {p.name for p in parameters}
        return tuple(one for one in self.restrictions or () if names.issuperset(one.names))

    def _conflict(self) -> str | None:
        """Why no point keeps all constraints, where intervals show it; None where they do not."""
        intervals = {p.name: p.interval for p in self.parameters}
        if not self.conditions:
            return conflict(self.constraints, intervals)
        for one in self.constraints:
            if any(intervals.get(name) is None for name in one.names):
                return conflict([one], intervals)
        why = None
        for parameters in islice(branches(self.parameters), MOST_BRANCHES):
            why = conflict(self._within(parameters), {p.name: p.interval for p in parameters})
            if why is None:
                return None
        return why

    def having(self, role: Role) -> tuple[str, ...]:
        """Names of the parameters that play a part, in order."""
        return tuple(p.name for p in self.parameters if p.role == role)

    def no_target(self) -> str:
        """What is wrong with a task or a fidelity that some trials have not, in words; empty where nothing is.

        A space does not ask this of itself when it is made: there are older logs with such spaces.
        """
        conditions = self.conditions
        for name in (*self.having("task"), *self.having("fidelity")):
            if name in conditions:
                role = f"is_{self.parameter(name).role}"
                return (
                    f"parameter {name!r} has {role} and is active under a value of {conditions[name].parent!r} only, "
                    "and trials without it could be no answer: "
                    f"take it out of dependent_parameters, or leave {role} out"
                )
        return ""

    def no_context(self, given: Mapping[str, object]) -> str:
        """What is to be said where a context is not given, in words; empty where all are."""
        lacking = [name for name in self.having("context") if name not in given]
        some = ", ".join(f"{name!r}: …" for name in lacking)
        return f"the context is not known: say what it is, as context={{{some}}}" if lacking else ""

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
        """True if the parameterization fits the space, its constraints and candidates included."""
        values, problems = self._examined(parameterization)
        return not problems and self.offers(values)

    def offers(self, parameterization: Mapping[str, Any]) -> bool:
        """True if a canonical parameterization is one of the candidates, or there are none to choose from."""
        return not self.candidates or self.candidates.offers(parameterization)

    @property
    def is_listed(self) -> bool:
        """True if points may be used up: there are finitely many, or candidates."""
        return bool(self.candidates) or self.size() is not None

    def round(self, parameterization: Mapping[str, Any]) -> Parameterization:
        """The nearest allowed value of each active parameter, constraints not looked at; texts and bools must fit."""
        return self._walked(lambda p: p.nearest(_given(p, parameterization)))

    def centre(self) -> Parameterization:
        """The middle of each active parameter (see its ``centre``); constraints are not looked at."""
        return self._walked(lambda p: p.centre())

    def size(self) -> int | None:
        """How many distinct points there are, constraints not looked at; None where infinitely many."""
        if self.candidates and not self.having("context"):
            return self.candidates.count
        return count(self.parameters)

    def signature(self, parameterization: Mapping[str, Any]) -> tuple[Hashable, ...]:
        """A key for finding duplicates, fitting the space or not: floats to 1e-10 of themselves, None if missing."""
        fixed = {p.name: p.value for p in self.parameters if isinstance(p, FixedParameterConfig)}
        filled = {**fixed, **parameterization}
        if self.is_conditional:
            active = self.active({name: value for name, value in filled.items() if value is not None})
            filled = {name: filled[name] for name in active if name in filled}
        return tuple(key(filled.get(p.name), p.parameter_type) for p in self.parameters)

    def _walked(self, value: Callable[[ParameterConfig], ParameterValue]) -> Parameterization:
        """A value of each active parameter, those on which others depend first, in the space's order."""
        conditions = self.conditions
        found: Parameterization = {}
        for p in sorted(self.parameters, key=lambda p: depth(conditions, p.name)):
            if is_active(conditions, p.name, found):
                found[p.name] = value(p)
        return {name: found[name] for name in self.names if name in found}

    def _examined(self, parameterization: Mapping[str, Any]) -> tuple[Parameterization, list[str]]:
        if not isinstance(parameterization, Mapping):
            told = f"{parameterization!r} ({type(parameterization).__name__})"
            return {}, [f"{told} is no parameterization: give a mapping of parameter names to values"]
        problems = [
            f"{name!r} is no parameter of this search space: use {', '.join(self.names)}"
            for name in parameterization
            if name not in self.names
        ]
        conditions = self.conditions
        found: Parameterization = {}
        for p in sorted(self.parameters, key=lambda p: depth(conditions, p.name)):
            if not is_active(conditions, p.name, found):
                continue  # tables of old trials have something in every column
            try:
                found[p.name] = p.check(_given(p, parameterization))
            except ParameterizationError as error:
                problems.append(str(error))
        values = {name: found[name] for name in self.names if name in found}
        for one in self.constraints:
            if all(name in values for name in one.names) and (excess := one.excess(values)):
                at = ", ".join(f"{name} = {values[name]!r}" for name in one.names)
                problems.append(f"constraint {one.text!r} is violated by {excess:g} at {at}: change one of them")
        for restriction in self.restrictions or ():
            if all(name in values for name in restriction.names) and (fault := restriction.fault(values)):
                problems.append(fault)
        return values, problems


def search_space(
    parameters: Iterable[Any],
    constraints: Iterable[object] = (),
    candidates: Iterable[Mapping[str, Any]] | None = None,
) -> SearchSpace:
    """Make a space of titrant's or Ax's parameter configs and of constraints of any kind, as texts or as they are.

    With candidates, only these may be suggested.

    Raises:
        SearchSpaceError: It cannot be.
    """
    configs = tuple(map(_converted, listed("the list of parameters", parameters, "parameters", SearchSpaceError)))
    texts = listed("parameter_constraints", constraints, "texts", SearchSpaceError)
    names = [config.name for config in configs]
    space = SearchSpace(configs, *parted(constraint(one, names) for one in texts))
    return space if candidates is None else with_candidates(space, candidates)


def _converted(given: Any) -> ParameterConfig:
    """Ax's config, known by its fields, as ours."""
    if isinstance(given, RangeParameterConfig | ChoiceParameterConfig | FixedParameterConfig):
        return given
    if isinstance(given, Mapping):  # its method ``values`` would be taken for a choice's
        known = given.get("name", "t")
        raise SearchSpaceError(
            f'parameter {known!r} is given as a mapping: write RangeParameterConfig("{known}", (lower, upper)), '
            f'ChoiceParameterConfig("{known}", [...]) or FixedParameterConfig("{known}", value)'
        )
    for field in ("expression_str", "log_scale"):
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
