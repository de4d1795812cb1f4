"""Preferences through the client: trials that are compared instead of measured."""

from __future__ import annotations

import copy
import random

import pytest

from titrant import Client, CommandRefused, RangeParameterConfig
from titrant.errors import ConfigurationError, GenerationError, TrialNotFound
from titrant.generators import dispatch
from titrant.generators.requests import observed, pending, suggestion_request
from titrant.messages import events as e
from titrant.model.trial import TrialStatus
from titrant.replay.decisions import verify_decisions

LIKED = 0.7
"""What this judge likes best."""


@pytest.fixture
def tasting():
    """An experiment in which somebody prefers; its generators answer in this process, which starts none."""
    with Client(random_seed=1, generator=dispatch) as client:
        begin(client)
        yield client


def begin(client):
    client.configure_experiment([RangeParameterConfig("x", (0.0, 1.0)), RangeParameterConfig("y", (0.0, 1.0))])
    client.configure_preference()


def make(client, count=3):
    """Finished trials, without data."""
    return [done for trial in client.get_next_trials(count) for done in [trial] if client.complete_trial(trial)]


def judge(client, one, other):
    """Nearer to what is liked is better."""
    away = {trial: abs(client.state.trial(trial).parameters["x"] - LIKED) for trial in (one, other)}
    better, worse = sorted((one, other), key=away.__getitem__)
    return client.attach_comparison(better=better, worse=worse)


def taste(client, rounds):
    make(client, 3)
    for _ in range(rounds):
        judge(client, *client.get_next_comparison().trials)
        make(client, 1)


# --- telling --------------------------------------------------------------------------------------------------------


def test_a_trial_is_complete_without_data(tasting):
    (trial,) = make(tasting, 1)

    assert tasting.state.trial(trial).status is TrialStatus.COMPLETED
    assert tasting.state.trial(trial).missing == ()


def test_comparisons_are_numbered_and_say_who_compared(tasting):
    one, other = make(tasting, 2)
    numbers = [
        tasting.attach_comparison(better=one, worse=other, judge="Ada", note="less grainy", actor="user:kim"),
        tasting.attach_tie(one, other),
    ]
    first, second = tasting.state.comparisons

    assert numbers == [0, 1]
    assert (first.better, first.worse, first.judge, first.note) == (one, other, "Ada", "less grainy")
    assert second.tie


def test_answers_that_contradict_each_other_both_count(tasting):
    one, other = make(tasting, 2)
    tasting.attach_comparison(better=one, worse=other)
    tasting.attach_comparison(better=other, worse=one)
    predicted = tasting.predict([tasting.state.trial(index).parameters for index in (one, other)])

    assert predicted[0]["utility"][0] == pytest.approx(predicted[1]["utility"][0])


def test_nothing_is_compared_where_no_preference_is_sought():
    with Client(random_seed=1, generator=dispatch) as client:
        client.configure_experiment([RangeParameterConfig("x", (0.0, 1.0))])
        client.configure_optimization("y")
        with pytest.raises(CommandRefused, match="configure_preference"):
            client.attach_comparison(better=0, worse=1)
        with pytest.raises(CommandRefused, match="configure_preference"):
            client.get_next_comparison()


def test_a_trial_is_not_compared_with_itself(tasting):
    (one,) = make(tasting, 1)
    with pytest.raises(ConfigurationError, match=f"trial {one} cannot be compared with itself"):
        tasting.attach_comparison(better=one, worse=one)


def test_a_trial_that_does_not_exist_is_named(tasting):
    (one,) = make(tasting, 1)
    with pytest.raises(TrialNotFound, match="9"):
        tasting.attach_comparison(better=one, worse=9)


@pytest.mark.parametrize("end", ["running", "failed", "voided"])
def test_only_finished_trials_are_compared(tasting, end):
    (one,) = make(tasting, 1)
    (other,) = tasting.get_next_trials(1)
    if end == "failed":
        tasting.mark_trial_failed(other)
    elif end == "voided":
        tasting.complete_trial(other)
        tasting.void_trial(other, "spilt")
    with pytest.raises(CommandRefused, match=f"trial {other} is {end.upper()}"):
        tasting.attach_comparison(better=one, worse=other)


def test_a_refused_comparison_leaves_nothing_behind(tasting):
    (one,) = make(tasting, 1)
    with pytest.raises(TrialNotFound):
        tasting.attach_comparison(better=one, worse=9)

    assert tasting.state.comparisons == ()


def test_a_withdrawn_comparison_counts_no_more(tasting):
    one, other = make(tasting, 2)
    number = tasting.attach_comparison(better=one, worse=other)
    tasting.attach_comparison(better=other, worse=one)
    tasting.withdraw_comparison(number, "mixed up the cups")

    assert tasting.get_best_parameterization()[2] == other
    assert tasting.state.comparisons[0].withdrawn == "mixed up the cups"


def test_a_comparison_is_withdrawn_once_and_with_a_reason(tasting):
    one, other = make(tasting, 2)
    with pytest.raises(CommandRefused, match="nobody has compared"):
        tasting.withdraw_comparison(0, "why not")
    number = tasting.attach_comparison(better=one, worse=other)
    with pytest.raises(CommandRefused, match="needs a reason"):
        tasting.withdraw_comparison(number, " ")
    tasting.withdraw_comparison(number, "mixed up")
    with pytest.raises(CommandRefused, match="withdrawn already: mixed up"):
        tasting.withdraw_comparison(number, "again")


def test_what_a_withdrawn_trial_was_compared_with_is_forgotten_until_it_is_restored(tasting):
    one, other = make(tasting, 2)
    tasting.attach_comparison(better=one, worse=other)
    tasting.void_trial(one, "wrong flask")
    with pytest.raises(CommandRefused, match="nobody has compared"):
        tasting.get_best_parameterization()
    tasting.unvoid_trial(one, "it was the right one")

    assert tasting.get_best_parameterization()[2] == one


# --- asking ---------------------------------------------------------------------------------------------------------


def test_before_the_first_comparison_sobol_points_say_why(tasting):
    make(tasting, 5)
    (trial,) = tasting.get_next_trials(1)
    made = suggestion_of(tasting, trial)

    assert made.node == "sobol"
    assert "nobody has compared two trials yet" in made.fallback


def test_after_it_suggestions_challenge_what_is_liked_best(tasting):
    one, other, *_ = make(tasting, 5)
    tasting.attach_comparison(better=one, worse=other)
    (trial,) = tasting.get_next_trials(1)
    made = suggestion_of(tasting, trial)

    assert (made.node, made.fallback) == ("bo", None)
    assert made.generator.startswith("PairwiseGP(Matern-5/2)")
    assert "EUBO" in made.generator


def suggestion_of(client, trial):
    (found,) = [
        record.event.suggestion
        for record in logged(client)
        if isinstance(record.event, e.TrialCreated) and record.event.trial == trial
    ]
    return found


def logged(client):
    return list(client._async.engine.log.read(0))


def test_finished_trials_without_data_are_observed_and_not_pending(tasting):
    trials = make(tasting, 3)

    assert [point.trial for point in observed(tasting.state)] == trials
    assert pending(tasting.state) == ()


def test_two_at_once_are_two_different_challengers(tasting):
    one, other, *_ = make(tasting, 5)
    tasting.attach_comparison(better=one, worse=other)
    first, second = tasting.get_next_trials(2).values()

    assert max(abs(first[name] - second[name]) for name in first) > 0.01


def test_the_next_comparison_is_of_trials_that_were_not_compared_yet(tasting):
    make(tasting, 4)
    asked = []
    for _ in range(6):
        pair = tasting.get_next_comparison().trials
        asked.append(pair)
        judge(tasting, *pair)

    assert len(set(asked)) == 6


def test_where_all_pairs_were_compared_the_question_is_asked_again(tasting):
    one, other = make(tasting, 2)
    tasting.attach_comparison(better=one, worse=other)
    found = tasting.get_next_comparison()

    assert found.trials == (one, other)
    assert found.expected is not None


def test_before_the_first_comparison_the_most_different_trials_are_compared(tasting):
    for x in (0.4, 0.5, 0.9):
        tasting.complete_trial(tasting.attach_trial({"x": x, "y": 0.5}))
    found = tasting.get_next_comparison()

    assert found.trials == (0, 2)
    assert (found.model, found.expected) == ("", None)
    assert "nobody has compared" in found.reason


def test_one_trial_alone_is_not_compared(tasting):
    make(tasting, 1)
    with pytest.raises(GenerationError, match="1 finished trials"):
        tasting.get_next_comparison()


def test_a_closed_loop_goes_on_while_somebody_compares():
    with Client(random_seed=1, virtual_time=True, generator=dispatch) as client:
        begin(client)
        client.configure_runner(lambda parameters: None)
        client.run_trials(max_trials=4)
        for _ in range(3):
            judge(client, *client.get_next_comparison().trials)
        report = client.run_trials(max_trials=3)
        kinds = [client.state.trial(index).node for index in range(client.state.next_index)]

    assert report.outcome == "finished"
    assert kinds[-1] == "bo"


# --- answers --------------------------------------------------------------------------------------------------------


def test_the_best_trial_is_liked_best_by_a_model_which_says_how_surely(tasting):
    taste(tasting, 8)
    best = tasting.get_best_parameterization()

    assert best.source == "model"
    assert set(best[1]) == {"utility"}
    assert 0 < best.probability <= 1
    assert copy.copy(best).probability == best.probability
    assert abs(best[0]["x"] - LIKED) < 0.25


def test_without_a_model_it_is_the_trial_that_won_most(tasting):
    one, other, third = make(tasting, 3)
    tasting.attach_comparison(better=other, worse=one)
    tasting.attach_comparison(better=other, worse=third)
    best = tasting.get_best_parameterization(use_model_predictions=False)

    assert (best[2], best[1], best.source) == (other, {"won": (1.0, None)}, "observed")


def test_the_summary_says_how_often_each_was_preferred(tasting):
    one, other, third = make(tasting, 3)
    tasting.attach_comparison(better=other, worse=one)
    tasting.attach_tie(other, third)
    rows = {row["trial_index"]: row for row in tasting.summarize().rows}

    assert [(rows[i].get("won"), rows[i].get("compared")) for i in (one, other, third)] == [(0, 1), (1.5, 2), (0.5, 1)]


def test_predictions_have_no_unit_and_order_what_was_compared(tasting):
    one, other, _ = make(tasting, 3)
    for _ in range(3):
        tasting.attach_comparison(better=one, worse=other)
    better, worse = tasting.predict([tasting.state.trial(index).parameters for index in (one, other)])

    assert better["utility"][0] > worse["utility"][0]
    assert better["utility"][1] > 0


@pytest.mark.parametrize("ask", ["get_pareto_frontier", "get_hypervolume", "model_fit", "optimality"])
def test_what_is_asked_of_metrics_is_refused(tasting, ask):
    one, other = make(tasting, 2)
    tasting.attach_comparison(better=one, worse=other)
    with pytest.raises(CommandRefused, match="a preference is sought"):
        getattr(tasting, ask)()


# --- the log --------------------------------------------------------------------------------------------------------


def test_the_order_of_comparisons_does_not_matter():
    def request(order):
        with Client(random_seed=1, generator=dispatch) as client:
            begin(client)
            make(client, 5)
            for one, other in order:
                judge(client, one, other)
            return suggestion_request(client.state, node="bo", count=1, fixed={})

    pairs = [(0, 1), (2, 3), (1, 4), (0, 2), (0, 1)]
    shuffled = random.Random(5).sample(pairs, len(pairs))

    assert request(pairs) == request(shuffled)


def test_suggestions_are_the_same_after_a_restart_and_can_be_made_again_from_the_log(tmp_path):
    straight, broken = tmp_path / "straight.titrant", tmp_path / "broken.titrant"
    with Client(straight, random_seed=3) as client:
        begin(client)
        taste(client, 2)
        expected = client.state
    with Client(broken, random_seed=3) as client:
        begin(client)
        taste(client, 1)
    with Client.open(broken) as client:
        judge(client, *client.get_next_comparison().trials)
        make(client, 1)
        found = client.state

    assert [trial.parameters for trial in found.trials()] == [trial.parameters for trial in expected.trials()]
    assert found.comparisons == expected.comparisons
    assert verify_decisions(broken).ok
