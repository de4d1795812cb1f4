"""``evolve``: what each event changes in the state.  It never refuses: what is in the log has happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace
from rpds import HashTrieMap

from titrant.messages import events as e
from titrant.messages.events import Event
from titrant.model.trial import Trial, TrialStatus
from titrant.rules.state import LastRun, RunState, State

CANDIDATE, STAGED, SUBMITTING, RUNNING = (
    TrialStatus.CANDIDATE,
    TrialStatus.STAGED,
    TrialStatus.SUBMITTING,
    TrialStatus.RUNNING,
)
FAILED, COMPLETED, ABANDONED = TrialStatus.FAILED, TrialStatus.COMPLETED, TrialStatus.ABANDONED
EARLY_STOPPED, UNKNOWN = TrialStatus.EARLY_STOPPED, TrialStatus.UNKNOWN


def evolve(state: State, event: Event, at: int) -> State:
    """The state after *event*, which was recorded at *at* (microseconds since 1970 UTC)."""
    return _EVOLVE[type(event)](state, event, at)


# --- the experiment -------------------------------------------------------------------------------------------------


def _session_opened(state: State, event: e.SessionOpened, _at: int) -> State:
    return replace(state, log_id=event.log_id, seed=event.seed)


def _experiment(state: State, event: e.ExperimentConfigured, _at: int) -> State:
    return replace(state, experiment=event.experiment)


def _optimization(state: State, event: e.OptimizationConfigured, _at: int) -> State:
    return replace(state, optimization=event.optimization)


def _strategy(state: State, event: e.StrategyConfigured, _at: int) -> State:
    return replace(state, strategy=event.strategy)


def _metrics(state: State, event: e.MetricsConfigured, _at: int) -> State:
    return replace(state, metrics=event.names)


def _tracking(state: State, event: e.TrackingMetricsConfigured, _at: int) -> State:
    return replace(state, tracking=event.names)


def _runners(state: State, event: e.RunnersConfigured, _at: int) -> State:
    return replace(state, runners=event.runners)


# --- a run ----------------------------------------------------------------------------------------------------------


def _run_started(state: State, event: e.RunStarted, at: int) -> State:
    return replace(state, run=RunState(options=event.options, started_at=at, taken=state.in_loop))


def _run_ended(state: State, event: e.RunEnded, _at: int) -> State:
    run = state.run
    if run is None:
        return state
    last = LastRun(
        options=run.options,
        outcome=event.outcome,
        reason=event.reason,
        created=run.created,
        taken=run.taken,
        failures=run.failures,
    )
    return replace(state, run=None, last_run=last)


def _tripped(state: State, event: e.FailureRateTripped, _at: int) -> State:
    if state.run is None:
        return state
    reason = f"{event.failed} of {event.total} trials failed, more than the tolerated {event.tolerated:g}"
    return replace(state, run=replace(state.run, tripped=True, draining=reason))


def _draining(state: State, _event: e.ExperimentDraining, _at: int) -> State:
    return state if state.run is None else replace(state, run=replace(state.run, draining="drain was asked for"))


def _stopping(state: State, _event: e.ExperimentStopping, _at: int) -> State:
    if state.run is None:
        return state
    return replace(state, run=replace(state.run, draining="stop was asked for", stopping=True))


def _exhausted(state: State, event: e.GenerationExhausted, _at: int) -> State:
    return state if state.run is None else replace(state, run=replace(state.run, exhausted=event.reason))


# --- the course of a trial ------------------------------------------------------------------------------------------


def _created(state: State, event: e.TrialCreated, at: int) -> State:
    suggestion = event.suggestion
    trial = Trial(
        index=event.trial,
        parameters=event.parameters,
        status=RUNNING if event.asked else CANDIDATE,
        arm_name=event.arm_name,
        origin=event.origin,
        node="" if suggestion is None else suggestion.node,
        asked=event.asked,
        created_at=at,
        started_at=at if event.asked else None,
    )
    run = state.run
    if not event.asked and run is not None:
        run = replace(run, created=run.created + 1, taken=run.taken + 1)
    return replace(
        state,
        open=state.open.insert(event.trial, trial),
        next_index=event.trial + 1,
        position=state.position if suggestion is None else max(state.position, suggestion.position),
        queue=state.queue if event.asked else (*state.queue, event.trial),
        in_loop=state.in_loop + (not event.asked),
        attached=state.attached + (event.origin != "suggested"),
        baseline=event.trial if event.origin == "baseline" else state.baseline,
        run=run,
    )


def _staged(state: State, event: e.TrialStaged, _at: int) -> State:
    trial = replace(state.trial(event.trial), status=STAGED, asked=False, started_at=None)
    run = state.run
    return replace(
        state,
        open=state.open.insert(event.trial, trial),
        queue=(*state.queue, event.trial),
        in_loop=state.in_loop + 1,
        run=run if run is None else replace(run, taken=run.taken + 1),
    )


def _submitting(state: State, event: e.TrialSubmitting, at: int) -> State:
    index = event.trial
    trial = replace(
        state.trial(index),
        status=SUBMITTING,
        runner=event.runner,
        attempt=event.attempt,
        key=event.key,
        metadata=None,
        run_done=False,
        submitted_at=at,
    )
    return replace(
        state,
        open=state.open.insert(index, trial),
        queue=tuple(queued for queued in state.queue if queued != index),
        busy=_busier(state, event.runner, +1),
    )


def _running(state: State, event: e.TrialRunning, at: int) -> State:
    trial = replace(state.trial(event.trial), status=RUNNING, metadata=event.metadata, started_at=at)
    return replace(state, open=state.open.insert(event.trial, trial))


def _reattached(state: State, event: e.TrialReattached, at: int) -> State:
    trial = state.trial(event.trial)
    trial = replace(trial, status=RUNNING, started_at=at if trial.started_at is None else trial.started_at)
    return replace(state, open=state.open.insert(event.trial, trial))


def _run_finished(state: State, event: e.TrialRunFinished, _at: int) -> State:
    trial = state.trial(event.trial)
    busy = state.busy if trial.runner is None or trial.run_done else _busier(state, trial.runner, -1)
    trial = replace(trial, status=RUNNING, run_done=True, awaiting=event.awaiting)
    return replace(state, open=state.open.insert(event.trial, trial), busy=busy)


def _data(state: State, event: e.DataAttached, _at: int) -> State:
    trial = state.trial(event.trial)
    named = {observation.metric for observation in event.observations}
    trial = replace(
        trial,
        observations=trial.observations + event.observations,
        awaiting=tuple(metric for metric in trial.awaiting if metric not in named),
        missing=tuple(m for m in trial.missing if m not in named) if trial.missing else (),
    )
    if trial.missing or trial.status is not COMPLETED:
        return _put(state, trial)
    return _put(state, replace(trial, missing=_still_missing(state, trial, named)))


def _still_missing(state: State, trial: Trial, named: set[str]) -> tuple[str, ...]:
    """A value of a finished trial may be fetched again and be NaN again."""
    needed = state.optimization.metric_names if state.optimization else ()
    good = {observation.metric for observation in trial.observations if observation.mean is not None}
    return tuple(metric for metric in needed if metric in named and metric not in good)


def _fetch_failed(state: State, event: e.FetchFailed, _at: int) -> State:
    trial = state.trial(event.trial)
    trial = replace(
        trial,
        awaiting=tuple(metric for metric in trial.awaiting if metric != event.metric),
        reason=f"{event.metric}: {event.reason}",
    )
    return _put(state, trial)


def _fetch_requested(state: State, event: e.FetchRequested, _at: int) -> State:
    return _put(state, replace(state.trial(event.trial), awaiting=event.metrics))


def _completed(state: State, event: e.TrialCompleted, at: int) -> State:
    return _close(state, event.trial, COMPLETED, event.reason, at, missing=event.missing)


def _failed(state: State, event: e.TrialFailed, at: int) -> State:
    return _close(state, event.trial, FAILED, event.reason, at)


def _abandoned(state: State, event: e.TrialAbandoned, at: int) -> State:
    return _close(state, event.trial, ABANDONED, event.reason, at)


def _early_stopped(state: State, event: e.TrialEarlyStopped, at: int) -> State:
    return _close(state, event.trial, EARLY_STOPPED, event.reason, at)


def _stop_requested(state: State, event: e.StopRequested, _at: int) -> State:
    trial = replace(state.trial(event.trial), stop_requested=event.cause, reason=event.reason)
    return replace(state, open=state.open.insert(event.trial, trial))


def _lost(state: State, event: e.TrialLost, _at: int) -> State:
    trial = replace(state.trial(event.trial), status=UNKNOWN, reason=event.reason)
    return replace(
        state,
        open=state.open.insert(event.trial, trial),
        in_loop=state.in_loop - 1,
        unknown=(*state.unknown, event.trial),
    )


def _requeued(state: State, event: e.TrialRequeued, _at: int) -> State:
    trial = state.trial(event.trial)
    busy = _busier(state, trial.runner, -1) if _holds_slot(trial) and trial.runner is not None else state.busy
    trial = replace(trial, status=STAGED, runner=None, metadata=None, run_done=False, reason=event.reason)
    return replace(
        state,
        open=state.open.insert(event.trial, trial),
        busy=busy,
        queue=(*state.queue, event.trial),
    )


def _resolved(state: State, event: e.TrialResolved, _at: int) -> State:
    trial = replace(state.trial(event.trial), status=RUNNING, reason=event.reason)
    return replace(
        state,
        open=state.open.insert(event.trial, trial),
        in_loop=state.in_loop + 1,
        unknown=tuple(index for index in state.unknown if index != event.trial),
    )


# --- control and supervision ----------------------------------------------------------------------------------------


def _paused(state: State, _event: e.ExperimentPaused, _at: int) -> State:
    return replace(state, paused="paused")


def _unpaused(state: State, _event: e.ExperimentUnpaused, _at: int) -> State:
    return replace(state, paused=None)


def _halted(state: State, _event: e.ExperimentHalted, _at: int) -> State:
    return replace(state, halted="halted")


def _reset(state: State, _event: e.ExperimentReset, _at: int) -> State:
    return replace(state, halted=None)


def _quarantined(state: State, event: e.RunnerQuarantined, _at: int) -> State:
    return replace(state, quarantined=state.quarantined.insert(event.name, event.reason))


def _restored(state: State, event: e.RunnerRestored, _at: int) -> State:
    return replace(state, quarantined=state.quarantined.discard(event.name))


def _nothing(state: State, _event: Event, _at: int) -> State:
    """For events that are told for people: the state does not depend on them."""
    return state


# --- helpers --------------------------------------------------------------------------------------------------------


def _holds_slot(trial: Trial) -> bool:
    """Whether the trial takes up a slot of its runner."""
    return trial.runner is not None and not trial.run_done and trial.status in (SUBMITTING, RUNNING, UNKNOWN)


def _busier(state: State, runner: str, by: int) -> HashTrieMap[str, int]:
    return state.busy.insert(runner, (state.busy.get(runner) or 0) + by)


def _put(state: State, trial: Trial) -> State:
    if trial.index in state.open:
        return replace(state, open=state.open.insert(trial.index, trial))
    return replace(state, closed=state.closed.insert(trial.index, trial))


def _close(
    state: State, index: int, status: TrialStatus, reason: str | None, at: int, missing: tuple[str, ...] = ()
) -> State:
    trial = state.open.get(index)
    if trial is None:  # told again of a trial that is over: only its gaps may have changed
        return _put(state, replace(state.trial(index), missing=missing, awaiting=()))
    run = state.run
    if run is not None and not trial.asked:
        failures = run.failures
        if status in (FAILED, ABANDONED) and not run.stopping:
            failures = (*failures, (index, reason or status.name))
        run = replace(run, ended=run.ended + 1, failures=failures)
    return replace(
        state,
        open=state.open.remove(index),
        closed=state.closed.insert(
            index,
            replace(trial, status=status, reason=reason or trial.reason, missing=missing, awaiting=(), ended_at=at),
        ),
        queue=tuple(queued for queued in state.queue if queued != index) if state.queue else (),
        busy=_busier(state, trial.runner, -1) if trial.runner is not None and _holds_slot(trial) else state.busy,
        in_loop=state.in_loop - (not trial.asked and trial.status is not UNKNOWN),
        unknown=tuple(i for i in state.unknown if i != index) if state.unknown else (),
        counts=state.counts.insert(status, (state.counts.get(status) or 0) + 1),
        run=run,
    )


_EVOLVE: dict[type, Callable[[State, Any, int], State]] = {
    e.SessionOpened: _session_opened,
    e.SessionClosed: _nothing,
    e.ExperimentConfigured: _experiment,
    e.OptimizationConfigured: _optimization,
    e.StrategyConfigured: _strategy,
    e.MetricsConfigured: _metrics,
    e.TrackingMetricsConfigured: _tracking,
    e.RunnersConfigured: _runners,
    e.RunStarted: _run_started,
    e.RunEnded: _run_ended,
    e.FailureRateTripped: _tripped,
    e.TrialCreated: _created,
    e.TrialStaged: _staged,
    e.TrialSubmitting: _submitting,
    e.SubmissionRetried: _nothing,
    e.TrialRunning: _running,
    e.TrialReattached: _reattached,
    e.TrialRunFinished: _run_finished,
    e.DataAttached: _data,
    e.FetchFailed: _fetch_failed,
    e.FetchRequested: _fetch_requested,
    e.TrialCompleted: _completed,
    e.TrialFailed: _failed,
    e.TrialAbandoned: _abandoned,
    e.TrialEarlyStopped: _early_stopped,
    e.StopRequested: _stop_requested,
    e.TrialLost: _lost,
    e.TrialRequeued: _requeued,
    e.TrialResolved: _resolved,
    e.ExperimentPaused: _paused,
    e.ExperimentUnpaused: _unpaused,
    e.ExperimentDraining: _draining,
    e.ExperimentStopping: _stopping,
    e.ExperimentHalted: _halted,
    e.ExperimentReset: _reset,
    e.ActorRestarted: _nothing,
    e.RunnerQuarantined: _quarantined,
    e.RunnerRestored: _restored,
    e.GenerationFailed: _nothing,
    e.GenerationExhausted: _exhausted,
}
