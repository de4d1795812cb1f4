"""Of several objectives: how sure the front is, and what the next trial is expected to add."""

import numpy as np
import pytest

from titrant import Client, CommandRefused, RangeParameterConfig
from titrant.analysis.fronts import hypervolume
from titrant.errors import GenerationError
from titrant.model.insight import Estimate, FrontMember, FrontOptimality

SURE = Estimate(1.0, 0.99, 1.0)


def opened(objective="yield, -cost", **more):
    client = Client(random_seed=1, virtual_time=True)
    client.configure_experiment([RangeParameterConfig("x", (0.0, 1.0)), RangeParameterConfig("z", (0.0, 1.0))])
    client.configure_optimization(objective, **more)
    return client


def measured(x, z):
    return {"yield": 10 * x * (1 - 0.3 * z), "cost": 100 * (x * x + (z - 0.4) ** 2), "heat": x + z, "w": z, "v": x * z}


def told(client, count=9, sem=None):
    rng = np.random.default_rng(5)
    for x, z in rng.random((count, 2)):
        data = {name: value if sem is None else (value, sem) for name, value in measured(x, z).items()}
        wanted = {name: data[name] for name in client.state.optimization.metric_names}
        client.complete_trial(client.attach_trial({"x": float(x), "z": float(z)}), wanted)


def test_the_gain_is_that_of_draws_at_the_point_it_is_told_of():
    """Independent of the engine's own way: outcomes drawn from the predictions there, put beside the front."""
    with opened(objective_thresholds=["yield >= 0", "cost <= 120"]) as client:
        told(client)
        found = client.front_optimality()
        (there,) = client.predict([dict(found.at)])
        front = [(values["yield"][0], -values["cost"][0]) for _, values, _, _ in client.get_pareto_frontier()]

    reference = (0.0, -120.0)
    before = hypervolume(front, reference)
    rng = np.random.default_rng(1)
    drawn = [there[name][0] + there[name][1] * rng.standard_normal(4000) for name in ("yield", "cost")]
    gains = [hypervolume([*front, (a, -b)], reference) - before for a, b in zip(*drawn, strict=True)]
    assert found.hypervolume == pytest.approx(before, rel=0.01)
    assert found.expected_improvement.value == pytest.approx(float(np.mean(gains)), rel=0.05)
    assert found.relative == pytest.approx(found.expected_improvement.value / found.hypervolume)
    assert np.exp(found.log_expected_improvement) == pytest.approx(found.expected_improvement.value)
    assert found.objectives == ("yield", "-cost")


def test_what_is_clearly_beaten_is_not_on_the_front_and_what_is_not_is():
    with opened() as client:
        told(client)
        chances = {one.trial: one.probability.value for one in client.front_optimality().front}
        front = {index for _, _, index, _ in client.get_pareto_frontier()}

    assert {trial for trial, chance in chances.items() if chance > 0.97} <= front
    assert front <= {trial for trial, chance in chances.items() if chance > 0.03}
    assert len(chances) < 9


def test_noise_leaves_open_which_trials_are_on_the_front():
    with opened() as client:
        told(client, sem=3.0)
        chances = [one.probability for one in client.front_optimality().front]

    assert [one.value for one in chances] == sorted((one.value for one in chances), reverse=True)
    assert sum(0.05 < one.value < 0.95 for one in chances) >= 2
    assert all(0 < one.low <= one.value <= one.high <= 1 for one in chances[:3])


def test_what_breaks_a_constraint_is_no_candidate():
    with opened(outcome_constraints=["heat <= 1.0"]) as client:
        told(client, count=12)
        found = client.front_optimality()
        broken = {one.index for one in client.state.trials() if sum(one.parameters.values()) > 1.0}

    assert broken
    assert not broken & {one.trial for one in found.front}


def test_three_objectives_and_the_same_answer_again():
    with opened("yield, -cost, w") as client:
        told(client)
        assert client.front_optimality() == client.front_optimality()
        assert client.front_optimality().expected_improvement.value > 0


def test_what_has_no_answer_says_what_has():
    with opened("yield") as client:
        told(client)
        with pytest.raises(GenerationError, match=r"ask for optimality\(\)"):
            client.front_optimality()
    with opened() as client:
        with pytest.raises(CommandRefused, match="no trial has finished yet"):
            client.front_optimality()
        told(client)
        with pytest.raises(CommandRefused, match="no single best: call front_optimality"):
            client.optimality()
    with opened("yield, -cost, w, -heat, v") as client:
        told(client)
        with pytest.raises(GenerationError, match=r"with 5 objectives .* get_hypervolume"):
            client.front_optimality()
    with opened(outcome_constraints=["heat <= -1"]) as client:
        told(client)
        with pytest.raises(CommandRefused, match="keeps the outcome constraints"):
            client.front_optimality()


def found(gain, *chances, r2=0.9):
    return FrontOptimality(
        model="GP",
        objectives=("a", "b"),
        front=tuple(FrontMember(i, Estimate(one, one, one)) for i, one in enumerate(chances)),
        expected_improvement=Estimate(gain, gain, gain),
        log_expected_improvement=0.0,
        hypervolume=10.0,
        relative=gain / 10,
        at={},
        r2=r2,
    )


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (found(1.0, 1.0), "go on: the best next trial is expected to add 1 to the hypervolume, 0.1 of it"),
        (found(0.05, 1.0, 0.3), "you may stop soon"),
        (found(0.001, 1.0), "stop: "),
        (found(0.00001, 1.0), "next to nothing of it"),
        (found(0.05, 0.4, 0.3, 0.9), "replicate trials of the front before you stop"),
        (found(1.0, 1.0, r2=0.1), "no advice: the model predicts left-out trials poorly (R² 0.10)"),
        (found(1.0, 1.0, r2=None), "nothing varies"),
    ],
)
def test_the_advice_goes_by_what_is_left_and_by_what_is_open(answer, advice):
    assert advice in answer.advice
