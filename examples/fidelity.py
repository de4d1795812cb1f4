"""Coarse simulations show the way, fine ones decide: the temperatures of a reactor's four stages.

A simulation in steps costs 2 s and 0.1 s a step; few steps are quick and wrong, the more so the hotter it is.
titrant weighs what each one would tell of the best at 400 steps against what it costs.

    python examples/fidelity.py                     # what 400 s of computing give
    python examples/fidelity.py --alone             # the same with fine simulations only
"""

from __future__ import annotations

import argparse
import math

from titrant import Client, RangeParameterConfig

STAGES = ("stage1_c", "stage2_c", "stage3_c", "stage4_c")
FINE = 400
COST = {"fixed_cost": 2.0, "fidelity_weights": {"steps": 0.1}}


def reactor(at: dict[str, float]) -> dict[str, float]:
    """The yield of B, in percent, in A -> B -> C after an hour (implicit Euler)."""
    steps = int(at.get("steps", FINE))
    a, b = 1.0, 0.0
    for step in range(steps):
        temperature = at[STAGES[step * len(STAGES) // steps]]
        forth = 0.03 * math.exp(0.04 * (temperature - 80.0)) * 60.0 / steps
        away = 0.004 * math.exp(0.09 * (temperature - 80.0)) * 60.0 / steps
        a /= 1.0 + forth
        b = (b + forth * a) / (1.0 + away)
    return {"yield": 100.0 * b}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=400.0, help="of computing to spend (default: 400)")
    parser.add_argument("--alone", action="store_true", help="fine simulations only")
    parser.add_argument("--seed", type=int, default=1, help="seed of everything by chance (default: 1)")
    options = parser.parse_args()

    temperatures = [RangeParameterConfig(name, (40.0, 180.0)) for name in STAGES]
    steps = RangeParameterConfig("steps", (4, FINE), "int", scaling="log", is_fidelity=True, target_value=FINE)
    with Client(random_seed=options.seed, virtual_time=True) as client:
        client.configure_experiment(temperatures if options.alone else [*temperatures, steps])
        client.configure_optimization("yield")
        if not options.alone:
            client.configure_generation_strategy(cost=COST)
        spent = 0.0
        while spent < options.seconds:
            ((index, at),) = client.get_next_trials(1).items()
            client.complete_trial(index, reactor(at))
            spent += COST["fixed_cost"] + 0.1 * at.get("steps", FINE)
        print(client.summarize())
        at, _, index, _ = client.get_best_parameterization(use_model_predictions=False)
        print(f"best of {FINE} steps: trial {index}, yield {reactor(at)['yield']:.2f} %, at {at}")


if __name__ == "__main__":
    main()
