"""Under which conditions a trial was carried out: as planned, but for what was recorded otherwise."""

from __future__ import annotations

from collections.abc import Mapping

from titrant.errors import ConfigurationError
from titrant.model.expressions import ParameterType, cast, kind_of
from titrant.model.trial import Parameterization, Trial
from titrant.rules.state import State


def carried_out(state: State, trial: Trial) -> Parameterization:
    """What models learn from: the plan, with what was really executed in its place.

    A value may lie off its parameter's grid or outside its bounds.  What is not active at a choice that was executed
    otherwise than planned is left out.
    """
    plan = planned(state, trial)
    return _trimmed(state, {**plan, **trial.executed}) if trial.executed else plan


def planned(state: State, trial: Trial) -> Parameterization:
    """What is to be carried out; a parameter that is younger than the trial has the value given for such trials."""
    return {**state.backfill, **trial.parameters} if state.backfill else dict(trial.parameters)


def _trimmed(state: State, conditions: Parameterization) -> Parameterization:
    """Conditions without those of the present space's parameters that are not active at them."""
    space = None if state.experiment is None else state.experiment.space
    if space is None or not space.is_conditional:
        return conditions
    active = {*space.active(conditions)}
    return {name: value for name, value in conditions.items() if name in active or name not in space.names}


def checked_executed(state: State, trial: Trial, given: Mapping[str, object]) -> Parameterization:
    """Executed values in their parameters' types, whatever their size.

    Raises:
        ConfigurationError: A name is no parameter of the trial, a value is of another type or not finite, or there is
            none of a parameter that is active only because of what was executed.
    """
    values = read_executed(state, trial, given)
    if why := lacking(state, trial, values):
        raise ConfigurationError(f"{_what(trial)} is not complete: {why}")
    return values


def lacking(state: State, trial: Trial, values: Parameterization) -> str:
    """What must be said beside executed values for models to learn from them, in words; empty where nothing must.

    Args:
        state: What is known.
        trial: The trial.
        values: What is said to have been executed in it, of ``read_executed``.
    """
    if state.experiment is None or not state.experiment.space.is_conditional:
        return ""
    space, plan = state.experiment.space, planned(state, trial)
    done = {**plan, **(trial.executed or {}), **values}
    meant = {*space.active(plan)}  # a trial of before a change of the space may lack some of these
    for name in space.active(done):
        if name not in done and name not in meant:
            parent = space.conditions[name].parent
            return f"{name!r} is active at {parent} = {done[parent]!r}: also say {name!r}"
    return ""


def read_executed(state: State, trial: Trial, given: Mapping[str, object]) -> Parameterization:
    """Executed values in their parameters' types, whether or not more should be said.

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
        raise ConfigurationError(f"{_what(trial)} cannot be read: {'; '.join(problems)}")
    return values


def _what(trial: Trial) -> str:
    return f"what was executed in trial {trial.index}"


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
