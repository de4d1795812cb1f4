"""The runs of the simulated lab: how they begin, what becomes of them, and what is known of them after a crash.

There are no tasks here: what has become of a run follows from the clock whenever it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Literal

import anyio
import msgspec
from msgspec.structs import replace

from titrant_adapters.twin.answers import Unknown
from titrant_adapters.twin.behaviour import SECONDS_PER_HOUR, Behaviour, Course, course_of
from titrant_adapters.twin.clock import LabClock
from titrant_adapters.twin.ends import end_of
from titrant_adapters.twin.faults import Fault
from titrant_adapters.twin.ledger import End, Ledger, RunState, Value
from titrant_adapters.twin.physics import Physics

ROUNDING_S = 1e-6  # a sleep may end a rounding error too early


class Run(msgspec.Struct, kw_only=True, frozen=True):
    """A run, as it stands.

    Attributes:
        number: Its number, from 1.
        key: What it was asked for with.
        conditions: What is really carried out.
        state: Where it stands.
        progress: How far it is, from 0 to 1.
        values: What it measured, once done; empty where the quality is bad.
        quality: Whether to believe these.
        reason: Why it failed.
    """

    number: int
    key: str
    conditions: dict[str, Value]
    state: RunState = "running"
    progress: float = 0.0
    values: dict[str, float] = {}
    quality: Literal["good", "bad"] = "good"
    reason: str = ""


class _Ahead(msgspec.Struct):
    """What lies ahead of a run, which nobody outside can see."""

    began: float
    course: Course
    end: End
    over: anyio.Event


class Runs:
    """What is under way and what was; see ``LabTwin`` for the arguments."""

    def __init__(self, physics: Physics, behaviour: Behaviour, ledger: Ledger, clock: LabClock, seed: int) -> None:
        self._physics, self._behaviour, self._ledger, self._clock = physics, behaviour, ledger, clock
        self._seed = seed
        self._ahead: dict[int, _Ahead] = {}
        self._began: float | None = None
        self.on_crash: list[Callable[[float], None]] = []
        for start in ledger.all_starts:
            if start.number not in ledger.ends:
                ledger.end(End(number=start.number, state="lost", reason="the lab went down"))

    def begin(self, key: str, conditions: Mapping[str, Value], faults: list[Fault]) -> Run:
        """Start physically: from here on it has happened, whatever anybody is told."""
        now = self._clock.now()
        self._began = now if self._began is None else self._began
        start = self._ledger.begin(key, conditions, now)
        draws = Random(f"{self._seed}/{start.number}")  # noqa: S311  # a simulation
        course = course_of(self._behaviour, faults, draws)
        hours = (now - self._began) / SECONDS_PER_HOUR
        end = end_of(start.number, conditions, course, draws, self._physics, self._behaviour, hours)
        self._ahead[start.number] = _Ahead(now, course, end, anyio.Event())
        return self.look(start.number)

    def look(self, number: int) -> Run:
        """A run as it stands now.

        Raises:
            Unknown: There is no such run.
        """
        if not 1 <= number <= self._ledger.starts():
            raise Unknown(f"there is no run {number}")
        self._settle()
        start = self._ledger.all_starts[number - 1]
        end = self._ledger.ends.get(number)
        run = Run(number=number, key=start.key, conditions=start.conditions)
        if end is not None:
            return replace(
                run, state=end.state, progress=1.0, values=end.values, quality=end.quality, reason=end.reason
            )
        passed = self._clock.now() - self._ahead[number].began
        return replace(run, progress=min(0.99, passed / self._behaviour.duration_s) if passed else 0.0)

    def under_way(self) -> list[int]:
        """Numbers of the runs that go on now."""
        self._settle()
        return list(self._ahead)

    def stop(self, number: int) -> None:
        """End a run; one that is over stays as it ended."""
        self._settle()
        if number in self._ahead:
            self._end(number, End(number=number, state="stopped", reason="stopped"))

    async def finish(self, number: int) -> Run:
        """Wait until a run is over, and give it as it ended."""
        self.look(number)
        ahead = self._ahead.get(number)
        if ahead is not None:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._settle_when_due, ahead)
                await ahead.over.wait()
                tasks.cancel_scope.cancel()
        return self.look(number)

    async def _settle_when_due(self, ahead: _Ahead) -> None:
        while not ahead.over.is_set():
            await self._clock.sleep(max(ROUNDING_S, ahead.began + ahead.course.seconds - self._clock.now()))
            self._settle()

    def _settle(self) -> None:
        """Let happen what was due."""
        now = self._clock.now() if self._ahead else 0.0
        for number, ahead in list(self._ahead.items()):
            if number in self._ahead and ahead.began + ahead.course.seconds <= now + ROUNDING_S:
                self._end(number, ahead.end)
                if ahead.course.crash:
                    self._crash(ahead.course.down_s)

    def _crash(self, down_s: float) -> None:
        for number in list(self._ahead):  # whatever else went on is lost as well
            self._end(number, End(number=number, state="lost", reason="the lab went down"))
        for cut in list(self.on_crash):
            cut(down_s)

    def _end(self, number: int, end: End) -> None:
        self._ledger.end(end)
        self._ahead.pop(number).over.set()
