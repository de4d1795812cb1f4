"""The body of all runners: connect, carry out, leave safe; an adapter fills in what its protocol does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import anyio

from titrant.errors import NeverSeen, OutcomeUnknown, SubmissionRefused
from titrant.model.space import SearchSpace
from titrant.model.trial import Attempt
from titrant.ports import PushedRunner, Record, Report, Result
from titrant_adapters.shape.connected import SAFE_SECONDS, C, Connected
from titrant_adapters.shape.course import Course
from titrant_adapters.shape.outcomes import Start
from titrant_adapters.shape.settings import Deviation, Settings
from titrant_adapters.shape.stopping import Stopping


class AdapterRunner(Connected[C], Stopping, PushedRunner):
    """The base of every runner here.

    An adapter gives ``config_type``, ``errors``, ``connect``, ``disconnect``, ``carry_out`` and, where the protocol
    can, ``collect``, ``make_safe``, ``look`` and ``stop``.

    Args:
        config: The configuration; or its fields as keywords, as an experiment file gives them.
        name: The runner's name; the class's where None.
    """

    capacity: int | None = 1

    def __init__(self, config: C | None = None, *, name: str | None = None, **fields: Any) -> None:
        self.configure(config, fields)
        self.name = name or type(self).__name__
        self._under_way: set[str] = set()
        self._here: dict[str, Course] = {}

    @property
    def settings(self) -> Settings | None:
        """How parameters reach the instrument; None where that is not this adapter's business."""
        return None

    def check_space(self, space: SearchSpace) -> None:
        """Hold the settings against the search space.

        Raises:
            ConfigurationError: They do not fit.
        """
        if self.settings is not None:
            self.settings.check(space)

    async def carry_out(self, attempt: Attempt, course: Course) -> Any:
        """Set, ``await course.begin(...)``, start, await, read; give the data or a ``Result``."""
        raise NotImplementedError(f"{type(self).__name__} has no carry_out")

    async def collect(self, attempt: Attempt, course: Course) -> Any:
        """Await and read a run that an earlier process began; ``attempt.metadata`` names it.

        Raises:
            NeverSeen: The instrument does not know it.
        """
        raise NotImplementedError(f"{type(self).__name__} has no collect")

    async def make_safe(self) -> None:
        """Bring the instrument into its safe state; safe to call twice, and while a run is under way."""

    async def run(self, attempt: Attempt, record: Record, report: Report) -> Result:  # type: ignore[override]
        """Carry an attempt out."""
        course = Course(attempt, record, report)
        with self._on_its_way(course):
            return await self._result(self.carry_out, attempt, course)

    async def _result(self, work: Any, attempt: Attempt, course: Course) -> Result:
        try:
            value = await work(attempt, course)
        except Deviation as exc:
            return Result(status="failed", reason=str(exc), executed=exc.executed)
        return value if isinstance(value, Result) else Result(data=value)

    async def reattach(self, attempt: Attempt) -> Result:
        """See a run to its end that an earlier process began.

        Raises:
            NeverSeen: It was never begun: nothing that names it is in the log, which precedes every start.
        """
        if not attempt.metadata:
            raise NeverSeen(f"trial {attempt.trial} was never started: its start is recorded first")
        course = Course(attempt)
        with self._on_its_way(course):
            return await self._result(self.collect, attempt, course)

    @contextmanager
    def _on_its_way(self, course: Course) -> Iterator[None]:
        key = course.attempt.key
        self._under_way.add(key)
        self._here[key] = course
        try:
            with self.errors.translated(course.start, f"trial {course.attempt.trial}"):
                yield
        except OutcomeUnknown:  # as after a cancellation, it may still be running
            raise
        except Exception:
            self._under_way.discard(key)
            raise
        else:
            self._under_way.discard(key)
        finally:
            del self._here[key]
            course.lost = key in self._under_way
            course.over.set()

    async def safe_state(self) -> None:
        """Bring the instrument into its safe state; a line that turns out to be broken is no reason to leave it."""
        for again in (True, False):
            try:
                with self.errors.translated(Start(), "safe state"):
                    await self.make_safe()
                break
            except SubmissionRefused:
                if not again:
                    raise
        self._under_way.clear()

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the instrument safe, unless a run is under way that can be found again: that one goes on."""
        goes_on = self._under_way and self.can_report_status
        try:
            if not goes_on:
                with anyio.fail_after(SAFE_SECONDS, shield=True):
                    await self.safe_state()
        finally:
            with anyio.move_on_after(SAFE_SECONDS, shield=True):
                await self.disconnect()
