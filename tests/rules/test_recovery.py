"""After a restart: the table of the design, row by row."""

import pytest
from msgspec.structs import replace

from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.model.experiment import RunnerSpec
from titrant.rules.recovery import plan

from .world import LAB, LOG, Y1, after, asked, finished, lab, running, start, status, submitted, then, unknown

REOPEN = c.OpenSession(engine="t", log_id=LOG, seed=1)
ASKABLE = replace(LAB, can_report_status=True)


def reopened(state):
    """The log, opened by another process."""
    return after(state, REOPEN)


def restarted(state, **options):
    """What follows when another process begins a run, but for its start."""
    (_, *events) = then(reopened(state), start(**options))
    return events


# --- the plan -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "while_submitting", "while_running"),
    [
        (replace(LAB, honours_keys=True), "resubmit", "resubmit"),
        (replace(LAB, honours_keys=True, can_report_status=True), "resubmit", "reattach"),
        (ASKABLE, "reattach", "reattach"),
        (replace(ASKABLE, absence_is_proof=True), "reattach", "reattach"),
        (replace(ASKABLE, rerun_safe=True), "rerun", "reattach"),
        (replace(ASKABLE, rerun_safe=True, absence_is_proof=True), "reattach", "reattach"),
        (replace(LAB, rerun_safe=True), "rerun", "rerun"),
        (replace(LAB, rerun_safe=True, honours_keys=True), "resubmit", "resubmit"),
        (replace(LAB, can_stop=True), "stop", "stop"),
        (replace(LAB, can_stop=True, rerun_safe=True), "rerun", "rerun"),
        (LAB, "lose", "lose"),
        (None, "lose", "lose"),
    ],
)
def test_what_is_done_depends_on_what_the_runner_declares(spec, while_submitting, while_running):
    assert plan(submitted().trial(0), spec) == while_submitting
    assert plan(running().trial(0), spec) == while_running


@pytest.mark.parametrize(
    ("trial", "expected"),
    [
        (asked().trial(0), "nothing"),
        (unknown().trial(0), "nothing"),
        (after(running(), finished(0, Y1)).trial(0), "nothing"),
        (after(running(metrics=("y",)), finished()).trial(0), "fetch"),
    ],
    ids=["in somebody's hands", "UNKNOWN", "over", "only data missing"],
)
def test_trials_that_are_on_no_instrument_are_left_alone(trial, expected):
    assert plan(trial, ASKABLE) == expected


# --- what follows without asking ------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", [replace(LAB, honours_keys=True), ASKABLE])
def test_where_the_instrument_can_be_asked_nothing_is_decided_before(spec):
    assert restarted(running(spec)) == []


def test_a_key_stays_the_same_when_an_attempt_is_submitted_again():
    given = submitted(replace(LAB, honours_keys=True))

    assert after(reopened(given), start()).trial(0).key == given.trial(0).key


def test_a_trial_that_may_be_carried_out_twice_is_a_new_attempt():
    given = after(reopened(running(replace(LAB, rerun_safe=True))), start())

    trial = given.trial(0)
    assert (trial.status.name, trial.attempt, given.slots_in_use) == ("SUBMITTING", 2, 1)


def test_a_trial_past_its_time_to_live_stays_so_over_a_restart():
    given = after(running(replace(LAB, rerun_safe=True)), c.ExpireTrial(trial=0, attempt=1))

    (failed, *_) = restarted(given)

    assert failed == e.TrialFailed(trial=0, reason="it ran past its time to live (the engine restarted meanwhile)")


def test_a_runner_that_can_only_stop_is_told_to_and_the_trial_is_unknown():
    lost, stop = restarted(running(replace(LAB, can_stop=True)))

    assert (type(lost), type(stop)) == (e.TrialLost, e.StopRequested)


def test_a_stopped_trial_of_an_earlier_process_stays_unknown():
    given = after(reopened(running(replace(LAB, can_stop=True))), start(), c.ReportStopped(trial=0, attempt=1))

    assert (status(given), given.quarantined.get("lab")) == ("UNKNOWN", None)


def test_a_runner_that_can_say_nothing_is_quarantined():
    lost, quarantined = restarted(running())

    assert lost.reason == "the engine restarted and the runner cannot say what became of it"
    assert quarantined == e.RunnerQuarantined(name="lab", reason="trial 0 may still be running on it")


def test_a_runner_is_quarantined_once():
    events = restarted(running(trials=3))

    assert sum(isinstance(event, e.RunnerQuarantined) for event in events) == 1
    assert sum(isinstance(event, e.TrialLost) for event in events) == 3


def test_on_unknown_abandon_needs_nobody():
    given = after(reopened(running(replace(LAB, on_unknown="abandon"), max_trials=1)), start(max_trials=0))

    assert (status(given), given.quarantined.get("lab")) == ("ABANDONED", None)


def test_other_runners_go_on_while_one_is_quarantined():
    given = running(LAB, RunnerSpec(name="other", rerun_safe=True), trials=2)
    given = after(reopened(given), start(parallelism=4))

    assert [status(given, 0), status(given, 1)] == ["UNKNOWN", "SUBMITTING"]


def test_trials_this_process_carries_out_need_no_recovery():
    given = running(trials=2, timeout_seconds=1.0)
    given = after(given, c.ExpireRun(run=given.run.started_at))

    (_, *events) = then(given, replace(start(), alive=frozenset({0})))

    assert [event.trial for event in events if isinstance(event, e.TrialLost)] == [1]


def test_the_run_that_takes_lost_trials_over_is_not_responsible_for_them():
    given = after(reopened(running(trials=2)), start(max_trials=0))

    assert (given.last_run.taken, given.unknown) == (0, (0, 1))


# --- a failed actor -------------------------------------------------------------------------------------------------


def test_a_failed_runner_actor_is_settled_like_a_restart():
    restart = c.RecordRestart(name="runner:lab", reason="bug", restarts=1)
    (restarted_, *events) = then(running(), restart)

    assert restarted_ == e.ActorRestarted(name="runner:lab", reason="bug", restarts=1)
    assert [type(event) for event in events] == [e.TrialLost, e.RunnerQuarantined]


def test_the_failure_of_another_actor_touches_no_trial():
    restart = c.RecordRestart(name="generator", reason="bug", restarts=1)

    assert then(running(), restart) == (e.ActorRestarted(name="generator", reason="bug", restarts=1),)


def test_trials_on_other_runners_live_on():
    given = running(LAB, RunnerSpec(name="other"), trials=2)
    restart = c.RecordRestart(name="runner:lab", reason="bug", restarts=1, alive=frozenset({1}))

    given = after(given, restart)

    assert [status(given, 0), status(given, 1)] == ["UNKNOWN", "RUNNING"]


def test_nothing_is_open_in_an_empty_lab():
    assert restarted(lab(), max_trials=3) == []


# --- stops that were announced and not carried out ------------------------------------------------------------------


def test_a_trial_that_was_to_be_stopped_is_not_run_again():
    stopping = after(running(replace(LAB, rerun_safe=True)), c.Stop())

    events = restarted(stopping)

    assert [type(event) for event in events][:1] == [e.TrialFailed]
    assert events[0].reason == "stopped on request (the engine restarted meanwhile)"


def test_a_trial_stopped_on_request_is_no_failure_of_the_lab():
    stopping = after(running(replace(LAB, rerun_safe=True)), c.Stop())

    state = after(reopened(stopping), start(max_trials=1))

    assert state.run is None or state.run.failures == ()
