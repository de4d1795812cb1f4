"""Several objectives in numpy: boxes, exact gains, and suggestions that fill the front."""

# ruff: noqa: PLC0415 (torch is loaded when a test runs, not when tests are collected)

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from titrant.generators import dispatch
from titrant.generators.base import Point, Request
from titrant.generators.gp.acquisition import Combination
from titrant.generators.gp.hyperparameters import Hyperparameters
from titrant.generators.gp.posterior import Posterior
from titrant.generators.pareto import build
from titrant.generators.pareto.boxes import beyond, front_above, hypervolume, undominated
from titrant.generators.pareto.chebyshev import LeastGain
from titrant.generators.pareto.reference import reference_point
from titrant.generators.pareto.volume import VolumeGain
from titrant.generators.pareto.worth import Within, Worth
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.space import RangeParameterConfig, search_space


def points_of(k, least=0, most=9):
    """Rows of small whole numbers, so that many are equal in some objective."""
    return st.lists(st.lists(st.integers(0, 4), min_size=k, max_size=k), min_size=least, max_size=most)


def posteriors(k, draws=3, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.random((9, 3))
    hyper = Hyperparameters(np.full(3, 0.6), 1.2, 1e-3, 0.1)
    return [Posterior(x, rng.normal(size=(9, draws)), np.full(9, 1e-3), hyper) for _ in range(k)]


def objectives_of(models):
    return [Combination([one], np.array([1.0])) for one in models]


def volume_gain(objectives, reference):
    draws = objectives[0].known.shape[1]
    fronts = [front_above(np.stack([o.known[:, s] for o in objectives], -1), reference) for s in range(draws)]
    return VolumeGain(objectives, [beyond(front, reference) for front in fronts])


# --- boxes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_the_boxes_hold_what_is_not_dominated_and_each_point_once(k, data):
    values = np.array(data.draw(points_of(k)), dtype=float).reshape(-1, k)
    reference = np.full(k, -0.5)
    front = front_above(values, reference)
    low, high = beyond(front, reference)

    asked = np.random.default_rng(0).uniform(-0.5, 5.0, size=(300, k))
    free = ~(values >= asked[:, None]).all(2).any(1) if len(values) else np.ones(300, bool)
    times = ((asked[:, None] > low) & (asked[:, None] <= high)).all(2).sum(1)

    assert times.tolist() == free.astype(int).tolist()


@pytest.mark.parametrize("k", [2, 3, 4])
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_the_hypervolume_is_the_volume_of_what_is_dominated(k, data):
    values = np.array(data.draw(points_of(k)), dtype=float).reshape(-1, k)
    cells = np.stack(np.meshgrid(*[np.arange(-1, 4)] * k, indexing="ij"), -1).reshape(-1, k) + 0.5
    dominated = (values >= cells[:, None]).all(2).any(1) if len(values) else np.zeros(len(cells), bool)

    assert hypervolume(values, np.full(k, -1.0)) == pytest.approx(float(dominated.sum()))


def test_equal_points_do_not_dominate_each_other():
    values = np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 1.0], [0.0, 3.0]])

    assert undominated(values).tolist() == [True, True, False, True]
    assert front_above(values, np.zeros(2)).tolist() == [[1.0, 2.0]]


# --- gains ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [2, 3, 4])
def test_the_expected_hypervolume_improvement_is_botorchs(k):
    from titrant.generators.bo import load_botorch

    load_botorch()
    import torch
    from botorch.acquisition.multi_objective.analytic import ExpectedHypervolumeImprovement
    from botorch.posteriors import GPyTorchPosterior
    from botorch.utils.multi_objective.box_decompositions import FastNondominatedPartitioning
    from gpytorch.distributions import MultitaskMultivariateNormal

    objectives = objectives_of(posteriors(k, draws=1))
    reference = np.full(k, -1.0)
    known = np.stack([one.known[:, 0] for one in objectives], -1)
    asked = np.random.default_rng(5).random((20, 3))
    moments = [one.at(asked) for one in objectives]
    means = torch.tensor(np.stack([mean[:, 0] for mean, _ in moments], -1))
    sds = torch.tensor(np.stack([sd for _, sd in moments], -1))

    class Known(torch.nn.Module):
        num_outputs = k

        def posterior(self, x, **_):
            covariance = torch.diag_embed(sds**2)
            return GPyTorchPosterior(MultitaskMultivariateNormal(means[:, None], covariance))

    boxes = FastNondominatedPartitioning(torch.tensor(reference), torch.tensor(known))
    theirs = ExpectedHypervolumeImprovement(Known(), reference.tolist(), boxes)(torch.tensor(asked)[:, None])

    assert np.exp(volume_gain(objectives, reference).of_draws(asked)[:, 0]) == pytest.approx(theirs.numpy(), rel=1e-6)


def test_the_improvement_of_the_least_objective_is_that_of_many_draws():
    objectives = objectives_of(posteriors(4))
    reference, direction, best = np.full(4, -1.0), np.array([0.3, 0.8, 0.5, 0.4]), np.array([0.2, -0.1, 0.5])
    point = np.random.default_rng(2).random((1, 3))
    rng = np.random.default_rng(3)
    moments = [one.at(point) for one in objectives]
    drawn = np.stack([mean[0] + sd[0] * rng.standard_normal((200_000, 3)) for mean, sd in moments], -1)
    least = ((drawn - reference) / direction).min(-1)

    found = np.exp(LeastGain(objectives, reference, direction, best).of_draws(point)[0])

    assert found == pytest.approx(np.maximum(least - best, 0.0).mean(0), rel=0.02)


@pytest.mark.parametrize("k", [2, 3, 5])
@pytest.mark.parametrize("kind", ["volume", "least"])
def test_gradients_are_those_of_the_values(k, kind):
    objectives = objectives_of(posteriors(k))
    reference = np.full(k, -1.0)
    gain = (
        volume_gain(objectives, reference)
        if kind == "volume"
        else LeastGain(objectives, reference, np.linspace(0.3, 0.9, k), np.array([0.1, 0.4, -0.3]))
    )
    worth = Worth([gain, Within(objectives[0], 0.4)], "worth")
    point = np.random.default_rng(4).random(3)

    value, slope = worth.value_and_slope(point)
    numeric = [(worth.values((point + h)[None]) - worth.values((point - h)[None]))[0] / 2e-6 for h in 1e-6 * np.eye(3)]

    assert value == pytest.approx(worth.values(point[None])[0])
    assert slope == pytest.approx(np.array(numeric), rel=1e-4, abs=1e-5)


def test_there_is_a_way_uphill_where_nothing_is_to_be_gained():
    objectives = objectives_of(posteriors(2))
    gain = VolumeGain(objectives, [beyond(np.array([[60.0, 60.0]]), np.full(2, 50.0))] * 3)
    value, slope = Worth([gain], "far").value_and_slope(np.full(3, 0.4))

    assert np.isfinite(value)
    assert value < -500
    assert np.isfinite(slope).all()
    assert np.abs(slope).max() > 1


# --- the reference point --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("k", "share"), [(2, 0.3), (3, 1.0), (4, 1.0)])
def test_the_inferred_reference_point_is_botorchs_with_another_share(k, share):
    from titrant.generators.bo import load_botorch

    load_botorch()
    import torch
    from botorch.utils.multi_objective.hypervolume import infer_reference_point

    values = np.random.default_rng(0).normal(size=(20, k))
    theirs = infer_reference_point(torch.tensor(values[undominated(values)]), scale=share).numpy()

    assert reference_point(values, np.full(k, np.nan)) == pytest.approx(theirs)


def test_a_threshold_stands_and_the_other_objectives_are_judged_by_what_keeps_it():
    values = np.array([[0.0, 5.0], [3.0, 3.0], [4.0, 2.0]])

    assert reference_point(values, np.array([1.0, np.nan])) == pytest.approx([1.0, 1.7])
    assert reference_point(values, np.array([1.0, 2.5])).tolist() == [1.0, 2.5]


# --- suggestions ----------------------------------------------------------------------------------------------------


def observed(space, count, outcomes):
    proposals = dispatch.suggest(Request(space=space, count=count)).proposals
    return tuple(
        Point(i, p.parameters, tuple(Observation(name, value) for name, value in outcomes(p.parameters).items()))
        for i, p in enumerate(proposals)
    )


def asked(space, points, config, **changes):
    return dispatch.suggest(Request(space=space, node="bo", optimization=config, observed=points, **changes)).proposals


def far_corners(parameters):
    """Two objectives whose best places are opposite corners; the front is the line between."""
    x, y = parameters["x"], parameters["y"]
    return {"a": -(x**2) - y**2, "b": -((x - 1) ** 2) - (y - 1) ** 2}


def test_suggestions_fill_the_front(square):
    config = optimization_config("a, b")
    points = observed(square, 6, far_corners)
    before = hypervolume(np.array([list(far_corners(p.parameters).values()) for p in points]), np.full(2, -2.0))
    for trial in range(6, 16):
        (proposal,) = asked(square, points, config, seed=3)
        assert proposal.fallback is None
        assert proposal.generator.endswith("LogNEHVI")
        told = tuple(Observation(name, value) for name, value in far_corners(proposal.parameters).items())
        points += (Point(trial, proposal.parameters, told),)
    after = hypervolume(np.array([list(far_corners(p.parameters).values()) for p in points]), np.full(2, -2.0))

    assert before < 3.0
    assert after > 3.2  # of 3.33


def test_one_request_for_many_spreads_them(square):
    proposals = asked(square, observed(square, 10, far_corners), optimization_config("a, b"), count=5)
    places = np.array([[p.parameters["x"], p.parameters["y"]] for p in proposals])
    distances = np.linalg.norm(places[:, None] - places, axis=-1)[np.triu_indices(5, 1)]

    assert distances.min() > 0.02


def test_an_outcome_constraint_cuts_the_front(square):
    def outcomes(parameters):
        return {**far_corners(parameters), "c": parameters["x"]}

    proposals = asked(square, observed(square, 16, outcomes), optimization_config("a, b", ["c <= 0.5"]), count=3)

    assert all(p.parameters["x"] < 0.55 for p in proposals)


def test_where_nothing_is_feasible_it_looks_for_what_is(square):
    points = tuple(
        p for p in observed(square, 16, lambda p: {**far_corners(p), "c": p["x"]}) if p.parameters["x"] > 0.4
    )
    (proposal,) = asked(square, points, optimization_config("a, b", ["c <= 0.3"]))

    assert proposal.generator.endswith("LogPF")
    assert proposal.parameters["x"] < 0.4


@pytest.mark.parametrize("k", [3, 4, 6, 10])
def test_many_objectives_have_a_suggestion(square, k):
    names = "abcdefghij"[:k]

    def outcomes(parameters):
        place = np.array([parameters["x"], parameters["y"]])
        corners = [np.array([np.cos(i), np.sin(i)]) / 2 + 0.5 for i in range(k)]
        return {name: -float(((place - corner) ** 2).sum()) for name, corner in zip(names, corners, strict=True)}

    (proposal,) = asked(square, observed(square, 12, outcomes), optimization_config(", ".join(names)))

    assert proposal.fallback is None
    assert proposal.generator.endswith("LogNEHVI" if k <= 4 else "LogNParEGO")
    assert set(proposal.predicted) == set(names)


def test_the_same_request_gives_the_same_points(square):
    points = observed(square, 10, far_corners)
    config = optimization_config("a, b", ["a >= -1"])

    assert asked(square, points, config, count=2, seed=7) == asked(square, points, config, count=2, seed=7)


def test_fronts_of_very_many_points_are_left_to_a_scalarization(square, monkeypatch):
    monkeypatch.setitem(build._MOST_IN_FRONT, 2, 3)
    (proposal,) = asked(square, observed(square, 16, far_corners), optimization_config("a, b"))

    assert proposal.fallback is None
    assert "LogNParEGO of a front of " in proposal.generator


def test_the_method_quality_averages_over_hyperparameters(square):
    points = observed(square, 8, far_corners)
    (proposal,) = asked(square, points, optimization_config("a, b"), method="quality")

    assert "4 draws of its hyperparameters + LogNEHVI" in proposal.generator
    assert proposal.fallback is None


def test_a_front_of_other_circumstances_is_not_to_be_beaten_here():
    """On a hot day everything is better by 5: what a cold day can give is still worth a trial."""
    names = [("x", {}), ("y", {}), ("heat", {"is_context": True})]
    space = search_space([RangeParameterConfig(name, (0.0, 1.0), **role) for name, role in names])

    def outcomes(parameters):
        return {name: value + 5 * parameters["heat"] for name, value in far_corners(parameters).items()}

    (proposal,) = asked(space, observed(space, 16, outcomes), optimization_config("a, b"), fixed={"heat": 0.0})

    assert proposal.fallback is None
    assert proposal.parameters["heat"] == 0.0
    assert proposal.acquisition_value > -8
