"""What the log of a past experiment gives: its data, put into the parameters and metrics of the present one.

Whatever does not fit is refused before anything is in the log; what can be left out is left out, and said.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from titrant.errors import ConfigurationError
from titrant.model.expressions import as_float, cast, is_same
from titrant.model.observation import Observation, by_metric
from titrant.model.past import Past
from titrant.model.space import FixedParameterConfig, ParameterConfig, RangeParameterConfig, SearchSpace
from titrant.model.trial import Parameterization, ParameterValue, TrialStatus
from titrant.rules.conditions import carried_out
from titrant.rules.state import State

LEAST = 3
"""Trials of a past experiment that something can be learned from."""

MOST = 1000
"""Trials of one past experiment that are kept; of more, the latest ones."""

_LARGEST = 900_000
"""Bytes of one past experiment as JSON: an event has no room for more."""

_ENDED = (TrialStatus.COMPLETED, TrialStatus.EARLY_STOPPED)


_Measured = dict[str, tuple[float, float | None]]
"""Metric to mean and standard error."""

_Rows = list[tuple[Parameterization, _Measured]]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of how a past experiment is to be read.

    Attributes:
        renamed: Names of parameters and metrics in the past log to names here.
        scaled: Name here to factor and offset: a value here is ``factor * value + offset``.
        fill: Values that the past experiment is taken to have had of parameters that it did not have.
    """

    renamed: Mapping[str, str] = {}
    scaled: Mapping[str, tuple[float, float]] = {}
    fill: Mapping[str, object] = {}


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A past experiment's log, read: where it is, and the state at its end."""

    file: str
    seq: int
    hash: str
    state: State


def past_of(state: State, source: Source, told: Told) -> Past:
    """What a log gives the present experiment.

    Args:
        state: The present experiment; with a search space and an objective.
        source: The log.
        told: How it is to be read.

    Raises:
        ConfigurationError: There is nothing to learn from in it, or what was told makes no sense.
    """
    assert state.experiment is not None
    assert state.optimization is not None
    here, there = state.experiment.space, source.state
    if there.experiment is None:
        raise ConfigurationError(f"{source.file}: there is no experiment in that log: nothing can be learned from it")
    wanted: dict[str, None] = dict.fromkeys((*state.optimization.metric_names, *state.tracking))
    _check_names(source, told, here, tuple(wanted))
    rows = [
        (_renamed(carried_out(there, trial), told), _measured(trial.observations, told, wanted))
        for trial in there.trials()
        if trial.status in _ENDED
    ]
    rows = [row for row in rows if any(name in row[1] for name in state.optimization.metric_names)]
    _check_metrics(source, state, rows, told)
    filled = _filled(source, here, rows, told)
    points = [(_point(here, {**filled, **conditions}, told), measured) for conditions, measured in rows]
    kept = [(point, measured) for point, measured in points if point is not None]
    if len(kept) < LEAST:
        raise ConfigurationError(_why_none(source, here, rows, filled, told, len(kept)))
    _check_ranges(source, here, [point for point, _ in kept])
    metrics = [name for name in wanted if any(name in measured for _, measured in kept)]
    left_out = len(rows) - len(kept)
    kept = kept[-MOST:]
    sems = {name: tuple(_sem(measured.get(name)) for _, measured in kept) for name in metrics}
    names = [name for name in here.names if any(name in point for point, _ in kept)]
    varied = dict.fromkeys(name for conditions, _ in rows for name in conditions)
    found = Past(
        name=there.experiment.name,
        file=source.file,
        log_id=there.log_id,
        seq=source.seq,
        hash=source.hash,
        found=len(rows),
        parameters={name: tuple(point.get(name) for point, _ in kept) for name in names},
        metrics={name: tuple(_mean(measured.get(name)) for _, measured in kept) for name in metrics},
        sems={name: column for name, column in sems.items() if any(sem is not None for sem in column)},
        renamed={old: new for old, new in told.renamed.items() if old != new},
        scaled={name: (float(factor), float(offset)) for name, (factor, offset) in told.scaled.items()},
        filled=filled,
        dropped=tuple(name for name in varied if name not in names),
        lacking=tuple(name for name in state.optimization.metric_names if name not in metrics),
        left_out=left_out,
    )
    while len(msgspec.json.encode(found)) > _LARGEST and found.count > LEAST:
        found = _halved(found)
    return found


def _halved(past: Past) -> Past:
    """The later half of its trials."""
    first = past.count // 2

    def later(columns: dict[str, Any]) -> dict[str, Any]:
        return {name: column[first:] for name, column in columns.items()}

    return replace(past, parameters=later(past.parameters), metrics=later(past.metrics), sems=later(past.sems))


def _check_names(source: Source, told: Told, here: SearchSpace, metrics: tuple[str, ...]) -> None:
    assert source.state.experiment is not None
    there = source.state.experiment.space.names
    known = (*here.names, *metrics)
    measured = {one.metric for trial in source.state.trials() for one in trial.observations}
    for old, new in told.renamed.items():
        if old not in there and old not in measured:
            some = ", ".join((*there, *sorted(measured)))
            raise ConfigurationError(f"{source.file} has neither a parameter nor a metric {old!r}: it has {some}")
        if new not in known:
            raise ConfigurationError(f"{old!r} cannot be {new!r}: this experiment has {', '.join(known)}")
    targets = [told.renamed.get(name, name) for name in (*there, *sorted(measured))]
    if twice := [name for name in known if targets.count(name) > 1]:
        raise ConfigurationError(f"two names of {source.file} would be {twice[0]!r} here: rename only one of them")
    for name, pair in told.scaled.items():
        if name not in known:
            raise ConfigurationError(f"{name!r} cannot be scaled: this experiment has {', '.join(known)}")
        factor, offset = pair
        if not (math.isfinite(factor) and math.isfinite(offset) and factor):
            raise ConfigurationError(f"{name!r} cannot be scaled by {pair!r}: give (factor, offset), a factor not 0")
        if name in here.names and here.parameter(name).interval is None:
            raise ConfigurationError(f"{name!r} is no number, so that it cannot be scaled: leave it out")
    for name in told.fill:
        if name not in here.names:
            raise ConfigurationError(
                f"fill names {name!r}, which this experiment has not: it has {', '.join(here.names)}"
            )


def _renamed(conditions: Parameterization, told: Told) -> Parameterization:
    return {told.renamed.get(name, name): value for name, value in conditions.items()}


def _measured(observations: Iterable[Observation], told: Told, wanted: Mapping[str, None]) -> _Measured:
    """Means and standard errors of the metrics that this experiment has, in its units."""
    found: _Measured = {}
    for name, one in by_metric(observations).items():
        new = told.renamed.get(name, name)
        if new in wanted and one.mean is not None:
            factor, offset = told.scaled.get(new, (1.0, 0.0))
            mean, sem = factor * one.mean + offset, None if one.sem is None else abs(factor) * one.sem
            if math.isfinite(mean) and math.isfinite(sem or 0.0):
                found[new] = mean, sem
    return found


def _check_metrics(source: Source, state: State, rows: _Rows, told: Told) -> None:
    if rows:
        return
    assert state.optimization is not None
    there = dict.fromkeys(
        one.metric for trial in source.state.trials() if trial.status in _ENDED for one in trial.observations
    )
    needed = ", ".join(state.optimization.metric_names)
    if not there:
        raise ConfigurationError(f"{source.file}: no finished trial has data: nothing can be learned from it")
    raise ConfigurationError(
        f"{source.file}: no finished trial has data of {needed}, which is sought here; it has {', '.join(there)}. "
        f"If one of them is the same by another name, say so: names={{{next(iter(there))!r}: "
        f"{state.optimization.metric_names[0]!r}}}"
    )


def _filled(source: Source, here: SearchSpace, rows: _Rows, told: Told) -> Parameterization:
    """Values of what no past trial has."""
    known = {name for conditions, _ in rows for name in conditions}
    values: Parameterization = {}
    for name, value in told.fill.items():
        if name in known:
            raise ConfigurationError(
                f"fill names {name!r}, of which the trials of {source.file} have values of their own"
            )
        parameter = here.parameter(name)
        found = _seen(parameter, cast(value, "float") if parameter.interval else cast(value, parameter.parameter_type))
        if found is None:
            raise ConfigurationError(f"fill gives {name!r} the value {value!r}, which has no place there: give another")
        values[name] = found
    conditional = here.conditions
    for one in here.parameters:
        needed = one.role != "task" and not isinstance(one, FixedParameterConfig) and one.name not in conditional
        if needed and one.name not in known and one.name not in values:
            raise ConfigurationError(
                f"{source.file} has no parameter {one.name!r}: say at which value its trials were made, as "
                f"fill={{{one.name!r}: value}}, or what it is called there, as names={{'…': {one.name!r}}}"
            )
    return values


def _point(here: SearchSpace, conditions: Parameterization, told: Told) -> Parameterization | None:
    """Conditions as a point of the present space, whatever its bounds and steps; None where they have no place.

    What is fixed here was something else there, perhaps: the two experiments are told apart by it.
    """
    point: Parameterization = {}
    for one in here.parameters:
        if one.role == "task" or isinstance(one, FixedParameterConfig):
            continue
        value = conditions.get(one.name)
        if value is not None and one.name in told.scaled and one.name not in told.fill:
            factor, offset = told.scaled[one.name]
            number = as_float(value)
            value = None if number is None else factor * number + offset
        found = _seen(one, value)
        if found is not None:
            point[one.name] = found
    held = {one.name: one.value for one in here.parameters if isinstance(one, FixedParameterConfig)}
    active = here.active({**held, **point})
    needed = [
        one.name
        for one in here.parameters
        if one.role != "task" and not isinstance(one, FixedParameterConfig) and one.name in active
    ]
    return {name: point[name] for name in needed} if all(name in point for name in needed) else None


def _seen(parameter: ParameterConfig, value: ParameterValue | None) -> ParameterValue | None:
    """A value as one of the parameter's; None where it has no place there."""
    if value is None:
        return None
    if parameter.interval is not None:
        number = as_float(value)
        return number if number is not None and math.isfinite(number) else None
    found = cast(value, parameter.parameter_type)
    if found is None or isinstance(parameter, RangeParameterConfig):
        return None
    return next((one for one in parameter.allowed if is_same(one, found)), None)


def _why_none(
    source: Source,
    here: SearchSpace,
    rows: _Rows,
    filled: Parameterization,
    told: Told,
    kept: int,
) -> str:
    """Why hardly any past trial has a place here, by the parameter that most of them fail at."""
    if len(rows) < LEAST:
        return f"{source.file}: {len(rows)} finished trials have data, and it takes {LEAST} to learn from"
    for one in here.parameters:
        if one.role == "task" or isinstance(one, FixedParameterConfig) or one.name in filled:
            continue
        values = [conditions.get(one.name) for conditions, _ in rows]
        lost = [value for value in values if value is not None and _seen(one, value) is None]
        if len(values) - len(lost) < LEAST:
            there = ", ".join(dict.fromkeys(map(repr, lost[:5])))
            wanted = "a number" if one.interval is not None else f"one of {', '.join(map(repr, one.allowed))}"
            return f"{source.file}: {one.name!r} was {there} there, and is {wanted} here: it is another experiment"
    return f"{source.file}: {kept} of {len(rows)} trials have a place in the search space, and it takes {LEAST}"


def _check_ranges(source: Source, here: SearchSpace, points: list[Parameterization]) -> None:
    """Make sure that past trials lie where trials are made now, or overlap with it."""
    for one in here.parameters:
        if one.role == "task" or isinstance(one, FixedParameterConfig) or one.interval is None:
            continue
        values = [float(point[one.name]) for point in points if one.name in point]
        lower, upper = one.interval
        if values and not any(lower <= value <= upper for value in values):
            raise ConfigurationError(
                f"{source.file}: {one.name!r} was {min(values):g} to {max(values):g} there and is {lower:g} to "
                f"{upper:g} here: no trial lies inside. If it has another unit there, say so: "
                f"scaled={{{one.name!r}: (factor, offset)}}"
            )


def _mean(measured: tuple[float, float | None] | None) -> float | None:
    return None if measured is None else measured[0]


def _sem(measured: tuple[float, float | None] | None) -> float | None:
    return None if measured is None else measured[1]
