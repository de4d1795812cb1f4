"""An instrument that speaks in files: an order is dropped into one folder, the result is read from another.

The instrument is the lab twin, a simulated reactor behind two folders, as an HPLC or a plate reader is behind a share.

    python examples/adapters/files.py
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import anyio

from titrant import AsyncClient, RangeParameterConfig
from titrant_adapters.file_drop import FileDropRunner
from titrant_adapters.twin import Behaviour, LabTwin, Pace
from titrant_adapters.twin.drop_box import serve_drop_box
from titrant_adapters.twin.physics.kinetics import Kinetics


async def optimize(orders: Path, results: Path, trials: int) -> None:
    """All that is known of the instrument is in this runner; an experiment file takes the same fields."""
    reactor = FileDropRunner(
        orders=str(orders),
        results=str(results),
        result="{key}.result*",  # {key} names the run, in the order and in what the instrument answers
        failed="{key}.error",
        end="#END",  # a result is whole once it ends like this
        settings={"heat": {"to": "temperature", "unit": "degC", "read_back": "temperature", "tolerance": 0.5}},
        measure={"product": "yield"},
        poll_s=0.02,
    )
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig("heat", (30.0, 140.0))])
        await client.configure_optimization("product")
        await client.configure_runner(reactor)
        await client.run_trials(trials, progress=False)
        best, values, index, _ = await client.get_best_parameterization()
    print(f"best: trial {index} at {best['heat']:.0f} degC gave {values['product'][0]:.1f} %")


async def main(trials: int) -> None:
    lab = LabTwin(Kinetics(), behaviour=Behaviour(duration_s=60.0, noise_sd=0.5), clock=Pace(speed=1200.0))
    folder = Path(tempfile.mkdtemp(prefix="files-"))
    orders, results = folder / "orders", folder / "results"
    for one in (orders, results):
        one.mkdir()
    async with anyio.create_task_group() as tasks:
        await tasks.start(serve_drop_box, lab, orders, results)
        await optimize(orders, results, trials)
        tasks.cancel_scope.cancel()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=12, help="trials in all (default: 12)")
    anyio.run(main, parser.parse_args().trials)
