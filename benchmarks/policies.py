"""What do the policies fresh, ready and auto cost and give, where a suggestion takes time?

    python benchmarks/policies.py              # Hartmann6, 8 slots, 10 s trials, 2 s a suggestion, seeds 1000 to 1009
    python benchmarks/policies.py --thinking 0.05,2 --seeds 5 --json out.json

The whole engine runs in virtual time; a request to the model is charged ``--thinking`` virtual seconds however long it
really takes.  Durations (log-normal around ``--trial``) depend on the seed and the trial's number alone, so that all
policies meet the same.  Utilisation is the time that slots carried a trial out, of all their time until the last trial
began; regret is the best value found against the optimum, at a moment of virtual time.
"""

# ruff: noqa: E402 (threads are bounded before numpy is imported)

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

for _library in ("OMP", "MKL", "OPENBLAS"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

import anyio
import numpy as np
from _machine import commit, machine, versions
from _problems import PROBLEMS, Problem

from titrant import Client, PushedRunner, Result
from titrant.log.scanning import scan
from titrant.messages.events import TrialCreated
from titrant.model.strategy import Policy
from titrant.simulation.thinking import TakesTime

POLICIES: tuple[Policy, ...] = get_args(Policy)
MOMENTS = (0.5, 0.75, 1.0)
"""When the regret is looked at, as shares of the time that the trials would take with no slot ever idle."""


class Lab(PushedRunner):
    """Carries trials out, each in its own (virtual) time."""

    name = "lab"

    def __init__(self, problem: Problem, durations: np.ndarray) -> None:
        self._problem = problem
        self._durations = durations

    async def run(self, attempt: Any) -> Result:
        await anyio.sleep(float(self._durations[attempt.trial]))
        return Result(data=self._problem.evaluate(attempt.parameters))


def run(problem: Problem, policy: Policy, seed: int, plan: argparse.Namespace) -> dict[str, float]:
    """One campaign in virtual time."""
    trials = plan.trials or problem.budget
    durations = np.random.default_rng([seed, 777]).lognormal(-0.125, 0.5, trials) * plan.trial
    with (
        TemporaryDirectory() as folder,
        Client(
            Path(folder, "log"), random_seed=seed, virtual_time=True, generator=TakesTime(plan.thinking_s)
        ) as client,
    ):
        client.configure_experiment(list(problem.parameters), name=problem.name)
        client.configure_optimization(problem.objective)
        client.configure_generation_strategy(policy=policy, suggestion_wait_seconds=plan.wait)
        client.configure_runner(Lab(problem, durations))
        client.run_trials(trials, parallelism=plan.slots, progress=False)
        made = client.state.trials()
        events = [event for _, _, event in scan(Path(folder, "log")) if isinstance(event, TrialCreated)]
    began = min(trial.submitted_at or 0 for trial in made)
    begun = [((trial.submitted_at or 0) - began) / 1e6 for trial in made]
    ended = [((trial.ended_at or 0) - began) / 1e6 for trial in made]
    regret = [problem.sign * (problem.evaluate(trial.parameters)[problem.metric] - problem.optimum) for trial in made]
    ideal = float(durations.sum()) / plan.slots
    last = max(begun)
    busy = sum(min(end, last) - begin for begin, end in zip(begun, ended, strict=True))
    models = [event.suggestion for event in events if event.suggestion is not None and event.suggestion.node == "bo"]
    found = {
        "utilisation": busy / (plan.slots * last),
        "makespan_s": max(ended),
        "unseen": statistics.mean(one.unseen for one in models),
        "regret at the end": min(regret),
    }
    for share in MOMENTS:
        known = [value for value, at in zip(regret, ended, strict=True) if at <= share * ideal]
        found[f"regret at {share:.0%}"] = min(known, default=math.nan)
    return found


def table(runs: dict[str, list[dict[str, float]]]) -> list[str]:
    """Medians by policy."""
    names = list(next(iter(runs.values()))[0])
    rows = ["| policy | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for policy, found in runs.items():
        rows.append(
            f"| {policy} | " + " | ".join(f"{statistics.median(one[n] for one in found):.3g}" for n in names) + " |"
        )
    return rows


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--problem", default="hartmann6", choices=sorted(PROBLEMS))
    parser.add_argument("--policies", default=",".join(POLICIES))
    parser.add_argument(
        "--thinking", default="2", help="virtual seconds a request to the model costs; several with commas"
    )
    parser.add_argument("--trial", type=float, default=10.0, help="mean seconds of a trial")
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--trials", type=int, default=0, help="the problem's own where 0")
    parser.add_argument("--wait", type=float, default=30.0, help="seconds that a slot waits at most under fresh")
    parser.add_argument("--first-seed", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--json", type=Path)
    plan = parser.parse_args()
    results: dict[str, Any] = {}
    for text in plan.thinking.split(","):
        plan.thinking_s = float(text)
        runs: dict[str, list[dict[str, float]]] = {policy: [] for policy in plan.policies.split(",")}
        for seed in range(plan.first_seed, plan.first_seed + plan.seeds):
            for policy, found in runs.items():
                found.append(run(PROBLEMS[plan.problem], policy, seed, plan))
                print(".", end="", file=sys.stderr, flush=True)
        print(
            f"\n{plan.problem}, {plan.slots} slots, {plan.trial:g} s a trial, {text} s a suggestion, {plan.seeds} seeds"
        )
        print("\n".join(table(runs)))
        results[text] = runs
    if plan.json:
        here = Path(__file__).parent
        about = {"machine": machine(), "versions": versions(sys.executable), "commit": commit(here.parent)}
        said = {name: value for name, value in vars(plan).items() if name not in ("json", "thinking_s")}
        plan.json.write_text(json.dumps(about | {"plan": said, "runs": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
