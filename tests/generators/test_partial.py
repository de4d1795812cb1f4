"""Noise that is known for some, for all or for none, and trials that lack some metrics: nothing told is thrown away."""

import numpy as np
import pytest

from titrant.generators import dispatch
from titrant.generators.base import Point, PredictionRequest, Request
from titrant.generators.encoding import encoding_of
from titrant.generators.gp import hyperparameters
from titrant.generators.gp.data import NOISE_FLOOR, collect
from titrant.generators.gp.hyperparameters import Density
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation


def bowl(p):
    return -((p["x"] - 0.8) ** 2) - (p["y"] - 0.2) ** 2


def points(space, count, outcomes):
    """Sobol points; ``outcomes(place, parameters)`` gives mean, or mean and SEM, by metric."""
    proposals = dispatch.suggest(Request(space=space, count=count)).proposals
    return tuple(
        Point(
            i,
            p.parameters,
            tuple(
                Observation(name, *(value if isinstance(value, tuple) else (value,)))
                for name, value in outcomes(i, p.parameters).items()
            ),
        )
        for i, p in enumerate(proposals)
    )


def asked(space, observed, config, **changes):
    (proposal,) = dispatch.suggest(
        Request(space=space, node="bo", optimization=config, observed=observed, **changes)
    ).proposals
    assert proposal.fallback is None
    return proposal


def predicted(space, observed, config, at):
    request = PredictionRequest(space=space, optimization=config, observed=observed, points=(at,))
    return dispatch.predict(request).predictions[0]


# --- noise ----------------------------------------------------------------------------------------------------------


def test_noise_that_is_unknown_for_some_is_inferred_for_these_alone(square):
    rng = np.random.default_rng(0)
    observed = points(square, 20, lambda i, p: {"y": (bowl(p), 1e-4) if i % 2 else bowl(p) + rng.normal(0, 0.2)})
    data = collect(encoding_of(square, {}), ["y"], observed)
    (variance,) = data.variance
    hyper = hyperparameters.fit(*data.known(0))

    assert np.isnan(variance).tolist() == [True, False] * 10
    assert np.sqrt(hyper.noise) * data.scale[0] == pytest.approx(0.2, rel=0.5)
    assert data.filled(0, hyper.noise)[1].tolist() == [hyper.noise, NOISE_FLOOR] * 10


def test_noise_unknown_for_each_is_noise_unknown_for_all():
    rng = np.random.default_rng(1)
    x, y = rng.random((12, 2)), rng.normal(size=12)
    one, other = (hyperparameters.fit(x, y, variance) for variance in (None, np.full(12, np.nan)))

    assert other.noise == pytest.approx(one.noise)
    assert other.lengthscales == pytest.approx(one.lengthscales)


def test_the_gradient_is_right_where_noise_is_known_for_some():
    rng = np.random.default_rng(2)
    variance = np.where(rng.random(10) < 0.5, np.nan, 0.05)
    density = Density(rng.random((10, 2)), rng.normal(size=10), variance)
    theta = np.array([-0.5, 0.1, 0.2, -2.0])
    numeric = [(density(theta + h)[0] - density(theta - h)[0]) / 2e-6 for h in 1e-6 * np.eye(4)]

    assert density(theta)[1] == pytest.approx(numeric, rel=1e-5, abs=1e-6)


def test_a_measurement_without_noise_is_passed_through(square):
    observed = points(square, 8, lambda i, p: {"y": (bowl(p), 0.0 if i == 3 else 0.3)})
    exact = predicted(square, observed, optimization_config("y"), observed[3].parameters)["y"]

    assert exact[0] == pytest.approx(bowl(observed[3].parameters), abs=0.01)
    assert exact[1] < 0.01


def test_replicates_tell_of_the_noise_and_of_the_mean(square):
    rng = np.random.default_rng(3)
    once = points(square, 8, lambda _, p: {"y": bowl(p) + rng.normal(0, 0.3)})
    again = tuple(Point(20 + i, once[2].parameters, (Observation("y", 1.0 + rng.normal(0, 0.1)),)) for i in range(12))
    mean, sem = predicted(square, once + again, optimization_config("y"), once[2].parameters)["y"]

    assert mean == pytest.approx(1.0, abs=0.25)
    assert sem < 0.2


# --- trials that lack something -------------------------------------------------------------------------------------


def test_what_a_trial_has_counts_though_it_lacks_another_metric(square):
    config = optimization_config("y", ["c <= 0.9"])
    observed = points(square, 20, lambda i, p: {"y": bowl(p), **({"c": p["x"]} if i < 4 else {})})
    at = {"x": 0.8, "y": 0.2}

    assert predicted(square, observed, config, at)["y"][0] == pytest.approx(0.0, abs=0.02)
    assert asked(square, observed, config).parameters == pytest.approx(at, abs=0.12)


def test_what_is_lacking_says_nothing(square):
    config = optimization_config("y", ["c <= 0.9"])
    few = points(square, 6, lambda _, p: {"y": bowl(p), "c": p["x"]})
    more = tuple(Point(10 + i, {"x": 0.1 * i, "y": 0.9}, (Observation("y", 0.0),)) for i in range(5))
    at = {"x": 0.35, "y": 0.85}

    assert predicted(square, few + more, config, at)["c"] == pytest.approx(predicted(square, few, config, at)["c"])


def test_a_trial_that_lacks_a_constraints_metric_is_not_the_one_to_improve_on(square):
    """It has the best value by far; were it taken to be feasible, next to nothing would be expected elsewhere."""
    config = optimization_config("y", ["c <= 0.5"])
    few = points(square, 8, lambda _, p: {"y": bowl(p), "c": p["x"]})
    lucky = (Point(50, {"x": 0.99, "y": 0.2}, (Observation("y", 0.5),)),)
    proposal = asked(square, few + lucky, config)

    assert proposal.parameters["x"] < 0.6
    assert proposal.acquisition_value > -15


def test_several_objectives_may_be_measured_in_different_trials(square):
    config = optimization_config("a, b")

    def outcomes(i, p):
        both = {"a": -(p["x"] ** 2) - p["y"] ** 2, "b": -((p["x"] - 1) ** 2) - (p["y"] - 1) ** 2}
        return both if i < 3 else {"ab"[i % 2]: both["ab"[i % 2]]}

    proposal = asked(square, points(square, 24, outcomes), config)
    x, y = proposal.parameters["x"], proposal.parameters["y"]

    assert proposal.predicted["a"][0] == pytest.approx(-(x**2) - y**2, abs=0.1)
    assert proposal.predicted["b"][0] == pytest.approx(-((x - 1) ** 2) - (y - 1) ** 2, abs=0.1)


def test_two_trials_must_have_everything(square):
    observed = points(square, 9, lambda i, p: {"y": bowl(p), **({"c": p["x"]} if i < 1 else {})})
    request = Request(space=square, node="bo", optimization=optimization_config("y", ["c <= 1"]), observed=observed)
    (proposal,) = dispatch.suggest(request).proposals

    assert "1 trials have finite data of y, c, and a model needs 2" in (proposal.fallback or "")


def test_data_that_lack_nothing_are_what_they_were(square):
    observed = points(square, 9, lambda _, p: {"y": bowl(p), "c": p["x"]})
    encoding = encoding_of(square, {})
    one, other = (collect(encoding, ["y", "c"], observed, partial=partial) for partial in (False, True))

    assert (one.y == other.y).all()
    assert one.whole.all()
    assert (one.filled(1, 0.25)[0][:, 0] == one.y[:, 1]).all()
    assert (one.filled(1, 0.25)[1] == 0.25).all()
