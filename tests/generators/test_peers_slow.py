"""Ax and BayBE keep the contract of generators, with the real libraries.

A suggestion takes them seconds, and all of this half an hour: ``make test-peers``.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from titrant import Client, RangeParameterConfig
from titrant.errors import GenerationError
from titrant.generators.peers.ax import AxGenerator
from titrant.generators.peers.baybe import BayBEGenerator
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.replay.decisions import verify_decisions
from titrant.testing.generator_contract import SPACES, GeneratorContract, requested

pytestmark = pytest.mark.peers_slow

BOTH = pytest.mark.parametrize(("kind", "called"), [(AxGenerator, "Ax fast"), (BayBEGenerator, "BayBE")])


class TestAx(GeneratorContract):
    node = "bo"

    @pytest.fixture
    def generator(self):
        return AxGenerator()


class TestBayBE(GeneratorContract):
    node = "bo"

    @pytest.fixture
    def generator(self):
        return BayBEGenerator()


@BOTH
def test_their_suggestions_come_of_them(kind, called):
    for name in ("floats", "mixed", "log"):
        reply = kind().suggest(requested(SPACES[name], "bo", count=1))

        assert [(one.generator, one.fallback) for one in reply.proposals] == [(called, None)]
        assert {"botorch", "torch"} < reply.versions.keys()


@BOTH
def test_they_are_told_of_several_objectives(kind, called):
    given = requested(SPACES["floats"], "bo", count=1)
    observed = tuple(
        replace(point, observations=(*point.observations, Observation("cost", point.parameters["x"], 0.1)))
        for point in given.observed
    )
    both = replace(given, optimization=optimization_config("response, -cost"), observed=observed)
    (made,) = kind().suggest(both).proposals

    assert made.generator == called
    assert made.parameters != kind().suggest(given).proposals[0].parameters


def test_ax_is_told_of_outcome_constraints_and_baybe_says_that_it_has_none():
    given = requested(SPACES["floats"], "bo", count=1)
    observed = tuple(
        replace(point, observations=(*point.observations, Observation("cost", point.parameters["x"])))
        for point in given.observed
    )
    bounded = replace(given, optimization=optimization_config("response", ["cost >= 0.8"]), observed=observed)
    (made,) = AxGenerator().suggest(bounded).proposals

    assert made.generator == "Ax fast"
    assert made.parameters != AxGenerator().suggest(given).proposals[0].parameters
    with pytest.raises(GenerationError, match="BayBE knows no outcome constraints"):
        BayBEGenerator().suggest(bounded)


@BOTH
def test_a_run_with_them_is_derived_again(tmp_path, kind, called):
    path = tmp_path / "peer.titrant"
    with Client(path, random_seed=3, virtual_time=True, generator=kind()) as client:
        client.configure_experiment([RangeParameterConfig("x", (-5.0, 5.0)), RangeParameterConfig("y", (-5.0, 5.0))])
        client.configure_optimization("-loss")
        client.configure_runner(lambda at: {"loss": (at["x"] - 2) ** 2 + (at["y"] + 1) ** 2})
        client.run_trials(8, parallelism=2, progress=False)

        assert [trial.node for trial in client.state.trials()[5:]] == ["bo"] * 3
    found = verify_decisions(path, generator=kind())
    assert (found.equal, found.divergences) == (8, [])
