"""The bodies of all adapters: connect, carry out, leave safe; an adapter fills in what its protocol does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, ClassVar, Generic, Self, TypeVar

import anyio

from titrant.errors import NeverSeen, OutcomeUnknown, TitrantError
from titrant.model.space import SearchSpace
from titrant.model.trial import Attempt
from titrant.ports import Finding, Metric, PushedRunner, Record, Report, Result
from titrant_adapters.shape.config import Config
from titrant_adapters.shape.course import Course
from titrant_adapters.shape.outcomes import Errors, Start
from titrant_adapters.shape.settings import Deviation, Settings
from titrant_adapters.shape.stopping import Stopping

C = TypeVar("C", bound=Config)

SAFE_SECONDS = 10.0


class _Connected(Generic[C]):
    """What runners and metrics share: a checked configuration, a connection, a probe."""

    config_type: ClassVar[type[Config]] = Config
    errors: ClassVar[Errors] = Errors()
    config: C

    def _configure(self, config: C | None, fields: dict[str, Any]) -> None:
        self.config = config if config is not None else self.config_type.read(fields)  # type: ignore[assignment]

    async def connect(self) -> None:
        """Connect and make sure of who answers."""

    async def disconnect(self) -> None:
        """Let the connection go; also after ``connect`` failed half way."""

    async def look(self) -> AsyncIterator[Finding]:
        """While connected: what ``titrant doctor`` should tell; it starts nothing."""
        yield Finding("ok", f"{type(self).__name__} is connected")

    async def _open(self) -> None:
        try:
            with self.errors.translated(Start(), "connecting"):
                await self.connect()
        except BaseException:
            with anyio.move_on_after(SAFE_SECONDS, shield=True):
                await self.disconnect()
            raise

    async def probe(self) -> list[Finding]:
        """Connect, look, disconnect."""
        try:
            await self._open()
        except TitrantError as exc:
            return [Finding("fail", str(exc), "check address, cable and power, then ask again")]
        try:
            with self.errors.translated(Start(), "looking"):
                return [one async for one in self.look()]
        except TitrantError as exc:
            return [Finding("fail", str(exc), "look at the instrument itself")]
        finally:
            with anyio.move_on_after(SAFE_SECONDS, shield=True):
                await self.disconnect()


class AdapterRunner(_Connected[C], Stopping, PushedRunner):
    """The base of every runner here.

    An adapter gives ``config_type``, ``errors``, ``connect``, ``disconnect``, ``carry_out`` and, where the protocol
    can, ``collect``, ``make_safe``, ``look`` and ``stop``.

    Args:
        config: The configuration; or its fields as keywords, as an experiment file gives them.
        name: The runner's name; the class's where None.
    """

    capacity: int | None = 1

    def __init__(self, config: C | None = None, *, name: str | None = None, **fields: Any) -> None:
        self._configure(config, fields)
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
        finally:
            del self._here[key]
            course.over.set()
        self._under_way.discard(key)

    async def safe_state(self) -> None:
        """Bring the instrument into its safe state."""
        with self.errors.translated(Start(), "safe state"):
            await self.make_safe()
        self._under_way.clear()

    async def __aenter__(self) -> Self:
        await self._open()
        return self

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


class AdapterMetric(_Connected[C], Metric):
    """The base of every metric here: ``config_type``, ``errors``, ``connect``, ``disconnect`` and ``read``.

    Args:
        name: The metric's name.
        config: The configuration; or its fields as keywords.
    """

    def __init__(self, name: str, config: C | None = None, **fields: Any) -> None:
        super().__init__(name)
        self._configure(config, fields)

    async def read(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> Any:
        """The metric's value for a trial, as ``Metric.fetch`` gives it."""
        raise NotImplementedError(f"{type(self).__name__} has no read")

    async def fetch(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> Any:
        """The metric's value; reading twice does no harm, so whatever breaks off is tried again."""
        with self.errors.translated(Start(), f"reading {self.name}"):
            return await self.read(trial_index, trial_metadata)

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the connection go."""
        with anyio.move_on_after(SAFE_SECONDS, shield=True):
            await self.disconnect()
