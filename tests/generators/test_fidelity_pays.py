"""At the same cost, cheaper fidelities lead to better trials at the target, or hardly to worse ones.

Short campaigns on functions of Wu et al. (UAI 2019) with the cost of a twentieth at the cheapest fidelity; longer ones
are in ``benchmarks/fidelity.py``.
"""

from __future__ import annotations

import math
import statistics

import numpy as np
from msgspec.structs import replace

from titrant import RangeParameterConfig
from titrant.generators import dispatch
from titrant.generators.base import Point, Request
from titrant.model.fidelity import AffineCost
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.space import search_space

COST = AffineCost(fixed_cost=0.05, fidelity_weights={"s": 0.95})
GOAL = optimization_config("y")
SEEDS = (1000, 1001, 1002)

ALPHA = np.array([1.0, 1.2, 3.0, 3.2])
A = np.array(
    [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
)
P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def hartmann6(x, s):
    weights = ALPHA - np.array([0.1 * (1.0 - s), 0.0, 0.0, 0.0])
    return float(weights @ np.exp(-(A * (x - P) ** 2).sum(1)))


def branin(x, s):
    x1, x2 = 15.0 * x[0] - 5.0, 15.0 * x[1]
    bent = x2 - (5.1 / (4 * math.pi**2) - 0.1 * (1.0 - s)) * x1**2 + 5 / math.pi * x1 - 6.0
    return -(bent**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x1) + 10)


def unrelated(x, s):
    return branin(x, 1.0) if s == 1.0 else float(40.0 * np.sin(9.0 * x[0] + 5.0 * x[1]) - 60.0)


def best(function, dimension, budget, seed, *, fidelities):
    """The best value at the target that a campaign of that cost finds."""
    parts = [RangeParameterConfig(f"x{i}", (0.0, 1.0)) for i in range(dimension)]
    fidelity = RangeParameterConfig("s", (0.0, 1.0), is_fidelity=True, target_value=1.0)
    basis = Request(space=search_space([*parts, fidelity] if fidelities else parts), seed=seed)
    basis = replace(basis, cost=COST if fidelities else None)
    observed, spent, found = (), 0.0, -math.inf
    while True:
        n = len(observed)
        request = replace(basis, node="centre" if n == 0 else "sobol", position=max(0, n - 1))
        if n >= 5:
            request = replace(basis, node="bo", optimization=GOAL, observed=observed)
        at = dispatch.suggest(request).proposals[0].parameters
        s = at.get("s", 1.0)
        spent += COST.of({"s": s})
        if spent > budget:
            return found
        y = function(np.array([at[f"x{i}"] for i in range(dimension)]), s)
        observed = (*observed, Point(n, at, (Observation("y", y),)))
        found = max(found, y) if s == 1.0 else found


def medians(function, dimension, budget):
    """Of the best values with fidelities and without, over the seeds."""
    return [
        statistics.median(best(function, dimension, budget, seed, fidelities=fidelities) for seed in SEEDS)
        for fidelities in (True, False)
    ]


def test_on_hartmann6_the_same_cost_goes_farther_with_cheaper_fidelities():
    with_them, without = medians(hartmann6, 6, 10.0)

    assert with_them > without + 0.5


def test_on_branin_the_same_cost_goes_farther_with_cheaper_fidelities():
    with_them, without = medians(branin, 2, 8.0)

    assert with_them > without


def test_fidelities_that_tell_nothing_cost_no_more_than_they_were_given():
    with_them, without = medians(unrelated, 2, 11.0)

    assert with_them > without - 2.0
