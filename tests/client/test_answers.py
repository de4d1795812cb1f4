"""Questions about the model through the client: its fit, what matters, what is left, and the best it knows."""

from __future__ import annotations

import pytest

from titrant import AsyncClient, Client, CommandRefused, ConfigurationError, RangeParameterConfig, TrialStatus
from titrant.errors import GenerationError, WorkerDied
from titrant.model.insight import ModelFit, Optimality, ParameterImportance

# One lucky measurement at 0.9 among a clear optimum at 0.5, whose neighbours agree.
PLACES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7, 0.8, 0.85, 0.95, 1.0)
LUCKY = 0.9


@pytest.fixture(scope="module")
def client():
    with Client(random_seed=1) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1)), RangeParameterConfig("idle", (0, 1))])
        client.configure_optimization("y")
        for place, x in enumerate((*PLACES, LUCKY)):
            value = 10 - 40 * (x - 0.5) ** 2 + (8.0 if x == LUCKY else 0.0)
            at = {"x": x, "idle": (0.37 * place) % 1.0}
            client.complete_trial(client.attach_trial(at), raw_data={"y": (value, 2.0 if x == LUCKY else 0.2)})
        yield client


def test_the_best_by_predictions_is_not_the_luckiest(client):
    parameters, values, index, _ = client.get_best_parameterization(use_model_predictions=True)
    by_luck, observed, lucky, _ = client.get_best_parameterization(use_model_predictions=False)

    assert by_luck["x"] == LUCKY
    assert observed["y"] == pytest.approx((11.6, 2.0))
    assert abs(parameters["x"] - 0.5) <= 0.1
    assert index != lucky
    mean, sem = values["y"]
    assert (mean, sem) == pytest.approx(client.predict([parameters])[0]["y"])
    assert mean == pytest.approx(10, abs=0.5)


def test_the_incumbent_is_the_best_by_predictions(client):
    _, values, index, _ = client.get_best_parameterization()
    found = client.optimality()

    assert isinstance(found, Optimality)
    assert found.incumbent.trial == index
    assert found.incumbent.value.value == pytest.approx(values["y"][0])
    assert found.incumbent.value.low < found.incumbent.value.value < found.incumbent.value.high
    assert sum(one.probability.value for one in found.contenders) <= 1.0 + 1e-9
    assert found.observed_range == pytest.approx(11.6 - 0.0)
    assert found.advice


def test_the_fit_and_what_matters_are_told_of_each_metric(client):
    fit, importance = client.model_fit(), client.parameter_importance()

    assert isinstance(fit, ModelFit)
    assert [(one.metric, len(one.left_out)) for one in fit.metrics] == [("y", 15)]
    assert isinstance(importance, ParameterImportance)
    assert [one.parameter for one in importance.outputs[0].indices] == ["x", "idle"]
    assert importance.outputs[0].indices[0].total.value > 0.9


def test_asking_changes_nothing(client):
    before = client.state

    client.model_fit()

    assert client.state is before


def test_without_data_or_an_objective_there_is_no_answer():
    with Client(random_seed=1) as client:
        with pytest.raises(CommandRefused, match="call configure_experiment first"):
            client.model_fit()
        client.configure_experiment([RangeParameterConfig("x", (0, 1))])
        with pytest.raises(CommandRefused, match="call configure_optimization first"):
            client.parameter_importance()
        client.configure_optimization("y")
        with pytest.raises(CommandRefused, match="no trial has finished yet"):
            client.optimality()
        with pytest.raises(GenerationError, match="0 trials have finite data of y"):
            client.model_fit()


@pytest.mark.anyio
async def test_a_worker_that_dies_of_a_question_takes_nothing_with_it():
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig("x", (0, 1))])
        await client.configure_optimization("y")
        for x in (0.0, 0.3, 0.7, 1.0):
            await client.complete_trial(await client.attach_trial({"x": x}), raw_data={"y": x})
        before = await client.model_fit()
        workers = client.engine.generator._workers
        workers[None].kill()

        with pytest.raises(WorkerDied):
            await client.model_fit()

        assert await client.model_fit() == before
        assert workers[None] is not workers.get(True)
        assert await client.predict([{"x": 0.5}])


@pytest.mark.parametrize(
    ("points", "said"),
    [({"x": 0.5, "idle": 0.5}, "points is .*: give a list of parameterizations"), ([None], "is no parameterization")],
)
def test_predictions_are_of_a_list_of_points(client, points, said):
    with pytest.raises(ConfigurationError, match=said):
        client.predict(points)


def test_a_summary_is_of_trials_in_statuses_that_there_are(client):
    with pytest.raises(ConfigurationError, match="'DONE' is no status of a trial: there are CANDIDATE, "):
        client.summarize(trial_statuses=["DONE"])
    with pytest.raises(ConfigurationError, match="trial_statuses is the text 'COMPLETED': give a list"):
        client.summarize(trial_statuses="COMPLETED")
    with pytest.raises(ConfigurationError, match=r"trial_indices is 3 \(int\): give a list of numbers"):
        client.summarize(3)

    assert len(client.summarize([0, 1, 2], ["completed", TrialStatus.FAILED])) == 3
