"""A closed loop over a serial line: what is said to the instrument, and what ends a frame, stands in a mapping.

python examples/adapters/serial_line.py --trials 12

The instrument is the lab twin (`titrant twin serve scpi`) behind what stands for a device server; put "/dev/ttyUSB0" or
"COM3" in the place of "socket://...".  Where an instrument has no error queue (`error = ""`), its answers to commands
say what became of them: `acknowledged`, `refused` and `value` are patterns for them.
"""

from __future__ import annotations

import argparse

import anyio

from titrant import AsyncClient, RangeParameterConfig
from titrant_adapters.serial import SerialRunner
from titrant_adapters.twin import Behaviour, LabTwin, Pace
from titrant_adapters.twin.doors import door_named, open_door
from titrant_adapters.twin.physics.kinetics import Kinetics

SAID = {
    "sent_end": "\n",
    "end": "\n",
    "who": "*IDN?",
    "identity": "lab twin",  # late answers are told by it
    "settings": {
        "temperature_c": {"to": "SOUR:TEMPERATURE {:.2f}", "read_back": "SOUR:TEMPERATURE?", "tolerance": 0.01},
        "minutes": {"to": "SOUR:RESIDENCE_TIME {:.2f}", "read_back": "SOUR:RESIDENCE_TIME?", "tolerance": 0.01},
    },
    "status": "RUN:STAT?",
    "running": ["RUNNING"],
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
        await client.configure_runner(SerialRunner(**SAID, port=f"socket://127.0.0.1:{instrument.port}"))
        await client.run_trials(max_trials=trials, progress=False)
        parameters, values, trial, _ = await client.get_best_parameterization()
        print(f"best of {await lab.starts()} runs: trial {trial} at {parameters} gives {values}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=12, help="how many (default: 12)")
    anyio.run(main, parser.parse_args().trials)
