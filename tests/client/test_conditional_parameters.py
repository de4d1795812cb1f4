"""Experiments whose parameters are active only under a value of a choice, from the first trial to a changed space."""

from __future__ import annotations

import pytest

from titrant import ChoiceParameterConfig, Client, ConfigurationError, RangeParameterConfig
from titrant.errors import SearchSpaceError
from titrant.generators.requests import observed
from titrant.replay.decisions import verify_decisions

MODE = ChoiceParameterConfig("mode", ["batch", "flow"], dependent_parameters={"flow": ["rate"], "batch": ["rpm"]})
PARAMETERS = [
    MODE,
    RangeParameterConfig("rate", (0.0, 1.0)),
    RangeParameterConfig("rpm", (100, 900), "int"),
    RangeParameterConfig("t", (0.0, 1.0)),
]
FLOW, BATCH = {"mode", "rate", "t"}, {"mode", "rpm", "t"}


def react(parameters):
    """Knows the parameters of its mode only, and complains of others."""
    if parameters["mode"] == "flow":
        assert set(parameters) == FLOW
        return {"y": 1.0 - (parameters["rate"] - 0.7) ** 2 - (parameters["t"] - 0.2) ** 2}
    assert set(parameters) == BATCH
    return {"y": 0.5 - (parameters["rpm"] / 900 - 0.5) ** 2}


def opened(path=None, constraints=()):
    client = Client(path, random_seed=1, virtual_time=True)
    client.configure_experiment(PARAMETERS, list(constraints))
    client.configure_optimization("y")
    client.configure_runner(react)
    return client


def test_runners_get_what_is_active_and_every_suggestion_can_be_made_again(tmp_path):
    path = tmp_path / "modes.titrant"
    with opened(path, ["t - rate <= 0.5"]) as client:
        client.run_trials(12, parallelism=2, progress=False)
        kinds = {frozenset(trial.parameters) for trial in client.state.trials()}
        best, *_ = client.get_best_parameterization(use_model_predictions=False)
        table = client.summarize()

    assert kinds == {frozenset(FLOW), frozenset(BATCH)}
    assert best["mode"] == "flow"
    assert len(table) == 12
    with Client.open(path, virtual_time=True) as again:
        assert again.state.experiment.space.is_conditional
    found = verify_decisions(path)
    assert (found.equal, found.divergences) == (12, [])


def test_trials_of_ones_own_may_lack_what_is_not_active_or_have_it():
    with opened() as client:
        lacking = client.attach_trial({"mode": "flow", "rate": 0.5, "t": 0.5})
        having = client.attach_trial({"mode": "batch", "rpm": 300, "t": 0.5, "rate": float("nan")})
        for trial in (lacking, having):
            client.complete_trial(trial, {"y": 1.0})

        assert client.state.trial(having).parameters == {"mode": "batch", "rpm": 300, "t": 0.5}
        with pytest.raises(ConfigurationError, match="'rate' has no value"):
            client.attach_trial({"mode": "flow", "t": 0.5})


def test_what_is_asked_for_is_held_where_it_is_active():
    with opened() as client:
        made = client.get_next_trials(6, fixed_parameters={"rate": 0.25}).values()

        assert {trial["rate"] for trial in made if trial["mode"] == "flow"} == {0.25}
        assert all("rate" not in trial for trial in made if trial["mode"] == "batch")


def test_a_parameter_may_become_conditional_in_mid_experiment():
    with Client(random_seed=1, virtual_time=True) as client:
        client.configure_experiment([ChoiceParameterConfig("mode", ["batch", "flow"]), PARAMETERS[3]])
        client.configure_optimization("y")
        for trial, parameters in client.get_next_trials(6).items():
            client.complete_trial(trial, {"y": parameters["t"]})
        client.change_search_space(PARAMETERS, backfill={"rate": 0.5, "rpm": 500})
        made = client.get_next_trials(4).values()

        assert all(set(trial) == (FLOW if trial["mode"] == "flow" else BATCH) for trial in made)
        assert client.predict([{"mode": "flow", "rate": 0.5, "t": 0.5}])


def test_a_choice_that_is_fixed_leaves_what_it_activates_and_can_vary_again():
    with opened() as client:
        for trial, parameters in client.get_next_trials(6).items():
            client.complete_trial(trial, react(parameters))
        client.fix_parameter("mode", "flow")

        assert all(set(trial) == FLOW for trial in client.get_next_trials(3).values())


def test_nothing_becomes_always_active_by_accident():
    said = "'rpm' is active under batch of 'mode' only, which would be gone: remove 'rpm' as well"
    with opened() as client, pytest.raises(ConfigurationError, match=said):
        client.remove_parameter("mode")


@pytest.mark.parametrize("role", ["is_task", "is_fidelity"])
def test_a_task_or_a_fidelity_that_depends_on_a_choice_is_refused(role):
    part = ChoiceParameterConfig("rate", [1, 2], "int", target_value=2, **{role: True})
    said = f"'rate' has {role} and is active under a value of 'mode' only.*: take it out of dependent_parameters"
    with Client(random_seed=1, virtual_time=True) as client:
        with pytest.raises(SearchSpaceError, match=said):
            client.configure_experiment([MODE, part, *PARAMETERS[2:]])
        client.configure_experiment(PARAMETERS)
        with pytest.raises(SearchSpaceError, match=said):
            client.change_search_space([MODE, part, *PARAMETERS[2:]])

        assert client.state.experiment.space.names == ("mode", "rate", "rpm", "t")


def test_what_was_executed_under_another_choice_must_be_told_whole():
    with opened() as client:
        trial = client.attach_trial({"mode": "batch", "rpm": 300, "t": 0.5})
        said = "in trial 0 is not complete: 'rate' is active at mode = 'flow': also say 'rate'"
        with pytest.raises(ConfigurationError, match=said):
            client.complete_trial(trial, {"y": 1.0}, executed={"mode": "flow"})
        client.complete_trial(trial, {"y": 1.0}, executed={"mode": "flow", "rate": 0.3})
        best, *_ = client.get_best_parameterization(use_model_predictions=False)
        assert best == {"mode": "flow", "rate": 0.3, "t": 0.5}
        assert observed(client.state)[0].parameters == best

        client.record_executed(trial, {"mode": "batch"})  # the plan says the rest
        assert observed(client.state)[0].parameters == {"mode": "batch", "rpm": 300, "t": 0.5}


def test_a_choice_that_was_fixed_keeps_data_and_suggestions_when_its_dependents_change():
    stages = ChoiceParameterConfig("stages", [1, 2, 3], "int", dependent_parameters={2: ["t"], 3: ["t", "rate"]})
    with Client(random_seed=1, virtual_time=True) as client:
        client.configure_experiment([stages, PARAMETERS[1], PARAMETERS[3], RangeParameterConfig("a", (0.0, 1.0))])
        client.configure_optimization("y")
        for trial, parameters in client.get_next_trials(6).items():
            client.complete_trial(trial, {"y": parameters["a"]})
        client.fix_parameter("stages", 2)
        client.remove_parameter("rate")
        (trial,) = client.get_next_trials(1).values()

        assert set(trial) == {"stages", "t", "a"}
        assert trial["stages"] == 2
