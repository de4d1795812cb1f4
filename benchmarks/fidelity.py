"""What do cheaper fidelities give, at the same cost?

    python benchmarks/fidelity.py                       # all problems, seeds 0 to 9
    python benchmarks/fidelity.py --problems branin --seeds 3 --json out.json

Each problem is sought twice: with the fidelity, and at the target alone.  A trial at the target costs 1, one at the
cheapest fidelity 0.05.  Regret is that of the best trial at the target, at shares of the budget; what is cheaper is no
answer.  Generators are asked directly, one trial at a time; without an engine, and without noise (``_fidelities.py``).
"""

# ruff: noqa: E402 (threads are bounded before numpy is imported)

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

for _library in ("OMP", "MKL", "OPENBLAS"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

from _fidelities import PROBLEMS, campaign, regret
from _machine import commit, machine, versions

SHARES = (1 / 3, 2 / 3, 1.0)


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
