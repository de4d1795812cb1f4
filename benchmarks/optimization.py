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
import os
import statistics
from pathlib import Path
from typing import Any

for _library in ("OMP", "MKL", "OPENBLAS"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")  # as in the worker process; before numpy is imported

import numpy as np
from _campaign import run
from _kept import Kept
from _optimizers import OPTIMIZERS
from _problems import PROBLEMS

SHARES = (0.25, 0.5, 1.0)


def at(share: float, one: dict[str, Any]) -> float:
    """The regret after this share of the trials."""
    found: float = one["regret"][max(0, round(share * one["budget"]) - 1)]
    return found


def told(runs: list[dict[str, Any]]) -> str:
    """One line of the table: medians, and quartiles of the last."""
    last = [one["regret"][-1] for one in runs]
    medians = "  ".join(f"{statistics.median(at(share, one) for one in runs):9.3g}" for share in SHARES)
    low, high = np.quantile(last, [0.25, 0.75])
    settled = [one["recommended"] for one in runs if one["recommended"] is not None]
    peaks = [one["peak"] for one in runs if one.get("peak") is not None]
    cpu = [one["cpu_s"][0] for one in runs]
    first = runs[0]
    return (
        f"{first['problem']:13s} {first['parallel']:3d} {first['optimizer']:16s} {len(runs):3d}  {medians}"
        f"  [{low:.2g}, {high:.2g}]  {sum(one < 0.1 for one in last):3d}/{len(last)}"
        f"  {f'{statistics.median(settled):.3g}' if settled else '–':>8s}"
        f"  {f'{statistics.median(peaks):.3g}' if peaks else '–':>8s}  {statistics.median(cpu):.4f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--optimizers", default="titrant", help=", ".join(OPTIMIZERS))
    parser.add_argument("--problems", default=",".join(PROBLEMS), help=", ".join(PROBLEMS))
    parser.add_argument("--parallel", default="4")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--trials", type=int, help="in place of each problem's own budget")
    parser.add_argument(
        "--seconds", type=float, default=0.0, help="of a mean trial: the optimizer's own time counts, too"
    )
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="few problems, seeds and trials")
    options = parser.parse_args()
    if options.quick:
        options.optimizers, options.problems, options.seeds, options.trials = "titrant,sobol", "branin,reaction", 2, 12
    print(
        "problem         q optimizer          n  regret at 25 %, 50 %, 100 %   quartiles  <0.1"
        "  recommended      peak  CPU s/ask"
    )
    kept = Kept(options.json)
    for problem in [PROBLEMS[name] for name in options.problems.split(",")]:
        for parallel in [int(one) for one in options.parallel.split(",")]:
            for name in options.optimizers.split(","):
                budget = options.trials or problem.budget
                seeds = range(options.first, options.first + options.seeds)
                try:
                    these = [
                        kept.ever(
                            lambda name, problem, *rest: run(name, PROBLEMS[problem], *rest),
                            *(name, problem.name, parallel, seed, budget, options.seconds),
                        )
                        for seed in seeds
                    ]
                except NotImplementedError as reason:
                    print(f"{problem.name:13s} {parallel:3d} {name:16s} left out: {reason}")
                    continue
                print(told(these), flush=True)


if __name__ == "__main__":
    main()
