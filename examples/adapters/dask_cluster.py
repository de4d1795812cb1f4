"""A closed loop over a Dask cluster: a simulation or a model that outgrows one machine, here on two processes of it.

python examples/adapters/dask_cluster.py --trials 12

Put the address of your scheduler in the place of the one that is started here, and `my_model:evaluate` in the place of
the function: the workers must be able to import it.  A task is published under a name that goes into the log first, so
that an engine that was killed finds it again.
"""

from __future__ import annotations

import argparse
from random import Random

import anyio
import dask
from distributed import LocalCluster

from titrant import AsyncClient, RangeParameterConfig
from titrant_adapters.dask import DaskRunner
from titrant_adapters.twin.physics.kinetics import Kinetics


def evaluate(conditions: dict[str, float]) -> dict[str, float]:
    """Called on a worker: conditions in, metrics out."""
    return Kinetics().measure({"equivalents": 1.2, **conditions}, Random(0))


async def main(trials: int, scheduler: str) -> None:
    runner = DaskRunner(
        scheduler=scheduler,
        function="dask_cluster:evaluate",
        settings={"temperature_c": {"to": "temperature"}, "minutes": {"to": "residence_time"}},
        measure={"yield": "yield"},
        workers=2,
    )
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment(
            [RangeParameterConfig("temperature_c", (20.0, 150.0)), RangeParameterConfig("minutes", (1.0, 20.0))]
        )
        await client.configure_optimization("yield")
        await client.configure_runner(runner)
        await client.run_trials(max_trials=trials, parallelism=2, progress=False)
        parameters, values, trial, _ = await client.get_best_parameterization()
        print(f"best of {trials} calls: trial {trial} at {parameters} gives {values}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=12, help="how many (default: 12)")
    options = parser.parse_args()
    dask.config.set({"distributed.scheduler.allowed-failures": 0})  # or what kills its worker is run four times
    with LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0") as cluster:
        anyio.run(main, options.trials, cluster.scheduler_address)
