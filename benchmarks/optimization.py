"""How good are suggestions, and what do they cost?  titrant's generators beside Ax, Optuna and BayBE.

    python benchmarks/optimization.py --quick                          # a minute, titrant and Sobol points alone
    python benchmarks/optimization.py --seeds 30 --json out.json       # titrant, every problem, seeds 0 to 29
    python benchmarks/optimization.py --optimizers titrant,ax --problems hartmann6 --parallel 1,4,16

Virtual time: as many trials at once as ``--parallel`` says, a new one asked for whenever a slot is free.  Durations
(log-normal, mean 1) and noise depend on the seed and the trial's number alone, so that all optimizers meet the same.
Choices inside titrant were made by looking at seeds from 1000 on; what is told of it should come from others.
"""

# ruff: noqa: E402 (threads are bounded before numpy is imported)

from __future__ import annotations

import argparse
import heapq
import json
import math
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

for _library in ("OMP", "MKL", "OPENBLAS"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")  # as in the worker process; before numpy is imported

import numpy as np
from _machine import commit, machine, versions
from _optimizers import OPTIMIZERS
from _problems import PROBLEMS, Problem, hypervolume

from titrant.model.objective import optimization_config

SHARES = (0.25, 0.5, 1.0)


def regrets(problem: Problem, truth: list[dict[str, float]]) -> list[float]:
    """The simple regret (or that of the hypervolume) after each trial."""
    if problem.reference:
        points = [tuple(one.values()) for one in truth]
        return [problem.optimum - hypervolume(points[:n], problem.reference) for n in range(1, len(points) + 1)]
    config = optimization_config(problem.objective, list(problem.constraints))
    best, found = math.inf, []
    for one in truth:
        if config.feasible(one):
            best = min(best, problem.sign * (one[problem.metric] - problem.optimum))
        found.append(best if math.isfinite(best) else problem.worst)
    return found


def run(name: str, problem: Problem, parallel: int, seed: int, budget: int) -> dict[str, Any]:
    """One campaign in virtual time."""
    durations = np.random.default_rng([seed, 777]).lognormal(-0.125, 0.5, budget)
    noise = np.random.default_rng([seed, 778]).normal(size=budget) * problem.noise
    optimizer = OPTIMIZERS[name](problem, seed)
    under_way: list[tuple[float, int, Any, dict[str, float]]] = []
    now, begun, refused, cpu = 0.0, 0, 0, []
    truth: list[dict[str, float]] = []
    by_trial: dict[int, dict[str, float]] = {}
    while len(truth) < budget:
        while len(under_way) < parallel and begun < budget:
            began = time.process_time()
            asked = optimizer.ask()
            cpu.append(time.process_time() - began)
            if asked is None:
                refused += 1
                break
            token, values = asked
            heapq.heappush(under_way, (now + durations[begun], begun, token, problem.evaluate(values)))
            begun += 1
        now, trial, token, true = heapq.heappop(under_way)
        optimizer.tell(token, {**true, problem.metric: true[problem.metric] + noise[trial]})
        truth.append(true)
        by_trial[trial] = true
    found = regrets(problem, truth)
    settled = optimizer.recommend()
    return {
        "optimizer": name,
        "problem": problem.name,
        "parallel": parallel,
        "seed": seed,
        "budget": budget,
        "regret": [found[max(0, round(share * budget) - 1)] for share in SHARES],
        "recommended": None if settled is None else regrets(problem, [by_trial[settled]])[0],
        "cpu_s": [round(one, 5) for one in cpu],
        "makespan": now,
        "refused": refused,
    }


def told(runs: list[dict[str, Any]]) -> str:
    """One line of the table: medians, and quartiles of the last."""
    last = [one["regret"][-1] for one in runs]
    medians = "  ".join(f"{statistics.median(one['regret'][i] for one in runs):9.3g}" for i in range(len(SHARES)))
    low, high = np.quantile(last, [0.25, 0.75])
    settled = [one["recommended"] for one in runs if one["recommended"] is not None]
    cpu = [second for one in runs for second in one["cpu_s"]]
    first = runs[0]
    return (
        f"{first['problem']:13s} {first['parallel']:3d} {first['optimizer']:16s} {len(runs):3d}  {medians}"
        f"  [{low:.2g}, {high:.2g}]  {sum(one < 0.1 for one in last):3d}/{len(last)}"
        f"  {f'{statistics.median(settled):.3g}' if settled else '–':>8s}  {statistics.median(cpu):.4f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--optimizers", default="titrant", help=", ".join(OPTIMIZERS))
    parser.add_argument("--problems", default=",".join(PROBLEMS), help=", ".join(PROBLEMS))
    parser.add_argument("--parallel", default="4")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--trials", type=int, help="in place of each problem's own budget")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="few problems, seeds and trials")
    options = parser.parse_args()
    if options.quick:
        options.optimizers, options.problems, options.seeds, options.trials = "titrant,sobol", "branin,reaction", 2, 12
    print(
        "problem         q optimizer          n  regret at 25 %, 50 %, 100 %   quartiles  <0.1  recommended  CPU s/ask"
    )
    kept = Kept(options.json)
    for problem in [PROBLEMS[name] for name in options.problems.split(",")]:
        for parallel in [int(one) for one in options.parallel.split(",")]:
            for name in options.optimizers.split(","):
                budget = options.trials or problem.budget
                seeds = range(options.first, options.first + options.seeds)
                try:
                    these = [
                        kept.run(name, problem.name, parallel, seed, budget)
                        or kept.keep(run(name, problem, parallel, seed, budget))
                        for seed in seeds
                    ]
                except NotImplementedError as reason:
                    print(f"{problem.name:13s} {parallel:3d} {name:16s} left out: {reason}")
                    continue
                print(told(these), flush=True)


class Kept:
    """What was run, in a file that is brought up to date after each campaign: one that was broken off goes on."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        known = json.loads(path.read_text()) if path is not None and path.exists() else {}
        self._document = {
            "machine": machine(),
            "versions": versions(sys.executable),
            "commit": commit(Path(__file__).parent),
            "runs": known.get("runs", []),
        }

    def run(self, optimizer: str, problem: str, parallel: int, seed: int, budget: int) -> dict[str, Any] | None:
        """The campaign, if it was run by the same commit."""
        for one in self._document["runs"]:
            same = (one["optimizer"], one["problem"], one["parallel"], one["seed"], one["budget"])
            if same == (optimizer, problem, parallel, seed, budget) and one["commit"] == self._document["commit"]:
                return one
        return None

    def keep(self, found: dict[str, Any]) -> dict[str, Any]:
        """The same campaign, now also in the file; in place of another commit's."""
        marks = ("optimizer", "problem", "parallel", "seed", "budget")
        found = found | {"commit": self._document["commit"]}
        others = [one for one in self._document["runs"] if any(one[mark] != found[mark] for mark in marks)]
        self._document["runs"] = [*others, found]
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps(self._document, separators=(",", ":")) + "\n")
        return found


if __name__ == "__main__":
    main()
