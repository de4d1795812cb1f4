"""Parameters that are given by the circumstances when a trial is asked for, and not chosen."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from titrant import Client, CommandRefused, ConfigurationError, RangeParameterConfig
from titrant.errors import GenerationError
from titrant.replay.decisions import verify_decisions

X = RangeParameterConfig("x", (0.0, 1.0))
WARMTH = RangeParameterConfig("warmth", (0.0, 1.0), is_context=True)


def true(parameters):
    """The best x is the warmth, and warm days are better for any x."""
    return -((parameters["x"] - parameters["warmth"]) ** 2) + 2.0 * parameters["warmth"]


def opened(path=None, *parameters):
    client = Client(path, random_seed=3, virtual_time=True)
    client.configure_experiment([X, WARMTH, *parameters])
    client.configure_optimization("y")
    client.configure_runner(lambda parameters: {"y": true(parameters)})
    return client


def test_a_trial_is_made_for_the_context_that_is_given():
    with opened() as client:
        made = [client.get_next_trials(2, context={"warmth": warmth}) for warmth in (0.25, 0.75)]

    assert [{trial["warmth"] for trial in trials.values()} for trials in made] == [{0.25}, {0.75}]


def test_the_model_learns_over_contexts_what_is_best_in_each():
    warmths = np.random.default_rng(1000).random(14)
    with opened() as client:
        for warmth in warmths:
            ((trial, parameters),) = client.get_next_trials(1, context={"warmth": float(warmth)}).items()
            client.complete_trial(trial, {"y": true(parameters)})
        asked = {w: client.get_next_trials(1, context={"warmth": w}) for w in (0.1, 0.5, 0.9)}

    for warmth, trials in asked.items():
        (parameters,) = trials.values()
        assert parameters["x"] == pytest.approx(warmth, abs=0.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"context": {"x": 0.5}}, "'x' is no context parameter: use warmth"),
        ({"context": {"warmth": 2.0}}, "parameter 'warmth' is 2.0, outside its bounds"),
    ],
)
def test_a_context_that_makes_no_sense_is_refused(arguments, message):
    with opened() as client:
        with pytest.raises(ConfigurationError, match=message):
            client.get_next_trials(1, **arguments)
        assert client.state.next_index == 0


def test_a_context_that_is_not_given_is_asked_for():
    with opened() as client:
        with pytest.raises(
            GenerationError, match=r"the context is not known: say what it is, as context={'warmth': …}"
        ):
            client.get_next_trials(1)
        with pytest.raises(CommandRefused, match=r"run_trials: the context is not known"):
            client.run_trials(3, progress=False)
        assert client.state.next_index == 0


def test_a_run_goes_on_in_the_context_it_was_given_also_after_a_restart(tmp_path):
    path = tmp_path / "warm.titrant"
    with opened(path) as client:
        client.run_trials(4, parallelism=2, context={"warmth": 0.5}, progress=False)
    with Client.open(path, virtual_time=True) as client:
        client.configure_runner(lambda parameters: {"y": true(parameters)})
        client.run_trials(5, parallelism=2, context={"warmth": 0.25}, progress=False)
        warmths = [trial.parameters["warmth"] for trial in client.state.trials()]

    assert warmths == [0.5] * 4 + [0.25] * 5
    found = verify_decisions(path)
    assert (found.equal, found.divergences) == (9, [])


def test_a_run_reads_the_context_before_each_suggestion_and_can_be_replayed(tmp_path):
    path = tmp_path / "sensor.titrant"
    readings = itertools.cycle((0.2, 0.4, 0.6, 0.8))
    with opened(path) as client:
        client.run_trials(9, context=lambda: {"warmth": next(readings)}, progress=False)
        warmths = [trial.parameters["warmth"] for trial in client.state.trials()]

    assert len(set(warmths)) == 4
    found = verify_decisions(path)
    assert (found.equal, found.divergences) == (9, [])


def test_a_context_that_cannot_be_read_ends_the_run_and_says_why():
    readings = iter([{"warmth": 0.2}, {"warmth": 0.4}])

    def read():
        try:
            return next(readings)
        except StopIteration:
            raise OSError("the thermometer does not answer") from None

    with opened() as client:
        report = client.run_trials(5, context=read, progress=False)

    assert (report.outcome, report.trials_created) == ("exhausted", 1)
    assert "the thermometer does not answer" in report.reason


def test_a_context_that_comes_in_mid_experiment_needs_a_value_for_old_trials():
    with Client(random_seed=3, virtual_time=True) as client:
        client.configure_experiment([X])
        client.configure_optimization("y")
        for trial, parameters in client.get_next_trials(3).items():
            client.complete_trial(trial, {"y": true({**parameters, "warmth": 0.5})})
        client.change_search_space([X, WARMTH], backfill={"warmth": 0.5})

        assert client.get_next_trials(1, context={"warmth": 0.75})
