"""Tasks: several related problems in one experiment, of which one is sought."""

from __future__ import annotations

import math

import pytest

from titrant import ChoiceParameterConfig, Client, ConfigurationError, RangeParameterConfig
from titrant.log.replay import read_log
from titrant.messages.events import TrialCreated
from titrant.replay.decisions import verify_decisions

X = RangeParameterConfig("x", (0.0, 1.0))
Y = RangeParameterConfig("y", (0.0, 1.0))
SITE = ChoiceParameterConfig("site", ["Basel", "Lyon", "Graz"], is_task=True, target_value="Lyon")
BEST = {"Basel": 0.62, "Lyon": 0.7, "Graz": 0.66}


def true(at):
    """The best x differs a little between the sites, and so does the scale."""
    away = (at["x"] - BEST[at["site"]]) ** 2 + (at["y"] - 0.3) ** 2
    return {"yield": (1.0 + (at["site"] == "Basel")) * math.exp(-6.0 * away)}


def opened(path=None):
    client = Client(path, random_seed=3, virtual_time=True)
    client.configure_experiment([X, Y, SITE])
    client.configure_optimization("yield")
    client.configure_runner(true)
    return client


def told(client, site, count=9):
    """Trials of a site that somebody carried out, spread evenly."""
    for i in range(count):
        at = {"x": (i % 3) * 0.4 + 0.1, "y": (i // 3) * 0.4 + 0.1, "site": site}
        client.complete_trial(client.attach_trial(at), true(at))


def test_suggestions_are_for_the_target_task():
    with opened() as client:
        client.run_trials(7, parallelism=2, progress=False)

        assert {trial.parameters["site"] for trial in client.state.trials()} == {"Lyon"}


def test_another_task_is_asked_for_as_a_context_is():
    with opened() as client:
        told(client, "Lyon")
        (trial,) = client.get_next_trials(1, context={"site": "Graz"}).values()
        client.run_trials(2, progress=False, context={"site": "Basel"})

        assert trial["site"] == "Graz"
        assert {one.parameters["site"] for one in client.state.trials()[-2:]} == {"Basel"}
        with pytest.raises(ConfigurationError, match="'site' is 'Rome'"):
            client.get_next_trials(1, context={"site": "Rome"})


def test_the_first_trial_of_a_task_is_where_other_tasks_are_best_and_says_so(tmp_path):
    path = tmp_path / "sites.titrant"
    with opened(path) as client:
        told(client, "Basel")
        told(client, "Graz")
        ((index, trial),) = client.get_next_trials(1).items()

        assert client.state.trial(index).node == "bo"
    assert (trial["x"], trial["y"]) == (pytest.approx(0.65, abs=0.2), pytest.approx(0.3, abs=0.2))
    (event,) = [r.event for r in read_log(path) if isinstance(r.event, TrialCreated) and r.event.suggestion]
    assert "of 'site Basel'" in event.suggestion.generator
    assert "of 'site Graz'" in event.suggestion.generator


def test_tasks_are_learned_from_and_every_suggestion_can_be_made_again(tmp_path):
    path = tmp_path / "sites.titrant"
    with opened(path) as client:
        told(client, "Basel")
        client.run_trials(5, parallelism=2, progress=False)
        best = client.get_best_parameterization(use_model_predictions=False)

    assert best[0]["site"] == "Lyon"
    assert best[1]["yield"][0] > 0.95
    found = verify_decisions(path)
    assert (found.equal, found.divergences) == (5, [])
