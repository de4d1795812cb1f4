"""A closed loop over a MADSci node: an action is created, its id goes into the log, and only then it is started.

A node, in an environment of its own (`pip install madsci.node_module "pydantic<2.14"`), is a page too:

    class Reactor(RestNode):
        @action
        def run_reaction(self, temperature: float) -> float: ...
    Reactor(RestNodeConfig(node_url="http://127.0.0.1:2000/")).start_node()

Then, here:  python examples/adapters/madsci.py --url http://127.0.0.1:2000 --trials 12
"""

from __future__ import annotations

import argparse

import anyio

from titrant import AsyncClient, RangeParameterConfig
from titrant_adapters.madsci import MadsciRunner

NODE = {
    "action": "run_reaction",
    "settings": {"temperature_k": {"to": "temperature", "unit": "K", "sent_in": "degC"}},  # an argument of the action
    "measure": {"yield": ""},  # a pointer into the result: here it is the whole
    "reset": True,  # a node that an action left in an error state is reset before the next; else a person must
    "poll_s": 0.05,
}


async def main(url: str, trials: int) -> None:
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig("temperature_k", (293.15, 423.15))])
        await client.configure_optimization("yield")
        await client.configure_runner(MadsciRunner(**NODE, url=url))
        await client.run_trials(max_trials=trials, progress=False)
        parameters, values, trial, _ = await client.get_best_parameterization()
        print(f"best of {trials} actions: trial {trial} at {parameters} gives {values}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:2000", help="where the node is (default: %(default)s)")
    parser.add_argument("--trials", type=int, default=12, help="how many (default: 12)")
    arguments = parser.parse_args()
    anyio.run(main, arguments.url, arguments.trials)
