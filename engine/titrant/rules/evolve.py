"""``evolve``: what each event changes in the state.  It never refuses: what is in the log has happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from titrant.messages import events as e
from titrant.messages.events import Event
from titrant.model.candidates import joined
from titrant.model.trial import TrialStatus
from titrant.rules import approving, changing, comparing, course, learning, withdrawing
from titrant.rules.state import LastRun, RunState, State


def evolve(state: State, event: Event, at: int) -> State:
    """The state after *event*, which was recorded at *at* (microseconds since 1970 UTC)."""
    return _EVOLVE[type(event)](state, event, at)


# --- the experiment -------------------------------------------------------------------------------------------------


def _session_opened(state: State, event: e.SessionOpened, _at: int) -> State:
    return replace(state, log_id=event.log_id, seed=event.seed, inherited=_submitting(state))


def _experiment(state: State, event: e.ExperimentConfigured, _at: int) -> State:
    return replace(state, experiment=event.experiment)


def _defined(state: State, event: e.ExperimentDefined, _at: int) -> State:
    return replace(state, definition=event.definition)


def _candidates(state: State, event: e.CandidatesKept, _at: int) -> State:
    if state.experiment is None:
        return state
    space = joined(state.experiment.space, event.digest, event.text)
    return replace(state, experiment=replace(state.experiment, space=space))


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
    earlier = state.last_run.started_at if state.last_run else 0
    run = RunState(options=event.options, started_at=max(at, earlier + 1), taken=state.in_loop, first=state.next_index)
    return replace(state, run=run)


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
        started_at=run.started_at,
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
    run = state.run
    if run is None:
        return state
    why = run.draining if run.tripped else "stop was asked for"
    return replace(state, run=replace(run, draining=why, stopping=True))


def _exhausted(state: State, event: e.GenerationExhausted, _at: int) -> State:
    return state if state.run is None else replace(state, run=replace(state.run, exhausted=event.reason))


# --- control and supervision ----------------------------------------------------------------------------------------


def _paused(state: State, _event: e.ExperimentPaused, _at: int) -> State:
    return replace(state, paused="paused")


def _unpaused(state: State, _event: e.ExperimentUnpaused, _at: int) -> State:
    return replace(state, paused=None)


def _halted(state: State, _event: e.ExperimentHalted, _at: int) -> State:
    return replace(state, halted="halted")


def _reset(state: State, _event: e.ExperimentReset, _at: int) -> State:
    return replace(state, halted=None)


def _restarted(state: State, event: e.ActorRestarted, _at: int) -> State:
    cut_off = _submitting(state, event.name.removeprefix("runner:"))
    return replace(state, inherited=tuple(sorted({*state.inherited, *cut_off}))) if cut_off else state


def _quarantined(state: State, event: e.RunnerQuarantined, _at: int) -> State:
    return replace(state, quarantined=state.quarantined.insert(event.name, event.reason))


def _restored(state: State, event: e.RunnerRestored, _at: int) -> State:
    return replace(state, quarantined=state.quarantined.discard(event.name))


def _nothing(state: State, _event: Event, _at: int) -> State:
    """For events that are told for people: the state does not depend on them."""
    return state


def _submitting(state: State, runner: str | None = None) -> tuple[tuple[int, int], ...]:
    """Trial and attempt of the submissions under way now (on one runner)."""
    return tuple(
        sorted(
            (trial.index, trial.attempt)
            for trial in state.open.values()
            if trial.status is TrialStatus.SUBMITTING and runner in (None, trial.runner)
        )
    )


_EVOLVE: dict[type, Callable[[State, Any, int], State]] = {
    e.SessionOpened: _session_opened,
    e.SessionClosed: _nothing,
    e.ExperimentConfigured: _experiment,
    e.ExperimentDefined: _defined,
    e.CandidatesKept: _candidates,
    e.OptimizationConfigured: _optimization,
    e.StrategyConfigured: _strategy,
    e.MetricsConfigured: _metrics,
    e.TrackingMetricsConfigured: _tracking,
    e.RunnersConfigured: _runners,
    e.RunStarted: _run_started,
    e.RunEnded: _run_ended,
    e.FailureRateTripped: _tripped,
    e.TrialCreated: course.created,
    e.TrialStaged: course.staged,
    e.TrialSubmitting: course.submitting,
    e.SubmissionRetried: _nothing,
    e.TrialRunning: course.running,
    e.TrialReattached: course.reattached,
    e.TrialRunFinished: course.run_finished,
    e.DataAttached: course.data_attached,
    e.FetchFailed: course.fetch_failed,
    e.FetchRequested: course.fetch_requested,
    e.TrialCompleted: course.completed,
    e.TrialFailed: course.failed,
    e.TrialAbandoned: course.abandoned,
    e.TrialEarlyStopped: course.early_stopped,
    e.StopRequested: course.stop_requested,
    e.TrialLost: course.lost,
    e.TrialRequeued: course.requeued,
    e.TrialResolved: course.resolved,
    e.ExperimentPaused: _paused,
    e.ExperimentUnpaused: _unpaused,
    e.ExperimentDraining: _draining,
    e.ExperimentStopping: _stopping,
    e.ExperimentHalted: _halted,
    e.ExperimentReset: _reset,
    e.ActorRestarted: _restarted,
    e.RunnerQuarantined: _quarantined,
    e.RunnerRestored: _restored,
    e.GenerationFailed: _nothing,
    e.GenerationExhausted: _exhausted,
    e.SpaceChanged: changing.space_changed,
    e.ApprovalConfigured: approving.approval_configured,
    e.LogDerived: _nothing,
    e.PastLearned: learning.learned,
    e.TrialProposed: approving.proposed,
    e.TrialApproved: approving.approved,
    e.TrialRejected: approving.rejected,
    e.TrialStale: changing.stale,
    e.ParametersExecuted: withdrawing.parameters_executed,
    e.ResultVoided: withdrawing.voided,
    e.ResultUnvoided: withdrawing.unvoided,
    e.ResultCorrected: withdrawing.corrected,
    e.NoteAdded: _nothing,
    e.ComparisonAttached: comparing.attached,
    e.ComparisonWithdrawn: comparing.withdrawn,
    e.HeadSigned: _nothing,
    e.CommandWasRefused: _nothing,
}
