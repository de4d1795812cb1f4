"""What must hold wherever a run can be stopped: a class of tests, for adapters in front of the lab twin.

Subclass it with the fixtures ``door`` (two runs at once, each of ``RUN_S`` seconds) and ``stoppable``: a function that
makes a runner which can stop, with further fields.
"""

from __future__ import annotations

from typing import ClassVar

import anyio
import msgspec
import pytest

from titrant.errors import OutcomeUnknown
from titrant.testing.runner_contract import Carrier, attempt_of
from titrant_adapters.twin.faults import Fault

RUN_S = 30.0
"""Seconds of a run that is to be stopped: longer than any test waits."""


class Under:
    """A run under way: its attempt, with what was recorded of it, and how it ended."""

    def __init__(self, runner, attempt):
        self.carrier, self.attempt, self.ended = Carrier(runner, "y"), attempt, None

    async def carry_out(self):
        self.ended = await self.carrier.carry_out(self.attempt)

    @property
    def recorded(self):
        """The attempt as the engine has it."""
        return msgspec.structs.replace(self.attempt, metadata=self.carrier.recorded or {})


async def begun(lab, runner, tasks, parameters):
    """Start a run, and give it as soon as the lab carries it out and its name is known."""
    before, under = lab.ledger.starts(), Under(runner, attempt_of(parameters))
    tasks.start_soon(under.carry_out)
    with anyio.fail_after(10):
        while lab.ledger.starts() == before:  # noqa: ASYNC110  # the lab may be in another thread
            await anyio.sleep(0.005)
    return under


class StopContract:
    """The tests."""

    parameters: ClassVar = {"x": 2.0}
    other: ClassVar = {"x": 3.0}
    said: ClassVar = "topped"
    """What the reason of a run that was stopped has in it."""
    remembers: ClassVar = True
    """Whether the instrument tells of other runs than the latest."""

    @pytest.fixture
    def anyio_backend(self):
        return "asyncio"

    @pytest.mark.anyio
    async def test_a_run_is_stopped_and_the_instrument_is_free_for_the_next(self, door, stoppable):
        lab, starts = door.lab, door.lab.ledger.starts()
        async with stoppable() as runner, anyio.create_task_group() as tasks:
            under = await begun(lab, runner, tasks, self.parameters)
            with anyio.fail_after(10):
                await runner.stop(under.recorded)
            state, busy = lab.latest().state, lab.runs.under_way()
            again = await begun(lab, runner, tasks, self.other)
            await runner.stop(again.recorded)

        assert (state, busy) == ("stopped", [])
        assert [one.ended.outcome for one in (under, again)] == ["failed", "failed"]
        assert self.said in under.ended.reason
        assert lab.ledger.starts() == starts + 2

    @pytest.fixture
    def names_its_runs(self, stoppable):
        if not Carrier(stoppable(), "y").instrument.spec.can_report_status:
            pytest.skip("its runs have no name that another process could stop them by")

    @pytest.mark.anyio
    async def test_another_process_stops_a_run_by_what_was_recorded(self, door, stoppable, names_its_runs):
        async with stoppable() as first, anyio.create_task_group() as tasks:
            under = await begun(door.lab, first, tasks, self.parameters)
            async with stoppable() as second:
                with anyio.fail_after(10):
                    await second.stop(under.recorded)
            state = door.lab.latest().state

        assert state == "stopped"
        assert under.ended.outcome == "failed"

    @pytest.mark.anyio
    @pytest.mark.parametrize("how", ["ignored", "line is dead"])
    async def test_a_run_that_is_not_stopped_is_not_said_to_be(self, door, stoppable, monkeypatch, how):
        lab = door.lab
        async with stoppable(stop_timeout_s=0.6) as runner, anyio.create_task_group() as tasks:
            under = await begun(lab, runner, tasks, self.parameters)
            with monkeypatch.context() as patch:
                patch.setattr(lab.runs, "stop", lambda _number: None)
                if how == "line is dead":
                    door._wire.cut(down_s=60.0)
                with anyio.fail_after(8):
                    with pytest.raises(OutcomeUnknown, match=r"stopping trial \d+ took longer than 0\.6 s"):
                        await runner.stop(under.recorded)
                door._wire._up_at = 0.0
            still = lab.latest().state
            tasks.cancel_scope.cancel()

        assert still == "running"
        # A line that dies before the start was confirmed leaves the run unknown, which is not stopped either.
        assert under.ended is None or (how, under.ended.outcome) == ("line is dead", "unknown")

    @pytest.mark.anyio
    async def test_a_stop_whose_answer_is_lost_is_seen_by_the_run(self, door, stoppable):
        lab = door.lab
        async with stoppable() as runner, anyio.create_task_group() as tasks:
            lab.faults.arm(Fault(kind="mute", on="stop"))
            under = await begun(lab, runner, tasks, self.parameters)
            with anyio.fail_after(10):
                await runner.stop(under.recorded)

        assert (lab.latest().state, under.ended.outcome) == ("stopped", "failed")

    @pytest.mark.anyio
    async def test_a_run_that_ended_before_the_stop_came_keeps_its_result(self, door, stoppable):
        """The lab finishes the run in the moment in which it is to stop it."""
        lab = door.lab

        def done(number):
            ahead = lab.runs._ahead[number]
            ahead.began -= RUN_S
            lab.runs._settle()

        async with stoppable() as runner, anyio.create_task_group() as tasks:
            under = await begun(lab, runner, tasks, self.parameters)
            done(lab.latest().number)
            with anyio.fail_after(10):
                await runner.stop(under.recorded)
            next_one = await begun(lab, runner, tasks, self.other)
            if self.remembers:  # of the one that is over, once more: the other goes on
                with anyio.fail_after(10):
                    await runner.stop(under.recorded)
            other = lab.latest().state
            await runner.stop(next_one.recorded)

        assert (under.ended.outcome, under.ended.value) == ("completed", next(iter(self.parameters.values())) ** 2)
        assert (other, next_one.ended.outcome) == ("running", "failed")


class StopOfSeveralContract(StopContract):
    """Where the instrument carries out several runs at once."""

    @pytest.mark.anyio
    async def test_of_two_runs_at_once_only_the_one_is_stopped(self, door, stoppable):
        async with stoppable() as runner, anyio.create_task_group() as tasks:
            first = await begun(door.lab, runner, tasks, self.parameters)
            second = await begun(door.lab, runner, tasks, self.other)
            await runner.stop(first.recorded)
            goes_on = [door.lab.runs.look(number).key for number in door.lab.runs.under_way()]
            await runner.stop(second.recorded)

        assert goes_on == [second.attempt.key]
        assert self.said in first.ended.reason
