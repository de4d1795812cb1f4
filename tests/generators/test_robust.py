"""Whatever the data are like, every method answers with points of the space, and says so where it fell back."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from titrant.generators import dispatch
from titrant.generators.base import Point, Request
from titrant.model.experiment import Method
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.space import RangeParameterConfig, search_space

MODELS = [method for method in get_args(Method) if method not in {"random_search", "botorch"}]
"""BoTorch has tests of its own; it takes seconds for each of these."""

GOAL = optimization_config("y", ["c <= 0.5"])


def cube(dimension):
    return search_space([RangeParameterConfig(f"x{i}", (0.0, 1.0)) for i in range(dimension)])


def measured(xs, ys, cs=None, sem=None):
    """Points with an outcome, and one that is constrained."""
    cs = [0.0] * len(ys) if cs is None else cs
    return tuple(
        Point(
            i,
            {f"x{j}": float(value) for j, value in enumerate(np.atleast_1d(x))},
            (
                Observation("y", None, status="nan") if y is None else Observation("y", float(y), sem),
                Observation("c", float(c)),
            ),
        )
        for i, (x, y, c) in enumerate(zip(xs, ys, cs, strict=True))
    )


RNG = np.random.default_rng(7)
TWELVE = RNG.random((12, 2))
SMOOTH = np.sin(4 * TWELVE[:, 0]) + TWELVE[:, 1]
SITUATIONS = {
    "one point": measured(TWELVE[:1], SMOOTH[:1]),
    "two points": measured(TWELVE[:2], SMOOTH[:2]),
    "the same point twelve times": measured([TWELVE[0]] * 12, SMOOTH),
    "the same point and outcome twelve times": measured([TWELVE[0]] * 12, [1.0] * 12),
    "constant outcomes": measured(TWELVE, [3.0] * 12),
    "outcomes that differ by rounding": measured(TWELVE, 1.0 + 1e-15 * SMOOTH),
    "one outlier": measured(TWELVE, [*SMOOTH[:-1], 1e9]),
    "outcomes of any size": measured(TWELVE, 10.0 ** RNG.uniform(-300, 300, 12)),
    "points a hair apart": measured(0.5 + 1e-9 * TWELVE, SMOOTH),
    "points on a line": measured([(x, x) for x, _ in TWELVE], SMOOTH),
    "half of the outcomes missing": measured(TWELVE, [None if i % 2 else y for i, y in enumerate(SMOOTH)]),
    "no outcome at all": measured(TWELVE, [None] * 12),
    "nothing feasible": measured(TWELVE, SMOOTH, cs=[9.0] * 12),
    "errors of zero": measured(TWELVE, SMOOTH, sem=0.0),
    "errors larger than all differences": measured(TWELVE, SMOOTH, sem=1e6),
}


@pytest.mark.parametrize("method", MODELS)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_awkward_data_are_answered(method, situation):
    space = cube(2)
    observed = SITUATIONS[situation]
    request = Request(space=space, node="bo", method=method, optimization=GOAL, observed=observed, count=1, seed=3)

    (proposal,) = dispatch.suggest(request).proposals

    assert space.contains(proposal.parameters)
    assert proposal.node == "bo" or proposal.fallback


@pytest.mark.parametrize("method", MODELS)
@pytest.mark.parametrize("dimension", [1, 20, 50])
def test_any_dimension_is_answered(method, dimension):
    xs = np.random.default_rng(dimension).random((15, dimension))
    observed = measured(xs, xs.sum(axis=1))
    request = Request(
        space=cube(dimension), node="bo", method=method, optimization=GOAL, observed=observed, count=1, seed=3
    )

    (proposal,) = dispatch.suggest(request).proposals

    assert (proposal.node, proposal.fallback) == ("bo", None)


@pytest.mark.parametrize(
    ("method", "said"), [("fast", "of 2000"), ("thompson", "of 2000"), ("turbo", "in a box of side")]
)
def test_two_thousand_points_are_answered_from_some_of_them_and_that_is_said(method, said):
    xs = np.random.default_rng(1).random((2000, 3))
    observed = measured(xs, np.sin(5 * xs[:, 0]) + xs[:, 1])
    request = Request(space=cube(3), node="bo", method=method, optimization=GOAL, observed=observed, count=1, seed=3)

    (proposal,) = dispatch.suggest(request).proposals

    assert proposal.node == "bo"
    assert said in proposal.generator.replace(",", "")


@pytest.mark.parametrize("objectives", [6, 10])
def test_many_objectives_are_answered(objectives):
    names = [f"y{i}" for i in range(objectives)]
    xs = np.random.default_rng(objectives).random((14, 4))
    outcomes = np.random.default_rng(1).standard_normal((4, objectives))
    observed = tuple(
        Point(
            i,
            {f"x{j}": float(v) for j, v in enumerate(x)},
            tuple(Observation(name, float(y)) for name, y in zip(names, x @ outcomes, strict=True)),
        )
        for i, x in enumerate(xs)
    )
    request = Request(
        space=cube(4), node="bo", optimization=optimization_config(", ".join(names)), observed=observed, count=1, seed=3
    )

    (proposal,) = dispatch.suggest(request).proposals

    assert proposal.node == "bo"
