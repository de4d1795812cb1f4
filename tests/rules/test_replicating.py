"""Replicates: the same conditions once more."""

import math

import pytest

from titrant.analysis.results import best_observed, front_observed, recipes, summary
from titrant.errors import CommandRefused, ConfigurationError
from titrant.generators.requests import observed
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.model.observation import Observation
from titrant.rules.running import wanted
from titrant.rules.state import State
from titrant.rules.strategy import next_node

from .world import Y1, after, asked, finished, running, start, status, suggested, then


def replicate(trial=0, count=1, **fields):
    return c.Replicate(trial=trial, count=count, **fields)


def results(state, *values, sem=None):
    """Tell y of the trials in hand, in order."""
    return after(
        state,
        *(c.CompleteTrial(trial=i, observations=(Observation("y", value, sem),)) for i, value in enumerate(values)),
    )


def test_a_replicate_has_the_plan_and_names_the_trial():
    (made,) = then(asked(), replicate())

    assert made == e.TrialCreated(
        trial=1, parameters={"x": 0.5}, arm_name="1_0", origin="replicate", asked=True, replicate_of=0
    )


def test_a_replicate_is_carried_out_as_planned_whatever_was_executed():
    state = after(asked(), c.RecordExecuted(trial=0, parameters={"x": 0.9}), replicate())

    assert state.trial(1).parameters == {"x": 0.5}


def test_a_replicate_of_a_replicate_is_one_of_the_first():
    state = after(asked(), replicate(), replicate(1))

    assert [trial.replicate_of for trial in state.trials()] == [None, 0, 0]


def test_outside_a_closed_loop_replicates_are_in_the_askers_hands():
    state = after(asked(), replicate(count=2))

    assert [status(state, i) for i in (1, 2)] == ["RUNNING", "RUNNING"]
    assert all(state.trial(i).asked for i in (1, 2))


def test_in_a_closed_loop_they_wait_for_a_runner_and_do_not_count_against_max_trials():
    state = after(running(max_trials=2), replicate(count=2))

    assert [status(state, i) for i in (1, 2)] == ["CANDIDATE", "CANDIDATE"]
    assert state.run.created == 1
    state = after(state, finished())
    assert [status(state, i) for i in (1, 2)] == ["SUBMITTING", "CANDIDATE"]


def test_a_run_ends_only_when_its_replicates_are_over():
    state = after(running(max_trials=1), replicate(), finished(0, Y1))

    assert state.run is not None
    assert wanted(state) == 0
    state = after(state, c.ReportRunning(trial=1, attempt=1), finished(1, Y1))
    assert (state.run, state.last_run.outcome, state.last_run.created) == (None, "finished", 1)


def test_where_the_loop_is_draining_they_are_in_the_askers_hands():
    state = after(running(), c.Drain(), replicate())

    assert status(state, 1) == "RUNNING"


def test_they_are_no_part_of_the_initial_design():
    state = results(after(asked(4), replicate(count=3)), *[1.0] * 7)

    assert next_node(state, 1) == ("sobol", 1)


@pytest.mark.parametrize("count", [0, -1, 1_001])
def test_a_count_that_makes_no_sense_is_refused(count):
    with pytest.raises(ConfigurationError, match=f"{count} replicates"):
        then(asked(), replicate(count=count))


def test_there_is_nothing_to_replicate_without_a_space():
    with pytest.raises(CommandRefused, match="no search space"):
        then(State(), replicate())


def test_a_model_sees_each_replicate():
    state = results(after(asked(), replicate()), 1.0, 3.0)

    assert [(point.trial, point.parameters) for point in observed(state)] == [(0, {"x": 0.5}), (1, {"x": 0.5})]


def test_recipes_are_ranked_by_the_mean_over_their_replicates():
    lucky_once = after(asked(), replicate(), suggested(asked=True, x=0.2))
    state = results(lucky_once, 4.0, 0.0, 3.0)

    best = best_observed(state)

    assert (best.trial.index, best.values["y"]) == (2, (3.0, None))
    assert [recipe.trial.index for recipe in front_observed(state)] == [2]


def test_the_sem_is_that_between_replicates_where_none_was_told():
    (recipe,) = recipes(results(after(asked(), replicate(count=2)), 1.0, 2.0, 3.0))

    assert recipe.trials == (0, 1, 2)
    assert recipe.values["y"] == pytest.approx((2.0, 1.0 / math.sqrt(3)))


def test_the_sem_is_made_of_those_told():
    (recipe,) = recipes(results(after(asked(), replicate()), 1.0, 9.0, sem=0.2))

    assert recipe.values["y"] == pytest.approx((5.0, 0.2 / math.sqrt(2)))


def test_a_voided_replicate_has_no_part_in_the_mean():
    state = results(after(asked(), replicate()), 1.0, 9.0)

    (recipe,) = recipes(after(state, c.VoidResult(trial=1, reason="spilled")))

    assert recipe.values["y"] == (1.0, None)


def test_the_summary_tells_replicates():
    assert summary(after(asked(), replicate()))["replicate_of"] == [None, 0]


def test_replicates_that_a_run_left_waiting_are_carried_out_by_the_next():
    state = after(running(timeout_seconds=60.0), c.Pause(), replicate(), finished(0, Y1))
    state = after(state, c.ExpireRun(run=state.run.started_at))

    assert (state.run, status(state, 1)) == (None, "CANDIDATE")
    assert status(after(state, c.Unpause(), start(max_trials=0)), 1) == "SUBMITTING"
