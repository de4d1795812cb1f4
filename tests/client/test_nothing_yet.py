"""Where no trial can be the best, it is said why, and of how many."""

from __future__ import annotations

import pytest

from titrant import Client, CommandRefused, RangeParameterConfig

A = RangeParameterConfig("a", (0.0, 1.0))


@pytest.fixture
def client():
    with Client(random_seed=1, virtual_time=True) as made:
        yield made


def told(client, parameters, data):
    client.complete_trial(client.attach_trial(parameters), data)


def why(client):
    with pytest.raises(CommandRefused) as refused:
        client.get_best_parameterization()
    with pytest.raises(CommandRefused) as of_optimality:
        client.optimality()
    assert str(of_optimality.value) == str(refused.value)
    assert list(client.get_pareto_frontier()) == []
    assert str(refused.value) in client.get_pareto_frontier().reason
    return str(refused.value)


def test_before_the_first_trial(client: Client):
    client.configure_experiment([A])
    client.configure_optimization("y")

    assert why(client) == "no trial has finished yet, so none is the best: complete one with a value of y"


def test_where_data_are_missing(client: Client):
    client.configure_experiment([A])
    client.configure_optimization("y + z", ["w <= 1"])
    for a in (0.1, 0.2):
        told(client, {"a": a}, {"y": 1.0, "w": 0.0})

    assert why(client) == (
        "none of the 2 finished trials is the best: 2 lack z; attach_data adds what was measured since"
    )


def test_where_constraints_are_broken(client: Client):
    client.configure_experiment([A])
    client.configure_optimization("y", ["w <= 1", "v >= 3"])
    for a in (0.1, 0.2, 0.3):
        told(client, {"a": a}, {"y": 1.0, "w": 10 * a, "v": 0.0})

    assert why(client) == (
        "no trial of 3 with data keeps the outcome constraints: w <= 1 is kept by 1, v >= 3 is kept by 0"
    )


def test_where_all_was_cheaper_than_what_is_sought(client: Client):
    client.configure_experiment([A, RangeParameterConfig("mesh", (1.0, 9.0), is_fidelity=True, target_value=9.0)])
    client.configure_optimization("y")
    told(client, {"a": 0.5, "mesh": 1.0}, 2.0)

    assert "none was carried out at the fidelity mesh = 9, for which the best is sought" in why(client)
