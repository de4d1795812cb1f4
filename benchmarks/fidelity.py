"""What do cheaper fidelities give, at the same cost?

    python benchmarks/fidelity.py                       # all problems, seeds 0 to 9
    python benchmarks/fidelity.py --problems branin --seeds 3 --json out.json

Each problem is sought twice: with the fidelity, and at the target alone.  A trial at the target costs 1, one at the
cheapest fidelity 0.05.  Regret is that of the best trial at the target, at shares of the budget; what is cheaper is no
answer.  Generators are asked directly, one trial at a time; without an engine, and without noise.

Sources: J. Wu, S. Toscano-Palmerin, P. I. Frazier and A. G. Wilson, "Practical Multi-fidelity Bayesian Optimization for
Hyperparameter Tuning", UAI 2019 (augmented Branin and Hartmann6).
"""

# ruff: noqa: E402 (threads are bounded before numpy is imported)

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

for _library in ("OMP", "MKL", "OPENBLAS"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

import msgspec
import numpy as np
from _machine import commit, machine, versions

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
SHARES = (1 / 3, 2 / 3, 1.0)

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


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--problems", default=",".join(PROBLEMS))
    parser.add_argument("--budget", type=float, default=0.0, help="the problem's own where 0")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--method", default="fast")
    parser.add_argument("--json", type=Path)
    plan = parser.parse_args()
    results: dict[str, Any] = {}
    about = {"machine": machine(), "versions": versions(sys.executable), "commit": commit(Path(__file__).parent.parent)}
    print(
        "| problem | sought | " + " | ".join(f"regret at {share:.0%}" for share in SHARES) + " | trials | CPU s each |"
    )
    print("|---" * (len(SHARES) + 4) + "|")
    for name in plan.problems.split(","):
        problem = PROBLEMS[name]
        budget = plan.budget or problem.budget
        results[name] = {"budget": budget}
        for words, fidelities in (("with the fidelity", True), ("at the target alone", False)):
            began = time.process_time()
            runs = [
                campaign(problem, seed, budget, fidelities=fidelities, method=plan.method)
                for seed in range(plan.first_seed, plan.first_seed + plan.seeds)
            ]
            seconds = (time.process_time() - began) / sum(map(len, runs))
            results[name][words] = {"cpu_seconds_per_trial": seconds, "courses": runs}
            medians = [statistics.median(regret(run, share * budget) for run in runs) for share in SHARES]
            told = " | ".join(f"{value:.3g}" for value in medians)
            print(f"| {name} | {words} | {told} | {statistics.median(map(len, runs))} | {seconds:.2f} |", flush=True)
        if plan.json:
            said = {key: value for key, value in vars(plan).items() if key != "json"}
            plan.json.write_text(json.dumps(about | {"plan": said, "runs": results}) + "\n")


if __name__ == "__main__":
    main()
