"""A closed loop over Modbus TCP: which number stands in which register is told in a mapping.

python examples/adapters/modbus.py --trials 12

The device is the lab twin (`titrant twin serve modbus`), a simulated flow reactor; put your PLC, pump or thermostat and
its registers in the place of these.  A device that keeps a key with each run tells a restarted engine what became of
it; leave `key` and `key_of_run` out for others.
"""

from __future__ import annotations

import argparse

import anyio

from titrant import AsyncClient, RangeParameterConfig
from titrant_adapters.modbus import ModbusRunner
from titrant_adapters.twin import Behaviour, LabTwin, Pace
from titrant_adapters.twin.doors import door_named, open_door
from titrant_adapters.twin.physics.kinetics import Kinetics

REGISTERS = {
    "settings": {
        "temperature_c": {"to": "0:float32", "unit": "degC", "read_back": "0:float32", "tolerance": 0.01},
        "minutes": {"to": "2:float32", "unit": "min", "read_back": "2:float32", "tolerance": 0.01},
    },
    "start": {"at": 200, "value": 1},
    "key": "201:uint32",
    "key_of_run": "214:uint32",
    "status": 210,  # 1 running, 2 done, 3 failed
    "quality": 212,  # 0 is good
    "measure": {"yield": "220:float32"},
    "safe": [{"at": 200, "value": 3}],
    "poll_s": 0.02,
}


async def main(trials: int) -> None:
    lab = LabTwin(Kinetics(), behaviour=Behaviour(duration_s=600.0, noise_sd=0.5), clock=Pace(6000), seed=1)
    async with open_door(door_named("modbus"), lab) as device, AsyncClient(random_seed=1) as client:
        await client.configure_experiment(
            [RangeParameterConfig("temperature_c", (20.0, 150.0)), RangeParameterConfig("minutes", (1.0, 20.0))]
        )
        await client.configure_optimization("yield")
        await client.configure_runner(ModbusRunner(**REGISTERS, host="127.0.0.1", port=device.port))
        await client.run_trials(max_trials=trials, progress=False)
        parameters, values, trial, _ = await client.get_best_parameterization()
        print(f"best of {await lab.starts()} runs: trial {trial} at {parameters} gives {values}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=12, help="how many (default: 12)")
    anyio.run(main, parser.parse_args().trials)
