"""A closed loop over VISA: what is said to a SCPI instrument, and what its answers mean, stands in a mapping.

python examples/adapters/visa.py --trials 12

The instrument is the lab twin (`titrant twin serve scpi`), a simulated flow reactor; put the resource name of yours and
its commands in the place of these.  Where pymeasure has a driver for it, `use = "pymeasure"` needs no commands at all,
and a raw TCP port (`use = "scpi"`) no VISA.
"""

from __future__ import annotations

import argparse

import anyio

from titrant import AsyncClient, RangeParameterConfig
from titrant_adapters.twin import Behaviour, LabTwin, Pace
from titrant_adapters.twin.doors import door_named, open_door
from titrant_adapters.twin.physics.kinetics import Kinetics
from titrant_adapters.visa import VisaRunner

SAID = {
    "settings": {
        "temperature_c": {"to": "SOUR:TEMPERATURE", "unit": "degC", "read_back": "SOUR:TEMPERATURE?"},
        "minutes": {"to": "SOUR:RESIDENCE_TIME", "unit": "min", "read_back": "SOUR:RESIDENCE_TIME?"},
    },
    "start": "INIT",
    "status": "RUN:STAT?",
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
            [RangeParameterConfig("temperature_c", (20.0, 150.0)), RangeParameterConfig("minutes", (1.0, 20.0))]
        )
        await client.configure_optimization("yield")
        await client.configure_runner(VisaRunner(**SAID, resource=instrument.address))
        await client.run_trials(max_trials=trials, progress=False)
        parameters, values, trial, _ = await client.get_best_parameterization()
        print(f"best of {await lab.starts()} runs: trial {trial} at {parameters} gives {values}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=12, help="how many (default: 12)")
    anyio.run(main, parser.parse_args().trials)
