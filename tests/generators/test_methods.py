"""Other ways to suggest than by the likeliest model: draws of hyperparameters, draws of functions, a trust region."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from scipy.optimize import approx_fprime

from titrant.generators import dispatch
from titrant.generators.base import Point, Request
from titrant.generators.gp import region, sampled
from titrant.generators.gp.acquisition import Averaged
from titrant.generators.gp.build import build
from titrant.generators.gp.goal import Goal
from titrant.generators.gp.hyperparameters import Density, Hyperparameters, fit
from titrant.generators.gp.paths import Draw, Path
from titrant.generators.gp.posterior import Posterior
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.space import ChoiceParameterConfig, RangeParameterConfig, search_space

GOAL = optimization_config("y")
METHODS = ["quality", "thompson", "turbo"]


def cube(dimension):
    return search_space([RangeParameterConfig(f"x{i}", (0.0, 1.0)) for i in range(dimension)])


def after(space, function, known, **changes):
    """A request after outcomes at so many quasi-random points."""
    made = dispatch.suggest(Request(space=space, count=known, seed=5)).proposals
    observed = tuple(
        Point(i, p.parameters, (Observation("y", float(function(p.parameters))),)) for i, p in enumerate(made)
    )
    return replace(Request(space=space, node="bo", optimization=GOAL, observed=observed, seed=1), **changes)


def waves(parameters):
    return sum(np.sin(3.0 * value) for value in parameters.values())


def data(seed, n=12, width=2):
    rng = np.random.default_rng(seed)
    x = rng.random((n, width))
    return rng, x, np.sin(4.0 * x).sum(1) - 0.5


@pytest.mark.parametrize("method", METHODS)
def test_the_same_request_gives_the_same_suggestions(method):
    request = after(cube(3), waves, 9, method=method, count=2)
    first = dispatch.suggest(request)
    dispatch.suggest(after(cube(2), waves, 5, method=method))

    assert dispatch.suggest(request) == first
    assert all(proposal.fallback is None for proposal in first.proposals)


@pytest.mark.parametrize("method", METHODS)
def test_suggestions_of_one_request_differ(method):
    rows = [
        list(p.parameters.values())
        for p in dispatch.suggest(after(cube(2), waves, 6, method=method, count=4)).proposals
    ]
    apart = np.linalg.norm(np.array(rows)[:, None] - rows, axis=2) + np.eye(4)

    assert apart.min() > 1e-6


# --- draws of hyperparameters ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("known", [True, False])
def test_the_densitys_value_is_the_same_with_and_without_its_gradient(known):
    rng, x, y = data(1)
    density = Density(x, y, np.full(len(x), 0.1) if known else None)
    theta = 0.5 * rng.standard_normal(len(density.start()))

    assert density.value(theta) == pytest.approx(density(theta)[0], rel=1e-10)
    assert density.theta(density.hyperparameters(theta)) == pytest.approx(theta)


def test_draws_have_the_posterior_densitys_mean_and_spread():
    _, x, y = data(2, n=7, width=1)
    variance = np.full(len(x), 0.05)
    density = Density(x, y, variance)
    side = np.linspace(-4.0, 4.0, 41)
    grid = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
    weights = np.exp(-np.array([density.value(theta) for theta in grid]) + density.value(np.zeros(2)))
    weights /= weights.sum()
    mean = weights @ grid
    spread = np.sqrt(weights @ (grid - mean) ** 2)

    draws = np.array([density.theta(h) for h in sampled.drawn(x, y, variance, fit(x, y, variance), 250, 3)])

    assert draws.mean(0) == pytest.approx(mean, abs=0.25)
    assert draws.std(0) == pytest.approx(spread, rel=0.2)


def test_the_gradient_of_an_average_is_that_of_its_value():
    rng, x, y = data(3)
    target = Goal(np.array([[1.0]]), np.empty((0, 1)), np.empty(0), np.array([np.nan]))
    models = [
        Posterior(x, y[:, None], np.full(len(x), 1e-3), h) for h in sampled.drawn(x, y, None, fit(x, y, None), 3, 1)
    ]
    parts = [build([one], target, np.ones(len(x), bool), rng.random((2, 2)), i, 4) for i, one in enumerate(models)]
    function, point = Averaged(parts), rng.random(2)
    value, slope = function.value_and_slope(point)

    assert value == pytest.approx(function.values(point[None])[0])
    assert slope == pytest.approx(approx_fprime(point, lambda p: function.values(p[None])[0], 1e-6), rel=1e-3, abs=1e-3)


def test_quality_says_of_what_it_is_the_average_and_allows_for_what_it_does_not_know():
    def told(method):
        (proposal,) = dispatch.suggest(after(cube(2), waves, 5, method=method)).proposals
        return proposal

    assert told("quality").generator == "GP(Matern-5/2), 8 draws of its hyperparameters + LogNEI"
    assert told("quality").predicted["y"][1] > 0


# --- draws of functions ---------------------------------------------------------------------------------------------


def test_drawn_functions_have_the_posteriors_mean_and_variance():
    rng, x, y = data(4)
    posterior = Posterior(x, y[:, None], np.full(len(x), 0.01), Hyperparameters(np.array([0.4, 0.8]), 1.3, None, 0.2))
    points = rng.random((6, 2))
    mean, variance = posterior.at(points)

    draws = np.array([Path(posterior, np.random.default_rng(seed)).values(points) for seed in range(300)])

    assert draws.mean(0) == pytest.approx(mean[:, 0], abs=5 * np.sqrt(variance.max() / 300))
    assert draws.var(0) == pytest.approx(variance, rel=0.3)


@pytest.mark.parametrize("bound", [-9.0, 9.0])
def test_the_gradient_of_a_drawn_function_is_that_of_its_value(bound):
    rng, x, y = data(5)
    hyper = Hyperparameters(np.array([0.4, 0.8]), 1.3, None, 0.2)
    target = Goal(np.array([[0.7, -0.3]]), np.array([[0.2, 1.0]]), np.array([bound]), np.array([np.nan]))
    model = [Posterior(x, values[:, None], np.full(len(x), 0.01), hyper) for values in (y, y**2)]
    draw, point = Draw(model, target, 7), rng.random(2)
    value, slope = draw.value_and_slope(point)

    assert (value < -1e5) == (bound < 0)
    assert slope == pytest.approx(approx_fprime(point, lambda p: draw.values(p[None])[0], 1e-5), rel=1e-2, abs=1e-2)


def test_drawn_functions_go_through_a_finite_space_without_repeating():
    space = search_space([RangeParameterConfig("n", (1, 4), "int"), ChoiceParameterConfig("s", ("a", "b", "c"))])
    request = after(space, lambda p: p["n"], 3, method="thompson", count=9)
    tried = tuple(point.parameters for point in request.observed)
    reply = dispatch.suggest(replace(request, taken=tried))
    every = {tuple(p.values()) for p in (*tried, *(proposal.parameters for proposal in reply.proposals))}

    assert len(every) == 12


# --- a trust region -------------------------------------------------------------------------------------------------

START = region.start(4)


def test_a_region_grows_with_three_better_trials_and_shrinks_with_as_many_worse_ones_as_dimensions():
    begun = [0.0] * START

    assert region.replayed(np.array(begun), 4) == region.Region(0, 0.8)
    assert region.replayed(np.array([*begun, 1.0, 2.0, 3.0]), 4).side == 1.6
    assert region.replayed(np.array([*begun, -1.0, -1.0, -1.0, -1.0]), 4).side == 0.4
    assert region.replayed(np.array([*begun, -1.0, -1.0, 1.0, -1.0, -1.0]), 4).side == 0.8


def test_a_region_that_is_used_up_starts_anew():
    worth = np.r_[np.zeros(START), -np.ones(7 * 4)]

    assert region.replayed(worth[:-1], 4).begin == 0
    assert region.replayed(worth, 4) == region.Region(len(worth), 0.8)


@given(st.lists(st.floats(-5, 5), max_size=80), st.integers(1, 30))
def test_a_region_stays_within_its_bounds(worth, dimension):
    found = region.replayed(np.array(worth), dimension)

    assert 0 <= found.begin <= len(worth)
    assert 0.5**7 <= found.side <= 1.6


def test_suggestions_stay_in_the_box_around_the_best_point():
    request = after(cube(4), waves, START + 16, method="turbo", count=3)
    best = dict.fromkeys(["x0", "x1", "x2", "x3"], 0.52)
    # The best point came first, and nothing after it was better: the box has shrunk to a sixteenth.
    observed = (Point(99, best, (Observation("y", 9.0),)), *request.observed)
    made = dispatch.suggest(replace(request, observed=observed)).proposals

    assert all("in a box of side 0.05" in proposal.generator for proposal in made)
    assert all(abs(proposal.parameters[name] - 0.52) < 0.25 for proposal in made for name in best)


def test_a_new_region_begins_with_points_all_over_the_space():
    request = after(cube(4), waves, START + 7 * 4, method="turbo", count=3)
    worst = [replace(point, observations=(Observation("y", -float(point.trial)),)) for point in request.observed]
    made = dispatch.suggest(replace(request, observed=tuple(worst))).proposals

    assert [proposal.generator for proposal in made] == ["Sobol, for a new box"] * 3
    assert len({tuple(proposal.parameters.values()) for proposal in made}) == 3
