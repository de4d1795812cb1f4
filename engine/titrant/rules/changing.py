"""Another search space in mid-experiment, and old trials seen from it: what is kept is used as far as it can be.

A trial that has not been submitted and no longer fits is STALE, and another one takes its place; what a runner or a
person has already goes on.  Seen by a model in the present space

- data outside narrowed bounds still inform it, though nothing is suggested there;
- data that lack a parameter have the value given when it was added (``backfill``);
- data with a parameter that was removed lose it;
- data with a category that no longer exists are left out, though they stay in the log;
- data at other values of a number that is fixed now still inform it: the parameter keeps the range it had as the
  model's domain, and is held at its value in every suggestion.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from titrant.errors import CommandRefused, ConfigurationError, SearchSpaceError
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.messages.events import Event
from titrant.model.candidates import apart
from titrant.model.conditions import dependents
from titrant.model.descriptors import text_of
from titrant.model.expressions import as_float, cast, is_same
from titrant.model.space import (
    ChoiceParameterConfig,
    FixedParameterConfig,
    ParameterConfig,
    RangeParameterConfig,
    SearchSpace,
)
from titrant.model.trial import Parameterization, ParameterValue, Trial, TrialStatus
from titrant.rules import course, setup
from titrant.rules.conditions import carried_out, planned
from titrant.rules.state import State

# --- deciding -------------------------------------------------------------------------------------------------------


def change_space(state: State, command: c.ChangeSpace, at: int) -> tuple[Event, ...]:
    """Go on in another space; a run may be under way.

    Raises:
        CommandRefused: There is no search space yet, or the approval policy needs what the new one has not.
        ConfigurationError: Trials lack a new parameter and no value is given for them, or a value makes no sense.
        SearchSpaceError: A task or a fidelity is not active in every trial.
    """
    if state.experiment is None:
        raise CommandRefused("there is no search space to change: call configure_experiment first")
    space = command.space
    if (why := space.no_target()) and not state.experiment.space.no_target():  # an older log may go on as it is
        raise SearchSpaceError(why)
    backfill = _backfill(state, state.experiment.space, space, command.backfill)
    try:
        state.approval.check(space, values=False)
    except ConfigurationError as exc:
        raise CommandRefused(f"the search space cannot change: {exc}. Call configure_approval first") from exc
    if space == state.experiment.space and all(
        name in state.backfill and _equal(state.backfill[name], value) for name, value in backfill.items()
    ):
        return ()
    changed = e.SpaceChanged(space=space, backfill=backfill)
    then = space_changed(state, changed, at)
    waiting = [state.open[index] for index in sorted({*state.queue, *state.proposed})]
    brief, parts = apart(space)
    said: tuple[Event, ...] = (replace(changed, space=brief), *setup.kept(brief, parts))
    return (*said, *(event for trial in waiting for event in outgrown(then, trial)))


def outgrown(state: State, trial: Trial) -> tuple[Event, ...]:
    """The end of a trial that waits, where it does not fit the present space."""
    space = None if state.experiment is None else state.experiment.space
    why = unfit(space, trial.parameters) if space is not None else ""
    if space is not None and not why and trial.origin == "suggested" and not space.offers(trial.parameters):
        why = "it is none of the candidates any more"
    return (e.TrialStale(trial=trial.index, reason=f"the search space changed: {why}"),) if why else ()


def unfit(space: SearchSpace, parameters: Parameterization) -> str:
    """Why conditions cannot be carried out in a space; empty where they can."""
    missing = [name for name in space.active(parameters) if name not in parameters]
    if missing:
        return f"it has no value of {missing[0]!r}"
    return "; ".join(space.violations(parameters))


def _backfill(state: State, old: SearchSpace, new: SearchSpace, given: Mapping[str, object]) -> Parameterization:
    """Values of new parameters for the trials that exist, checked; a fixed one has its own."""
    added = [name for name in new.names if name not in old.names]
    values: Parameterization = {}
    for name, value in given.items():
        if name not in new.names:
            raise ConfigurationError(f"backfill names {name!r}, which the new search space has not: leave it out")
        if name not in added and name not in state.backfill:
            raise ConfigurationError(
                f"backfill names {name!r}, which is no new parameter: trials have values of their own"
            )
        values[name] = _old_value(new.parameter(name), value)
    for name in added:
        parameter = new.parameter(name)
        if isinstance(parameter, FixedParameterConfig):
            values.setdefault(name, parameter.value)
        elif name not in values and name not in state.backfill and state.next_index:
            raise ConfigurationError(
                f"parameter {name!r} is new, and {state.next_index} trials were made without it: "
                f"say which value they are taken to have had, as backfill={{{name!r}: value}}"
            )
    return values


def _old_value(parameter: ParameterConfig, value: object) -> ParameterValue:
    """A value that old trials are taken to have had: of the parameter's type, whatever its bounds."""
    name, kind = parameter.name, parameter.parameter_type
    found = cast(value, "float" if kind == "int" and parameter.interval is not None else kind)
    found = int(found) if kind == "int" and isinstance(found, float) and found.is_integer() else found
    few = () if parameter.interval is not None or isinstance(parameter, FixedParameterConfig) else _few(parameter)
    if found is None or (few and found not in few):
        some = f"one of {', '.join(map(repr, few))}" if few else f"a value of type {kind}"
        raise ConfigurationError(f"backfill gives {name!r} the value {value!r}: give {some}")
    return found


def _equal(one: ParameterValue, other: ParameterValue) -> bool:
    return type(one) is type(other) and one == other


# --- evolving -------------------------------------------------------------------------------------------------------


def space_changed(state: State, event: e.SpaceChanged, _at: int) -> State:
    """Trials are made in the new space from now on, and old ones are seen from it."""
    experiment, run = state.experiment, state.run
    if experiment is None:
        return state
    before: dict[str, ParameterConfig] = {
        **{name: FixedParameterConfig(name, value) for name, value in event.backfill.items()},
        **{parameter.name: parameter for parameter in experiment.space.parameters},
    }
    domain = {
        parameter.name: known
        for parameter in event.space.parameters
        if _is_held(parameter) and (known := _varied(before.get(parameter.name), parameter, state.domain))
    }
    return replace(
        state,
        experiment=replace(experiment, space=event.space),
        backfill={
            name: value for name, value in {**state.backfill, **event.backfill}.items() if name in event.space.names
        },
        domain=domain,
        space_changes=state.space_changes + 1,
        run=None if run is None else replace(run, exhausted=None),  # there may be more room now
    )


def stale(state: State, event: e.TrialStale, at: int) -> State:
    """The trial is over before it began."""
    return course.close(state, state.open[event.trial], TrialStatus.STALE, event.reason, at)


def _is_held(parameter: ParameterConfig) -> bool:
    """Whether a parameter has but one value, and that a number."""
    return parameter.interval is not None and len(_few(parameter)) == 1


def _few(parameter: ParameterConfig) -> tuple[ParameterValue, ...]:
    return () if isinstance(parameter, RangeParameterConfig) else parameter.allowed


def _varied(
    before: ParameterConfig | None,
    now: ParameterConfig,
    known: Mapping[str, RangeParameterConfig | ChoiceParameterConfig],
) -> RangeParameterConfig | ChoiceParameterConfig | None:
    """What a number that has one value now could be before; None where it has always had this one."""
    if before is None or before.interval is None or now.interval is None:
        return None
    if not isinstance(before, FixedParameterConfig) and len(_few(before)) != 1:
        return before
    if now.name in known or is_same(before.interval[0], now.interval[0]):
        return known.get(now.name)
    lower, upper = sorted((before.interval[0], now.interval[0]))
    return RangeParameterConfig(now.name, (lower, upper))


# --- old trials, seen from the present space ------------------------------------------------------------------------


class Sight(NamedTuple):
    """The search space as a model sees it.

    Attributes:
        space: The present one, but for numbers that were fixed later, which have the range they had.
        held: These, with their values.
    """

    space: SearchSpace
    held: Parameterization


def sight(state: State, fixed: Parameterization | None = None) -> Sight:
    """The search space as a model sees it.  The state must have one.

    Args:
        state: What is known.
        fixed: Values asked for.  A number that is fixed and asked for at another value is left as it is in the
            present space, where the contradiction is found.
    """
    assert state.experiment is not None
    space = state.experiment.space
    held = {name: _few(space.parameter(name))[0] for name in state.domain}
    for name, value in (fixed or {}).items():
        if name in held and not is_same(as_float(value) or 0.0, float(held[name])):
            del held[name]
    if not held:
        return Sight(space, {})
    parameters = tuple(
        _plain(_domain(state.domain[one.name], one)) if one.name in held else one for one in space.parameters
    )
    return Sight(replace(space, parameters=parameters), held)


def _plain(
    parameter: RangeParameterConfig | ChoiceParameterConfig,
) -> RangeParameterConfig | ChoiceParameterConfig:
    """The same without a part in the experiment: a fidelity that was fixed is sought at no other value any more."""
    if parameter.role != "fidelity":
        return parameter
    return replace(parameter, is_fidelity=msgspec.UNSET, target_value=msgspec.UNSET)


def project(state: State, trial: Trial) -> Parameterization | None:
    """The conditions that a trial was carried out under, as a point of the present space; None where it has no place.

    A number may lie outside its bounds and between its steps: it informs a model all the same.
    """
    if state.experiment is None or not (state.space_changes or trial.executed):
        return trial.parameters
    space, plan = state.experiment.space, planned(state, trial)
    # A constant that was missed by a hair is still that constant: no model could tell the difference.
    constant = {
        one.name: plan[one.name]
        for one in space.parameters
        if _is_held(one) and one.name in plan and one.name not in state.domain
    }
    return _point(state, space, {**carried_out(state, trial), **constant})


def seen(state: State, parameters: Parameterization) -> Parameterization | None:
    """Planned conditions as a point of the present space (see ``project``)."""
    if state.experiment is None or not state.space_changes:
        return parameters
    return _point(state, state.experiment.space, parameters)


def _point(state: State, space: SearchSpace, parameters: Parameterization) -> Parameterization | None:
    point: Parameterization = {}
    lost: set[str] = set()
    for parameter in space.parameters:
        name = parameter.name
        value = _seen(parameter, parameters.get(name), varied=name in state.domain)
        if value is None:
            lost.add(name)
        else:
            point[name] = value
    active = space.active(point)
    return None if lost.intersection(active) else {name: point[name] for name in active}


def is_inside(state: State, trial: Trial) -> bool:
    """Whether a trial's plan fits the present space, so that it could be made now."""
    if not state.space_changes or state.experiment is None:
        return True
    point = seen(state, planned(state, trial))
    return point is not None and state.experiment.space.contains(point)


def _seen(parameter: ParameterConfig, value: ParameterValue | None, *, varied: bool) -> ParameterValue | None:
    """A value as one of the parameter's; None where it has no place there."""
    if value is None:
        return None
    if parameter.interval is not None:
        number, few = as_float(value), _few(parameter)
        lost = number is None or (len(few) == 1 and not varied and not is_same(number, float(few[0])))
        return None if lost else value
    found = cast(value, parameter.parameter_type)
    if found is None:
        return None
    return next((one for one in _few(parameter) if is_same(one, found)), None)


def _domain(
    known: RangeParameterConfig | ChoiceParameterConfig, now: ParameterConfig
) -> RangeParameterConfig | ChoiceParameterConfig:
    """What a number could be, widened where need be for the value at which it is held *now*."""
    number = float(_few(now)[0])
    if isinstance(known, ChoiceParameterConfig):
        # As the present space has it: what depended on the choice when it was fixed may have been removed since.
        below = dependents(now)
        is_known = any(is_same(float(one), number) for one in known.values)
        # What is active goes by the texts of values: whole numbers stay whole where that matters.
        found = known if is_known else _widened(known, number, whole=bool(below))
        if not below and not dependents(found):
            return found
        active = {value: names for value in found.values for text, names in below.items() if text in _texts(value)}
        return replace(found, dependent_parameters=active)
    lower, upper = known.bounds
    fits = number.is_integer() or known.parameter_type == "float"
    return replace(
        known,
        bounds=(min(lower, number), max(upper, number)),
        parameter_type=known.parameter_type if fits else "float",
        step_size=None,
        scaling=known.scaling if number > 0 else None,
    )


def _widened(known: ChoiceParameterConfig, number: float, *, whole: bool) -> ChoiceParameterConfig:
    """A choice of numbers with one more of them."""
    whole = whole and known.parameter_type == "int" and number.is_integer()
    return replace(
        known,
        values=(*known.values, int(number)) if whole else (*map(float, known.values), number),
        parameter_type="int" if whole else "float",
        descriptors=msgspec.UNSET,
        dependent_parameters=msgspec.UNSET,
    )


def _texts(value: ParameterValue) -> set[str]:
    """How a number may stand in a table of dependents: 1 and 1.0 are the same value."""
    number = float(value)
    return {text_of(number), text_of(int(number))} if number.is_integer() else {text_of(number)}
