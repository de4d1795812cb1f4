"""A closed loop over an Opentrons robot's HTTP interface: a volume is aspirated, dispensed, and told by the robot.

python examples/adapters/opentrons.py --url http://192.168.1.30:31950 --trials 12

Whatever a trial is to do are the robot-server's own commands, one after the other, or a protocol that is on the robot
(`protocol` in the place of `commands`).  What the liquid is worth is another instrument's to say: the report of a plate
reader is a metric of its own (`file_drop`).  Here the volume that the robot says it dispensed stands in its place.
"""

from __future__ import annotations

import argparse

import anyio

from titrant import AsyncClient, RangeParameterConfig
from titrant_adapters.opentrons import OpentronsRunner

OURS = {"namespace": "opentrons", "version": 1}
TIP = {"pipetteId": "{pipette/pipetteId}", "labwareId": "{tips/labwareId}", "wellName": "A1"}
WELL = {"pipetteId": "{pipette/pipetteId}", "labwareId": "{plate/labwareId}", "volume": "{volume}", "flowRate": 50}


def load(name: str, slot: str, labware: str) -> dict[str, object]:
    return {"do": "loadLabware", "name": name, "params": {"location": {"slotName": slot}, "loadName": labware, **OURS}}


ROBOT = {
    "settings": {"volume": {"to": "volume", "unit": "uL", "read_back": "/aspirate/volume"}},
    "commands": [
        {"do": "home"},
        load("tips", "1", "opentrons_96_tiprack_300ul"),
        load("plate", "2", "corning_96_wellplate_360ul_flat"),
        {"do": "loadPipette", "name": "pipette", "params": {"pipetteName": "p300_single", "mount": "right"}},
        {"do": "pickUpTip", "params": TIP},
        {"do": "aspirate", "params": WELL | {"wellName": "H12"}},
        {"do": "dispense", "params": WELL | {"wellName": "A1"}},
        {"do": "dropTip", "params": TIP},
    ],
    "measure": {"volume_in_well": "/dispense/volume"},
    "poll_s": 0.05,
}


async def main(url: str, trials: int) -> None:
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig("volume", (20.0, 300.0))])
        await client.configure_optimization("volume_in_well")
        await client.configure_runner(OpentronsRunner(**ROBOT, url=url))
        await client.run_trials(max_trials=trials, progress=False)
        parameters, values, trial, _ = await client.get_best_parameterization()
        print(f"best of {trials} wells: trial {trial} at {parameters} gives {values}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True, help="where the robot-server is")
    parser.add_argument("--trials", type=int, default=12, help="how many (default: 12)")
    arguments = parser.parse_args()
    anyio.run(main, arguments.url, arguments.trials)
