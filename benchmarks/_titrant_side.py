"""Titrant's side of one case: ``python _titrant_side.py CASE PLAN.json RESULT.json`` in a fresh interpreter."""

# ruff: noqa: PLC0415  # what is imported when is part of what is measured

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _lab import NAMES, Lab, closed_loop_result, hartmann6, lateness_result, memory_mb, read_trial

Plan = dict[str, Any]


def closed_loop(plan: Plan) -> dict[str, Any]:
    """``run_trials`` on the simulated laboratory."""
    from titrant import Client, TrialStatus

    lab = Lab(plan["durations"], plan["folder"], TrialStatus.RUNNING, TrialStatus.COMPLETED)
    with Client(plan["db"], random_seed=plan["seed"]) as client:
        configure(client, plan)
        client.configure_runner(lab)
        client.configure_metrics([Value(plan["folder"])])
        extra = {} if plan["poll"] is None else {"initial_seconds_between_polls": plan["poll"]}
        called, began = time.time(), time.perf_counter()
        client.run_trials(plan["trials"], parallelism=plan["slots"], progress=False, **extra)
        wall = time.perf_counter() - began
        log = client._async.engine.log  # the events, with the time each was recorded
        noticed = {
            event.trial: recorded_at / 1e6
            for _, recorded_at, event in log.scan()
            if type(event).__name__ == "TrialRunFinished"
        }
    return closed_loop_result(lab, plan, called, wall, noticed)


class Value:
    """The metric, with Ax's method name."""

    def __init__(self, folder: str | None) -> None:
        self.name = "y"
        self.folder = folder

    def fetch(self, trial_index: int, trial_metadata: Any) -> tuple[int, float]:
        return 0, read_trial(self.folder, trial_metadata)["value"]


def configure(client: Any, plan: Plan) -> None:
    from titrant import RangeParameterConfig

    client.configure_experiment([RangeParameterConfig(name, (0.0, 1.0)) for name in NAMES], name="bench")
    client.configure_optimization("-y")
    client.configure_generation_strategy(plan["method"])


def build(plan: Plan) -> dict[str, Any]:
    """Make the experiment that is loaded; without a clean close where the plan says so."""
    from titrant import Client, TrialStatus

    client = Client(plan["db"], random_seed=plan["seed"])
    configure(client, plan)
    client.configure_runner(Lab(plan["durations"], None, TrialStatus.RUNNING, TrialStatus.COMPLETED))
    client.configure_metrics([Value(None)])
    client.run_trials(plan["trials"], progress=False)
    if plan["crash"]:
        write(plan, {"trials": plan["trials"]})
        os._exit(0)
    client.close()
    return {"trials": plan["trials"]}


def load(plan: Plan) -> dict[str, Any]:
    """``Client.open`` until the state is there; the import is a case of its own."""
    from titrant import Client

    began = time.perf_counter()
    client = Client.open(plan["db"])
    trials = len(client.state.trials())
    seconds = time.perf_counter() - began
    client.close()
    if trials != plan["trials"]:
        raise AssertionError(f"{trials} trials loaded, {plan['trials']} stored")
    return {"seconds": seconds, "trials": trials}


def import_client(_plan: Plan) -> dict[str, Any]:
    before = memory_mb()
    began = time.perf_counter()
    from titrant import Client

    seconds = time.perf_counter() - began
    assert Client
    return {"seconds": seconds, "rss_mb": memory_mb(), "rss_before_mb": before}


async def stall_in_loop(plan: Plan) -> dict[str, Any]:
    """How late 5 ms ticks come in our own loop while the model is fitted."""
    from titrant import AsyncClient, RangeParameterConfig

    draw = random.Random(plan["seed"])
    async with AsyncClient(random_seed=plan["seed"]) as client:
        await client.configure_experiment([RangeParameterConfig(name, (0.0, 1.0)) for name in NAMES])
        await client.configure_optimization("-y")
        await client.configure_generation_strategy("fast")
        for _ in range(plan["trials"]):
            parameters = {name: draw.random() for name in NAMES}
            trial = await client.attach_trial(parameters)
            await client.complete_trial(trial, hartmann6(parameters))
        idle = Ticker()
        await idle.during(asyncio.sleep(plan["idle_s"]))
        asks: list[float] = []

        async def ask() -> None:
            for _ in range(plan["asks"]):
                began = time.perf_counter()
                made = await client.get_next_trials(1)
                asks.append(time.perf_counter() - began)
                for trial, parameters in made.items():
                    assert client.state.trial(trial).node == "bo", client.state.trial(trial).node
                    await client.complete_trial(trial, hartmann6(parameters))

        ticker = Ticker()
        await ticker.during(ask())
    return lateness_result(ticker.late, asks, idle.late)


class Ticker:
    """Wakes every 5 ms and notes how late; a tick that is due while the loop stands still counts as well."""

    def __init__(self) -> None:
        self.late: list[float] = []

    async def during(self, work: Any) -> None:
        task = asyncio.create_task(self._tick())
        await asyncio.sleep(0)  # it waits for its first tick
        try:
            await work
            await asyncio.sleep(0.01)
        finally:
            task.cancel()

    async def _tick(self) -> None:
        due = time.perf_counter()
        while True:
            due += 0.005
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            now = time.perf_counter()
            self.late.append(max(0.0, now - due))
            while due + 0.005 <= now:
                due += 0.005
                self.late.append(now - due)


def stall(plan: Plan) -> dict[str, Any]:
    return asyncio.run(stall_in_loop(plan))


KINDS: dict[str, Callable[[Plan], dict[str, Any]]] = {
    "closed_loop": closed_loop,
    "build": build,
    "load": load,
    "import": import_client,
    "stall": stall,
}


def write(plan: Plan, result: dict[str, Any]) -> None:
    Path(plan["result"]).write_text(json.dumps(result))


if __name__ == "__main__":
    the_plan = json.loads(Path(sys.argv[2]).read_text())
    write(the_plan, KINDS[sys.argv[1]](the_plan))
