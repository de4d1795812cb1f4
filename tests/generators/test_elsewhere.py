"""Once the best hill is climbed, two turns of three look at the others, without it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from msgspec.structs import replace
from scipy.optimize import approx_fprime

from titrant.generators import dispatch
from titrant.generators.base import Point, Request
from titrant.generators.gp.acquisition import Acquisition, Combination
from titrant.generators.gp.elsewhere import Hill, Outside
from titrant.generators.gp.hyperparameters import Hyperparameters
from titrant.generators.gp.posterior import Posterior
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.space import RangeParameterConfig, search_space

SQUARE = search_space([RangeParameterConfig(name, (0.0, 1.0)) for name in "xy"])
TOP = (0.25, 0.25)


def hills(x, y):
    """A hill of height 1 at ``TOP``, and one of height 1.5 in the opposite corner."""
    near = (x - TOP[0]) ** 2 + (y - TOP[1]) ** 2
    far = (x - 0.8) ** 2 + (y - 0.8) ** 2
    return math.exp(-near / 0.02) + 1.5 * math.exp(-far / 0.02)


def climbed(**changes):
    """A request after the first hill was climbed to its top, and some points elsewhere."""
    around = [
        (TOP[0] + 0.1 * a * r, TOP[1] + 0.1 * b * r) for r in (0.0, 0.3, 1.0) for a, b in ((1, 0), (0, 1), (-1, -1))
    ]
    others = [(0.9, 0.1), (0.1, 0.9), (0.5, 0.95), (0.95, 0.5), (0.6, 0.6), (0.5, 0.05), (0.05, 0.6), (0.6, 0.35)]
    places = [*around[2:], *others]
    observed = tuple(
        Point(i, {"x": x, "y": y}, (Observation("z", hills(x, y), 0.0),)) for i, (x, y) in enumerate(places)
    )
    given = Request(space=SQUARE, node="bo", optimization=optimization_config("z"), observed=observed, seed=1)
    return replace(given, **changes)


def distance(proposal):
    return math.hypot(proposal.parameters["x"] - TOP[0], proposal.parameters["y"] - TOP[1])


def test_two_turns_of_three_look_away_from_a_hill_that_is_climbed():
    made = dispatch.suggest(climbed(count=6)).proposals
    away = [proposal.generator.endswith("LogNEI away from the best") for proposal in made]

    assert away == [turn % 3 != 0 for turn in range(len(climbed().observed), len(climbed().observed) + 6)]
    assert all(distance(proposal) > 0.1 for proposal, elsewhere in zip(made, away, strict=True) if elsewhere)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"method": "thompson"}, id="drawn functions look everywhere"),
        pytest.param({"optimization": optimization_config("z", ["z >= 0.1"])}, id="constraints"),
    ],
)
def test_elsewhere_is_left_to_what_knows_of_it(changes):
    made = dispatch.suggest(climbed(count=3, **changes)).proposals

    assert not any("away" in proposal.generator for proposal in made)


def test_a_hill_that_promises_more_is_climbed_first():
    request = climbed(count=3)
    rising = replace(request, observed=tuple(point for point in request.observed if point.parameters["x"] >= 0.3))
    made = dispatch.suggest(rising).proposals

    assert not any("away" in proposal.generator for proposal in made)


def test_the_gradient_outside_of_a_hill_is_that_of_its_value():
    rng = np.random.default_rng(3)
    x, y = rng.random((9, 2)), rng.standard_normal((9, 1))
    hyper = Hyperparameters(np.array([0.4, 0.7]), 1.2, None, 0.1)
    objective = Combination([Posterior(x, y, np.full(9, 0.01), hyper)], np.array([1.0]))
    function = Outside(Acquisition((objective, y.max(0)), [], ""), Hill(x[0], hyper))
    for point in (x[0] + 0.3, x[0] + 0.02, rng.random(2)):
        value, slope = function.value_and_slope(point)

        assert value == pytest.approx(function.values(point[None])[0])
        assert slope == pytest.approx(
            approx_fprime(point, lambda p: function.values(p[None])[0], 1e-7), rel=1e-3, abs=1e-3
        )
