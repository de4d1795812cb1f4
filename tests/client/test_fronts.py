"""Several objectives through the client: the front, its hypervolume, and whether a model or a measurement says so."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from titrant import Client, CommandRefused, RangeParameterConfig
from titrant.analysis.fronts import hypervolume
from titrant.engine import Engine
from titrant.errors import WorkerDied
from titrant.generators.pareto import boxes
from titrant.replay.decisions import verify_decisions

PLACES = (0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1.0)
LUCKY = 0.95


def told(client, places=PLACES, sem=0.02, **more):
    """Yield grows with x, and cost faster beyond 0.5."""
    for x in places:
        data = {"yield": (x, sem), "cost": (1 + 4 * max(0.0, x - 0.5), sem), **{k: f(x) for k, f in more.items()}}
        client.complete_trial(client.attach_trial({"x": x}), raw_data=data)


@pytest.fixture(scope="module")
def client():
    with Client(random_seed=1) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))])
        client.configure_optimization("yield, -cost", objective_thresholds=["yield >= 0.1", "cost <= 4"])
        told(client)
        lucky = {"yield": (1.3, 0.5), "cost": (2.8, 0.02)}
        client.complete_trial(client.attach_trial({"x": LUCKY}), raw_data=lucky)
        yield client


def test_by_measurement_luck_is_on_the_front_and_beats_its_neighbour(client):
    front = client.get_pareto_frontier(use_model_predictions=False)

    assert front.source == "observed"
    assert front.reason == ""
    assert {parameters["x"] for parameters, _, _, _ in front} == {0.45, 0.6, 0.75, 0.9, LUCKY}


def test_by_predictions_the_front_sees_through_luck(client):
    front = client.get_pareto_frontier()

    assert front.source == "model"
    assert {0.6, 0.75, 0.9, 1.0} <= {parameters["x"] for parameters, _, _, _ in front}
    parameters, values, index, name = next(one for one in front if one[0]["x"] == LUCKY)
    assert values["yield"][0] == pytest.approx(0.95, abs=0.1)
    assert values["yield"] == pytest.approx(client.predict([parameters])[0]["yield"])
    assert (client.state.trial(index).arm_name, client.state.trial(index).parameters) == (name, parameters)


def test_the_hypervolume_is_measured_from_the_thresholds(client):
    found = client.get_hypervolume(use_model_predictions=False)
    front = client.get_pareto_frontier(use_model_predictions=False)
    rows = [(values["yield"][0], -values["cost"][0]) for _, values, _, _ in front]

    assert found.reference == pytest.approx({"yield": 0.1, "-cost": 4.0})
    assert found.inferred == ()
    assert found.value == pytest.approx(hypervolume(rows, (0.1, -4.0)))
    assert client.get_hypervolume().source == "model"
    assert client.get_hypervolume().value < found.value


def test_what_misses_a_threshold_is_not_on_the_front():
    with Client(random_seed=1) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))])
        client.configure_optimization("yield, -cost", ["cost <= 2", "yield >= 0.4"])
        told(client)

        assert {one[0]["x"] for one in client.get_pareto_frontier(use_model_predictions=False)} == {0.45, 0.6, 0.75}


def test_a_threshold_and_a_constraint_may_refer_to_the_baseline():
    with Client(random_seed=1) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))])
        client.configure_optimization(
            "yield, -cost", ["heat <= 1.6*baseline"], objective_thresholds=["yield >= 0.5*baseline"]
        )
        baseline = client.attach_baseline({"x": 0.6})
        client.complete_trial(baseline, raw_data={"yield": 0.6, "cost": 1.4, "heat": 0.6})
        told(client, heat=lambda x: x)

        xs = {one[0]["x"] for one in client.get_pareto_frontier(use_model_predictions=False)}
        assert xs == {0.45, 0.6, 0.75, 0.9}
        assert client.get_hypervolume().reference["yield"] == pytest.approx(0.3)
        assert client.get_hypervolume().inferred == ("-cost",)
        (parameters,) = client.get_next_trials(1).values()
        assert 0 <= parameters["x"] <= 1


@pytest.mark.parametrize("model", [True, False])
def test_a_constraint_whose_baseline_has_no_data_does_not_count_and_is_named_beside_the_answer(model):
    """The others count all the same, whichever comes first."""
    with Client(random_seed=1) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))])
        client.configure_optimization("yield", ["heat <= 1.6*baseline", "cost <= 0.6"])
        for x in (0.1, 0.3, 0.5, 0.9):
            client.complete_trial(client.attach_trial({"x": x}), {"yield": x, "heat": x, "cost": x})

        best = client.get_best_parameterization(use_model_predictions=model)

        assert best[0]["x"] == 0.5
        assert best.reason.endswith(
            "heat <= 1.6*baseline: counts as kept, as the baseline has no data yet (attach_baseline)"
        )

        client.complete_trial(client.attach_baseline({"x": 0.2}), {"yield": 0.2, "heat": 0.2, "cost": 0.2})
        best = client.get_best_parameterization(use_model_predictions=model)

        assert (best[0]["x"], best.reason) == (0.3, "")


def test_a_front_names_the_constraints_that_do_not_count_yet():
    with Client(random_seed=1) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))])
        client.configure_optimization("yield, -cost", ["heat <= 1.6*baseline"])
        told(client, heat=lambda x: x)

        for model in (True, False):
            assert "heat <= 1.6*baseline: counts as kept" in client.get_pareto_frontier(model).reason
            assert "heat <= 1.6*baseline: counts as kept" in client.get_hypervolume(model).reason


def test_a_hypervolume_needs_several_objectives_and_a_front():
    with Client(random_seed=1) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))])
        client.configure_optimization("yield")
        with pytest.raises(CommandRefused, match="there are 1 objectives"):
            client.get_hypervolume()
        client.configure_optimization("yield, -cost")
        assert client.get_pareto_frontier() == []
        with pytest.raises(CommandRefused, match="the front is empty"):
            client.get_hypervolume()


def test_measured_values_that_stand_in_for_a_model_say_so(monkeypatch, capsys):
    async def dead(*_):
        raise WorkerDied("the worker ended with code -9")

    with Client(random_seed=1) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))])
        client.configure_optimization("yield", ["cost <= 4"])
        told(client)
        before = client.get_best_parameterization()
        monkeypatch.setattr(Engine, "predict", dead)
        after = client.get_best_parameterization()

    assert (before.source, before.reason) == ("model", "")
    assert (after.source, after.reason) == ("observed", "the worker ended with code -9")
    assert "measured values stand in" in capsys.readouterr().err


def test_a_model_that_expects_every_trial_to_break_a_constraint_says_so():
    with Client(random_seed=1) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))])
        client.configure_optimization("yield", ["cost <= 0.99"])
        told(client)
        client.complete_trial(client.attach_trial({"x": 0.2}), raw_data={"yield": (0.2, 0.02), "cost": (0.5, 3.0)})
        best = client.get_best_parameterization()

    assert best.source == "observed"
    assert best.reason == "the model expects of no trial that it keeps the constraints"


def test_an_answer_is_a_tuple_that_can_be_copied(client):
    best = client.get_pareto_frontier()[0]

    for same in (copy.copy(best), pickle.loads(pickle.dumps(best))):
        assert same == best
        assert same.source == best.source


@pytest.mark.parametrize("k", [2, 3, 4])
@given(rows=st.data())
@settings(max_examples=15, deadline=None)
def test_both_ways_to_a_hypervolume_agree(k, rows):
    values = rows.draw(st.lists(st.tuples(*[st.integers(0, 5)] * k), max_size=8))

    expected = boxes.hypervolume(np.array(values, dtype=float).reshape(-1, k), np.full(k, -0.5))
    assert hypervolume([tuple(map(float, row)) for row in values], (-0.5,) * k) == pytest.approx(expected)


def test_a_campaign_with_failures_trades_off_where_it_can_and_is_derived_again(tmp_path):
    def made(at):
        if at["x"] > 0.7:
            raise RuntimeError("the pressure rose")
        return {"yield": (at["x"], 0.01), "cost": (at["x"] - 0.2) ** 2 + at["y"]}

    with Client(tmp_path / "log.titrant", random_seed=3, virtual_time=True) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1)), RangeParameterConfig("y", (0, 1))])
        client.configure_optimization("yield, -cost", ["yield >= 0.1"])
        client.configure_runner(made)
        client.run_trials(18, parallelism=3, progress=False)
        trials = client.state.trials()
        front = client.get_pareto_frontier()

    failed = [trial.index for trial in trials if trial.informative]
    assert failed
    assert all("the pressure rose" in (trials[index].reason or "") for index in failed)
    assert len([index for index in failed if index > 8]) <= 3
    assert front.source == "model"
    assert len(front) >= 4
    decisions = verify_decisions(tmp_path / "log.titrant")
    assert decisions.ok, str(decisions)
    assert decisions.equal == 18
