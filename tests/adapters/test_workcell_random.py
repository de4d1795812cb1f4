"""Trials in a workcell whose instruments do as chance has it: whatever happens, what must hold of it holds."""

from __future__ import annotations

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.adapters import workcell_bench
from tests.adapters.test_workcell import Log, step, workcell
from tests.adapters.workcell_bench import FAILED, LOST, REFUSED, Bench

from titrant.errors import OutcomeUnknown, SubmissionRefused
from titrant.runtime.calls import RetryPolicy
from titrant.testing.runner_contract import attempt_of

NAMES = ("supply", "oven", "robot", "reactor")
FAULTS = {"refuse": REFUSED, "run": FAILED, "lost": LOST}

shapes = st.fixed_dictionaries(
    {
        "places": st.tuples(*[st.integers(1, 2)] * len(NAMES)),
        "together": st.tuples(*[st.booleans()] * (len(NAMES) - 1)),
        "kept": st.booleans(),
        "shared": st.booleans(),
    }
)
faults = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from([*FAULTS, None])), max_size=12)


@given(shape=shapes, faults=faults, trials=st.integers(1, 4), pace=st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_no_step_twice_no_instrument_overfull_and_none_is_lost_for_good(shape, faults, trials, pace):
    bench = Bench()
    before, workcell_bench.BENCH = workcell_bench.BENCH, bench
    try:
        anyio.run(scene, bench, shape, faults, trials, pace)
    finally:
        workcell_bench.BENCH = before


async def scene(bench, shape, faults, trials, pace):
    bench.pace = pace
    for name, fault in faults:
        moment = "refuse" if fault == "refuse" else "run"
        bench.faults.setdefault((name, moment), []).append(FAULTS.get(fault))
    steps = [
        step(name, "x", places=places, together=together)
        for name, places, together in zip(NAMES, shape["places"], (False, *shape["together"]), strict=True)
    ]
    if shape["kept"] and not steps[-1]["together"]:
        steps[0]["until"] = "reactor"
    places = dict(zip(NAMES, shape["places"], strict=True))
    if shape["shared"] and not steps[2]["together"]:
        steps[2]["instrument"] = steps[2]["with"]["at"] = "oven"
        places["oven"] = min(places["oven"], places.pop("robot"))
    ended = []
    async with workcell(*steps, places=4) as runner:
        runner.retry = RetryPolicy(attempts=3, initial_seconds=0.0)
        with anyio.fail_after(20.0):
            async with anyio.create_task_group() as tasks:
                for _ in range(trials):
                    tasks.start_soon(submitted, runner, ended)
            bench.faults.clear()
            after = await runner.run(attempt_of({"x": 1.0}), Log().record, Log().report)

    assert len(ended) == trials
    assert after.status == "completed", "an instrument is lost for good"
    assert all(len(times) == 1 for times in bench.starts.values()), "a step was carried out twice"
    for name, most in places.items():
        assert bench.most[name] <= most
        assert len([what for what in bench.of("end") if what.startswith(name)]) >= ended.count("completed") + 1


async def submitted(runner, ended):
    """As the engine does: again after a refusal; of what is unknown, somebody says what became of it."""
    attempt, log = attempt_of({"x": 1.0}), Log()
    while True:
        try:
            ended.append((await runner.run(attempt, log.record, log.report)).status)
        except SubmissionRefused:
            if attempt.key in runner._walker.trials:
                continue
            ended.append("refused")
        except OutcomeUnknown:
            await runner.settled(attempt)
            ended.append("unknown")
        return
