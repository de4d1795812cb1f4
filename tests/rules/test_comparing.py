"""Comparisons: what is refused, what is kept, and what models are told."""

from __future__ import annotations

import msgspec
import pytest

from titrant.errors import CommandRefused, ConfigurationError, TrialNotFound
from titrant.generators.requests import observed, pending, suggestion_request
from titrant.log.legality import Legality
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.model.comparison import Verdict
from titrant.model.objective import PREFERENCE, optimization_config

from .world import SETUP, after, asked, then


def finished(count=3):
    """Trials without data, where a preference is sought."""
    state = after(asked(count), c.ConfigureOptimization(optimization=PREFERENCE))
    return after(state, *(c.CompleteTrial(trial=i) for i in range(count)))


def compare(better=0, worse=1, **more):
    return c.AttachComparison(better=better, worse=worse, **more)


def test_a_comparison_is_kept_with_who_said_so():
    assert then(finished(), compare(judge=" Ada ", note="brighter")) == (
        e.ComparisonAttached(better=0, worse=1, judge="Ada", note="brighter"),
    )


def test_it_changes_what_models_learn_from_once():
    before = finished()

    assert after(before, compare()).results == before.results + 1


def test_without_a_preference_it_is_refused():
    state = after(asked(2), c.CompleteTrial(trial=0), c.CompleteTrial(trial=1))
    with pytest.raises(CommandRefused, match="call configure_preference first"):
        then(state, compare())


@pytest.mark.parametrize(
    ("command", "error", "said"),
    [
        (compare(1, 1), ConfigurationError, "trial 1 cannot be compared with itself"),
        (compare(0, 9), TrialNotFound, "no trial 9"),
        (compare(9, 0), TrialNotFound, "no trial 9"),
        (c.WithdrawComparison(comparison=0, reason="?"), CommandRefused, "nobody has compared anything"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(command, error, said):
    with pytest.raises(error, match=said):
        then(finished(), command)


def test_a_trial_that_is_not_over_is_refused():
    state = after(asked(2), c.ConfigureOptimization(optimization=PREFERENCE), c.CompleteTrial(trial=0))
    with pytest.raises(CommandRefused, match="trial 1 is RUNNING: only trials that are COMPLETED or EARLY_STOPPED"):
        then(state, compare())


def test_a_withdrawn_comparison_keeps_its_number_and_tells_models_nothing():
    state = after(finished(), compare(0, 1), compare(1, 2), c.WithdrawComparison(comparison=0, reason="swapped"))

    assert [one.withdrawn for one in state.comparisons] == ["swapped", ""]
    assert suggestion_request(state, node="bo", count=1, fixed={}).comparisons == (Verdict(1, 2),)


def test_models_are_told_of_all_finished_trials_and_of_no_data():
    state = finished(2)

    assert [point.trial for point in observed(state)] == [0, 1]
    assert pending(state) == ()


def test_once_a_metric_is_sought_comparisons_count_no_more():
    state = after(finished(), compare(), c.ConfigureOptimization(optimization=optimization_config("y")))

    assert suggestion_request(state, node="bo", count=1, fixed={}).comparisons == ()


def test_requests_without_comparisons_say_nothing_of_them():
    """What is left out has no part in a fingerprint: suggestions of older logs can still be made again."""
    assert b"comparisons" not in msgspec.json.encode(suggestion_request(asked(2), node="bo", count=1, fixed={}))


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (e.ComparisonAttached(better=0, worse=5), "trial 5 was compared, which did not exist"),
        (e.ComparisonAttached(better=0, worse=1), "trial 1 was compared, which is in hand and not finished"),
        (e.ComparisonAttached(better=0, worse=0), "trial 0 was compared with itself"),
        (e.ComparisonWithdrawn(comparison=0, reason="?"), "comparison 0 was withdrawn, which did not exist"),
    ],
)
def test_an_auditor_sees_comparisons_that_no_rule_allows(event, said):
    legality = Legality()
    for one in (
        *SETUP,
        e.TrialCreated(trial=0, parameters={"x": 0.1}, asked=True),
        e.TrialCreated(trial=1, parameters={"x": 0.2}, asked=True),
        e.TrialCompleted(trial=0),
    ):
        assert legality.fault(one) is None

    assert legality.fault(event) == said
