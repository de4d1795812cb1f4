"""What an optimizer of others is told of an experiment: its free axes, what was measured there, what is under way."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import msgspec

from titrant.errors import ConfigurationError, GenerationError
from titrant.generators.base import Point, Request
from titrant.model.objective import OptimizationConfig, OutcomeConstraint
from titrant.model.observation import Observation, by_metric, means
from titrant.model.space import ChoiceParameterConfig, FixedParameterConfig, RangeParameterConfig
from titrant.model.trial import Parameterization

Axis = RangeParameterConfig | ChoiceParameterConfig


class Row(msgspec.Struct, frozen=True):
    """A finished trial.

    Attributes:
        place: The free axes' values, at the nearest place that the space has.
        utilities: What each objective is worth; more is better.
        sems: The same's SEMs; None where one is unknown.
        excesses: By how much each outcome constraint is missed, negative where it is kept with room.
    """

    place: Parameterization
    utilities: tuple[float, ...]
    sems: tuple[float, ...] | None
    excesses: tuple[float, ...]


class Told(msgspec.Struct, frozen=True):
    """All of it.

    Attributes:
        axes: Parameters that are neither fixed nor held nor have one value only.
        limits: Linear constraints on ranges with a linear scale, each as weights and what their sum may be at most;
            whatever else restricts the space is mended afterwards.
        rows: Finished trials.
        pending: Free axes' values of trials under way.
    """

    axes: tuple[Axis, ...]
    limits: tuple[tuple[tuple[tuple[str, float], ...], float], ...]
    rows: tuple[Row, ...]
    pending: tuple[Parameterization, ...]


def told(request: Request, name: str) -> Told:
    """Read a request to a model.

    Args:
        request: What is asked.
        name: Who is told, for messages.

    Raises:
        GenerationError: Nothing is sought yet, or a preference is.
    """
    sought = request.optimization
    if sought is None:
        raise GenerationError(f"{name} needs an objective: configure the optimization first")
    if sought.is_preference:
        raise GenerationError(f"{name} knows no comparisons: a preference is sought by titrant's own model")
    axes = tuple(_axes(request))
    rows = tuple(_rows(request, axes, sought))
    return Told(axes, tuple(_limits(request, axes)), rows, tuple(_places(request, axes, request.pending)))


def _axes(request: Request) -> Iterator[Axis]:
    for config in request.space.parameters:
        if isinstance(config, FixedParameterConfig) or config.name in request.fixed:
            continue
        if isinstance(config, ChoiceParameterConfig) and len(config.allowed) < 2:
            continue
        if isinstance(config, RangeParameterConfig) and config.interval[0] == config.interval[1]:
            continue
        yield config


def _limits(request: Request, axes: tuple[Axis, ...]) -> Iterator[tuple[tuple[tuple[str, float], ...], float]]:
    linear = {axis.name for axis in axes if isinstance(axis, RangeParameterConfig) and axis.scaling != "log"}
    linear -= set(_conditional(axes))  # their constraints hold only where they mean something
    for one in request.space.constraints:
        if one.relation != "==" and linear.issuperset(one.names):
            sign = 1.0 if one.relation == "<=" else -1.0
            yield tuple((name, sign * weight) for name, weight in one.terms), sign * one.bound


def _conditional(axes: tuple[Axis, ...]) -> Iterator[str]:
    """Names of parameters that mean something under some values of a choice only."""
    for axis in axes:
        if isinstance(axis, ChoiceParameterConfig) and axis.dependent_parameters:
            for names in axis.dependent_parameters.values():
                yield from names


def _places(request: Request, axes: tuple[Axis, ...], points: Iterable[Point]) -> Iterator[Parameterization]:
    for point in points:
        place = _place(request, axes, point)
        if place is not None:
            yield place


def _place(request: Request, axes: tuple[Axis, ...], point: Point) -> Parameterization | None:
    """The nearest place of the space; None where it has none, as of a choice that there is no more."""
    try:
        known = request.space.centre() | request.space.round(point.parameters)
    except ConfigurationError:
        return None
    # A parameter that means nothing there stands in its middle: others' optimizers know no conditions.
    return {axis.name: known[axis.name] if axis.name in known else axis.centre() for axis in axes}


def _rows(request: Request, axes: tuple[Axis, ...], sought: OptimizationConfig) -> Iterator[Row]:
    bounds = [one for one in sought.outcome_constraints if not one.relative]
    for point in request.observed:
        measured, place = means(point.observations), _place(request, axes, point)
        if place is not None and all(name in measured for name in sought.metric_names):
            utilities = sought.utilities(measured)
            excesses = tuple(_excess(one, measured) for one in bounds)
            yield Row(place, utilities, _sems(sought, point.observations), excesses)


def _sems(sought: OptimizationConfig, observations: tuple[Observation, ...]) -> tuple[float, ...] | None:
    known = by_metric(observations)
    found = []
    for objective in sought.objectives:
        parts = [(weight, known[name].sem) for name, weight in objective.terms]
        if any(sem is None for _, sem in parts):
            return None
        found.append(math.hypot(*(weight * sem for weight, sem in parts if sem is not None)))
    return tuple(found)


def _excess(constraint: OutcomeConstraint, measured: dict[str, float]) -> float:
    over = sum(weight * measured[name] for name, weight in constraint.terms) - constraint.bound
    return over if constraint.relation == "<=" else -over
