"""A closed loop over OPC UA: a device with the names of the LADS profile, here the lab twin.

python examples/adapters/opcua.py --trials 12

`titrant twin serve opcua` starts the same device by itself; for a real one put its endpoint, its unit and the names of
its variables in the place of these.  The start has to take a name for the run, which the device then shows.
"""

from __future__ import annotations

import argparse
import logging

import anyio

from titrant import AsyncClient, RangeParameterConfig
from titrant_adapters.opcua import OpcUaRunner
from titrant_adapters.twin import Behaviour, LabTwin, Pace
from titrant_adapters.twin.doors import door_named, open_door
from titrant_adapters.twin.physics.kinetics import Kinetics

DEVICE = {
    "unit": "LabTwin/FunctionalUnitSet/Unit",
    "settings": {
        "temperature_k": {
            "to": "FunctionSet/temperature/TargetValue",
            "unit": "K",
            "sent_in": "degC",
            "read_back": "FunctionSet/temperature/TargetValue",
        },
        "minutes": {"to": "FunctionSet/residence_time/TargetValue", "unit": "min"},
    },
    "start": "FunctionalUnitState/StartProgram",
    "arguments": ["flow reaction", "{key}"],  # on LADS devices: { ProgramTemplateId = …, SupervisoryJobId = "{key}" }
    "results": "ProgramManager/ResultSet",
    "measure": {"yield": "VariableSet/yield"},
    "safe": {"FunctionalUnitState/Stop": []},
    "poll_s": 0.02,
}


async def main(trials: int) -> None:
    lab = LabTwin(Kinetics(), behaviour=Behaviour(duration_s=600.0, noise_sd=0.5), clock=Pace(6000), seed=1)
    async with open_door(door_named("opcua"), lab) as device, AsyncClient(random_seed=1) as client:
        await client.configure_experiment(
            [RangeParameterConfig("temperature_k", (293.15, 423.15)), RangeParameterConfig("minutes", (1.0, 20.0))]
        )
        await client.configure_optimization("yield")
        await client.configure_runner(OpcUaRunner(**DEVICE, url=device.address))
        await client.run_trials(max_trials=trials, progress=False)
        parameters, values, trial, _ = await client.get_best_parameterization()
        print(f"best of {await lab.starts()} runs: trial {trial} at {parameters} gives {values}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=12, help="how many (default: 12)")
    logging.getLogger("asyncua").setLevel(logging.ERROR)  # it warns of everything it was not told
    anyio.run(main, parser.parse_args().trials)
