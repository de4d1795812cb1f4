"""Under which conditions a trial was carried out: as planned, but for what was recorded otherwise."""

from __future__ import annotations

from collections.abc import Mapping

from titrant.errors import ConfigurationError
from titrant.model.expressions import ParameterType, cast, kind_of
from titrant.model.trial import Parameterization, Trial
from titrant.rules.state import State


def carried_out(state: State, trial: Trial) -> Parameterization:
    """What models learn from: the plan, with what was really executed in its place.

    A value may lie off its parameter's grid or outside its bounds.
    """
    return {**planned(state, trial), **(trial.executed or {})}


def planned(state: State, trial: Trial) -> Parameterization:
    """What is to be carried out; a parameter that is younger than the trial has the value given for such trials."""
    return {**state.backfill, **trial.parameters} if state.backfill else dict(trial.parameters)


def checked_executed(state: State, trial: Trial, given: Mapping[str, object]) -> Parameterization:
    """Executed values in their parameters' types, whatever their size.

    Raises:
        ConfigurationError: A name is no parameter of the trial, or a value is of another type or not finite.
    """
    kinds = _kinds(state, trial)
    values: Parameterization = {}
    problems: list[str] = []
    for name, value in given.items():
        if name not in kinds:
            problems.append(f"{name!r} is no parameter of it: use {', '.join(kinds)}")
        elif (read := cast(value, kinds[name])) is None:
            problems.append(f"{name!r} is {_WORDS[kinds[name]]}, and {value!r} is not")
        else:
            values[name] = read
    if problems:
        raise ConfigurationError(f"what was executed in trial {trial.index} cannot be read: {'; '.join(problems)}")
    return values


_WORDS: dict[ParameterType, str] = {
    "float": "a finite number",
    "int": "a whole number",
    "str": "a text",
    "bool": "True or False",
}


def _kinds(state: State, trial: Trial) -> dict[str, ParameterType]:
    """The type of every parameter of the trial and of the present space."""
    kinds: dict[str, ParameterType] = {name: kind_of(value) or "str" for name, value in trial.parameters.items()}
    if state.experiment is not None:
        kinds |= {config.name: config.parameter_type for config in state.experiment.space.parameters}
    return kinds
