"""What runners and metrics found out: the course of a trial on an instrument."""

from __future__ import annotations

from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.messages.events import Event
from titrant.model.observation import Observation
from titrant.model.trial import Trial, TrialStatus
from titrant.rules.recovery import lose
from titrant.rules.state import State
from titrant.rules.telling import completion


def report_retry(state: State, command: c.ReportRetry, _at: int) -> tuple[Event, ...]:
    """The submitting call is made again: told for people."""
    if _current(state, command.trial, command.attempt) is None:
        return ()
    return (
        e.SubmissionRetried(
            trial=command.trial,
            attempt=command.attempt,
            retry=command.retry,
            reason=command.reason,
            delay_seconds=command.delay_seconds,
        ),
    )


def report_running(state: State, command: c.ReportRunning, _at: int) -> tuple[Event, ...]:
    """The runner accepted the trial."""
    trial = _current(state, command.trial, command.attempt)
    if trial is None or trial.status not in (TrialStatus.SUBMITTING, TrialStatus.UNKNOWN):
        return ()
    found = _found_again(trial)
    return (*found, e.TrialRunning(trial=trial.index, attempt=trial.attempt, metadata=command.metadata))


def report_reattached(state: State, command: c.ReportReattached, _at: int) -> tuple[Event, ...]:
    """The attempt was found again."""
    trial = _current(state, command.trial, command.attempt)
    if trial is None or trial.run_done:
        return ()
    return (*_found_again(trial), e.TrialReattached(trial=trial.index, attempt=trial.attempt))


def report_finished(state: State, command: c.ReportFinished, _at: int) -> tuple[Event, ...]:
    """The instrument is done; the slot is free from here on, while data may still be on the way."""
    trial = _current(state, command.trial, command.attempt)
    if trial is None or trial.run_done:
        return _late(state, command.trial, command.observations)
    found = _found_again(trial)
    data: tuple[Event, ...] = ()
    if command.observations:
        data = (e.DataAttached(trial=trial.index, observations=command.observations),)
    if trial.stop_requested:
        return (*found, *data, *_stopped(state, trial, command.observations, command.reason or ""))
    if command.status == "failed":
        reason = command.reason or "the runner reported FAILED"
        return (*found, *data, e.TrialFailed(trial=trial.index, reason=reason))
    if command.status == "abandoned":
        reason = command.reason or "the runner reported ABANDONED"
        return (*found, *data, e.TrialAbandoned(trial=trial.index, reason=reason))
    told = {observation.metric for observation in command.observations}
    awaiting = tuple(metric for metric in state.metrics if metric not in told)
    finished = e.TrialRunFinished(trial=trial.index, attempt=trial.attempt, awaiting=awaiting)
    if awaiting:
        return (*found, finished, *data)
    return (*found, finished, *data, completion(state, trial, command.observations))


def report_stopped(state: State, command: c.ReportStopped, _at: int) -> tuple[Event, ...]:
    """The trial was stopped as asked."""
    trial = _current(state, command.trial, command.attempt)
    if trial is None or trial.run_done:
        return ()
    return (*_found_again(trial), *_stopped(state, trial, (), command.reason))


def report_lost(state: State, command: c.ReportLost, _at: int) -> tuple[Event, ...]:
    """Contact was lost: the trial may have run."""
    trial = _current(state, command.trial, command.attempt)
    if trial is None or trial.run_done or trial.status is TrialStatus.UNKNOWN:
        return ()
    return lose(state, trial, command.reason)


def report_never_started(state: State, command: c.ReportNeverStarted, _at: int) -> tuple[Event, ...]:
    """The submission failed for good and started nothing."""
    trial = _current(state, command.trial, command.attempt)
    if trial is None or trial.run_done:
        return ()
    return (*_found_again(trial), e.TrialFailed(trial=trial.index, reason=command.reason))


def record_fetch(state: State, command: c.RecordFetch, _at: int) -> tuple[Event, ...]:
    """A metric was fetched; with the last one awaited the trial is over."""
    trial = state.trial(command.trial)
    data = e.DataAttached(trial=trial.index, observations=command.observations)
    if trial.awaiting == (command.metric,):
        return (data, completion(state, trial, command.observations))
    return (data,)


def record_fetch_failure(state: State, command: c.RecordFetchFailure, _at: int) -> tuple[Event, ...]:
    """A metric could not be fetched: the trial completes without it, and says so."""
    trial = state.trial(command.trial)
    failed = e.FetchFailed(trial=trial.index, metric=command.metric, reason=command.reason)
    if trial.awaiting == (command.metric,):
        return (failed, completion(state, trial, reason=_missing_reason(state, trial, command)))
    return (failed,)


def _missing_reason(state: State, trial: Trial, command: c.RecordFetchFailure) -> str | None:
    needed = state.optimization.metric_names if state.optimization else ()
    return f"{command.metric}: {command.reason}" if command.metric in needed else trial.reason


def _stopped(
    state: State, trial: Trial, observations: tuple[Observation, ...], said: str
) -> tuple[Event, ...]:
    """How a stopped trial ends: by time to live or a person's stop FAILED, by early stopping EARLY_STOPPED."""
    reason = trial.reason or "stopped"
    if said:
        reason = f"{reason} ({said})"
    if trial.stop_requested == "early" and (trial.observations or observations):
        return (e.TrialEarlyStopped(trial=trial.index, reason=reason),)
    return (e.TrialFailed(trial=trial.index, reason=reason),)


def _current(state: State, index: int, attempt: int) -> Trial | None:
    """The open trial, if the report is of its present attempt."""
    trial = state.open.get(index)
    return trial if trial is not None and trial.attempt == attempt and trial.runner is not None else None


def _found_again(trial: Trial) -> tuple[Event, ...]:
    """An UNKNOWN trial whose runner speaks after all needs no person any more."""
    if trial.status is not TrialStatus.UNKNOWN:
        return ()
    return (e.TrialResolved(trial=trial.index, outcome="running", reason="the runner reported it after all"),)


def _late(state: State, index: int, observations: tuple[Observation, ...]) -> tuple[Event, ...]:
    """A late result is always recorded."""
    return (e.DataAttached(trial=state.trial(index).index, observations=observations),) if observations else ()
