"""A closed loop over an adapter: its engine is killed (kill -9) while a run is under way, and another one goes on.

In a test::

    loop = await killed_and_resumed(
        "scpi", {"host": "127.0.0.1", "port": port, ...}, starts=lab.starts, folder=tmp_path, parameters={"x": [0, 3]}
    )

What must hold of every adapter is asserted here; what comes back is for what one adapter has to say beyond that.
"""

from __future__ import annotations

import inspect
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import anyio
import msgspec

from titrant import Client, RangeParameterConfig
from titrant.definition.connecting import metric as metric_of
from titrant.definition.connecting import runner as runner_of
from titrant.definition.file import MetricPart, RunnerPart
from titrant.errors import LogError
from titrant.log.replay import read_log
from titrant.messages import events as e

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
"""Seconds that one of the two processes may take before it counts as hung: the machine may be busy."""
SESSIONS = 10
"""Of a run and a person's decisions, before the experiment counts as one that never ends."""
OVER = (e.TrialCompleted, e.TrialFailed, e.TrialAbandoned)


class Plan(msgspec.Struct, kw_only=True):
    """What the process under test is to do."""

    log: str
    use: str
    instruments: list[dict[str, Any]]
    parameters: dict[str, tuple[float, float]]
    objective: str
    metrics: dict[str, tuple[str, dict[str, Any]]]
    trials: int
    parallelism: int
    sobol: int


class Loop(msgspec.Struct, kw_only=True):
    """What the log says of the loop, and the lab of its starts.

    Attributes:
        events: All, in their order.
        nodes: How many trials each node of the generation strategy made.
        ended: How many trials ended how, by the tag of the event.
        lost: Trials that were UNKNOWN, and of which a person had to say what became of them.
        found: Trials that were found again on the instrument.
        again: Attempts that were made anew without a person, as ``rerun_safe`` and ``absence_is_proof`` allow.
        starts: Physical starts, as the lab counts them; ``at_kill`` of them before the engine was killed.
    """

    events: list[Any]
    nodes: Counter[str]
    ended: Counter[str]
    lost: list[int]
    found: list[int]
    again: int
    starts: int
    at_kill: int

    @property
    def begun_and_lost(self):
        """How many runs began and were not found again; those do not count that were lost before they began."""
        return self.starts - self.ended["trial.completed"]

    def of(self, *kinds):
        return [event for event in self.events if isinstance(event, kinds)]


async def killed_and_resumed(
    use,
    config,
    *,
    starts,
    folder,
    parameters=None,
    objective="y",
    metrics=None,
    trials=12,
    parallelism=1,
    sobol=4,
    kill_after=6,
    env=None,
):
    """Run the loop; kill its engine once *kill_after* trials are over and a run is under way; resume; hold to account.

    Args:
        use: The adapter's entry point, or ``module:attribute``.
        config: Its fields, as an experiment file gives them; a list of them where there are several instruments of
            the kind, each of which has a runner of its own then.
        starts: How many runs the lab has physically begun; a function, sync or async.
        folder: Where the log goes.
        parameters: Name to bounds; one ``x`` from 0 to 3 where None.
        objective: As ``configure_optimization`` takes it.
        metrics: Where metrics fetch the data: name to entry point and fields.
        trials: Of both processes together.
        parallelism: Trials at once.
        sobol: Trials before Bayesian optimization takes over.
        kill_after: Trials that are over when the engine is killed.
        env: Further environment of the engine's processes.
    """
    plan = Plan(
        log=str(Path(folder) / "loop.titrant"),
        use=use,
        instruments=config if isinstance(config, list) else [config],
        parameters=parameters or {"x": (0.0, 3.0)},
        objective=objective,
        metrics=metrics or {},
        trials=trials,
        parallelism=parallelism,
        sobol=sobol,
    )
    count = _counted(starts)
    at_start = await count()

    async def under_way():
        started = await count() - at_start
        if started <= kill_after:  # the log need not be read yet, which is long work many times a second
            return False
        events = _events(plan.log)
        over = sum(isinstance(event, OVER) for event in events)
        ended = {event.trial for event in events if isinstance(event, (*OVER, e.TrialRunFinished))}
        return kill_after <= over and len(ended) < started

    code, said = await _child(plan, env, kill_when=under_way)
    assert code == -signal.SIGKILL, f"it was to be killed while a run was under way, and ended with {code}:\n{said}"
    at_kill = await count() - at_start
    code, said = await _child(plan, env)
    assert code == 0, f"the engine that went on ended with {code}:\n{said}"

    loop = _told(plan, starts=await count() - at_start, at_kill=at_kill)
    _hold(loop, plan)
    return loop


async def killed_at(point, use, config, *, starts, folder, parameters=None, trials=3):
    """Run a loop whose engine kills itself at a crash point (``name#n``: the n-th time); resume; say what was found.

    Nothing is asserted of it but that the engine died there and that another one saw the loop to its end.
    """
    plan = Plan(
        log=str(Path(folder) / "loop.titrant"),
        use=use,
        instruments=[config],
        parameters=parameters or {"x": (0.0, 3.0)},
        objective="y",
        metrics={},
        trials=trials,
        parallelism=1,
        sobol=trials,
    )
    count = _counted(starts)
    at_start = await count()
    code, said = await _child(plan, {"TITRANT_CRASH_AT": point})
    assert code == -signal.SIGKILL, f"it was to die at {point}, and ended with {code}:\n{said}"
    at_kill = await count() - at_start
    code, said = await _child(plan, None)
    assert code == 0, f"the engine that went on ended with {code}:\n{said}"
    return _told(plan, starts=await count() - at_start, at_kill=at_kill)


def _hold(loop, plan):
    """What must be true of every adapter."""
    (spec, *others) = loop.of(e.RunnersConfigured)[-1].runners
    used = {event.runner for event in loop.of(e.TrialSubmitting)}
    assert used == {spec.name, *(one.name for one in others)}, f"only {used} carried out trials"
    trials = {event.trial for event in loop.of(e.TrialCreated)}
    over = Counter(event.trial for event in loop.of(*OVER))
    assert len(trials) == plan.trials
    assert over == Counter(trials), f"not every trial ended, and ended once: {over}"
    assert loop.ended["trial.completed"] == plan.trials - len(loop.lost), loop.ended
    assert loop.nodes["bo"] >= 1, f"no trial was made by the optimizer: {loop.nodes}"
    assert len(loop.of(e.SessionOpened)) == 2

    # Nothing ran twice but what declares that twice does no harm; what never ran may be tried again.
    assert loop.again == 0 or spec.rerun_safe or spec.absence_is_proof, f"{loop.again} trials were carried out again"
    most = plan.trials + (loop.again if spec.rerun_safe else 0)
    assert plan.trials - len(loop.lost) <= loop.starts <= most, f"{loop.starts} starts of {plan.trials} trials"
    if spec.can_report_status or spec.honours_keys:
        assert len(loop.lost) < plan.parallelism, f"no run under way was found again: {loop.lost}"
        assert not spec.can_report_status or loop.found


def _told(plan, *, starts, at_kill):
    events = _events(plan.log)
    made = [event for event in events if isinstance(event, e.TrialCreated)]
    resolved = [event for event in events if isinstance(event, e.TrialResolved)]
    return Loop(
        events=events,
        nodes=Counter(event.suggestion.node for event in made if event.suggestion is not None),
        ended=Counter(event.__struct_config__.tag for event in events if isinstance(event, OVER)),
        lost=sorted({event.trial for event in resolved if event.outcome == "failed"}),
        found=sorted({event.trial for event in events if isinstance(event, e.TrialReattached)}),
        again=sum(isinstance(event, e.TrialRequeued) for event in events),
        starts=starts,
        at_kill=at_kill,
    )


def _events(log):
    try:
        return [record.event for record in read_log(Path(log))]
    except LogError:  # it is being made
        return []


def _counted(starts):
    async def count():
        number = starts()
        return await number if inspect.isawaitable(number) else number

    return count


async def _child(plan, env, kill_when=None):
    """Run an engine to its end, or until it is killed; give its exit code and what it wrote to stderr."""
    said = anyio.Path(f"{plan.log}.stderr")
    async with await said.open("wb") as stderr:
        process = await anyio.open_process(
            [sys.executable, "-m", "tests.adapters.loops", msgspec.json.encode(plan).decode()],
            cwd=ROOT,
            env=os.environ | {"PYTHONFAULTHANDLER": "1"} | (env or {}),
            stdin=None,
            stdout=stderr.wrapped,
            stderr=stderr.wrapped,
        )
    try:
        with anyio.move_on_after(PATIENCE_S):
            if kill_when is not None:
                while process.returncode is None:
                    if await kill_when():
                        process.send_signal(signal.SIGSTOP)  # or the run could be over by the time the signal comes
                        if await kill_when():
                            process.kill()
                            break
                        process.send_signal(signal.SIGCONT)
                    await anyio.sleep(0.005)  # the lab may be another process
            await process.wait()
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGABRT)  # it writes where it hangs
        with anyio.CancelScope(shield=True):
            await process.wait()
    return process.returncode, await said.read_text(errors="replace")


# --- in the process under test ----------------------------------------------------------------------------------------


def main(plan):
    """Begin, or go on where the log ends; a person settles what is UNKNOWN and puts the runners to use again."""
    new = not Path(plan.log).exists()
    with Client(plan.log, random_seed=1) if new else Client.open(plan.log) as client:
        if new:
            client.configure_experiment(
                [RangeParameterConfig(name, tuple(bounds)) for name, bounds in plan.parameters.items()]
            )
            client.configure_optimization(plan.objective)
            client.configure_generation_strategy(initialization_budget=plan.sobol)
        runners = [
            runner_of(RunnerPart(use=plan.use, with_=with_, name=f"{plan.use} {number}"))
            for number, with_ in enumerate(plan.instruments, 1)
        ]
        client.configure_runners(runners)
        if plan.metrics:
            client.configure_metrics(
                [metric_of(MetricPart(use=use, with_=with_, name=name)) for name, (use, with_) in plan.metrics.items()]
            )
        for _ in range(SESSIONS):
            go_on(client, plan)
            for index in client.state.unknown:
                client.resolve(index, "failed", "nobody can say what became of it")
            for name in client.state.quarantined:
                client.restore_runner(name, "looked at it")
            if not client.state.open and client.state.next_index >= plan.trials:
                return
    raise SystemExit(f"the experiment never ends: {client.state.last_run}")


def go_on(client, plan):
    last = client.state.last_run
    if last is not None and last.outcome == "interrupted":
        client.resume(progress=False)
    else:
        client.run_trials(
            plan.trials - client.state.next_index,
            parallelism=plan.parallelism,
            tolerated_trial_failure_rate=1.0,
            initial_seconds_between_polls=0.01,
            progress=False,
        )


if __name__ == "__main__":
    main(msgspec.json.decode(sys.argv[1], type=Plan))
