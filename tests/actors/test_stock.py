"""Suggestions made ahead: how many, and for which question."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from titrant.actors.stock import Pace, Stock
from titrant.model.experiment import GenerationStrategy
from titrant.model.trial import Suggestion, Trial
from titrant.rules.state import State


def suggestion(x: float) -> Suggestion:
    return Suggestion(parameters={"x": x}, node="bo", generator="test")


def pace(generation_s: float, trial_s: float) -> Pace:
    made = Pace(generation_s)
    made.ran(Trial(0, {}, submitted_at=0), round(trial_s * 1e6))
    return made


@pytest.mark.parametrize(
    ("generation_s", "trial_s", "parallelism", "depth"),
    [
        (0.3, 3600.0, 4, 0),  # an hour: wait for a suggestion that has seen the newest data
        (0.3, 20.0, 1, 1),
        (0.3, 5.0, 3, 2),
        (0.3, 1.0, 4, 3),
        (0.3, 0.1, 4, 4),  # never more than there are slots
        (0.0, 1.0, 4, 0),  # virtual time: suggestions take none
    ],
)
def test_the_stock_is_as_deep_as_the_slots_need(generation_s, trial_s, parallelism, depth):
    assert pace(generation_s, trial_s).depth(parallelism) == depth


@pytest.mark.parametrize(
    ("draw_s", "trial_s", "parallelism", "deadline_s", "count"),
    [
        (0.002, 1.0, 4, 60.0, 0),  # each is drawn when it is needed
        (0.002, 0.1, 4, 60.0, 16),
        (0.002, 0.1, 96, None, 96),
        (0.5, 0.1, 4, 2.0, 2),  # sixteen would not be there in time
        (0.0, 0.1, 4, 60.0, 0),  # virtual time: nothing takes any
    ],
)
def test_points_of_a_sequence_are_drawn_ahead_for_short_trials_only(draw_s, trial_s, parallelism, deadline_s, count):
    short = pace(0.3, trial_s)
    short.drawn(draw_s)
    assert short.worth_drawing(parallelism, deadline_s) == count
    assert Pace(0.3).worth_drawing(parallelism, deadline_s) == 0


def test_a_first_point_that_waited_for_a_process_makes_no_trial_short():
    long = pace(0.3, 20.0)
    long.drawn(0.5)
    long.drawn(0.002)
    assert long.worth_drawing(4, 60.0) == 0


def test_only_short_trials_are_in_haste():
    assert pace(0.3, 2.0).in_haste
    assert not pace(0.3, 60.0).in_haste
    assert not Pace(0.3).in_haste


def test_the_oldest_suggestion_goes_first():
    stock = Stock()
    stock.keep(State(), (suggestion(1.0),))
    stock.keep(State(), (suggestion(2.0), suggestion(3.0)))

    assert stock.take(State(), 2) == (suggestion(1.0), suggestion(2.0))
    assert stock.held() == (suggestion(3.0),)


def test_suggestions_for_another_question_are_thrown_away():
    stock = Stock()
    stock.keep(State(), (suggestion(1.0),))

    assert stock.take(replace(State(), strategy=GenerationStrategy(method="random_search")), 1) == ()
    assert len(stock) == 0
