"""``titrant learn``: a past experiment's log, told to the present one from a terminal."""

import pytest

from titrant import Client, RangeParameterConfig
from titrant.control.status import status


@pytest.fixture
def logs(tmp_path):
    """A past experiment in kelvin, and a present one in °C that has a pressure besides."""
    with Client(tmp_path / "old.titrant", random_seed=1, virtual_time=True) as client:
        client.configure_experiment([RangeParameterConfig("T", (300.0, 400.0))], name="old")
        client.configure_optimization("yield")
        for kelvin in (310.0, 330.0, 350.0, 390.0):
            client.complete_trial(client.attach_trial({"T": kelvin}), {"yield": -((kelvin - 345.0) ** 2)})
    with Client(tmp_path / "new.titrant", random_seed=2, virtual_time=True) as client:
        client.configure_experiment(
            [RangeParameterConfig("celsius", (20.0, 120.0)), RangeParameterConfig("bar", (1.0, 5.0))], name="new"
        )
        client.configure_optimization("yield")


READ = ("--name", "T=celsius", "--scale", "celsius=1,-273.15", "--fill", "bar=1")


def test_a_past_experiment_is_learned_from_and_stands_in_log_and_status(titrant, logs):
    told = titrant("learn", "old.titrant", "--log", "new.titrant", *READ, "-m", "the same flask")

    assert told.code == 0, told.err
    assert "4 of 4 trials of 'old' (old.titrant); called otherwise there: T for celsius" in told.out
    assert "past.learned" in titrant("log", "new.titrant").out
    assert titrant("status", "new.titrant", "--json").json["past"] == [
        {"name": "old", "file": "old.titrant", "trials": 4, "of": 4}
    ]
    assert "let it learn from a past experiment" in titrant("acts", "new.titrant").out
    with Client.open("new.titrant", virtual_time=True) as client:
        assert client.state.past[0].parameters["celsius"][2] == pytest.approx(76.85)
        assert status(client.state, 1)["past"][0]["name"] == "old"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "has no parameter 'celsius'"),
        ((*READ[:2], "--scale", "celsius=warm"), "as in temperature_k=1,273.15 for kelvin where the log has °C"),
        ((*READ[:4], "--fill", "bar=high"), "bar"),
        (("--name", "T"), "write it as T=temperature_c"),
    ],
)
def test_what_does_not_fit_is_bad_input(titrant, logs, options, words):
    told = titrant("learn", "old.titrant", "--log", "new.titrant", *options)

    assert told.code == 2
    assert words in told.err
