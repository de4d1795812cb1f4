"""A closed loop over flowchem: a heater is set and read back, a pump infuses, a reading is fetched.

The devices may be flowchem's own simulation, in an environment of its own (`pip install flowchem`): `flowchem-sim -h
127.0.0.1 devices.toml`, with a `device.pump` of type AzuraCompact and a `device.r4` of type R4Heater.  Then, here:

    python examples/adapters/flowchem.py --url http://127.0.0.1:8000 --trials 12

There is no chemistry in it: what is measured is the heater's temperature, in the place of a detector's signal.
"""

from __future__ import annotations

import argparse

import anyio

from titrant import AsyncClient, RangeParameterConfig
from titrant_adapters.flowchem import FlowchemRunner

HEATER = "/r4/reactor1/temperature"
DEVICES = {
    "settings": {
        # flowchem answers 200 to a set point that the device then clamps: read it back
        "temperature_c": {"to": f"{HEATER}?temp", "unit": "degC", "read_back": HEATER, "tolerance": 0.5},
    },
    "ready": {"/r4/reactor1/target-reached": True},  # a level, which stays
    "start": ["/pump/pump/infuse?rate=1 ml/min&volume=0.1 ml"],
    "measure": {"signal": HEATER},  # a real one: "/detector/uv/acquire-signal"
    "safe": ["/pump/pump/stop", "/r4/reactor1/power-off"],
    "poll_s": 0.05,
}


async def main(url: str, trials: int) -> None:
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig("temperature_c", (30.0, 200.0))])
        await client.configure_optimization("signal")
        await client.configure_runner(FlowchemRunner(**DEVICES, url=url))
        await client.run_trials(max_trials=trials, progress=False)
        parameters, values, trial, _ = await client.get_best_parameterization()
        print(f"best of {trials} runs: trial {trial} at {parameters} gives {values}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="where the server is (default: %(default)s)")
    parser.add_argument("--trials", type=int, default=12, help="how many (default: 12)")
    arguments = parser.parse_args()
    anyio.run(main, arguments.url, arguments.trials)
