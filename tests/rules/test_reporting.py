"""What runners and metrics found out."""

import pytest

from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.model.experiment import RunnerSpec
from titrant.model.observation import Observation
from titrant.model.trial import TrialStatus

from .world import (
    LOG,
    NAN,
    NOON,
    Y1,
    after,
    asked,
    finished,
    fold,
    lost,
    running,
    start,
    status,
    submitted,
    then,
    unknown,
)

REPORTS = [
    c.ReportRetry(trial=0, attempt=2, retry=1, reason="r", delay_seconds=1.0),
    c.ReportRunning(trial=0, attempt=2),
    c.ReportReattached(trial=0, attempt=2),
    c.ReportFinished(trial=0, attempt=2, status="failed"),
    c.ReportStopped(trial=0, attempt=2),
    c.ReportLost(trial=0, attempt=2, reason="r"),
    c.ReportNeverStarted(trial=0, attempt=2, reason="r"),
]


def fetch(metric="y", *observations):
    return c.RecordFetch(trial=0, metric=metric, observations=observations or (Observation(metric, 1.0),))


def fetch_failed(metric="y", reason="busy"):
    return c.RecordFetchFailure(trial=0, metric=metric, reason=reason)


def never_started(trial=0, attempt=1):
    return c.ReportNeverStarted(trial=trial, attempt=attempt, reason="no answer")


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: type(report).__name__)
def test_a_report_of_another_attempt_changes_nothing(report):
    assert then(running(), report) == ()


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: type(report).__name__)
def test_a_report_of_a_trial_nobody_submitted_changes_nothing(report):
    assert then(asked(), report) == ()


# --- the way to the instrument --------------------------------------------------------------------------------------


def test_a_retry_of_the_submission_is_told():
    (retried,) = then(submitted(), c.ReportRetry(trial=0, attempt=1, retry=1, reason="busy", delay_seconds=0.5))

    assert retried == e.SubmissionRetried(trial=0, attempt=1, retry=1, reason="busy", delay_seconds=0.5)


def test_an_accepted_trial_is_running_with_its_metadata():
    given = after(submitted(), c.ReportRunning(trial=0, attempt=1, metadata={"job": 7}), at=NOON + 5)

    trial = given.trial(0)
    assert (trial.status, trial.metadata, trial.started_at) == (TrialStatus.RUNNING, {"job": 7}, NOON + 5)


def test_running_again_with_the_same_metadata_changes_nothing():
    assert then(running(), c.ReportRunning(trial=0, attempt=1, metadata={"job": 0})) == ()


def test_metadata_of_a_second_submission_with_the_same_key_replace_the_first():
    given = after(running(), c.ReportRunning(trial=0, attempt=1, metadata={"job": 9}), at=NOON + 5)

    assert (given.trial(0).metadata, given.trial(0).started_at) == ({"job": 9}, NOON)


def test_a_submission_that_certainly_started_nothing_fails_its_trial():
    given = after(submitted(), never_started())

    assert (status(given), given.trial(0).reason, given.slots_in_use) == ("FAILED", "no answer", 0)


def test_a_trial_that_was_accepted_once_is_not_unstarted_by_a_later_failure():
    assert then(running(), never_started()) == (e.TrialLost(trial=0, reason="no answer"),)


def test_a_resubmission_that_fails_is_no_word_on_the_first_submission():
    given = submitted(RunnerSpec(name="lab", honours_keys=True))
    given = after(given, c.OpenSession(engine="t", log_id=LOG, seed=1), start())

    assert then(given, never_started()) == (e.TrialLost(trial=0, reason="no answer"),)


def test_a_resubmission_after_a_restart_of_its_actor_is_no_word_either():
    given = submitted(RunnerSpec(name="lab", honours_keys=True))
    given = after(given, c.RecordRestart(name="runner:lab", reason="bug", restarts=1))

    assert status(after(given, never_started())) == "UNKNOWN"


def test_after_proof_of_absence_a_failed_submission_is_a_failed_trial():
    given = submitted(RunnerSpec(name="lab", can_report_status=True, absence_is_proof=True))
    given = after(given, c.OpenSession(engine="t", log_id=LOG, seed=1), start())

    assert status(after(given, never_started())) == "FAILED"


def test_a_found_attempt_is_running_again():
    given = after(submitted(), c.ReportReattached(trial=0, attempt=1))

    assert status(given) == "RUNNING"


# --- the end of a run -----------------------------------------------------------------------------------------------


def test_a_run_that_brings_its_data_completes_the_trial():
    assert then(running(), finished(0, Y1)) == (
        e.TrialRunFinished(trial=0, attempt=1),
        e.DataAttached(trial=0, observations=(Y1,)),
        e.TrialCompleted(trial=0),
    )


def test_a_run_without_data_waits_for_the_metrics():
    assert then(running(metrics=("y",)), finished()) == (e.TrialRunFinished(trial=0, attempt=1, awaiting=("y",)),)


def test_only_metrics_the_run_did_not_bring_are_awaited():
    given = after(running(metrics=("y", "z")), finished(0, Y1))

    assert given.trial(0).awaiting == ("z",)


def test_a_run_without_data_or_metrics_completes_with_a_gap():
    *_, completed = then(running(), finished())

    assert completed == e.TrialCompleted(trial=0, missing=("y",), reason="no value for y")


@pytest.mark.parametrize(("said", "end"), [("failed", "FAILED"), ("abandoned", "ABANDONED")])
def test_the_runners_word_and_reason_are_taken_over(said, end):
    given = after(running(), finished(0, status=said, reason="spilled"))

    assert (status(given), given.trial(0).reason) == (end, "spilled")


def test_data_of_a_failed_run_are_kept():
    given = after(running(), finished(0, Y1, status="failed"))

    assert (given.trial(0).observations, given.trial(0).reason) == ((Y1,), "the runner reported FAILED")


def test_a_run_that_ended_early_with_data_is_early_stopped():
    given = after(running(), finished(0, Y1, status="early_stopped", reason="flat"))

    assert (status(given), given.trial(0).reason) == ("EARLY_STOPPED", "flat")


def test_a_run_that_ended_early_without_data_waits_for_the_metrics():
    given = after(running(metrics=("y",)), finished(0, status="early_stopped"))

    assert (status(given), given.trial(0).awaiting) == ("RUNNING", ("y",))


def test_a_second_end_of_the_same_run_changes_nothing():
    assert then(after(running(metrics=("y",)), finished()), finished()) == ()


def test_a_late_result_of_a_closed_trial_is_recorded():
    given = after(running(), finished(0, status="failed"), finished(0, Y1))

    assert (status(given), given.trial(0).observations) == ("FAILED", (Y1,))


def test_the_result_of_an_attempt_that_is_repeated_is_recorded():
    given = after(unknown(), c.Pause(), c.Resolve(trial=0, outcome="rerun", reason="r"))

    assert then(given, finished(0, Y1)) == (e.DataAttached(trial=0, observations=(Y1,)),)


# --- data -----------------------------------------------------------------------------------------------------------


def test_the_last_metric_completes_the_trial():
    given = after(running(metrics=("y", "z")), finished(), fetch("z"))
    assert given.trial(0).awaiting == ("y",)

    given = after(given, fetch("y"))

    assert (status(given), given.trial(0).missing, given.trial(0).reason) == ("COMPLETED", (), None)


def test_a_metric_that_cannot_be_fetched_leaves_a_gap_with_a_reason():
    given = after(running(metrics=("y",)), finished(), fetch_failed())

    trial = given.trial(0)
    assert (trial.status, trial.missing, trial.reason) == (TrialStatus.COMPLETED, ("y",), "y: busy")


def test_the_reason_of_a_gap_outlives_later_fetches():
    given = after(running(metrics=("y", "z")), finished(), fetch_failed("y"), fetch_failed("z", "off"))

    assert given.trial(0).reason == "y: busy; z: off"


def test_a_gap_is_explained_though_another_metric_came_last():
    given = after(running(metrics=("y", "z")), finished(), fetch_failed("y"), fetch("z"))

    assert given.trial(0).reason == "y: busy"


def test_a_tracking_metric_that_fails_costs_nothing():
    given = after(running(metrics=("y", "z")), finished(), fetch("y"), fetch_failed("z"))

    trial = given.trial(0)
    assert (trial.status, trial.missing, trial.reason) == (TrialStatus.COMPLETED, (), None)


def test_a_fetched_nan_completes_with_a_gap():
    given = after(running(metrics=("y",)), finished(), fetch("y", NAN))

    assert (status(given), given.trial(0).reason) == ("COMPLETED", "y is nan")


def test_a_fetch_that_brings_nothing_counts_as_failed():
    given = after(running(metrics=("y",)), finished(), c.RecordFetch(trial=0, metric="y", observations=()))

    assert (status(given), given.trial(0).reason) == ("COMPLETED", "y: the fetch gave no value of it")


def test_a_fetch_that_brings_another_metric_counts_as_failed_and_is_kept():
    z = Observation("z", 1.0)
    given = after(running(metrics=("y", "z")), finished(), c.RecordFetch(trial=0, metric="y", observations=(z,)))

    trial = given.trial(0)
    assert (trial.status, trial.observations) == (TrialStatus.COMPLETED, (z,))


def test_a_fetch_nobody_waits_for_is_recorded_as_data():
    given = after(running(metrics=("y",)), finished(0, Y1))

    assert then(given, fetch("y")) == (e.DataAttached(trial=0, observations=(Y1,)),)


def test_a_late_failure_to_fetch_changes_nothing_of_the_trial():
    given = after(running(metrics=("y",)), finished(0, Y1))

    assert after(given, fetch_failed()).trial(0) == given.trial(0)


# --- contact lost ---------------------------------------------------------------------------------------------------


def test_a_lost_trial_is_unknown_and_keeps_its_slot():
    given = unknown()

    trial = given.trial(0)
    assert (trial.status, trial.reason, given.unknown) == (TrialStatus.UNKNOWN, "unplugged", (0,))
    assert (given.slots_in_use, given.in_loop) == (1, 0)


def test_a_trial_is_lost_once():
    assert then(unknown(), lost()) == ()


def test_on_unknown_abandon_gives_the_trial_up():
    spec = RunnerSpec(name="lab", on_unknown="abandon")

    assert [type(event) for event in then(running(spec), lost())] == [e.TrialLost, e.TrialResolved, e.TrialAbandoned]
    assert unknown(spec).trial(0).reason == "on_unknown='abandon': unplugged"


def test_on_unknown_rerun_begins_a_new_attempt():
    given = unknown(RunnerSpec(name="lab", rerun_safe=True, on_unknown="rerun"))

    assert (status(given), given.trial(0).attempt) == ("SUBMITTING", 2)


def test_a_trial_out_of_sight_in_every_attempt_fails_in_the_end():
    given = running(RunnerSpec(name="lab", rerun_safe=True, on_unknown="rerun"))
    given = after(given, lost(attempt=1), lost(attempt=2), lost(attempt=3))

    assert (status(given), given.slots_in_use) == ("FAILED", 0)
    assert given.trial(0).reason == "contact was lost in each of 3 attempts, the last time: unplugged"


@pytest.mark.parametrize(
    ("report", "end"),
    [
        (c.ReportRunning(trial=0, attempt=1, metadata={"job": 0}), "RUNNING"),
        (c.ReportReattached(trial=0, attempt=1), "RUNNING"),
        (finished(0, Y1), "COMPLETED"),
        (finished(0, status="failed"), "FAILED"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_runner_that_speaks_after_all_settles_an_unknown_trial(report, end):
    given = after(unknown(), c.Pause(), report)

    assert (status(given), given.unknown) == (end, ())


def test_an_unknown_trial_that_never_began_failed():
    given = after(submitted(), lost(), c.Pause(), never_started())

    assert status(given) == "FAILED"


def test_an_unknown_trial_that_had_begun_stays_unknown_whatever_a_later_call_says():
    assert then(unknown(), never_started()) == ()


# --- stopping -------------------------------------------------------------------------------------------------------


def test_a_stopped_trial_failed_with_the_reason_of_the_stop():
    given = after(running(), c.Stop(), c.ReportStopped(trial=0, attempt=1))

    assert (status(given), given.trial(0).reason) == ("FAILED", "stopped on request")


def test_what_the_runner_says_of_a_stop_is_kept():
    given = after(running(), c.Stop(), c.ReportStopped(trial=0, attempt=1, reason="it may still be running"))

    assert given.trial(0).reason == "stopped on request (it may still be running)"


def test_a_stop_before_the_trial_was_accepted_keeps_its_reason():
    given = after(submitted(), c.Stop(), c.ReportRunning(trial=0, attempt=1), c.ReportStopped(trial=0, attempt=1))

    assert given.trial(0).reason == "stopped on request"


def test_an_end_that_overtakes_the_stop_counts_as_stopped_and_keeps_its_data():
    given = after(running(), c.Stop(), finished(0, Y1))

    assert (status(given), given.trial(0).observations) == ("FAILED", (Y1,))


def test_an_early_stop_with_data_is_no_failure():
    given = fold(e.StopRequested(trial=0, cause="early", reason="flat"), state=running())

    assert status(after(given, finished(0, Y1))) == "EARLY_STOPPED"


def test_a_stop_settles_a_trial_that_was_lost_on_the_way():
    given = after(running(), c.Stop(), lost(), c.ReportStopped(trial=0, attempt=1))

    assert status(given) == "FAILED"


def test_a_stop_that_did_not_work_settles_nothing():
    given = after(running(), c.Stop(), lost())

    assert then(given, c.ReportStopped(trial=0, attempt=1, reason="stopping failed: it may still be running")) == ()


def test_the_next_attempt_does_not_inherit_the_stop():
    given = after(running(), c.ExpireTrial(trial=0, attempt=1), lost(), c.Resolve(trial=0, outcome="rerun", reason="r"))
    given = after(given, start(), c.ReportFinished(trial=0, attempt=2, status="completed", observations=(Y1,)))

    assert status(given) == "COMPLETED"


def test_the_next_attempt_lives_its_own_time():
    given = after(unknown(), c.Resolve(trial=0, outcome="rerun", reason="r"), start(), at=NOON + 9)

    trial = given.trial(0)
    assert (trial.submitted_at, trial.started_at, trial.metadata) == (NOON + 9, None, None)


def test_reports_are_heard_without_a_run():
    given = after(running(trials=2), c.RecordHalt(), finished(0, Y1), finished(1, status="failed"))

    assert (given.run, status(given, 0), status(given, 1)) == (None, "COMPLETED", "FAILED")
