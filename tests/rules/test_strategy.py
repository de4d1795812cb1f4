"""Which node makes the next trials."""

import pytest
from msgspec.structs import replace

from titrant.messages import commands as c
from titrant.model.experiment import GenerationStrategy
from titrant.rules.strategy import next_node

from .world import Y1, after, asked, lab, suggested


def with_strategy(state, **fields):
    return replace(state, strategy=GenerationStrategy(**fields))


def completed(count):
    return after(asked(count), *(c.CompleteTrial(trial=index, observations=(Y1,)) for index in range(count)))


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (lab(), ("centre", 1)),
        (with_strategy(lab(), initialize_with_center=False), ("sobol", 5)),
        (asked(1), ("sobol", 4)),
        (asked(5), ("sobol", 8)),
        (completed(5), ("bo", 8)),
        (with_strategy(completed(5), method="random_search"), ("sobol", 8)),
        (replace(completed(5), optimization=None), ("sobol", 8)),
        (with_strategy(completed(5), min_observed=6), ("sobol", 8)),
        (with_strategy(completed(2), initialization_budget=2), ("bo", 8)),
        (after(completed(5), suggested(asked=True), c.MarkFailed(trial=5)), ("bo", 8)),
    ],
)
def test_the_next_node_follows_from_what_is_there(state, expected):
    assert next_node(state, 8) == expected


def test_failed_trials_do_not_count_towards_the_initial_design():
    given = after(asked(5), *(c.MarkFailed(trial=index) for index in range(3)))

    assert next_node(given, 8) == ("sobol", 3)


def test_a_failed_replicate_takes_nothing_from_the_initial_design():
    given = after(completed(2), c.Replicate(trial=0, count=2), c.MarkFailed(trial=2))

    assert next_node(given, 8) == ("sobol", 3)
    assert next_node(after(given, c.VoidResult(trial=1, reason="spilled")), 8) == ("sobol", 4)


def test_a_failed_attached_trial_takes_nothing_from_a_design_of_own_trials():
    given = after(completed(2), c.AttachTrial(parameters={"x": 0.5}), c.MarkFailed(trial=2))

    assert next_node(with_strategy(given, use_existing_trials=False), 8) == ("sobol", 3)


def test_attached_trials_count_only_where_the_strategy_says_so():
    given = after(lab(), *[c.AttachTrial(parameters={"x": 0.5})] * 2)

    assert next_node(given, 8) == ("sobol", 3)
    assert next_node(with_strategy(given, use_existing_trials=False), 8) == ("sobol", 5)
