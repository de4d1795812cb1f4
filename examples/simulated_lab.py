"""A simulated lab in virtual time: two reactors, failures, noise and drift; a day of trials takes a second.

With the same seed the log is the same, byte for byte: what a change in the strategy does can be tried out beforehand.

    python examples/simulated_lab.py
"""

from __future__ import annotations

import argparse
import time

from titrant import Client
from titrant.simulation import Lognormal, SimulatedLab
from titrant.simulation.problems import REACTION


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=200, help="new trials (default: 200)")
    parser.add_argument("--seed", type=int, default=7, help="seed of everything by chance (default: 7)")
    parser.add_argument("--log", help="keep the log here (default: in memory)")
    parser.add_argument("--model", action="store_true", help="Bayesian optimization instead of Sobol points (slower)")
    options = parser.parse_args()

    common = {
        "seed": options.seed,
        "noise_sd": {"yield": 1.0, "impurity": 0.2},  # per cent
        "drift_per_hour": {"yield": -0.01},  # per cent: the pump wears out
        "failure_probability": 0.05,
    }
    fast = SimulatedLab(REACTION.evaluate, name="flow", capacity=1, duration_s=Lognormal(15 * 60), **common)
    slow = SimulatedLab(
        REACTION.evaluate,
        name="batch",
        capacity=6,
        duration_s=lambda parameters, draws: 60 * (parameters["time_min"] + draws.uniform(20, 40)),  # work-up included
        hang_probability=0.01,
        **common,
    )
    began = time.monotonic()
    with Client(options.log, random_seed=options.seed, virtual_time=True) as client:
        client.configure_experiment(REACTION.parameters, name="reaction")
        client.configure_optimization(REACTION.objective, REACTION.outcome_constraints)
        client.configure_generation_strategy("fast" if options.model else "random_search")
        client.configure_runners([fast, slow])
        report = client.run_trials(options.trials, parallelism=7, trial_ttl_seconds=3 * 3600)

        trials = client.state.trials()
        days = (max(t.ended_at or 0 for t in trials) - min(t.started_at or t.created_at for t in trials)) / 86_400e6
        took = time.monotonic() - began
        print(f"{report.outcome}: {report.trials_created} trials, {days:.2f} virtual days in {took:.1f} s")
        for lab in (fast, slow):
            print(f"  {lab.name}: {sum(trial.runner == lab.name for trial in trials)} trials")
        print(f"  {len(report.failures)} failed; the first: {report.failures[:2]}")
        parameters, values, index, _arm = client.get_best_parameterization(use_model_predictions=False)
        print(f"best: trial {index}, yield {values['yield'][0]:.1f} % (the true optimum is {REACTION.optimum:.1f} %)")
        print(f"  at {parameters}")


if __name__ == "__main__":
    main()
