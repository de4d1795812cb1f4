"""A closed loop over EPICS: variables are set, read back and put into motion; a counter says when a run is over.

export EPICS_CA_ADDR_LIST=127.0.0.1 EPICS_CA_AUTO_ADDR_LIST=NO   # the IOC's address; EPICS looks everywhere else
python examples/adapters/epics.py --prefix BL7: --trials 12

The IOC has SP (what is wanted), RBV (what is in force), GO (starts a run), RUNS (counts those that have ended) and
YIELD; put yours in their place.  With `protocol = "pva"` they are asked for over PV Access.  A run whose number is
known is found again after a restart; a reading with a major alarm is not believed.
"""

from __future__ import annotations

import argparse

import anyio

from titrant import AsyncClient, RangeParameterConfig
from titrant_adapters.epics import EpicsRunner

REACTOR = {
    "settings": {
        "temperature_k": {"to": "SP", "unit": "K", "sent_in": "degC", "read_back": "RBV", "tolerance": 0.1},
    },
    "start": "GO",
    "count": "RUNS",
    "measure": {"yield": "YIELD"},
    "safe": {"SP": 20.0},  # whichever way the loop ends
    "poll_s": 0.02,
}


async def main(prefix: str, trials: int) -> None:
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig("temperature_k", (293.15, 423.15))])
        await client.configure_optimization("yield")
        await client.configure_runner(EpicsRunner(**REACTOR, prefix=prefix))
        await client.run_trials(max_trials=trials, progress=False)
        parameters, values, trial, _ = await client.get_best_parameterization()
        print(f"best of {trials} runs: trial {trial} at {parameters} gives {values}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prefix", default="REACTOR:", help="what all names begin with (default: REACTOR:)")
    parser.add_argument("--trials", type=int, default=12, help="how many (default: 12)")
    arguments = parser.parse_args()
    anyio.run(main, arguments.prefix, arguments.trials)
