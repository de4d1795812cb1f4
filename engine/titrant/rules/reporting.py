"""What runners and metrics found out: the course of a trial on an instrument."""

from __future__ import annotations

from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.messages.events import Event
from titrant.model.observation import Observation
from titrant.model.trial import Trial, TrialStatus
from titrant.rules.completion import attached, completion, fetch_failed, fetched
from titrant.rules.recovery import lose
from titrant.rules.state import State
from titrant.rules.withdrawing import reported


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
    """The runner accepted the trial; submitted again with its key after a restart it may have new metadata."""
    trial = _current(state, command.trial, command.attempt)
    if trial is None or trial.run_done:
        return ()
    if trial.status is TrialStatus.RUNNING and trial.metadata == command.metadata:
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
        return _late(state, command)
    found = (*_found_again(trial), *reported(state, trial, command.executed))
    data: tuple[Event, ...] = ()
    if command.observations:
        data = (e.DataAttached(trial=trial.index, observations=command.observations),)
    if trial.stop_requested:
        return (*found, *data, *_stopped(state, trial, command.observations, command.reason or ""))
    if command.status == "failed":
        reason = command.reason or "the runner reported FAILED"
        return (*found, *data, e.TrialFailed(trial=trial.index, reason=reason, informative=command.informative))
    if command.status == "abandoned":
        reason = command.reason or "the runner reported ABANDONED"
        return (*found, *data, e.TrialAbandoned(trial=trial.index, reason=reason, informative=True))
    if command.status == "early_stopped" and (trial.observations or command.observations):
        reason = command.reason or "the runner reported EARLY_STOPPED"
        return (*found, *data, e.TrialEarlyStopped(trial=trial.index, reason=reason))
    told = {observation.metric for observation in command.observations}
    awaiting = tuple(metric for metric in state.metrics if metric not in told)
    finished = e.TrialRunFinished(trial=trial.index, attempt=trial.attempt, awaiting=awaiting)
    if awaiting:
        return (*found, finished, *data)
    return (*found, finished, *data, completion(state, trial, command.observations))


def report_stopped(state: State, command: c.ReportStopped, _at: int) -> tuple[Event, ...]:
    """The trial was stopped as asked; an UNKNOWN one stays so, unless it was in sight when the stop was asked for."""
    trial = _current(state, command.trial, command.attempt)
    if trial is None or trial.run_done:
        return ()
    if trial.status is TrialStatus.UNKNOWN and (command.reason or not trial.stop_requested):
        return ()
    return (*_found_again(trial), *_stopped(state, trial, (), command.reason))


def report_lost(state: State, command: c.ReportLost, _at: int) -> tuple[Event, ...]:
    """Contact was lost: the trial may have run."""
    trial = _current(state, command.trial, command.attempt)
    if trial is None or trial.run_done or trial.status is TrialStatus.UNKNOWN:
        return ()
    return lose(state, trial, command.reason)


def report_never_started(state: State, command: c.ReportNeverStarted, _at: int) -> tuple[Event, ...]:
    """The submission failed for good and started nothing; that is no word on an earlier one with the same key."""
    trial = _current(state, command.trial, command.attempt)
    if trial is None or trial.run_done:
        return ()
    if trial.started_at is not None or _may_have_begun(state, trial):
        return () if trial.status is TrialStatus.UNKNOWN else lose(state, trial, command.reason)
    return (*_found_again(trial), e.TrialFailed(trial=trial.index, reason=command.reason))


def record_fetch(state: State, command: c.RecordFetch, _at: int) -> tuple[Event, ...]:
    """A metric was fetched; with the last one awaited the trial is over."""
    return fetched(state, state.trial(command.trial), command.metric, command.observations)


def record_fetch_failure(state: State, command: c.RecordFetchFailure, _at: int) -> tuple[Event, ...]:
    """A metric could not be fetched: the trial completes without it, and says so."""
    return fetch_failed(state, state.trial(command.trial), command.metric, command.reason)


def _stopped(state: State, trial: Trial, observations: tuple[Observation, ...], said: str) -> tuple[Event, ...]:
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


def _may_have_begun(state: State, trial: Trial) -> bool:
    """Whether the attempt was submitted before a failure, and again since without asking the instrument."""
    spec = state.runner(trial.runner)
    return (trial.index, trial.attempt) in state.inherited and (spec is None or spec.honours_keys)


def _found_again(trial: Trial) -> tuple[Event, ...]:
    """An UNKNOWN trial whose runner speaks after all needs no person any more."""
    if trial.status is not TrialStatus.UNKNOWN:
        return ()
    return (e.TrialResolved(trial=trial.index, outcome="running", reason="the runner reported it after all"),)


def _late(state: State, command: c.ReportFinished) -> tuple[Event, ...]:
    """A late result is always recorded; what was executed only of the attempt that counts."""
    trial = state.trial(command.trial)
    done = reported(state, trial, command.executed) if trial.attempt == command.attempt else ()
    return (*done, *attached(state, trial, command.observations))
