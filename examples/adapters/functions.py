"""A Python function as the instrument: a simulation, a model, or a driver that nobody wrote an adapter for.

python examples/adapters/functions.py --trials 12

It is called in two processes at once; a coroutine is awaited where it is, and what waits for a device goes into a
thread (`pool="thread"`).  What it raises is the reason why a trial failed.
"""

from __future__ import annotations

import argparse
from random import Random

from titrant import Client, RangeParameterConfig
from titrant_adapters.callable import CallableRunner
from titrant_adapters.twin.physics.kinetics import Kinetics


def measure(conditions: dict[str, float]) -> dict[str, float]:
    """A flow reactor: the conditions of a trial, and what was measured under them."""
    return {"yield": Kinetics().measure(conditions | {"equivalents": 1.2}, Random(0))["yield"]}


def main(trials: int) -> None:
    with Client(random_seed=1) as client:
        client.configure_experiment(
            [RangeParameterConfig("temperature", (20.0, 150.0)), RangeParameterConfig("residence_time", (1.0, 20.0))]
        )
        client.configure_optimization("yield")
        client.configure_runner(CallableRunner(function="__main__:measure", pool="process", workers=2))
        client.run_trials(trials, parallelism=2, progress=False)
        parameters, values, trial, _ = client.get_best_parameterization()
        print(f"best of {trials} calls: trial {trial} at {parameters} gives {values}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=12, help="how many (default: 12)")
    main(parser.parse_args().trials)
