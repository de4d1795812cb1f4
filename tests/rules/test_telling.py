"""Asking and telling: trials in the hands of people and other programs."""

import pytest
from msgspec.structs import replace

from titrant.errors import CommandRefused, ParameterizationError, TrialNotFound
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.model.observation import Observation
from titrant.model.trial import TrialStatus
from titrant.rules.state import State

from .world import (
    NAN,
    NOON,
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


def refetched():
    """A trial that completed without its value, which is fetched again."""
    given = after(running(metrics=("y",)), finished(), c.RecordFetchFailure(trial=0, metric="y", reason="busy"))
    return after(given, c.RefetchData(trial=0))


# --- making trials --------------------------------------------------------------------------------------------------


def test_asked_trials_are_running_in_the_hands_of_who_asked():
    given = asked(2)

    assert [(t.index, t.status, t.asked, t.started_at) for t in given.trials()] == [
        (0, TrialStatus.RUNNING, True, NOON),
        (1, TrialStatus.RUNNING, True, NOON),
    ]
    assert given.in_loop == 0


def test_without_a_search_space_no_trial_is_made():
    with pytest.raises(CommandRefused, match="no search space to make trials in: call configure_experiment first"):
        then(State(), suggested())


def test_suggestions_for_a_loop_that_is_over_are_dropped():
    assert then(lab(), suggested()) == ()


def test_suggestions_for_a_draining_loop_are_dropped():
    assert then(after(running(trials=2), c.Drain()), suggested()) == ()


def test_no_more_trials_are_made_than_the_run_may_have():
    given = after(lab(), start(max_trials=2, parallelism=5))

    assert [event.trial for event in then(given, suggested(3))] == [0, 1]


def test_the_position_of_the_sequence_never_goes_back():
    (one,) = suggested().suggestions
    ahead, behind = (c.AddTrials(suggestions=(replace(one, position=n),), asked=True) for n in (5, 3))

    assert after(lab(), ahead, behind).position == 5


def test_a_trial_of_ones_own_is_attached():
    (created,) = then(lab(), c.AttachTrial(parameters={"x": 0.25}, arm_name="mine"))

    assert (created.trial, created.origin, created.arm_name, created.asked) == (0, "attached", "mine", True)


def test_attached_trials_and_the_baseline_are_remembered():
    given = after(lab(), c.AttachTrial(parameters={"x": 0.1}), c.AttachTrial(parameters={"x": 0.2}, baseline=True))

    assert (given.attached, given.baseline) == (2, 1)
    assert given.trial(1).arm_name == "baseline"


def test_attaching_needs_a_search_space():
    with pytest.raises(CommandRefused, match="attach_trial needs a search space"):
        then(State(), c.AttachTrial(parameters={"x": 0.1}))


def test_attached_values_must_fit_the_search_space():
    with pytest.raises(ParameterizationError, match="x"):
        then(lab(), c.AttachTrial(parameters={"x": 2.0}))


# --- telling results ------------------------------------------------------------------------------------------------


def test_telling_a_result_completes_the_trial():
    assert then(asked(), c.CompleteTrial(trial=0, observations=(Y1,))) == (
        e.DataAttached(trial=0, observations=(Y1,)),
        e.TrialCompleted(trial=0),
    )


def test_completing_without_data_names_what_is_missing():
    assert then(asked(), c.CompleteTrial(trial=0)) == (
        e.TrialCompleted(trial=0, missing=("y",), reason="no value for y"),
    )


def test_nan_counts_as_missing():
    *_, completed = then(asked(), c.CompleteTrial(trial=0, observations=(NAN,)))

    assert (completed.missing, completed.reason) == (("y",), "y is nan")


def test_data_told_earlier_count_at_the_end():
    given = after(asked(), c.AttachData(trial=0, observations=(Y1,)))

    assert then(given, c.CompleteTrial(trial=0)) == (e.TrialCompleted(trial=0),)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (submitted(), "is SUBMITTING and cannot be completed: runner 'lab' is carrying it out"),
        (running(), "is RUNNING and cannot be completed: runner 'lab' is carrying it out"),
        (unknown(), r"is UNKNOWN and cannot be completed: use resolve\(0, ...\)"),
        (after(running(), finished(0, Y1)), "is COMPLETED and cannot be completed: it is over; attach_data still adds"),
        (after(asked(), c.Pause(), start()), "is STAGED and cannot be completed: the closed loop has taken it over"),
        (
            after(lab(), c.Pause(), start(), suggested()),
            "is CANDIDATE and cannot be completed: it has not been carried",
        ),
    ],
    ids=["SUBMITTING", "RUNNING", "UNKNOWN", "COMPLETED", "STAGED", "CANDIDATE"],
)
def test_only_a_trial_in_hand_is_completed(given, why):
    with pytest.raises(CommandRefused, match=f"trial 0 {why}"):
        then(given, c.CompleteTrial(trial=0))


@pytest.mark.parametrize(
    "command",
    [
        c.CompleteTrial(trial=3),
        c.AttachData(trial=3, observations=(Y1,)),
        c.MarkFailed(trial=3),
        c.MarkAbandoned(trial=3),
        c.MarkEarlyStopped(trial=3),
        c.RefetchData(trial=3),
        c.Resolve(trial=3, outcome="failed", reason="r"),
        c.RecordFetch(trial=3, metric="y", observations=(Y1,)),
        c.RecordFetchFailure(trial=3, metric="y", reason="r"),
        c.ReportFinished(trial=3, attempt=1, status="completed", observations=(Y1,)),
    ],
    ids=lambda command: type(command).__name__,
)
def test_a_trial_that_does_not_exist_is_named(command):
    with pytest.raises(TrialNotFound, match="there is no trial 3: trials 0 to 0 exist"):
        then(asked(), command)


def test_without_any_trial_the_error_says_so():
    with pytest.raises(TrialNotFound, match="there is no trial 0: there are no trials yet"):
        then(lab(), c.MarkFailed(trial=0))


def test_a_late_result_is_always_recorded():
    given = after(asked(), c.MarkFailed(trial=0))

    given = after(given, c.AttachData(trial=0, observations=(Y1,)))

    assert (status(given), given.trial(0).observations) == ("FAILED", (Y1,))


def test_data_of_an_attempt_that_is_repeated_are_recorded():
    given = after(unknown(), c.Pause(), c.Resolve(trial=0, outcome="rerun", reason="looked"))

    assert status(given) == "STAGED"
    assert then(given, c.AttachData(trial=0, observations=(Y1,))) == (e.DataAttached(trial=0, observations=(Y1,)),)


def test_no_data_change_nothing():
    assert then(asked(), c.AttachData(trial=0, observations=())) == ()


def test_a_candidate_can_have_no_data():
    given = after(lab(), c.Pause(), start(), suggested())

    with pytest.raises(CommandRefused, match="trial 0 is CANDIDATE: it has not been carried out yet"):
        then(given, c.AttachData(trial=0, observations=(Y1,)))


def test_data_that_a_fetch_was_to_bring_complete_the_trial():
    given = after(running(metrics=("y",)), finished())

    given = after(given, c.AttachData(trial=0, observations=(Y1,)))

    assert status(given) == "COMPLETED"


def test_a_late_value_fills_the_gap_of_a_completed_trial():
    given = after(asked(), c.CompleteTrial(trial=0), c.AttachData(trial=0, observations=(Y1,)))

    assert given.trial(0).missing == ()


def test_a_late_nan_fills_no_gap():
    given = after(asked(), c.CompleteTrial(trial=0), c.AttachData(trial=0, observations=(NAN,)))

    assert given.trial(0).missing == ("y",)


# --- marking --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "event"),
    [
        (c.MarkFailed(trial=0, reason="spilled"), e.TrialFailed(trial=0, reason="spilled", informative=True)),
        (c.MarkAbandoned(trial=0, reason="toxic"), e.TrialAbandoned(trial=0, reason="toxic")),
    ],
)
def test_a_trial_in_hand_is_marked(command, event):
    assert then(asked(), command) == (event,)


@pytest.mark.parametrize("mark", [c.MarkFailed, c.MarkAbandoned, c.MarkEarlyStopped])
def test_a_trial_on_a_runner_is_not_marked(mark):
    with pytest.raises(CommandRefused, match=r"trial 0 is RUNNING and cannot be .*: runner 'lab' is carrying it out"):
        then(running(), mark(trial=0))


def test_a_trial_that_is_over_is_not_marked():
    with pytest.raises(CommandRefused, match="it is over; attach_data still adds late results"):
        then(after(asked(), c.MarkFailed(trial=0)), c.MarkAbandoned(trial=0))


def test_a_waiting_trial_can_be_given_up():
    given = after(lab(), c.Pause(), start(), suggested(), c.MarkAbandoned(trial=0))

    assert (status(given), given.queue, given.in_loop) == ("ABANDONED", (), 0)


def test_giving_an_unknown_trial_up_settles_it():
    given = after(unknown(), c.Pause(), c.MarkAbandoned(trial=0, reason="thrown away"))

    assert (status(given), given.unknown, given.slots_in_use) == ("ABANDONED", (), 0)


def test_a_trial_stopped_early_needs_data():
    with pytest.raises(CommandRefused, match="trial 0 has no data: attach_data first, or mark_trial_failed"):
        then(asked(), c.MarkEarlyStopped(trial=0))


def test_a_trial_with_data_is_stopped_early():
    given = after(asked(), c.AttachData(trial=0, observations=(Observation("y", 1.0, progression=1.0),)))

    assert then(given, c.MarkEarlyStopped(trial=0, reason="flat")) == (e.TrialEarlyStopped(trial=0, reason="flat"),)


# --- fetching again -------------------------------------------------------------------------------------------------


def test_what_is_missing_is_fetched_again():
    given = after(running(metrics=("y",)), finished(), c.RecordFetchFailure(trial=0, metric="y", reason="busy"))

    assert then(given, c.RefetchData(trial=0)) == (e.FetchRequested(trial=0, metrics=("y",)),)


def test_a_value_fetched_again_fills_the_gap():
    given = after(refetched(), c.RecordFetch(trial=0, metric="y", observations=(Y1,)))

    trial = given.trial(0)
    assert (trial.status, trial.missing, trial.reason) == (TrialStatus.COMPLETED, (), None)


def test_a_second_failure_to_fetch_is_said_once():
    given = after(refetched(), c.RecordFetchFailure(trial=0, metric="y", reason="off"))

    trial = given.trial(0)
    assert (trial.missing, trial.awaiting, trial.reason) == (("y",), (), "y: off")


def test_a_complete_trial_needs_no_fetch():
    assert then(after(running(metrics=("y",)), finished(0, Y1)), c.RefetchData(trial=0)) == ()


def test_only_completed_trials_are_fetched_again():
    with pytest.raises(CommandRefused, match="trial 0 is RUNNING: only a COMPLETED trial is fetched again"):
        then(running(), c.RefetchData(trial=0))


def test_a_metric_that_cannot_be_fetched_is_named():
    with pytest.raises(CommandRefused, match="no metric named 'z' can be fetched"):
        then(after(asked(), c.CompleteTrial(trial=0)), c.RefetchData(trial=0, metrics=("z",)))


# --- resolving ------------------------------------------------------------------------------------------------------


def resolve(outcome, *observations):
    return c.Resolve(trial=0, outcome=outcome, reason="I looked", observations=observations)


@pytest.mark.parametrize(
    ("command", "end", "slots"),
    [
        (resolve("running"), "RUNNING", 1),
        (resolve("completed", Y1), "COMPLETED", 0),
        (resolve("failed"), "FAILED", 0),
        (resolve("abandoned"), "ABANDONED", 0),
        (resolve("rerun"), "STAGED", 0),
    ],
    ids=lambda value: getattr(value, "outcome", ""),
)
def test_a_person_says_what_became_of_an_unknown_trial(command, end, slots):
    given = after(unknown(), c.Pause(), command)

    assert (status(given), given.slots_in_use, given.unknown) == (end, slots, ())


def test_the_word_of_a_person_is_an_event():
    assert then(unknown(), resolve("failed")) == (
        e.TrialResolved(trial=0, outcome="failed", reason="I looked"),
        e.TrialFailed(trial=0, reason="I looked"),
    )


def test_a_trial_resolved_as_completed_is_fetched_where_metrics_are():
    given = after(running(metrics=("y",)), lost(), resolve("completed"))

    trial = given.trial(0)
    assert (trial.status, trial.awaiting, given.slots_in_use) == (TrialStatus.RUNNING, ("y",), 0)


def test_a_trial_run_again_is_a_new_attempt_with_a_new_key():
    before = unknown(max_trials=1)

    given = after(before, resolve("rerun"), start(max_trials=0))

    trial = given.trial(0)
    assert (trial.status, trial.attempt) == (TrialStatus.SUBMITTING, 2)
    assert trial.key != before.trial(0).key


def test_resolving_needs_a_reason():
    with pytest.raises(CommandRefused, match="resolving trial 0 needs a reason: say how you know"):
        then(unknown(), c.Resolve(trial=0, outcome="failed", reason=" "))


def test_only_unknown_trials_are_resolved():
    with pytest.raises(CommandRefused, match="trial 0 is RUNNING, not UNKNOWN: there is nothing to resolve"):
        then(running(), resolve("failed"))
