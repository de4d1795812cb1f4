"""A closed loop over SiLA 2: an observable command with the parameters as its arguments, here of the lab twin.

python examples/adapters/sila_reactor.py --trials 12

`titrant twin serve sila` starts the same server by itself; for a real one put its address and the names out of its
feature definition in the place of these (`titrant doctor` shows which features it has).
"""

from __future__ import annotations

import argparse
import logging

import anyio
import structlog

from titrant import AsyncClient, RangeParameterConfig
from titrant_adapters.sila import SilaRunner
from titrant_adapters.twin import Behaviour, LabTwin, Pace
from titrant_adapters.twin.doors import door_named, open_door
from titrant_adapters.twin.physics.kinetics import Kinetics

SERVER = {
    "host": "127.0.0.1",
    "tls": False,  # the twin is on this machine; a server in the lab has a certificate
    "command": "Reactor.Run",
    "settings": {
        "temperature_k": {"to": "Temperature", "unit": "K", "sent_in": "degC", "read_back": "Conditions.temperature"},
        "minutes": {"to": "ResidenceTime", "unit": "min", "read_back": "Conditions.residence_time"},
    },
    "constants": {"Equivalents": 1.2},
    "key": "Key",
    "measure": {"yield": "Yield"},
    "safe": ["Reactor.Stop"],
}


async def main(trials: int) -> None:
    lab = LabTwin(Kinetics(), behaviour=Behaviour(duration_s=600.0, noise_sd=0.5, places=2), clock=Pace(6000), seed=1)
    async with open_door(door_named("sila"), lab) as server, AsyncClient(random_seed=1) as client:
        await client.configure_experiment(
            [RangeParameterConfig("temperature_k", (293.15, 423.15)), RangeParameterConfig("minutes", (1.0, 20.0))]
        )
        await client.configure_optimization("yield")
        await client.configure_runner(SilaRunner(**SERVER, port=server.port, places=2))
        await client.run_trials(max_trials=trials, parallelism=2, progress=False)
        parameters, values, trial, _ = await client.get_best_parameterization()
        print(f"best of {await lab.starts()} runs: trial {trial} at {parameters} gives {values}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=12, help="how many (default: 12)")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))  # the server is talkative
    anyio.run(main, parser.parse_args().trials)
