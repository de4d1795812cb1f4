"""Ax's side of one case: ``python _ax_side.py CASE PLAN.json RESULT.json`` in a fresh interpreter.

``tuned`` in the plan drives ``Orchestrator`` directly with the shortest waits its options allow; without it the
public ``Client.run_trials`` is called with its defaults.
"""

# ruff: noqa: PLC0415  # what is imported when is part of what is measured

from __future__ import annotations

import asyncio
import json
import logging
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _lab import NAMES, Lab, closed_loop_result, hartmann6, lateness_result, memory_mb, read_trial

Plan = dict[str, Any]
PLAN: Plan = {}
"""The plan, for classes that Ax makes again from the database without arguments."""


def classes() -> tuple[type, type]:
    from ax.api.protocols.metric import IMetric
    from ax.api.protocols.runner import IRunner
    from ax.core.trial_status import TrialStatus

    class AxLab(Lab, IRunner):
        def __init__(self) -> None:
            Lab.__init__(self, PLAN["durations"], PLAN["folder"], TrialStatus.RUNNING, TrialStatus.COMPLETED)

        @classmethod
        def serialize_init_args(cls, obj: Any) -> dict[str, Any]:
            return {}

    class Value(IMetric):
        def __init__(self, name: str = "y") -> None:
            super().__init__(name=name)

        def fetch(self, trial_index: int, trial_metadata: Any) -> tuple[int, float]:
            return 0, float(read_trial(PLAN["folder"], trial_metadata)["value"])

    return AxLab, Value


def storage(db: str, lab: type, metric: type, *, create: bool) -> Any:
    """SQLite through Ax's own storage layer."""
    from ax.api.configs import StorageConfig
    from ax.storage.metric_registry import CORE_METRIC_REGISTRY
    from ax.storage.registry_bundle import RegistryBundle
    from ax.storage.runner_registry import CORE_RUNNER_REGISTRY
    from ax.storage.sqa_store.db import create_all_tables, get_engine, init_engine_and_session_factory

    url = f"sqlite:///{db}"
    init_engine_and_session_factory(url=url)
    if create:
        create_all_tables(get_engine())
    bundle = RegistryBundle(
        metric_clss={**CORE_METRIC_REGISTRY, metric: None}, runner_clss={**CORE_RUNNER_REGISTRY, lab: None}
    )
    return StorageConfig(url=url, registry_bundle=bundle)


def configure(client: Any, plan: Plan) -> None:
    from ax.api.configs import RangeParameterConfig

    parameters = [RangeParameterConfig(name=name, parameter_type="float", bounds=(0.0, 1.0)) for name in NAMES]
    client.configure_experiment(parameters=parameters, name="bench")
    client.configure_optimization("-y")
    client.configure_generation_strategy(method=plan["method"])


def closed_loop(plan: Plan) -> dict[str, Any]:
    from ax.api.client import Client

    lab_class, metric_class = classes()
    config = storage(plan["db"], lab_class, metric_class, create=True) if plan["db"] else None
    client = Client(storage_config=config, random_seed=plan["seed"])
    configure(client, plan)
    lab: Any = lab_class()
    client.configure_runner(lab)
    client.configure_metrics([metric_class()])
    called, began = time.time(), time.perf_counter()
    if plan["tuned"]:
        orchestrate(client, plan)
    else:
        client.run_trials(max_trials=plan["trials"], parallelism=plan["slots"])
    wall = time.perf_counter() - began
    noticed = {
        index: trial.time_completed.timestamp()
        for index, trial in client._experiment.trials.items()
        if trial.time_completed is not None
    }
    return closed_loop_result(lab, plan, called, wall, noticed)


def orchestrate(client: Any, plan: Plan) -> None:
    """``Client.run_trials``, with the waits that its signature does not reach set as short as they go."""
    from ax.api.utils.storage import db_settings_from_storage_config
    from ax.orchestration.orchestrator import Orchestrator, OrchestratorOptions

    config = client._storage_config
    orchestrator = Orchestrator(
        experiment=client._experiment,
        generation_strategy=client._generation_strategy_or_choose(),
        options=OrchestratorOptions(
            max_pending_trials=plan["slots"],
            init_seconds_between_polls=plan["poll"],
            min_seconds_before_poll=0.0,
            seconds_between_polls_backoff_factor=1.0,
            logging_level=logging.WARNING,
        ),
        db_settings=db_settings_from_storage_config(config) if config is not None else None,
    )
    orchestrator.run_n_trials(max_trials=plan["trials"])


def load(plan: Plan) -> dict[str, Any]:
    from ax.api.client import Client

    lab_class, metric_class = classes()
    config = storage(plan["db"], lab_class, metric_class, create=False)
    began = time.perf_counter()
    client = Client.load_from_database("bench", storage_config=config)
    trials = len(client._experiment.trials)
    seconds = time.perf_counter() - began
    if trials != plan["trials"]:
        raise AssertionError(f"{trials} trials loaded, {plan['trials']} stored")
    return {"seconds": seconds, "trials": trials}


def import_client(_plan: Plan) -> dict[str, Any]:
    before = memory_mb()
    began = time.perf_counter()
    from ax.api.client import Client

    seconds = time.perf_counter() - began
    assert Client
    return {"seconds": seconds, "rss_mb": memory_mb(), "rss_before_mb": before}


async def stall_in_loop(plan: Plan) -> dict[str, Any]:
    """Ax has no async client: called as it is (default), or in a thread (tuned)."""
    from _titrant_side import Ticker
    from ax.api.client import Client

    draw = random.Random(plan["seed"])
    client = Client(random_seed=plan["seed"])
    configure(client, plan | {"method": "fast"})
    for _ in range(plan["trials"]):
        parameters = {name: draw.random() for name in NAMES}
        trial = client.attach_trial(parameters=parameters)
        client.complete_trial(trial_index=trial, raw_data={"y": hartmann6(parameters)})
    idle = Ticker()
    await idle.during(asyncio.sleep(plan["idle_s"]))
    asks: list[float] = []

    def one_ask() -> None:
        began = time.perf_counter()
        made = client.get_next_trials(max_trials=1)
        asks.append(time.perf_counter() - began)
        for trial, parameters in made.items():
            client.complete_trial(trial_index=trial, raw_data={"y": hartmann6(parameters)})

    async def ask() -> None:
        for _ in range(plan["asks"]):
            if plan["tuned"]:
                await asyncio.to_thread(one_ask)
            else:
                one_ask()
                await asyncio.sleep(0.005)

    ticker = Ticker()
    await ticker.during(ask())
    return lateness_result(ticker.late, asks, idle.late)


def stall(plan: Plan) -> dict[str, Any]:
    return asyncio.run(stall_in_loop(plan))


KINDS: dict[str, Callable[[Plan], dict[str, Any]]] = {
    "closed_loop": closed_loop,
    "load": load,
    "import": import_client,
    "stall": stall,
}

if __name__ == "__main__":
    PLAN.update(json.loads(Path(sys.argv[2]).read_text()))
    result = KINDS[sys.argv[1]](PLAN)
    Path(PLAN["result"]).write_text(json.dumps(result))
