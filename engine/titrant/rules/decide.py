"""``decide``: what follows from a command, or why it is refused; ``step`` adds what then follows by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from titrant.messages import commands as c
from titrant.messages.commands import Command
from titrant.messages.events import Event
from titrant.rules import (
    approving,
    changing,
    comparing,
    control,
    learning,
    people,
    replicating,
    reporting,
    running,
    setup,
    telling,
    withdrawing,
)
from titrant.rules.evolve import evolve
from titrant.rules.state import State


def decide(state: State, command: Command, at: int) -> tuple[Event, ...]:
    """Say what follows from *command* at the time *at* (microseconds since 1970 UTC); change nothing.

    Raises:
        CommandRefused: The state does not allow it; the message says why and what to do.
        ConfigurationError: The command's values make no sense.
    """
    return _DECIDE[type(command)](state, command, at)


def step(state: State, command: Command, at: int) -> tuple[tuple[Event, ...], State]:
    """All events that follow from *command*, those that then follow by themselves included, and the state after them.

    Raises:
        CommandRefused: As for ``decide``.
        ConfigurationError: As for ``decide``.
    """
    events = list(decide(state, command, at))
    for event in events:
        state = evolve(state, event, at)
    while more := running.advance(state):
        for event in more:
            state = evolve(state, event, at)
        events.extend(more)
    return tuple(events), state


_DECIDE: dict[type, Callable[[State, Any, int], tuple[Event, ...]]] = {
    c.OpenSession: setup.open_session,
    c.CloseSession: setup.close_session,
    c.ConfigureExperiment: setup.configure_experiment,
    c.DefineExperiment: setup.keep_definition,
    c.ConfigureOptimization: setup.configure_optimization,
    c.ConfigureStrategy: setup.configure_strategy,
    c.ConfigureMetrics: setup.configure_metrics,
    c.ConfigureTrackingMetrics: setup.configure_tracking_metrics,
    c.ConfigureRunners: setup.configure_runners,
    c.ConfigureApproval: approving.configure_approval,
    c.ChangeSpace: changing.change_space,
    c.AddTrials: telling.add_trials,
    c.AttachTrial: telling.attach_trial,
    c.DeriveLog: people.derive_log,
    c.LearnFrom: learning.learn_from,
    c.Replicate: replicating.replicate,
    c.Approve: approving.approve,
    c.Reject: approving.reject,
    c.Hold: approving.hold,
    c.Retry: approving.retry,
    c.VoidResult: withdrawing.void_result,
    c.UnvoidResult: withdrawing.unvoid_result,
    c.CorrectResult: withdrawing.correct_result,
    c.RecordExecuted: withdrawing.record_executed,
    c.AddNote: people.add_note,
    c.AttachComparison: comparing.attach_comparison,
    c.WithdrawComparison: comparing.withdraw_comparison,
    c.Sign: people.sign,
    c.RecordRefusal: people.record_refusal,
    c.CompleteTrial: telling.complete_trial,
    c.AttachData: telling.attach_data,
    c.MarkFailed: telling.mark_failed,
    c.MarkAbandoned: telling.mark_abandoned,
    c.MarkEarlyStopped: telling.mark_early_stopped,
    c.RefetchData: telling.refetch_data,
    c.Resolve: telling.resolve,
    c.StartRun: running.start_run,
    c.ExpireRun: running.expire_run,
    c.ExhaustRun: running.exhaust_run,
    c.ExpireTrial: control.expire_trial,
    c.Pause: control.pause,
    c.Unpause: control.unpause,
    c.Drain: control.drain,
    c.Stop: control.stop,
    c.RecordHalt: control.record_halt,
    c.Reset: control.reset,
    c.ReportRetry: reporting.report_retry,
    c.ReportRunning: reporting.report_running,
    c.ReportReattached: reporting.report_reattached,
    c.ReportFinished: reporting.report_finished,
    c.ReportStopped: reporting.report_stopped,
    c.ReportLost: reporting.report_lost,
    c.ReportNeverStarted: reporting.report_never_started,
    c.RecordFetch: reporting.record_fetch,
    c.RecordFetchFailure: reporting.record_fetch_failure,
    c.RecordRestart: control.record_restart,
    c.QuarantineRunner: control.quarantine_runner,
    c.RestoreRunner: control.restore_runner,
    c.RecordGenerationFailure: control.record_generation_failure,
}
