"""The four verbs, time to live and quarantine."""

import pytest
from msgspec.structs import replace

from titrant.errors import CommandRefused
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.rules.running import wanted

from .world import (
    LAB,
    Y1,
    after,
    asked,
    finished,
    lab,
    lost,
    running,
    start,
    status,
    submitted,
    suggested,
    then,
    unknown,
)

QUARANTINE = c.QuarantineRunner(name="lab", reason="leak")


def last(state):
    return state.last_run.outcome


def test_pause_holds_new_trials_back_and_lets_what_runs_go_on():
    given = after(running(trials=2), c.Pause(), finished(0, Y1), suggested())

    assert (wanted(given), status(given, 1), status(given, 2)) == (0, "RUNNING", "CANDIDATE")


def test_unpause_lets_waiting_trials_go():
    given = after(running(), c.Pause(), finished(0, Y1), suggested(), c.Unpause())

    assert status(given, 1) == "SUBMITTING"


@pytest.mark.parametrize(
    ("given", "command"),
    [
        (after(lab(), c.Pause()), c.Pause()),
        (lab(), c.Unpause()),
        (lab(), c.Drain()),
        (after(running(), c.Drain()), c.Drain()),
        (lab(), c.Stop()),
        (after(running(), c.Stop()), c.Stop()),
    ],
    ids=["pause twice", "unpause", "drain nothing", "drain twice", "stop nothing", "stop twice"],
)
def test_what_holds_already_changes_nothing(given, command):
    assert then(given, command) == ()


def test_drain_finishes_what_runs_and_ends():
    given = after(running(trials=2), c.Drain(), suggested(), finished(0, Y1))
    assert (given.next_index, wanted(given), given.run is not None) == (2, 0, True)

    assert last(after(given, finished(1, Y1))) == "drained"


def test_drain_ends_a_run_with_nothing_under_way_at_once():
    assert last(after(lab(), start(), c.Drain())) == "drained"


def test_drain_ends_a_paused_run():
    assert last(after(running(), c.Pause(), c.Drain(), finished(0, Y1))) == "drained"


def test_drain_leaves_waiting_trials_waiting():
    given = after(lab(), c.Pause(), start(), suggested(), c.Drain())

    assert (last(given), status(given), given.queue) == ("drained", "CANDIDATE", (0,))


def test_stop_tells_every_running_trial():
    assert then(running(trials=2), c.Stop()) == (
        e.ExperimentStopping(),
        e.StopRequested(trial=0, cause="stop", reason="stopped on request"),
        e.StopRequested(trial=1, cause="stop", reason="stopped on request"),
    )


def test_stop_spares_trials_that_are_on_no_instrument():
    given = after(running(metrics=("y",), trials=2), finished(0))

    assert [event.trial for event in then(given, c.Stop())[1:]] == [1]
    assert then(asked(), c.Stop()) == ()


def test_a_stopped_run_ends_when_all_are_stopped():
    given = after(running(trials=2), c.Stop(), c.ReportStopped(trial=0, attempt=1))
    assert given.run is not None

    given = after(given, c.ReportStopped(trial=1, attempt=1))

    assert (last(given), given.last_run.failures) == ("stopped", ())


def test_stop_after_drain_is_a_stop():
    given = after(running(), c.Drain(), c.Stop(), c.ReportStopped(trial=0, attempt=1))

    assert (last(given), given.last_run.reason) == ("stopped", "stop was asked for")


def test_stop_works_on_trials_that_a_timeout_left():
    given = running(timeout_seconds=1.0)
    given = after(given, c.ExpireRun(run=given.run.started_at), c.Stop())

    assert given.trial(0).stop_requested == "stop"


def test_a_halt_is_recorded_and_latched():
    given = after(running(), c.RecordHalt(reached=("lab",)))

    assert (last(given), given.halted is not None) == ("halted", True)
    with pytest.raises(CommandRefused, match="the experiment is halted"):
        then(given, start())


def test_a_halt_is_recorded_without_a_run_too():
    assert then(lab(), c.RecordHalt(reached=("lab",), failed=("arm",))) == (
        e.ExperimentHalted(reached=("lab",), failed=("arm",)),
    )


def test_a_reset_releases_the_latch_and_starts_nothing():
    given = after(running(), c.RecordHalt(), c.Reset())

    assert (given.halted, given.run) == (None, None)


def test_only_a_halt_is_reset():
    with pytest.raises(CommandRefused, match="the experiment is not halted: there is nothing to reset"):
        then(lab(), c.Reset())


# --- time to live ---------------------------------------------------------------------------------------------------


def test_a_trial_past_its_time_to_live_is_stopped_and_fails():
    given = after(running(), c.ExpireTrial(trial=0, attempt=1))
    assert given.trial(0).stop_requested == "ttl"

    given = after(given, c.ReportStopped(trial=0, attempt=1))

    assert (status(given), given.trial(0).reason) == ("FAILED", "it ran past its time to live")


@pytest.mark.parametrize(
    "given",
    [
        after(running(), c.ExpireTrial(trial=0, attempt=1)),
        after(running(metrics=("y",)), finished()),
        after(running(), finished(0, Y1)),
        unknown(),
        asked(),
    ],
    ids=["stopped already", "run over", "over", "UNKNOWN", "in hand"],
)
def test_time_to_live_concerns_only_what_is_on_an_instrument(given):
    assert then(given, c.ExpireTrial(trial=0, attempt=1)) == ()


def test_an_alarm_of_an_earlier_attempt_stops_nothing():
    assert then(submitted(), c.ExpireTrial(trial=0, attempt=0)) == ()


# --- runners --------------------------------------------------------------------------------------------------------


def test_a_quarantined_runner_gets_nothing_new_and_keeps_what_it_has():
    given = after(running(parallelism=2), QUARANTINE)

    assert (wanted(given), status(given)) == (0, "RUNNING")


def test_trials_nobody_watches_any_more_are_lost():
    given = after(running(), replace(QUARANTINE, lost=True))

    assert status(given) == "UNKNOWN"


def test_trials_are_lost_though_the_runner_was_quarantined_before():
    given = after(running(), QUARANTINE)

    assert then(given, replace(QUARANTINE, lost=True)) == (e.TrialLost(trial=0, reason="leak"),)


def test_a_runner_is_quarantined_once():
    assert then(after(lab(), QUARANTINE), QUARANTINE) == ()


def test_other_runners_carry_lost_trials_out_where_that_is_safe():
    safe = replace(LAB, rerun_safe=True, on_unknown="rerun")
    given = after(running(safe, replace(safe, name="other")), replace(QUARANTINE, lost=True))

    assert (given.trial(0).runner, given.trial(0).attempt) == ("other", 2)


def test_a_restored_runner_is_used_again():
    given = after(lab(), QUARANTINE, c.RestoreRunner(name="lab"), start())

    assert wanted(given) == 1


def test_only_a_quarantined_runner_is_restored():
    with pytest.raises(CommandRefused, match="runner 'lab' is not quarantined"):
        then(lab(), c.RestoreRunner(name="lab"))


def test_a_failed_request_for_suggestions_is_told():
    assert then(lab(), c.RecordGenerationFailure(node="bo", reason="not PSD", fallback="sobol")) == (
        e.GenerationFailed(node="bo", reason="not PSD", fallback="sobol"),
    )


def test_a_lost_trial_does_not_hold_a_drain_up():
    assert last(after(running(), c.Drain(), lost())) == "drained"
