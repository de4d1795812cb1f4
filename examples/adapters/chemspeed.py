"""A closed loop over a platform that is driven by four files, as Chemspeed's are by a manager in AutoSuite.

python examples/adapters/chemspeed.py --trials 12

The platform is the lab twin, a simulated reactor behind such files; put the manager's folder and its commands in the
place of these.  A command is over when the files go on saying so, not when somebody saw the platform become busy.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import anyio

from titrant import AsyncClient, RangeParameterConfig
from titrant_adapters.chemspeed import ChemspeedRunner
from titrant_adapters.twin import Behaviour, LabTwin, Pace
from titrant_adapters.twin.four_files import serve_four_files
from titrant_adapters.twin.physics.kinetics import Kinetics

PLATFORM = {
    "commands": [["set_stir", "ISYNTH", "on", "400"], ["run", "{T_C}", "{minutes}"]],  # {name}: a setting goes there
    "settings": {
        "temperature_k": {"to": "T_C", "unit": "K", "sent_in": "degC", "read_back": 1, "tolerance": 0.5},
        "minutes": {"to": "minutes", "unit": "min", "read_back": 2},  # its place in status.csv
    },
    "measure": {"yield": 1},  # its place in what the last command returns
    "safe": [["safe_state"]],
    "poll_s": 0.02,
}


async def optimize(folder: Path, trials: int) -> None:
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment(
            [RangeParameterConfig("temperature_k", (293.15, 423.15)), RangeParameterConfig("minutes", (1.0, 20.0))]
        )
        await client.configure_optimization("yield")
        await client.configure_runner(ChemspeedRunner(**PLATFORM, folder=str(folder)))
        await client.run_trials(max_trials=trials, progress=False)
        parameters, values, trial, _ = await client.get_best_parameterization()
    print(f"best of {trials} runs: trial {trial} at {parameters} gives {values}")


async def main(folder: Path, trials: int) -> None:
    lab = LabTwin(Kinetics(), behaviour=Behaviour(duration_s=600.0, noise_sd=0.5), clock=Pace(6000), seed=1)
    async with anyio.create_task_group() as tasks:
        await tasks.start(serve_four_files, lab, folder)
        await optimize(folder, trials)
        tasks.cancel_scope.cancel()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=12, help="how many (default: 12)")
    anyio.run(main, Path(tempfile.mkdtemp(prefix="chemspeed-")), parser.parse_args().trials)
