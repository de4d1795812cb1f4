"""A workcell in the hands of the engine: refusals, losses, stops and failures as the log and people see them."""

from __future__ import annotations

import anyio
import pytest
from tests.adapters import workcell_bench
from tests.adapters.test_workcell import step, three, workcell
from tests.adapters.workcell_bench import FAILED, LOST, REFUSED, Bench

from titrant import AsyncClient, RangeParameterConfig, TrialStatus
from titrant.messages import events as e
from titrant.runtime.calls import RetryPolicy

pytestmark = pytest.mark.anyio
METRICS = ["supply_y", "oven_y"]


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(autouse=True)
def bench(monkeypatch):
    made = Bench()
    monkeypatch.setattr(workcell_bench, "BENCH", made)
    return made


@pytest.fixture
async def client():
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig(name, (0.0, 3.0)) for name in "xz"])
        await client.configure_optimization("reactor_y")
        await client.configure_tracking_metrics(METRICS)
        yield client


class Heard:
    """The events of an experiment, as they come."""

    def __init__(self):
        self.events, self._news = [], anyio.Event()

    async def listen(self, client):
        async for record in client.subscribe():
            self.events.append(record.event)
            self._news.set()
            self._news = anyio.Event()

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, kind, times=1):
        with anyio.fail_after(20.0):
            while len(self.of(kind)) < times:
                await self._news.wait()


async def run(client, runner, trials=1, parallelism=1):
    await client.configure_runner(runner)
    return await client.run_trials(trials, parallelism=parallelism, tolerated_trial_failure_rate=1.0, progress=False)


def quick(runner):
    runner.retry = RetryPolicy(attempts=3, initial_seconds=0.01)
    return runner


async def test_the_data_of_all_steps_are_the_trials(client):
    await run(client, workcell(), trials=2)

    for trial in client.state.trials():
        assert trial.status is TrialStatus.COMPLETED
        assert {one.metric for one in trial.observations} == {"supply_y", "oven_y", "reactor_y"}


async def test_a_refusal_in_mid_trial_is_in_the_log_and_costs_no_finished_step(client, bench):
    bench.faults["oven", "refuse"] = [REFUSED, None]
    heard = Heard()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(heard.listen, client)
        await anyio.wait_all_tasks_blocked()
        await run(client, quick(workcell()))
        await heard.until(e.TrialCompleted)
        tasks.cancel_scope.cancel()

    (again,) = heard.of(e.SubmissionRetried)
    assert "step 'oven' (2 of 3" in again.reason
    assert [what.split()[0] for what in bench.of("start")] == ["supply", "oven", "reactor"]


async def test_a_failure_is_told_with_its_step_and_what_was_measured_is_kept(client, bench):
    bench.faults["reactor", "run"] = FAILED
    await run(client, workcell())
    trial = client.state.trial(0)

    assert trial.status is TrialStatus.FAILED
    assert trial.reason.startswith("step 'reactor' (3 of 3")
    assert {one.metric for one in trial.observations} == {"supply_y", "oven_y"}
    assert "safe supply" in bench.seen


async def test_the_next_trial_goes_on_once_somebody_has_said_what_became_of_the_lost_one(client, bench):
    bench.faults["oven", "run"] = [LOST]
    heard = Heard()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(heard.listen, client)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(run, client, workcell(*three(), places=2), 2, 2)
        await heard.until(e.TrialLost)
        assert "step 'oven' (2 of 3" in client.state.trial(0).reason
        await anyio.wait_all_tasks_blocked()
        assert len([what for what in bench.of("start") if what.startswith("supply")]) == 1
        await client.resolve(0, "failed", "thrown away")
        await heard.until(e.TrialCompleted)
        tasks.cancel_scope.cancel()

    assert [what for what in bench.of("start") if what.startswith("reactor")] == ["reactor 1"]


async def test_a_stop_ends_the_step_under_way_and_the_others_never_begin(client, bench):
    bench.gate("oven")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run, client, workcell())
        with anyio.fail_after(20.0):
            await bench.waiting["oven"].wait()
        await client.stop("enough")

    assert bench.of("stop") == ["oven 0"]
    assert {"supply", "oven"} <= {*bench.of("safe")}
    assert not any(what.startswith("reactor") for what in bench.of("start"))
    assert client.state.trial(0).status is TrialStatus.FAILED


async def test_a_halt_brings_every_instrument_into_its_safe_state(client, bench):
    bench.gate("oven")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run, client, workcell())
        with anyio.fail_after(20.0):
            await bench.waiting["oven"].wait()
        await client.halt("smoke")
        assert {*bench.of("safe")} == {"supply", "oven", "reactor"}
        tasks.cancel_scope.cancel()

    assert not any(what.startswith("reactor") for what in bench.of("start"))


async def test_a_parameter_that_no_step_takes_is_told_before_the_first_trial(client):
    with pytest.raises(ValueError, match="no step takes 'z'"):
        await run(client, workcell(step("supply", "x", rename={"supply_y": "reactor_y"})))

    assert client.state.next_index == 0
