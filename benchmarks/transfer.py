"""What does a past experiment save, and what does one cost that is of no use?

    python benchmarks/transfer.py --seeds 10 --json benchmarks/results/transfer.json

A new experiment is carried out trial by trial: without a past, with one of the same problem somewhat elsewhere and on
another scale, with an unrelated one, and with the same problem upside down.  A past has 30 trials, as an optimizer
leaves them: half of them all over the space, half around the best of these.  Tuned on seeds from 1000 on; reported are
0 to 9.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from _machine import commit, machine, versions
from _problems import PROBLEMS

from titrant.generators import dispatch
from titrant.generators.base import Point, Request, Sample
from titrant.generators.digital_net import SobolSequence
from titrant.generators.encoding import encoding_of
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.space import search_space
from titrant.model.trial import Parameterization

PASTS = ("none", "related", "unrelated", "inverted")
SHOWN = (1, 2, 3, 5, 8, 12, 16, 20)
Function = Callable[[Parameterization], float]


class Case:
    """A problem without its outcome constraints, and what may have been known of it before."""

    def __init__(self, name: str, seed: int) -> None:
        self.problem = PROBLEMS[name]
        self.space = search_space(self.problem.parameters)
        self.encoding = encoding_of(self.space, {})
        self.rng = np.random.default_rng([seed, 17])
        self.seed = seed
        self.sought = optimization_config(self.problem.objective)

    def function(self, kind: str) -> Function:
        """What the past experiment measured."""
        width = self.encoding.width
        if kind == "unrelated":
            waves, phases = 4.0 * self.rng.standard_normal((20, width)), self.rng.uniform(0.0, 2.0 * math.pi, 20)
            return lambda at: float(np.cos(waves @ self._columns(at) + phases).sum())
        if kind == "inverted":
            return lambda at: -self.true(at)
        move = self.rng.uniform(-0.08, 0.08, width)
        return lambda at: 3.0 * self._moved(at, move) + 50.0

    def true(self, at: Parameterization) -> float:
        """What is sought."""
        return float(self.problem.evaluate(at)[self.problem.metric])

    def _columns(self, at: Parameterization) -> Any:
        row = self.encoding.numbers(at)
        assert row is not None
        return self.encoding.to_model(row[None])[0]

    def _moved(self, at: Parameterization, move: Any) -> float:
        columns = np.clip(self._columns(at) + move, 0.0, 1.0)
        return self.true(self.encoding.parameters(self.encoding.from_model(columns[None])[0]))

    def past(self, kind: str, count: int) -> tuple[Sample, ...]:
        """A past experiment; none of the kind ``"none"``."""
        if kind == "none":
            return ()
        function = self.function(kind)
        z = self.encoding.from_unit(SobolSequence(self.encoding.dimension, self.seed + 50_000).points(0, count))
        points = [self.encoding.parameters(row) for row in z[: count - count // 2]]
        values = [function(at) for at in points]
        sign = -self.problem.sign  # 1 where it is maximized
        top = self._columns(points[int(np.argmax(sign * np.array(values)))])
        for _ in range(count // 2):
            near = np.clip(top + 0.1 * self.rng.standard_normal(len(top)), 0.0, 1.0)
            points.append(self.encoding.parameters(self.encoding.from_model(near[None])[0]))
            values.append(function(points[-1]))
        told = (self.point(at, value, -1) for at, value in zip(points, values, strict=True))
        return (Sample(kind, tuple(told)),)

    def point(self, at: Parameterization, value: float, trial: int) -> Point:
        """A trial with its result."""
        return Point(trial=trial, parameters=at, observations=(Observation(self.problem.metric, value),))


def run(name: str, kind: str, seed: int, plan: argparse.Namespace) -> dict[str, Any]:
    """One new experiment: the regret after each trial, and the processor's seconds for each suggestion."""
    case = Case(name, seed)
    past = case.past(kind, plan.past)
    observed: list[Point] = []
    position, regret, seconds = 0, [], []
    for i in range(plan.trials):
        node = "bo" if past or i >= 5 else "centre" if i == 0 else "sobol"
        request = Request(
            space=case.space,
            optimization=case.sought,
            node=node,
            seed=seed,
            position=position,
            observed=tuple(observed),
            past=past,
        )
        begun = time.process_time()
        (proposal,) = dispatch.suggest(request).proposals
        seconds.append(time.process_time() - begun)
        position = proposal.position
        value = case.true(proposal.parameters)
        observed.append(case.point(proposal.parameters, value, i))
        regret.append(case.problem.sign * (value - case.problem.optimum))
    return {"seed": seed, "regret": np.minimum.accumulate(regret).tolist(), "seconds": seconds}


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--problems", default="hartmann6,reaction")
    parser.add_argument("--pasts", default=",".join(PASTS))
    parser.add_argument("--past", type=int, default=30, help="trials of a past experiment")
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--json", type=Path)
    plan = parser.parse_args()
    results: dict[str, dict[str, list[dict[str, Any]]]] = {}
    shown = [count for count in SHOWN if count <= plan.trials]
    for name in plan.problems.split(","):
        print(f"\n{name}: median regret after so many trials, past of {plan.past} trials, {plan.seeds} seeds\n")
        print("| past | " + " | ".join(map(str, shown)) + " | CPU ms |")
        print("|---" * (len(shown) + 2) + "|")
        for kind in plan.pasts.split(","):
            runs = [run(name, kind, seed, plan) for seed in range(plan.first_seed, plan.first_seed + plan.seeds)]
            results.setdefault(name, {})[kind] = runs
            told = [statistics.median(one["regret"][count - 1] for one in runs) for count in shown]
            cost = 1e3 * statistics.mean(second for one in runs for second in one["seconds"])
            print(f"| {kind} | " + " | ".join(f"{value:.3g}" for value in told) + f" | {cost:.0f} |", flush=True)
    if plan.json:
        here = Path(__file__).parent
        about = {"machine": machine(), "versions": versions(sys.executable), "commit": commit(here.parent)}
        said = {name: value for name, value in vars(plan).items() if name != "json"}
        plan.json.write_text(json.dumps(about | {"plan": said, "runs": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
