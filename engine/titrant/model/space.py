"""The search space: what may be varied, between which bounds, under which constraints."""

from __future__ import annotations

from typing import Literal

import msgspec


class RangeParameterConfig(msgspec.Struct, frozen=True, tag="range"):
    """A numeric parameter between two bounds (fields as in Ax).

    Attributes:
        name: The parameter's name.
        bounds: Lower and upper bound, both included, in the parameter's own unit.
        parameter_type: ``"float"`` or ``"int"``.
        step_size: Where given, only ``lower + k * step_size`` may be suggested.
        scaling: ``"log"`` to search on a logarithmic scale (bounds must be positive).
    """

    name: str
    bounds: tuple[float, float]
    parameter_type: Literal["float", "int"] = "float"
    step_size: float | None = None
    scaling: Literal["linear", "log"] | None = None


class ChoiceParameterConfig(msgspec.Struct, frozen=True, tag="choice"):
    """A parameter with a list of values (fields as in Ax)."""

    name: str
    values: tuple[bool | int | float | str, ...]
    parameter_type: Literal["float", "int", "str", "bool"] = "str"
    is_ordered: bool | None = None


class FixedParameterConfig(msgspec.Struct, frozen=True, tag="fixed"):
    """A parameter that always has the same value."""

    name: str
    value: bool | int | float | str


ParameterConfig = RangeParameterConfig | ChoiceParameterConfig | FixedParameterConfig


class LinearConstraint(msgspec.Struct, frozen=True):
    """``sum(weight * parameter) relation bound``, in the parameters' own units."""

    text: str
    terms: tuple[tuple[str, float], ...]
    relation: Literal["<=", ">=", "=="]
    bound: float


class SearchSpace(msgspec.Struct, frozen=True):
    """Parameters and the linear constraints between them."""

    parameters: tuple[ParameterConfig, ...]
    constraints: tuple[LinearConstraint, ...] = ()
