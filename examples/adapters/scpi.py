"""A closed loop over SCPI on a raw TCP port: no VISA, no library; commands and queries stand in a mapping.

python examples/adapters/scpi.py --trials 12

The instrument is the lab twin (`titrant twin serve scpi`), a simulated flow reactor; put host, port and commands of
yours in the place of these.  What was set is read back; a line that timed out is never used again.
"""

from __future__ import annotations

import argparse

import anyio

from titrant import AsyncClient, RangeParameterConfig
from titrant_adapters.scpi import ScpiRunner
from titrant_adapters.twin import Behaviour, LabTwin, Pace
from titrant_adapters.twin.doors import door_named, open_door
from titrant_adapters.twin.physics.kinetics import Kinetics

SAID = {
    "settings": {
        "temperature_k": {
            "to": "SOUR:TEMPERATURE {:.2f}",  # the header, or a text with a place for the value
            "unit": "K",
            "sent_in": "degC",
            "read_back": "SOUR:TEMPERATURE?",
            "tolerance": 0.01,
        },
        "minutes": {"to": "SOUR:RESIDENCE_TIME", "unit": "min", "read_back": "SOUR:RESIDENCE_TIME?"},
    },
    "start": "INIT",
    "status": "RUN:STAT?",  # left out, the end is awaited by *OPC?
    "running": ["RUNNING"],
    "done": ["DONE"],
    "measure": {"yield": "FETC? YIELD"},
    "safe": ["ABOR"],
    "poll_s": 0.02,
}


async def main(trials: int) -> None:
    lab = LabTwin(Kinetics(), behaviour=Behaviour(duration_s=600.0, noise_sd=0.5), clock=Pace(6000), seed=1)
    async with open_door(door_named("scpi"), lab) as instrument, AsyncClient(random_seed=1) as client:
        await client.configure_experiment(
            [RangeParameterConfig("temperature_k", (293.15, 423.15)), RangeParameterConfig("minutes", (1.0, 20.0))]
        )
        await client.configure_optimization("yield")
        await client.configure_runner(ScpiRunner(**SAID, host="127.0.0.1", port=instrument.port))
        await client.run_trials(max_trials=trials, progress=False)
        parameters, values, trial, _ = await client.get_best_parameterization()
        print(f"best of {await lab.starts()} runs: trial {trial} at {parameters} gives {values}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=12, help="how many (default: 12)")
    anyio.run(main, parser.parse_args().trials)
