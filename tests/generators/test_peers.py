"""Optimizers of others keep the contract of generators, with the real library."""

from __future__ import annotations

import sys

import pytest
from msgspec.structs import replace

from titrant import Client, RangeParameterConfig
from titrant.errors import ConfigurationError
from titrant.generators.peers.optuna import OptunaGenerator
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.replay.decisions import verify_decisions
from titrant.testing.generator_contract import SPACES, GeneratorContract, requested

ALONE = optimization_config("response")


class TestOptuna(GeneratorContract):
    node = "bo"

    @pytest.fixture
    def generator(self):
        return OptunaGenerator()


def test_optunas_suggestions_come_of_optuna():
    for name in ("floats", "mixed", "log"):
        reply = OptunaGenerator().suggest(requested(SPACES[name], "bo"))

        assert [(one.generator, one.fallback) for one in reply.proposals] == [("Optuna TPE", None)] * 3
        assert "optuna" in reply.versions


@pytest.mark.parametrize(
    "sought", [optimization_config("response", ["cost >= 0.8"]), optimization_config("response, -cost")]
)
def test_optuna_is_told_of_outcome_constraints_and_several_objectives(sought):
    given = requested(SPACES["floats"], "bo")
    observed = tuple(
        replace(point, observations=(*point.observations, Observation("cost", point.parameters["x"])))
        for point in given.observed
    )
    made = [OptunaGenerator().suggest(replace(given, optimization=one, observed=observed)) for one in (sought, ALONE)]

    assert all(one.generator == "Optuna TPE" for reply in made for one in reply.proposals)
    assert made[0].proposals != made[1].proposals  # what is sought beside makes a difference


def test_a_run_with_optuna_gets_nearer_and_is_derived_again(tmp_path):
    path = tmp_path / "optuna.titrant"
    with Client(path, random_seed=3, virtual_time=True, generator=OptunaGenerator()) as client:
        client.configure_experiment([RangeParameterConfig("x", (-5.0, 5.0)), RangeParameterConfig("y", (-5.0, 5.0))])
        client.configure_optimization("-loss")
        client.configure_generation_strategy(initialization="latin_hypercube", initialization_budget=8)
        client.configure_runner(lambda at: {"loss": (at["x"] - 2) ** 2 + (at["y"] + 1) ** 2})
        client.run_trials(40, parallelism=2, progress=False)

        losses = [trial.observations[0].mean for trial in client.state.trials()]
        assert {trial.node for trial in client.state.trials()[8:]} == {"bo"}
        assert min(losses[8:]) < min(losses[:8])
    found = verify_decisions(path, generator=OptunaGenerator())
    assert (found.equal, found.divergences) == (40, [])


def test_without_optuna_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)

    with pytest.raises(ConfigurationError, match=r"titrant\[optuna\]"):
        OptunaGenerator()


def test_an_unknown_sampler_is_refused():
    with pytest.raises(ConfigurationError, match="must be 'tpe' or 'gp'"):
        OptunaGenerator("cmaes")
