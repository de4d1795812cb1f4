"""The closed loop: how a run begins, who gets which trial, when it ends and why."""

import math

import pytest
from msgspec.structs import replace

from titrant.errors import CommandRefused, ConfigurationError
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.model.experiment import RunnerSpec
from titrant.rules.decide import step
from titrant.rules.running import advance, waiting_for, wanted
from titrant.rules.state import State

from .world import (
    LAB,
    NOON,
    SETUP,
    Y1,
    after,
    asked,
    finished,
    fold,
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

SMALL, LARGE = RunnerSpec(name="small", capacity=1), RunnerSpec(name="large", capacity=3)


def last(state):
    return state.last_run.outcome


def failing(count, **options):
    """A run of which the first *count* trials failed, one after the other."""
    state = after(lab(), start(**options))
    for index in range(count):
        state = after(state, suggested(), finished(index, status="failed", reason="spilled"))
    return state


# --- beginning ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (State(), "run_trials needs a search space: call configure_experiment first"),
        (fold(*SETUP[:2]), "run_trials needs an objective: call configure_optimization first"),
        (fold(*SETUP), "run_trials needs a runner: call configure_runner first"),
        (running(), "run_trials is under way already: wait for it, or drain it"),
        (after(lab(), c.RecordHalt()), r"the experiment is halted: make the lab safe, then call reset\(reason=...\)"),
    ],
)
def test_a_run_that_cannot_begin_says_what_is_lacking(given, message):
    with pytest.raises(CommandRefused, match=message):
        then(given, start())


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("max_trials", -1, "0 or more"),
        ("parallelism", 0, "1 or more"),
        ("tolerated_trial_failure_rate", 1.5, "between 0 and 1"),
        ("tolerated_trial_failure_rate", math.nan, "between 0 and 1"),
        ("min_failed_trials_for_failure_rate_check", -1, "0 or more"),
        ("initial_seconds_between_polls", math.inf, "0 or more seconds"),
        ("timeout_seconds", -1.0, "0 or more seconds, or None"),
        ("trial_ttl_seconds", math.nan, "0 or more seconds, or None"),
    ],
)
def test_an_argument_that_makes_no_sense_is_named(name, value, rule):
    with pytest.raises(ConfigurationError, match=f"run_trials was given {name}={value!r}: it must be {rule}"):
        then(lab(), start(**{name: value}))


def test_a_run_of_no_trials_is_over_at_once():
    assert last(after(lab(), start(max_trials=0))) == "finished"


def test_asked_and_left_trials_are_taken_over_in_order():
    given = after(asked(2), start(max_trials=0, parallelism=2))

    assert [status(given, 0), status(given, 1)] == ["SUBMITTING"] * 2
    assert given.run.taken == 2


def test_a_waiting_trial_of_an_earlier_run_goes_first():
    given = after(lab(), c.Pause(), start(), suggested(), c.Drain(), c.Unpause(), start())

    assert status(given, 0) == "SUBMITTING"


def test_no_time_means_no_trials():
    given = after(asked(), start(timeout_seconds=0.0))

    assert (last(given), status(given)) == ("timeout", "RUNNING")


# --- giving trials to runners ---------------------------------------------------------------------------------------


def test_the_intent_carries_a_key_of_its_own():
    events, _ = step(after(lab(), start(parallelism=2)), suggested(2), NOON)

    submissions = [event for event in events if isinstance(event, e.TrialSubmitting)]
    assert [(event.trial, event.runner, event.attempt) for event in submissions] == [(0, "lab", 1), (1, "lab", 1)]
    assert len({event.key for event in submissions}) == 2


def test_two_logs_never_use_the_same_key():
    other = fold(e.SessionOpened(engine="t", log_id="cd" * 16, seed=1), state=lab())

    keys = {after(given, start(), suggested()).trial(0).key for given in (lab(), other)}

    assert len(keys) == 2


def test_the_runner_with_the_most_room_gets_the_next_trial():
    given = submitted(SMALL, LARGE, trials=4)

    assert [given.trial(index).runner for index in range(4)] == ["large", "large", "small", "large"]


def test_capacities_bound_what_runs():
    given = after(lab(SMALL), start(parallelism=5))

    assert (wanted(given), wanted(after(given, suggested()))) == (1, 0)


def test_parallelism_bounds_what_runs_over_all_runners():
    given = after(lab(SMALL, LARGE), start(parallelism=2))

    assert wanted(given) == 2


def test_a_runner_that_is_overfull_takes_no_room_from_the_others():
    two = lab(RunnerSpec(name="lab", capacity=3), LARGE)
    given = after(two, start(max_trials=6, parallelism=6), suggested(6))
    given = fold(
        e.RunEnded(outcome="timeout"), e.RunnersConfigured(runners=(replace(LAB, capacity=1), LARGE)), state=given
    )
    given = after(given, *(finished(index, Y1) for index in range(6) if given.trial(index).runner == "large"))

    assert wanted(after(given, start(parallelism=6))) == 3


def test_a_quarantined_runner_gets_no_trial():
    given = after(
        lab(SMALL, LARGE), c.QuarantineRunner(name="large", reason="leak"), start(parallelism=4), suggested(4)
    )

    assert {trial.runner for trial in given.trials()} == {"small", None}


def test_slots_are_free_while_data_are_on_the_way():
    given = after(running(metrics=("y",)), finished())

    assert (status(given), given.slots_in_use, wanted(given)) == ("RUNNING", 0, 1)


def test_trials_left_by_a_timeout_still_take_up_slots():
    given = running(trials=2, timeout_seconds=60.0)
    given = after(given, c.ExpireRun(run=given.run.started_at))
    given = after(given, replace(start(parallelism=3), alive=frozenset({0, 1})))

    assert wanted(given) == 1


# --- the end --------------------------------------------------------------------------------------------------------


def test_a_run_ends_when_its_trials_are_over():
    given = after(running(max_trials=1), finished(0, Y1))

    assert (given.run, last(given), given.last_run.created) == (None, "finished", 1)


def test_a_run_waits_for_the_data_of_its_last_trial():
    given = after(running(max_trials=1, metrics=("y",)), finished())

    assert given.run is not None
    assert last(after(given, c.RecordFetch(trial=0, metric="y", observations=(Y1,)))) == "finished"


def test_the_end_of_the_time_ends_the_run_and_names_what_goes_on():
    given = running(trials=2, timeout_seconds=60.0)

    assert then(given, c.ExpireRun(run=given.run.started_at)) == (
        e.RunEnded(outcome="timeout", reason="timeout_seconds=60 is up; 2 trials go on and are recorded"),
    )


def test_what_goes_on_after_a_timeout_is_recorded():
    given = running(timeout_seconds=60.0)
    given = after(given, c.ExpireRun(run=given.run.started_at), finished(0, Y1))

    assert status(given) == "COMPLETED"


def test_an_alarm_of_an_earlier_run_ends_no_later_one():
    first = after(lab(), start(max_trials=0, timeout_seconds=5.0))
    second = after(first, start(timeout_seconds=50.0))

    assert then(second, c.ExpireRun(run=first.last_run.started_at)) == ()
    assert then(second, c.ExpireRun(run=second.run.started_at))


def test_a_run_without_a_time_limit_never_expires():
    given = running()

    assert then(given, c.ExpireRun(run=given.run.started_at)) == ()


def test_a_used_up_space_ends_the_run_once_what_runs_is_over():
    given = after(running(), c.ExhaustRun(reason="all 4 points are used"))
    assert (given.run is not None, wanted(given)) == (True, 0)

    given = after(given, finished(0, Y1))

    assert (last(given), given.last_run.reason) == ("exhausted", "all 4 points are used")


def test_exhaustion_is_told_once():
    given = after(running(), c.ExhaustRun(reason="used up"))

    assert then(given, c.ExhaustRun(reason="used up")) == ()
    assert then(lab(), c.ExhaustRun(reason="used up")) == ()


def test_a_run_whose_runners_are_all_blocked_ends_stuck_and_says_why():
    given = unknown()

    assert last(given) == "stuck"
    assert given.last_run.reason.startswith("trial 0 is UNKNOWN: unplugged. Look at the instrument, then say what")


def test_quarantine_of_the_only_runner_ends_the_run_stuck():
    given = after(lab(), c.QuarantineRunner(name="lab", reason="leak"), start())

    assert (last(given), given.last_run.reason) == (
        "stuck",
        "runner 'lab' is quarantined (leak): see to it, then call restore_runner('lab')",
    )


def test_a_run_with_trials_left_that_nobody_can_take_is_not_finished():
    given = after(asked(), c.QuarantineRunner(name="lab", reason="leak"), start(max_trials=0))

    assert (last(given), given.queue) == ("stuck", (0,))


def test_an_unknown_trial_does_not_keep_a_run_from_finishing():
    given = after(running(trials=2, max_trials=2), lost(0), finished(1, Y1))

    assert last(given) == "finished"
    assert "trial 0 is UNKNOWN" in given.last_run.reason


def test_a_paused_run_does_not_end():
    given = after(running(max_trials=1), c.Pause(), finished(0, Y1))

    assert given.run is not None
    assert last(after(given, c.Unpause())) == "finished"


# --- failures -------------------------------------------------------------------------------------------------------


def test_failures_below_the_least_number_trip_nothing():
    assert failing(4).run.tripped is False


def test_the_fifth_failure_trips_a_rate_above_the_tolerated_one():
    given = failing(5)

    assert last(given) == "failure_rate"
    assert given.last_run.reason == "5 of 5 trials failed, more than the tolerated 0.5"


def test_a_tripped_run_finishes_what_runs_first():
    given = after(lab(), start(parallelism=6, min_failed_trials_for_failure_rate_check=2), suggested(3))
    given = after(given, *(finished(index, status="failed") for index in range(2)))
    assert (given.run.tripped, wanted(given), given.run.draining is not None) == (True, 0, True)

    given = after(given, finished(2, Y1))

    assert (status(given, 2), last(given)) == ("COMPLETED", "failure_rate")


def test_the_rate_is_of_all_trials_the_run_is_responsible_for():
    given = after(lab(), start(parallelism=10, max_trials=20), suggested(10))
    given = after(given, *(finished(index, status="failed") for index in range(5)))

    assert given.run.tripped is False
    assert after(given, finished(5, status="failed")).run.tripped is True


def test_trials_taken_over_count_and_so_do_their_failures():
    given = after(asked(2), start(max_trials=0, parallelism=2))
    given = after(given, finished(0, status="failed"), finished(1, status="failed"))

    assert (last(given), given.last_run.taken) == ("failure_rate", 2)


def test_an_abandoned_trial_counts_as_failed():
    given = after(running(max_trials=1), finished(0, status="abandoned"))

    assert given.last_run.failures == ((0, "the runner reported ABANDONED"),)


def test_at_the_end_the_rate_is_looked_at_whatever_the_number():
    given = after(running(max_trials=1), finished(0, status="failed", reason="spilled"))

    assert (last(given), given.last_run.reason) == (
        "failure_rate",
        "1 of 1 trials failed, more than the tolerated 0.5",
    )


def test_a_share_of_failures_that_is_just_tolerated_is_tolerated():
    given = after(running(trials=2, max_trials=2), finished(0, status="failed"), finished(1, Y1))

    assert last(given) == "finished"


def test_unknown_trials_are_no_failures_of_the_run():
    given = after(running(trials=2, max_trials=2), lost(0), finished(1, Y1))

    assert (given.last_run.taken, given.last_run.failures) == (1, ())


def test_an_unknown_trial_of_an_earlier_run_counts_where_it_is_settled():
    given = after(unknown(), c.Pause(), start(max_trials=1), c.Resolve(trial=0, outcome="failed", reason="broken"))

    assert (given.run.taken, given.run.ended, given.run.failures) == (1, 1, ((0, "broken"),))


def test_a_stop_of_a_tripped_run_keeps_the_reason():
    given = after(lab(), start(parallelism=3, min_failed_trials_for_failure_rate_check=2), suggested(3))
    given = after(given, finished(0, status="failed"), finished(1, status="failed"), c.Stop())

    given = after(given, c.ReportStopped(trial=2, attempt=1))

    assert (last(given), given.last_run.reason) == (
        "failure_rate",
        "2 of 3 trials failed, more than the tolerated 0.5",
    )


# --- what is waited for ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (lab(), ""),
        (after(lab(), start()), "waiting for a suggestion"),
        (running(), "all 1 runner slots are in use"),
        (running(max_trials=1, parallelism=2), "1 trials run"),
        (after(running(), c.Pause()), "paused: unpause to go on"),
        (after(running(), c.Drain()), "draining (drain was asked for): 1 trials still run"),
        (after(running(), c.RecordHalt()), "halted: make the lab safe, then reset"),
        (after(running(parallelism=2), c.ExhaustRun(reason="used up")), "no new trials: used up"),
    ],
)
def test_what_is_waited_for_is_a_sentence(given, sentence):
    assert waiting_for(given) == sentence


def test_an_unknown_trial_is_waited_for_by_name():
    given = after(running(trials=2), lost(0), lost(1))

    assert waiting_for(given).startswith("trial 0 is UNKNOWN (and 1 more): unplugged.")


def test_nothing_follows_without_a_run():
    assert advance(lab()) == ()
    assert wanted(lab()) == 0
