"""Stopping: what is said of a run, by the runner and in the log, is what became of it on the instrument."""

from __future__ import annotations

from contextlib import nullcontext

import anyio
import pytest
from tests.adapters.stopping import RUN_S, Under
from tests.adapters.twin.wiring import make_lab, opened

from titrant import AsyncClient, RangeParameterConfig
from titrant.errors import OutcomeUnknown, RunnerError
from titrant.testing.runner_contract import attempt_of
from titrant_adapters.scpi import ScpiRunner
from titrant_adapters.shape import AdapterRunner, Config


class LosesSight(AdapterRunner):
    """Its line breaks as it stops; afterwards the instrument says what *afterwards* says, or nothing."""

    can_report_status = True

    def __init__(self, afterwards):
        super().__init__(Config())
        self.afterwards, self.told, self.begun = afterwards, anyio.Event(), anyio.Event()

    async def carry_out(self, attempt, course):
        await course.begin({"id": 7})
        self.begun.set()
        await self.told.wait()
        raise OutcomeUnknown("the line broke")

    async def collect(self, attempt, course):
        assert attempt.metadata == {"id": 7}
        raise self.afterwards

    async def stop(self, attempt):
        async def tell(_course):
            self.told.set()

        await self.stop_run(attempt, tell, 0.3)


@pytest.mark.anyio
@pytest.mark.parametrize(("afterwards", "over"), [(RunnerError("stopped"), True), (OutcomeUnknown("silence"), False)])
async def test_a_run_that_was_lost_sight_of_is_over_once_the_instrument_says_so(afterwards, over):
    runner, attempt = LosesSight(afterwards), attempt_of({"x": 1.0})
    async with anyio.create_task_group() as tasks:
        under = Under(runner, attempt)
        tasks.start_soon(under.carry_out)
        await runner.begun.wait()
        with nullcontext() if over else pytest.raises(OutcomeUnknown, match=r"took longer than 0\.3 s; last, silence"):
            await runner.stop(attempt)

    assert under.ended.outcome == "unknown"


# --- through the engine -----------------------------------------------------------------------------------------------

NAMED = {
    "settings": {"x": {"to": "SOUR:VOLT", "read_back": "SOUR:VOLT?"}},
    "start": 'INIT "{key}"',
    "status": 'RUN:STAT? "{key}"',
    "running": ("RUNNING",),
    "measure": {"y": 'FETC? POWER,"{key}"'},
    "stop": 'ABOR "{key}"',
    "poll_s": 0.01,
}
TTL_S = 0.4


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def door():
    async with opened("scpi", make_lab(duration_s=RUN_S)) as door:
        yield door


async def run_over_its_time(door, trials=1, **fields):
    """Run trials whose time to live is over long before their runs are; give them as they ended."""
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig("x", (1.0, 3.0))])
        await client.configure_optimization("y")
        await client.configure_generation_strategy("random_search")
        await client.configure_runner(ScpiRunner(host="127.0.0.1", port=door.port, **(NAMED | fields)))
        with anyio.fail_after(30):
            await client.run_trials(
                max_trials=trials, trial_ttl_seconds=TTL_S, tolerated_trial_failure_rate=1.0, progress=False
            )
        return client.state.trials()


@pytest.mark.anyio
async def test_trials_that_outlive_their_time_are_stopped_and_the_instrument_is_free_for_the_next(door):
    first, second = await run_over_its_time(door, trials=2)

    assert [one.status.name for one in (first, second)] == ["FAILED", "FAILED"]
    assert "the run ended as STOPPED" in first.reason
    assert [end.state for end in door.lab.ledger.ends.values()] == ["stopped", "stopped"]


@pytest.mark.anyio
async def test_a_run_that_was_done_when_the_stop_came_keeps_what_it_measured(door, monkeypatch):
    def ends_by_itself(number):
        """The last step of the run is done in the moment in which it is to be stopped."""
        door.lab.runs._ahead[number].began -= RUN_S
        door.lab.runs._settle()

    monkeypatch.setattr(door.lab.runs, "stop", ends_by_itself)
    (trial,) = await run_over_its_time(door)

    assert [end.state for end in door.lab.ledger.ends.values()] == ["done"]
    assert [one.mean for one in trial.observations] == [pytest.approx(trial.parameters["x"] ** 2)]


@pytest.mark.anyio
async def test_a_stop_without_effect_is_told_as_such(door, monkeypatch):
    monkeypatch.setattr(door.lab.runs, "stop", lambda _number: None)
    (trial,) = await run_over_its_time(door, stop_timeout_s=0.5)

    assert trial.status.name == "FAILED"
    assert "stopping failed" in trial.reason
    assert "it may still be running" in trial.reason
    assert door.lab.latest().state == "running"
