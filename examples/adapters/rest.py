"""A closed loop over a REST service that no adapter was written for: a mapping says which request does what.

python examples/adapters/rest.py --trials 12

The service is the lab twin (`titrant twin serve rest`), a simulated flow reactor; put another URL and its paths in the
place of these, and nothing else changes.  MADSci nodes, flowchem and Opentrons robots have adapters of their own.
"""

from __future__ import annotations

import argparse

import anyio

from titrant import AsyncClient, RangeParameterConfig
from titrant_adapters.rest import RestRunner
from titrant_adapters.twin import Behaviour, LabTwin, Pace
from titrant_adapters.twin.doors import door_named, open_door
from titrant_adapters.twin.physics.kinetics import Kinetics

MAPPING = {
    "settings": {
        "temperature_c": {"to": "temperature", "unit": "degC", "read_back": "/conditions/temperature"},
        "minutes": {"to": "residence_time", "unit": "min", "read_back": "/conditions/residence_time"},
    },
    "start": {
        "method": "POST",
        "path": "/runs",
        "json": {"key": "{key}", "parameters": {"temperature": "{temperature_c}", "residence_time": "{minutes}"}},
    },
    "find": {"path": "/runs", "query": {"key": "{key}"}},  # a run whose start was not answered
    "status": {"path": "/runs/{id}"},
    "id": "/number",  # JSON pointers into the answers
    "measure": {"yield": "/values/yield"},
    "quality": "/quality",
    "stop": {"method": "DELETE", "path": "/runs/{id}"},
    "safe": [{"method": "POST", "path": "/safe-state"}],
    "poll_s": 0.02,
}


async def main(trials: int) -> None:
    lab = LabTwin(Kinetics(), behaviour=Behaviour(duration_s=600.0, noise_sd=0.5, places=2), clock=Pace(6000), seed=1)
    async with open_door(door_named("rest"), lab) as service, AsyncClient(random_seed=1) as client:
        await client.configure_experiment(
            [RangeParameterConfig("temperature_c", (20.0, 150.0)), RangeParameterConfig("minutes", (1.0, 20.0))]
        )
        await client.configure_optimization("yield")
        await client.configure_runner(RestRunner(**MAPPING, url=service.address, places=2))
        await client.run_trials(max_trials=trials, parallelism=2, progress=False)
        parameters, values, trial, _ = await client.get_best_parameterization()
        print(f"best of {await lab.starts()} runs: trial {trial} at {parameters} gives {values}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=12, help="how many (default: 12)")
    anyio.run(main, parser.parse_args().trials)
