"""A runner that is awaited instead of polled: one coroutine per trial, with data on the way.

The instrument here is a coroutine that "heats" for a moment.  While it runs, it reports what it sees; the engine writes
each report into the log as it comes.

    python examples/pushed_runner.py
"""

from __future__ import annotations

import argparse
import asyncio
import math

from titrant import AsyncClient, Attempt, PushedRunner, RangeParameterConfig, Result
from titrant.ports import Report


class Reactor(PushedRunner):
    name = "reactor"
    capacity = 2  # places in the heating block
    rerun_safe = True  # carrying a trial out twice does no harm: after a crash it simply starts again

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    async def run(self, attempt: Attempt, report: Report) -> Result:
        temperature = attempt.parameters["temperature_c"]
        final = 90 * math.exp(-(((temperature - 72) / 25) ** 2))
        for share in (0.25, 0.5, 0.75):
            await asyncio.sleep(self.seconds / 4)
            await report({"yield": final * share}, share)  # the data, and where on the way they were taken
        await asyncio.sleep(self.seconds / 4)
        if temperature > 115:
            return Result(status="failed", reason="the solvent boiled off")
        return Result(data={"yield": (final, 0.5)})  # mean and standard error, in per cent


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=10, help="new trials (default: 10)")
    parser.add_argument("--seconds", type=float, default=0.4, help="how long each takes (default: 0.4)")
    options = parser.parse_args()

    async with AsyncClient() as client:
        await client.configure_experiment([RangeParameterConfig(name="temperature_c", bounds=(20.0, 120.0))])
        await client.configure_optimization("yield")
        await client.configure_runner(Reactor(options.seconds))
        report = await client.run_trials(options.trials, parallelism=4)

        print(await client.summarize())
        parameters, values, index, _arm = await client.get_best_parameterization(use_model_predictions=False)
        temperature, reached = parameters["temperature_c"], values["yield"][0]
        print(f"\n{report.outcome}: trial {index} at {temperature:.1f} °C gives {reached:.1f} %")
        print(f"observations of trial {index}, the last one final:")
        for one in client.state.trial(index).observations:
            print(f"  {one.metric} = {one.mean:.1f} % at progression {one.progression}")


if __name__ == "__main__":
    asyncio.run(main())
