"""One variation, run to its end in virtual time, with a lab that answers from the model."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import anyio
import msgspec
from msgspec.structs import replace

from titrant.api.base import by
from titrant.api.calls import Calls
from titrant.engine import Engine
from titrant.generators.process import WorkerProcess
from titrant.messages import commands as c
from titrant.model.observation import by_metric
from titrant.model.strategy import Method
from titrant.model.trial import Attempt, Parameterization, TrialStatus
from titrant.ports import PushedRunner, Result
from titrant.runtime.virtual_loop import VirtualTimeLoop
from titrant.whatif.basis import Basis, utility_of
from titrant.whatif.oracle import Oracle


class Variation(msgspec.Struct, frozen=True, kw_only=True):
    """What is otherwise, and by which chance."""

    method: Method
    parallelism: int
    max_trials: int
    seed: int
    path: Path | None = None


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What came out of one run.

    Attributes:
        hours: Virtual hours from its beginning to the end of its last trial.
        values: The utility that the model predicts at each new trial's conditions in order of their end; None where
            the trial failed or breaks an outcome constraint.
        tried: Conditions of the new trials.
        failed: New trials that failed.
    """

    hours: float
    values: tuple[float | None, ...]
    tried: tuple[Parameterization, ...]
    failed: int


class _ModelLab(PushedRunner):
    """Answers from the model; chance depends on the run's seed and the trial's number alone, whatever the setting."""

    name = "model of the log"
    virtual_time = True
    rerun_safe = True

    def __init__(self, basis: Basis, oracle: Oracle, seed: int) -> None:
        self._basis, self._oracle, self._seed = basis, oracle, seed

    async def run(self, attempt: Attempt) -> Result:
        """Wait as long as some trial of the log took, and fail as often as they did."""
        draws = self._draws(attempt, "course")
        fails, place = draws.random() < self._basis.failure_rate, draws.random()
        seconds = self._basis.seconds_failed if fails else self._basis.seconds
        await anyio.sleep(seconds[int(place * len(seconds))])
        if fails:
            return Result(status="failed", reason="failed as often as trials of the log did")
        # Blocks the loop: nothing else is to happen meanwhile, since time is virtual.
        return Result(data=self._measured(attempt))

    def _measured(self, attempt: Attempt) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, (mean, sem) in self._oracle.at(attempt.parameters).items():
            noise = self._oracle.noise[name]
            value = mean + self._draws(attempt, name).normalvariate(0.0, 1.0) * math.hypot(sem, noise)
            found[name] = (value, noise) if self._oracle.sem_known[name] else value
        return found

    def _draws(self, attempt: Attempt, what: str) -> Random:
        return Random(f"{self._seed}/{attempt.trial}/{what}")  # noqa: S311  # a simulation


class _Lent:
    """The one worker of all runs, as an engine's own: it outlives the engine."""

    def __init__(self, worker: WorkerProcess) -> None:
        self._worker = worker

    def start(self) -> None:
        """It runs already."""

    def kill(self) -> None:
        """The next run needs it."""

    def call(self, message: Any) -> Any:
        """Ask it."""
        return self._worker.call(message)


def run(variation: Variation, basis: Basis, oracle: Oracle, worker: WorkerProcess) -> Ran:
    """Run a variation to its end.

    Raises:
        LogExists: There is a log at its path already.
    """
    # In a thread of its own, since the caller may have an event loop (a notebook).
    with ThreadPoolExecutor(1, "titrant what-if") as threads:
        options = {"loop_factory": VirtualTimeLoop}
        main = partial(_run, variation, basis, oracle, worker)
        return threads.submit(anyio.run, main, backend_options=options).result()


async def _run(variation: Variation, basis: Basis, oracle: Oracle, worker: WorkerProcess) -> Ran:
    # The log's identity comes from this seed in virtual time: every variation needs one of its own.
    identity = f"{basis.head.log_id}/{basis.start}/{variation.method}/{variation.parallelism}/{variation.max_trials}"
    seed = Random(f"{identity}/{variation.seed}").getrandbits(31)  # noqa: S311  # no secret
    async with Engine(variation.path, seed=seed, make_worker=lambda: _Lent(worker)) as engine:
        await _set_up(engine, variation, basis)
        client = Calls(engine)
        for point in basis.given:
            index = await client.attach_trial(point.parameters)
            latest = by_metric(point.observations)
            data = {name: (latest[name].mean, latest[name].sem) for name in oracle.metrics}
            await client.complete_trial(index, data)
        await client.configure_runner(_ModelLab(basis, oracle, variation.seed))
        first = engine.state.next_index
        # Under the circumstances of the log's last trial, where they are given and not chosen.
        context = {name: basis.points[-1].parameters[name] for name in basis.request.space.having("context")}
        await client.run_trials(
            variation.max_trials,
            variation.parallelism,
            tolerated_trial_failure_rate=1.0,
            progress=False,
            context=context,
        )
        state = engine.state
    begun = 0 if state.last_run is None else state.last_run.started_at
    new = sorted((one for one in state.trials() if one.index >= first), key=lambda one: (one.ended_at or 0, one.index))
    values: list[float | None] = []
    for one in new:
        means = {name: mean for name, (mean, _) in oracle.at(one.parameters).items()}
        values.append(utility_of(basis, means) if one.status is TrialStatus.COMPLETED else None)
    return Ran(
        hours=max((one.ended_at or begun for one in new), default=begun) / 3.6e9 - begun / 3.6e9,
        values=tuple(values),
        tried=tuple(one.parameters for one in new),
        failed=sum(one.status is TrialStatus.FAILED for one in new),
    )


async def _set_up(engine: Engine, variation: Variation, basis: Basis) -> None:
    """The same experiment, and where it comes from; nobody is there to approve trials."""
    changes = {
        "method": variation.method,
        "parallelism": variation.parallelism,
        "max_trials": variation.max_trials,
        "from_seq": basis.start,
        "seed": variation.seed,
    }
    parent = basis.head
    derived = c.DeriveLog(
        log_id=parent.log_id, seq=parent.seq, hash=parent.hash.hex(), purpose="what-if", changes=changes
    )
    assert basis.state.experiment is not None
    given = basis.state.strategy
    nodes = given.nodes if variation.method == given.method else ()
    strategy = replace(given, method=variation.method, seed=variation.seed, nodes=nodes)
    await engine.do(derived, by())
    await engine.do(c.ConfigureExperiment(experiment=basis.state.experiment), by())
    await engine.do(c.ConfigureOptimization(optimization=basis.request.optimization), by())
    await engine.do(c.ConfigureStrategy(strategy=strategy), by())
