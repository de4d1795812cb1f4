"""Answers go by what was carried out, not by what was planned."""

from __future__ import annotations

import pytest

from titrant import ChoiceParameterConfig, Client, RangeParameterConfig
from titrant.analysis.questions import circumstances
from titrant.progress.best import Leaderboard

A = RangeParameterConfig("a", (0.0, 1.0))
SITE = ChoiceParameterConfig("site", ["Basel", "Lyon"], is_task=True, target_value="Lyon")


@pytest.fixture
def client():
    with Client(random_seed=1, virtual_time=True) as made:
        yield made


def told(client, parameters, value, executed=None):
    trial = client.attach_trial(parameters)
    client.complete_trial(trial, {"y": value}, executed=executed)
    return trial


def test_a_trial_is_of_the_task_that_it_was_carried_out_at(client: Client):
    client.configure_experiment([A, SITE])
    client.configure_optimization("y")
    told(client, {"a": 0.9, "site": "Lyon"}, 9.0, executed={"site": "Basel"})
    at_lyon = told(client, {"a": 0.3, "site": "Basel"}, 10.0, executed={"site": "Lyon"})
    told(client, {"a": 0.5, "site": "Lyon"}, 1.0)

    assert client.get_best_parameterization(use_model_predictions=False)[2] == at_lyon
    assert [point.trial for point in Leaderboard(client.state).front] == [at_lyon]


def test_trials_older_than_a_task_are_of_the_one_given_for_them(client: Client):
    client.configure_experiment([A])
    client.configure_optimization("y")
    older = told(client, {"a": 0.9}, 9.0)
    client.add_parameter(SITE, backfill="Lyon")
    told(client, {"a": 0.9, "site": "Basel"}, 10.0)

    assert client.get_best_parameterization(use_model_predictions=False)[2] == older


def test_the_context_of_trials_older_than_it_is_the_one_given_for_them(client: Client):
    client.configure_experiment([A])
    client.configure_optimization("y")
    told(client, {"a": 0.9}, 9.0)
    client.add_parameter(RangeParameterConfig("ambient", (15.0, 30.0), is_context=True), backfill=20.0)

    assert circumstances(client.state) == {"ambient": 20.0}


@pytest.mark.parametrize(("executed", "together"), [(0.504, True), (0.9, False)])
def test_a_replicate_carried_out_elsewhere_is_not_averaged_with_the_trial_it_repeats(
    client: Client, executed: float, together: bool
):
    client.configure_experiment([A])
    client.configure_optimization("y")
    first = told(client, {"a": 0.5}, 10.0, executed={"a": executed})
    (second,) = client.replicate_trial(first)
    client.complete_trial(second, {"y": 2.0})

    _, values, _, _ = client.get_best_parameterization(use_model_predictions=False)

    assert values["y"][0] == (6.0 if together else 10.0)
    assert [point.values["y"] for point in Leaderboard(client.state).trace] == ([6.0] if together else [10.0, 2.0])
