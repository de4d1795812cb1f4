"""Asking and telling: trials that people and other programs make, complete and mark."""

from __future__ import annotations

from titrant.errors import CommandRefused, ParameterizationError
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.messages.events import Event
from titrant.model.space import SearchSpace
from titrant.model.trial import Parameterization, Suggestion, Trial, TrialStatus
from titrant.rules.approving import WAITING, proposer_of, screened, who_may
from titrant.rules.completion import attached, completion
from titrant.rules.conditions import checked_executed
from titrant.rules.state import State
from titrant.rules.withdrawing import executed


def add_trials(state: State, command: c.AddTrials, _at: int) -> tuple[Event, ...]:
    """Make trials of suggestions that fit the search space; the closed loop takes none once it is draining.

    A suggestion that was asked for in another search space may arrive in this one.
    """
    if state.experiment is None:
        raise CommandRefused("there is no search space to make trials in: call configure_experiment first")
    suggestions = command.suggestions
    if not command.asked:
        run = state.run
        if run is None or run.draining is not None or state.halted is not None:
            return ()
        suggestions = suggestions[: run.options.max_trials - run.created]
    fitting = [(fits, one) for one in suggestions if (fits := _fitting(state.experiment.space, one)) is not None]
    return screened(
        state,
        (
            e.TrialCreated(
                trial=index,
                parameters=parameters,
                arm_name=f"{index}_0",
                asked=command.asked,
                suggestion=suggestion,
                proposer=proposer_of(command),
            )
            for index, (parameters, suggestion) in enumerate(fitting, start=state.next_index)
        ),
    )


def attach_trial(state: State, command: c.AttachTrial, _at: int) -> tuple[Event, ...]:
    """Add a trial with conditions of one's own; it is RUNNING in its maker's hands, as in Ax."""
    if state.experiment is None:
        raise CommandRefused("attach_trial needs a search space: call configure_experiment first")
    index = state.next_index
    created = e.TrialCreated(
        trial=index,
        parameters=state.experiment.space.check(command.parameters),
        origin="baseline" if command.baseline else "attached",
        arm_name=command.arm_name or ("baseline" if command.baseline else f"{index}_0"),
        asked=True,
        proposer=proposer_of(command),
    )
    return screened(state, (created,))


def complete_trial(state: State, command: c.CompleteTrial, _at: int) -> tuple[Event, ...]:
    """Tell a result: the trial is COMPLETED, with what is missing named."""
    trial = _in_hand(state, command.trial, "completed")
    done = executed(state, trial, checked_executed(state, trial, command.executed)) if command.executed else ()
    return (*done, *attached(state, trial, command.observations), completion(state, trial, command.observations))


def attach_data(state: State, command: c.AttachData, _at: int) -> tuple[Event, ...]:
    """Add observations; a late result is always recorded, also of an attempt before the one that is waited for."""
    trial = state.trial(command.trial)
    if trial.status in NOT_YET and not trial.attempt:
        raise CommandRefused(f"trial {trial.index} is {trial.status.name}: it has not been carried out yet")
    return attached(state, trial, command.observations)


def mark_failed(state: State, command: c.MarkFailed, _at: int) -> tuple[Event, ...]:
    """A trial in somebody's hands failed; it may be suggested again."""
    trial = _in_hand(state, command.trial, "marked as failed")
    return (e.TrialFailed(trial=trial.index, reason=command.reason, informative=True),)


def mark_abandoned(state: State, command: c.MarkAbandoned, _at: int) -> tuple[Event, ...]:
    """A trial is given up; it is not suggested again."""
    trial = state.trial(command.trial)
    abandoned = e.TrialAbandoned(trial=trial.index, reason=command.reason)
    if trial.status is TrialStatus.UNKNOWN:
        return (e.TrialResolved(trial=trial.index, outcome="abandoned", reason=command.reason), abandoned)
    if trial.status not in (*WAITING, TrialStatus.PROPOSED):
        _in_hand(state, command.trial, "abandoned")
    return (abandoned,)


def mark_early_stopped(state: State, command: c.MarkEarlyStopped, _at: int) -> tuple[Event, ...]:
    """A trial was stopped before its end; as in Ax it must have data."""
    trial = _in_hand(state, command.trial, "marked as stopped early")
    if not trial.observations:
        raise CommandRefused(
            f"trial {trial.index} has no data: attach_data first, or mark_trial_failed if there are none"
        )
    return (e.TrialEarlyStopped(trial=trial.index, reason=command.reason),)


def refetch_data(state: State, command: c.RefetchData, _at: int) -> tuple[Event, ...]:
    """Fetch again what is missing of a finished trial."""
    trial = state.trial(command.trial)
    if trial.status is not TrialStatus.COMPLETED:
        raise CommandRefused(f"trial {trial.index} is {trial.status.name}: only a COMPLETED trial is fetched again")
    wanted = command.metrics or tuple(name for name in trial.missing if name in state.metrics)
    foreign = [name for name in wanted if name not in state.metrics]
    if foreign:
        raise CommandRefused(f"no metric named {foreign[0]!r} can be fetched: configure_metrics knows {state.metrics}")
    return (e.FetchRequested(trial=trial.index, metrics=wanted),) if wanted else ()


def resolve(state: State, command: c.Resolve, _at: int) -> tuple[Event, ...]:
    """A person says what became of an UNKNOWN trial."""
    trial = state.trial(command.trial)
    if trial.status is not TrialStatus.UNKNOWN:
        raise CommandRefused(f"trial {trial.index} is {trial.status.name}, not UNKNOWN: there is nothing to resolve")
    if not command.reason.strip():
        raise CommandRefused(f"resolving trial {trial.index} needs a reason: say how you know")
    resolved = e.TrialResolved(trial=trial.index, outcome=command.outcome, reason=command.reason)
    match command.outcome:
        case "running":
            return (resolved,)
        case "rerun":
            return (resolved, e.TrialRequeued(trial=trial.index, reason=command.reason))
        case "failed":
            return (resolved, e.TrialFailed(trial=trial.index, reason=command.reason))
        case "abandoned":
            return (resolved, e.TrialAbandoned(trial=trial.index, reason=command.reason))
        case "completed":
            if not command.observations and state.metrics:
                return (resolved, e.TrialRunFinished(trial=trial.index, attempt=trial.attempt, awaiting=state.metrics))
            data = attached(state, trial, command.observations)
            return (resolved, *data, completion(state, trial, command.observations, reason=command.reason))


NOT_YET = (TrialStatus.CANDIDATE, TrialStatus.APPROVED, TrialStatus.PROPOSED)
"""Nothing of the trial has been carried out, unless it had an attempt before."""


def _fitting(space: SearchSpace, suggestion: Suggestion) -> Parameterization | None:
    """The suggested conditions in the space's own form; None where they do not fit it."""
    try:
        fitting = space.check(suggestion.parameters)
    except ParameterizationError:
        return None
    return fitting if space.offers(fitting) else None


def _in_hand(state: State, index: int, verb: str) -> Trial:
    """The trial, if a person or program outside the loop has it."""
    trial = state.trial(index)
    if trial.asked and trial.status is TrialStatus.RUNNING:
        return trial
    why = {
        TrialStatus.UNKNOWN: f"use resolve({index}, ...) and say what became of it",
        TrialStatus.CANDIDATE: "it has not been carried out yet",
        TrialStatus.STAGED: "the closed loop has taken it over",
        TrialStatus.PROPOSED: f"it awaits approval ({trial.rule}), and {who_may(trial)}",
        TrialStatus.APPROVED: "it has not been carried out yet",
        TrialStatus.REJECTED: f"a person rejected it ({trial.reason}), and it is not carried out",
        TrialStatus.SUBMITTING: f"runner {trial.runner!r} is carrying it out",
        TrialStatus.RUNNING: f"runner {trial.runner!r} is carrying it out",
    }.get(trial.status, "it is over; attach_data still adds late results")
    raise CommandRefused(f"trial {index} is {trial.status.name} and cannot be {verb}: {why}")
