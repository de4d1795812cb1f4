"""Parameters: what each may be, and which part it plays in an experiment."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import force_setattr

from titrant.errors import SearchSpaceError
from titrant.model.conditions import checked_dependents
from titrant.model.constraints import (
    KINDS,
    Grid,
    Interval,
    checked_bounds,
    checked_step,
    checked_values,
    chosen,
    number,
    require_name,
    require_one_of,
)
from titrant.model.descriptors import checked_descriptors
from titrant.model.expressions import ParameterType, cast, kind_of
from titrant.model.roles import Role, checked_roles
from titrant.model.trial import ParameterValue

# Fields that came after logs were written are UNSET by default, not False or None: msgspec leaves them out then, so
# that a space says the same in its log and in the fingerprint of a request as it did before there were such fields.


class RangeParameterConfig(msgspec.Struct, frozen=True, tag="range", repr_omit_defaults=True):
    """A numeric parameter between two bounds (fields as in Ax).

    Attributes:
        name: The parameter's name.
        bounds: Lower and upper bound, both included, in the parameter's own unit.
        parameter_type: ``"float"`` or ``"int"``.
        step_size: Where given, only ``lower + k * step_size`` may be suggested; where the upper bound is no such
            value, the last one below it is the greatest allowed.
        scaling: ``"log"`` to search on a logarithmic scale (bounds must be positive).
        is_fidelity: Whether it says how exactly a trial is carried out (steps, grid, minutes of simulation).
        target_value: The fidelity at which the best conditions are sought.
        is_context: Whether it is given by the circumstances when a trial is asked for, and not chosen (ambient
            temperature, age of a batch).
    """

    name: str
    bounds: tuple[float, float]
    parameter_type: Literal["float", "int"] = "float"
    step_size: float | None = None
    scaling: Literal["linear", "log"] | None = None
    is_fidelity: bool | UnsetType = UNSET
    target_value: float | UnsetType = UNSET
    is_context: bool | UnsetType = UNSET

    def __post_init__(self) -> None:
        require_name(self.name)
        require_one_of(self.name, "parameter_type", self.parameter_type, ("float", "int"))
        require_one_of(self.name, "scaling", self.scaling, (None, "linear", "log"))
        force_setattr(self, "bounds", checked_bounds(self.name, self.bounds, self.parameter_type, self.scaling))
        if self.step_size is not None:
            step = checked_step(self.name, self.step_size, self.parameter_type, self.bounds)
            force_setattr(self, "step_size", step)
        checked_roles(self)

    @property
    def role(self) -> Role:
        """Which part it plays."""
        return "fidelity" if self.is_fidelity else "context" if self.is_context else "design"

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


class ChoiceParameterConfig(_Listed, msgspec.Struct, frozen=True, tag="choice", repr_omit_defaults=True):
    """A parameter with a list of values (fields as in Ax).

    Attributes:
        name: The parameter's name.
        values: What it may be, all of ``parameter_type``, each once.
        parameter_type: ``"str"``, ``"float"``, ``"int"`` or ``"bool"``.
        is_ordered: Whether neighbouring values are alike; where None, whether they are numbers.
        is_task: Whether each value is a task of its own (a site, an instrument, an earlier project), which may have
            other outcomes under the same conditions.
        is_fidelity: Whether it says how exactly a trial is carried out; its values are numbers.
        target_value: The task or the fidelity for which the best conditions are sought.
        is_context: Whether it is given by the circumstances when a trial is asked for, and not chosen.
        descriptors: Numbers that describe each value, ``{"THF": {"dielectric": 7.5, "logP": 0.46}, ...}``: models
            compare values by them instead of by name, and so learn of one value from others.  Rows of values that
            are not among ``values`` are left out.
        dependent_parameters: Parameters that are active only under some values of this one, ``{"batch": ["stirring"],
            "flow": ["rate", "coil"]}`` (as in Ax): where they are not, trials have no value of them.
    """

    name: str
    values: tuple[bool | int | float | str, ...]
    parameter_type: Literal["float", "int", "str", "bool"] = "str"
    is_ordered: bool | None = None
    is_task: bool | UnsetType = UNSET
    is_fidelity: bool | UnsetType = UNSET
    target_value: bool | int | float | str | UnsetType = UNSET
    is_context: bool | UnsetType = UNSET
    descriptors: Mapping[Any, Mapping[str, float]] | UnsetType = UNSET
    dependent_parameters: Mapping[Any, Sequence[str]] | UnsetType = UNSET

    def __post_init__(self) -> None:
        require_name(self.name)
        require_one_of(self.name, "parameter_type", self.parameter_type, KINDS)
        force_setattr(self, "values", checked_values(self.name, self.values, self.parameter_type))
        checked_roles(self)
        given = self.descriptors
        described = checked_descriptors(self.name, self.values, given) if given not in (None, UNSET, {}) else UNSET
        if described and self.is_task:
            raise SearchSpaceError(f"parameter {self.name!r} has is_task and descriptors: tasks are told apart by name")
        force_setattr(self, "descriptors", described)
        below = checked_dependents(self.name, self.values, self.dependent_parameters or {})
        force_setattr(self, "dependent_parameters", below or UNSET)

    @property
    def role(self) -> Role:
        """Which part it plays."""
        if self.is_task:
            return "task"
        return "fidelity" if self.is_fidelity else "context" if self.is_context else "design"

    @property
    def ordered(self) -> bool:
        """True if neighbouring values are alike: ``is_ordered``, or where it is None, whether they are numbers."""
        return self.parameter_type in {"int", "float"} if self.is_ordered is None else self.is_ordered

    @property
    def allowed(self) -> tuple[ParameterValue, ...]:
        """The values."""
        return self.values


class FixedParameterConfig(_Listed, msgspec.Struct, frozen=True, tag="fixed", repr_omit_defaults=True):
    """A parameter that always has the same value.

    Attributes:
        name: The parameter's name.
        value: What it is.
        dependent_parameters: Where it is a choice that was fixed, what is active under which of its values.
    """

    name: str
    value: bool | int | float | str
    dependent_parameters: Mapping[Any, Sequence[str]] | UnsetType = UNSET
    role = "design"

    def __post_init__(self) -> None:
        require_name(self.name)
        value = cast(self.value, kind_of(self.value) or "str")
        if value is None:
            raise SearchSpaceError(f"parameter {self.name!r} is fixed at {self.value!r}: use a finite number or a text")
        force_setattr(self, "value", value)
        below = checked_dependents(self.name, None, self.dependent_parameters or {})
        force_setattr(self, "dependent_parameters", below or UNSET)

    @property
    def allowed(self) -> tuple[ParameterValue, ...]:
        """The value alone."""
        return (self.value,)


ParameterConfig = RangeParameterConfig | ChoiceParameterConfig | FixedParameterConfig
