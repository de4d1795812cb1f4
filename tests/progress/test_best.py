"""The best is kept up trial by trial, and is what a look at all trials would give."""

import random

import pytest
from msgspec.structs import replace

from titrant.analysis.results import best_observed, pareto_observed
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.trial import Trial, TrialStatus
from titrant.progress.best import Leaderboard
from titrant.rules.state import State


def finished(index, status=TrialStatus.COMPLETED, **values):
    observations = tuple(Observation(name, value) for name, value in values.items())
    return Trial(index, {"x": 0.0}, status, observations=observations, ended_at=index)


def with_trial(state, trial):
    return replace(
        state,
        open={index: other for index, other in state.open.items() if index != trial.index},
        closed=state.closed.insert(trial),
        next_index=max(state.next_index, trial.index + 1),
    )


def empty(objective, constraints=None):
    return State(optimization=optimization_config(objective, constraints))


@pytest.mark.parametrize("seed", range(5))
def test_the_leader_is_the_best_observed(seed):
    draws = random.Random(seed)
    state = empty("y - 0.1*c", ["c <= 0.8"])
    board = Leaderboard(state)
    for _ in range(60):
        index = draws.randrange(40)  # now and then late data of a trial that is over
        status = draws.choice([TrialStatus.COMPLETED, TrialStatus.COMPLETED, TrialStatus.EARLY_STOPPED])
        trial = finished(index, status, y=draws.random(), c=draws.random())
        state = with_trial(state, trial)
        board.consider(trial, state)
        best = best_observed(state)

        assert [point.utilities[0] for point in board.front] == ([] if best is None else [best.utility])


@pytest.mark.parametrize("seed", range(5))
def test_the_front_is_the_pareto_front(seed):
    draws = random.Random(seed)
    state = empty("a, -b")
    board = Leaderboard(state)
    for index in range(40):
        trial = finished(index, a=draws.random(), b=draws.random())
        state = with_trial(state, trial)
        board.consider(trial, state)

    assert {point.trial for point in board.front} == {trial.index for trial in pareto_observed(state)}


def test_a_board_begun_late_is_the_same():
    state = empty("y")
    early = Leaderboard(state)
    for index, y in enumerate((3.0, 5.0, 4.0)):
        trial = finished(index, y=y)
        state = with_trial(state, trial)
        early.consider(trial, state)
    late = Leaderboard(state)

    assert (late.trace, late.front) == (early.trace, early.front)


def test_the_baselines_data_decide_anew_who_keeps_a_relative_constraint():
    running = Trial(1, {"x": 0.0}, TrialStatus.RUNNING)
    state = replace(empty("y", ["q >= 0.9*baseline"]), baseline=1, open={1: running}, next_index=2)
    board = Leaderboard(state)
    lame = finished(0, y=9.0, q=1.0)
    state = with_trial(state, lame)

    assert board.consider(lame, state)

    baseline = finished(1, y=1.0, q=10.0)
    state = with_trial(state, baseline)
    board.consider(baseline, state)

    assert [point.trial for point in board.front] == [1]


def test_a_failed_trial_and_one_without_data_are_no_points():
    state = empty("y")
    board = Leaderboard(state)

    assert not board.consider(finished(0, TrialStatus.FAILED, y=9.0), state)
    assert not board.consider(finished(1), state)
    assert board.trace == []


def test_replicates_are_one_point_by_their_mean():
    state = empty("y")
    board = Leaderboard(state)
    for trial in (
        finished(0, y=4.0),
        finished(1, y=3.0),
        replace(finished(2, y=0.0), replicate_of=0),
        replace(finished(3, y=5.0), replicate_of=1),
    ):
        state = with_trial(state, trial)
        board.consider(trial, state)

    assert [(point.trial, point.utilities) for point in board.front] == [(1, (4.0,))]
    assert [point.utilities for point in board.trace] == [(2.0,), (4.0,)]
    assert best_observed(state).trial.index == 1


def test_a_recipe_whose_first_trial_failed_is_told_by_the_one_that_did_not():
    state = with_trial(empty("y"), finished(0, TrialStatus.FAILED))
    board = Leaderboard(state)
    again = replace(finished(1, y=1.0), replicate_of=0)

    assert board.consider(again, with_trial(state, again))
    assert [point.trial for point in board.front] == [1]


def test_a_voided_result_leads_no_more():
    state = with_trial(empty("y"), finished(0, y=1.0))
    state = with_trial(state, finished(1, y=2.0))
    board = Leaderboard(state)
    state = with_trial(state, finished(1, TrialStatus.VOIDED, y=2.0))
    board.rebuild(state)

    assert [point.trial for point in board.front] == [0]
