"""A closed loop over ophyd-async devices: a stage is moved, a detector triggered and read.  EPICS without them: below.

python examples/adapters/ophyd.py --trials 12

The devices are those that ophyd-async ships as a simulation; yours come from a function of your own, and may be EPICS
motors, Tango devices or anything else that ophyd-async has.  Plain EPICS variables need no devices at all:

    [[runners]]
    use = "epics"
    with.prefix = "BL7:"
    with.settings.x = { to = "X", read_back = "X.RBV", tolerance = 0.01 }
    with.start = "GO"
    with.count = "RUNS"  # counts the runs that have ended
    with.measure.counts = "COUNTS"
"""

from __future__ import annotations

import argparse

import anyio
from ophyd_async.sim import PatternGenerator, SimPointDetector, SimStage

from titrant import AsyncClient, RangeParameterConfig
from titrant_adapters.ophyd import OphydRunner


def devices() -> dict[str, object]:
    """The beamline: name to device."""
    pattern = PatternGenerator()
    return {"stage": SimStage(pattern), "counter": SimPointDetector(pattern, num_channels=1)}


BEAMLINE = {
    "devices": "__main__:devices",  # where yours is a module: "my_beamline:devices"
    "settings": {
        "x": {"to": "stage.x", "unit": "mm", "read_back": "stage.x", "tolerance": 0.01},
        "y": {"to": "stage.y", "unit": "mm", "read_back": "stage.y", "tolerance": 0.01},
    },
    "trigger": ["counter"],
    "measure": {"counts": "counter-channel-1-value"},
    "safe": {"stage.x": 0.0, "stage.y": 0.0},  # whichever way the loop ends
}


async def main(trials: int) -> None:
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig(name, (-1.0, 1.0)) for name in ("x", "y")])
        await client.configure_optimization("counts")
        await client.configure_runner(OphydRunner(**BEAMLINE))
        await client.run_trials(max_trials=trials, progress=False)
        parameters, values, trial, _ = await client.get_best_parameterization()
        print(f"best of {trials} positions: trial {trial} at {parameters} gives {values}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=12, help="how many (default: 12)")
    anyio.run(main, parser.parse_args().trials)
