"""Choices with descriptors in a client: carried through the log, and changed in mid-experiment."""

from __future__ import annotations

import pytest

from titrant import ChoiceParameterConfig, Client, ConfigurationError, RangeParameterConfig
from titrant.replay.decisions import verify_decisions

TABLE = {f"s{i}": {"polarity": float(i), "size": float(i * i % 7)} for i in range(8)}
T = RangeParameterConfig("t", (0.0, 1.0))


def solvents(*names, table=TABLE):
    return ChoiceParameterConfig("solvent", names or list(TABLE)[:6], descriptors=table)


def react(parameters):
    polarity = TABLE[parameters["solvent"]]["polarity"]
    return {"y": -((polarity - 4.0) ** 2) - (parameters["t"] - 0.5) ** 2}


def opened(path=None):
    client = Client(path, random_seed=2, virtual_time=True)
    client.configure_experiment([solvents(), T])
    client.configure_optimization("y")
    client.configure_runner(react)
    return client


def test_every_suggestion_follows_from_the_log_alone(tmp_path):
    path = tmp_path / "solvents.titrant"
    with opened(path) as client:
        client.run_trials(9, progress=False)
        best, *_ = client.get_best_parameterization(use_model_predictions=False)
    with Client.open(path, virtual_time=True) as client:
        assert client.state.experiment.space.parameter("solvent") == solvents()

    assert best["solvent"] == "s4"
    found = verify_decisions(path)
    assert (found.equal, found.divergences) == (9, [])


def test_a_value_that_comes_later_is_predicted_by_its_descriptors():
    with opened() as client:
        client.run_trials(9, progress=False)
        client.change_search_space([solvents(*TABLE), T])
        near, far = client.predict([{"solvent": "s6", "t": 0.5}, {"solvent": "s7", "t": 0.5}])

        assert near["y"][0] > far["y"][0]
        assert {trial["solvent"] for trial in client.get_next_trials(3).values()} <= set(TABLE)


def test_a_value_without_descriptors_is_refused_and_changes_nothing():
    with opened() as client:
        with pytest.raises(ConfigurationError, match="descriptors of 'solvent' have no row of 'new'"):
            client.change_search_space([solvents("s1", "new"), T])
        assert client.state.space_changes == 0
