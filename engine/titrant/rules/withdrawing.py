"""Results withdrawn, restored and corrected, and conditions that were carried out otherwise than planned.

Nothing in the log is changed: each of these is an event, and what stood before stays in the history.  Models learn from
what counts now.  ``Trial.withdrawn`` and ``Trial.absent`` keep, in terms of ``State.results``, when a value that counts
no more could be seen, so that suggestions that had seen it can be told (``analysis/marks.py``).
"""

from __future__ import annotations

from msgspec.structs import replace

from titrant.errors import CommandRefused, ConfigurationError
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.messages.events import Event
from titrant.model.observation import Observation, means
from titrant.model.trial import Parameterization, Trial, TrialStatus
from titrant.rules.completion import still_said
from titrant.rules.conditions import checked_executed, lacking, read_executed
from titrant.rules.state import State, counted, tallied, with_trial

FINISHED = (TrialStatus.COMPLETED, TrialStatus.EARLY_STOPPED)
NOT_BEGUN = (
    TrialStatus.CANDIDATE,
    TrialStatus.PROPOSED,
    TrialStatus.APPROVED,
    TrialStatus.REJECTED,
    TrialStatus.STAGED,
    TrialStatus.STALE,
)


def baseline_means(state: State) -> dict[str, float] | None:
    """The observed means of the baseline trial; None where there is none, or its result was withdrawn."""
    if state.baseline is None:
        return None
    trial = state.trial(state.baseline)
    return None if trial.status is TrialStatus.VOIDED else means(trial.observations)


# --- deciding -------------------------------------------------------------------------------------------------------


def void_result(state: State, command: c.VoidResult, _at: int) -> tuple[Event, ...]:
    """Withdraw a finished result; the trial and its data stay in the history."""
    trial = state.trial(command.trial)
    if trial.status is TrialStatus.VOIDED:
        raise CommandRefused(f"trial {trial.index} is VOIDED already: {trial.reason}")
    if trial.status not in FINISHED:
        raise CommandRefused(
            f"trial {trial.index} is {trial.status.name}: only a result of a COMPLETED or EARLY_STOPPED trial is voided"
        )
    _need_reason(command.reason, f"voiding trial {trial.index}")
    return (e.ResultVoided(trial=trial.index, reason=command.reason),)


def unvoid_result(state: State, command: c.UnvoidResult, _at: int) -> tuple[Event, ...]:
    """Let a withdrawn result count again."""
    trial = state.trial(command.trial)
    if trial.status is not TrialStatus.VOIDED:
        raise CommandRefused(f"trial {trial.index} is {trial.status.name}, not VOIDED: there is nothing to restore")
    _need_reason(command.reason, f"restoring the result of trial {trial.index}")
    return (e.ResultUnvoided(trial=trial.index, reason=command.reason),)


def correct_result(state: State, command: c.CorrectResult, _at: int) -> tuple[Event, ...]:
    """Replace observations metric by metric; metrics that are not named keep theirs."""
    trial = state.trial(command.trial)
    if trial.status not in (*FINISHED, TrialStatus.VOIDED):
        raise CommandRefused(
            f"trial {trial.index} is {trial.status.name}: only results of finished trials are corrected; "
            "attach_data adds data to any other"
        )
    _need_reason(command.reason, f"correcting trial {trial.index}")
    if not command.observations:
        raise ConfigurationError(f"the correction of trial {trial.index} names no value: say which metric has which")
    metrics = {observation.metric for observation in command.observations}
    before = tuple(observation for observation in trial.observations if observation.metric in metrics)
    if before == command.observations:
        return ()
    return (
        e.ResultCorrected(trial=trial.index, observations=command.observations, before=before, reason=command.reason),
    )


def record_executed(state: State, command: c.RecordExecuted, _at: int) -> tuple[Event, ...]:
    """Say what was really carried out, while the trial runs or afterwards."""
    trial = state.trial(command.trial)
    if trial.status in NOT_BEGUN:
        raise CommandRefused(
            f"trial {trial.index} is {trial.status.name}: it has not been carried out, so nothing was executed"
        )
    return executed(state, trial, checked_executed(state, trial, command.parameters))


def executed(_state: State, trial: Trial, values: Parameterization) -> tuple[Event, ...]:
    """The event that records *values* (of ``checked_executed``); none where they say nothing new."""
    known = {**trial.parameters, **(trial.executed or {})}
    if all(
        name in known and type(known[name]) is type(value) and known[name] == value for name, value in values.items()
    ):
        return ()
    return (e.ParametersExecuted(trial=trial.index, parameters=values),)


def reported(state: State, trial: Trial, given: Parameterization) -> tuple[Event, ...]:
    """What a runner says it executed; what cannot be read or lacks is told in a note, and costs nobody the result."""
    if not given:
        return ()
    try:
        values = read_executed(state, trial, given)
    except ConfigurationError as exc:
        return (e.NoteAdded(trial=trial.index, text=str(exc)),)
    said = executed(state, trial, values)
    if not (why := lacking(state, trial, values)):
        return said
    # Recorded all the same: a model must not take the plan for what was carried out.
    return (*said, e.NoteAdded(trial=trial.index, text=f"models leave trial {trial.index} out: {why}"))


# --- evolving -------------------------------------------------------------------------------------------------------


def voided(state: State, event: e.ResultVoided, _at: int) -> State:
    """Models forget the result; suggestions made from it can be told from now on."""
    trial, now = state.closed[event.trial], state.results + 1
    since = trial.result if _usable(trial.observations) else now
    over = replace(
        trial,
        status=TrialStatus.VOIDED,
        voided_from=trial.status,
        reason=event.reason,
        reason_before=trial.reason,
        result=since,
        withdrawn=(*trial.withdrawn, (since, now)),
    )
    return _changed(counted(state, trial, -1), trial, over)


def unvoided(state: State, event: e.ResultUnvoided, _at: int) -> State:
    """The result counts again, and those that had seen it saw nothing wrong, unless it was corrected meanwhile."""
    trial, now = state.closed[event.trial], state.results + 1
    since, until = trial.withdrawn[-1]
    again = replace(
        trial,
        status=trial.voided_from or TrialStatus.COMPLETED,
        voided_from=None,
        reason=trial.reason_before,
        reason_before=None,
        withdrawn=trial.withdrawn[:-1] if since == trial.result else trial.withdrawn,
        absent=(*trial.absent, (until, now)),
    )
    return _changed(counted(state, trial, +1), trial, again)


def corrected(state: State, event: e.ResultCorrected, _at: int) -> State:
    """The new values stand in the place of the old ones; a number fills a gap, a value that is none makes one."""
    trial, now = state.closed[event.trial], state.results + 1
    named = {observation.metric for observation in event.observations}
    good = {observation.metric for observation in event.observations if observation.mean is not None}
    missing = tuple(metric for metric in trial.missing if metric not in good)
    if TrialStatus.COMPLETED in (trial.status, trial.voided_from) and state.optimization is not None:
        needed = state.optimization.metric_names
        missing += tuple(metric for metric in needed if metric in named - good and metric not in missing)
    result, withdrawn = trial.result, trial.withdrawn
    if _usable(event.before) or not _usable(trial.observations):
        if _usable(event.before) and trial.status is not TrialStatus.VOIDED:
            withdrawn = (*withdrawn, (result, now))
        result = now
    kept = tuple(observation for observation in trial.observations if observation.metric not in named)
    better = replace(
        trial,
        observations=(*kept, *event.observations),
        missing=missing,
        reason=still_said(trial, missing),
        result=result,
        withdrawn=withdrawn,
    )
    return _changed(state, trial, better)


def parameters_executed(state: State, event: e.ParametersExecuted, _at: int) -> State:
    """The trial knows plan and execution; models learn from the latter once it has a result."""
    index = event.trial
    trial = state.open.get(index)
    if trial is not None:
        trial = replace(trial, executed={**(trial.executed or {}), **event.parameters})
        return replace(state, open=with_trial(state.open, trial))
    trial = state.closed[index]
    return _changed(state, trial, replace(trial, executed={**(trial.executed or {}), **event.parameters}))


def _changed(state: State, before: Trial, after: Trial) -> State:
    """The state with a closed trial changed, and one more change of what models learn from."""
    counts = state.counts
    if after.status is not before.status:
        changed = list(counts)
        changed[before.status] -= 1
        changed[after.status] += 1
        counts = tuple(changed)
        state = replace(state, made_by=tallied(state, before, before.status, -1))
        state = replace(state, made_by=tallied(state, after, after.status, +1))
    return replace(state, closed=state.closed.insert(after), counts=counts, results=state.results + 1)


def _usable(observations: tuple[Observation, ...]) -> bool:
    return any(observation.mean is not None for observation in observations)


def _need_reason(reason: str, what: str) -> None:
    if not reason.strip():
        raise CommandRefused(f"{what} needs a reason: say what is wrong with it, or how you know")
