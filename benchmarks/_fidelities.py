"""Functions of conditions and a fidelity, and campaigns that seek their greatest values at the target, by cost.

Sources: J. Wu, S. Toscano-Palmerin, P. I. Frazier and A. G. Wilson, "Practical Multi-fidelity Bayesian Optimization for
Hyperparameter Tuning", UAI 2019 (augmented Branin and Hartmann6).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec
import numpy as np

from titrant import RangeParameterConfig
from titrant.generators import dispatch
from titrant.generators.base import Point, Request
from titrant.model.fidelity import AffineCost
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.space import search_space

COST = AffineCost(fixed_cost=0.05, fidelity_weights={"s": 0.95})
DESIGN = 5
"""Trials of the initial design, the centre among them."""

_ALPHA = np.array([1.0, 1.2, 3.0, 3.2])
_A = np.array(
    [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
)
_P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def hartmann6(x: np.ndarray, s: float) -> float:
    """Augmented Hartmann6: the fidelity weakens the first of four hills a little."""
    weights = _ALPHA - np.array([0.1 * (1.0 - s), 0.0, 0.0, 0.0])
    return float(weights @ np.exp(-(_A * (x - _P) ** 2).sum(1)))


def branin(x: np.ndarray, s: float) -> float:
    """Augmented Branin: the fidelity bends the valley, so that its lowest places move."""
    x1, x2 = 15.0 * x[0] - 5.0, 15.0 * x[1]
    bent = x2 - (5.1 / (4 * math.pi**2) - 0.1 * (1.0 - s)) * x1**2 + 5 / math.pi * x1 - 6.0
    return -(bent**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x1) + 10)


def moved(x: np.ndarray, s: float) -> float:
    """Hartmann6 whose cheap fidelities have their hills elsewhere, lower, and lie lower altogether."""
    away = 0.08 * (1.0 - s) * np.array([1, -1, 1, -1, 1, -1])
    return hartmann6(x + away, 1.0) * (0.6 + 0.4 * s) - (1.0 - s)


def unrelated(x: np.ndarray, s: float) -> float:
    """Hartmann6 whose cheaper fidelities tell nothing of it."""
    if s > 1.0 - 1e-9:
        return hartmann6(x, 1.0)
    return float(0.5 + 0.3 * np.sin(7.0 * x[::-1] + np.arange(6)).sum())


class Problem(msgspec.Struct, frozen=True):
    """A function of the unit cube and a fidelity from 0 to 1, to be made large at 1."""

    function: Callable[[np.ndarray, float], float]
    dimension: int
    optimum: float
    budget: float


PROBLEMS = {
    "hartmann6": Problem(hartmann6, 6, 3.32237, 15.0),
    "branin": Problem(branin, 2, -0.397887, 12.0),
    "moved": Problem(moved, 6, 3.32237, 15.0),
    "unrelated": Problem(unrelated, 6, 3.32237, 24.0),
}


Course = list[list[float]]
"""Cost spent, regret at the target and fidelity, after each trial."""


def campaign(
    problem: Problem, seed: int, budget: float, *, fidelities: bool, method: str = "fast"
) -> list[list[float]]:
    """One campaign of so much cost."""
    parts = [RangeParameterConfig(f"x{i}", (0.0, 1.0)) for i in range(problem.dimension)]
    fidelity = RangeParameterConfig("s", (0.0, 1.0), is_fidelity=True, target_value=1.0)
    space = search_space([*parts, fidelity] if fidelities else parts)
    basis = Request(space=space, seed=seed, method=method, cost=COST if fidelities else None)
    observed: tuple[Point, ...] = ()
    spent, best, course = 0.0, -math.inf, []
    while True:
        n = len(observed)
        asked = msgspec.structs.replace(
            basis, node="centre" if n == 0 else "sobol" if n < DESIGN else "bo", position=max(0, n - 1)
        )
        if asked.node == "bo":
            goal = optimization_config("y")
            asked = msgspec.structs.replace(asked, observed=observed, optimization=goal, position=0)
        at = dispatch.suggest(asked).proposals[0].parameters
        s = float(at.get("s", 1.0))
        spent += COST.of({"s": s})
        if spent > budget + 1e-9:
            return course
        y = problem.function(np.array([at[f"x{i}"] for i in range(problem.dimension)]), s)
        observed = (*observed, Point(n, at, (Observation("y", y),)))
        best = max(best, y) if s > 1.0 - 1e-9 else best
        course.append([spent, problem.optimum - best, s])


def regret(course: Course, cost: float) -> float:
    """The regret that a campaign had when so much was spent."""
    return min((value for spent, value, _ in course if spent <= cost + 1e-9), default=math.inf)
