"""What every runner must do when its instrument does not, as a test class.

Subclass it, and give fixtures for the instrument's side (``lab``) and for the runner::

    class TestMyRunner(RunnerContract):
        deadline_s = 0.5
        points = ({"x": 1.0}, {"x": 2.0})
        cannot = {"duplicate": "TCP below HTTP drops repeated segments, and HTTP has no second reply"}

        def expected(self, parameters):
            return parameters["x"] ** 2

        @pytest.fixture
        async def lab(self): ...           # a FaultyLab

        @pytest.fixture
        def make_runner(self, lab):        # each call: another runner for the same lab, as after a restart
            return lambda: MyRunner(port=lab.port, timeout_s=0.5)

An attempt may end in one of five ways.  *completed* and *failed* mean that it is over, with data or with a stated
reason; *refused* that nothing started; *unknown* that it may have run.  Anything else a runner raises is a bug in it.
"""

# ruff: noqa: D102 (a test's name is its sentence)

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, ClassVar, Literal, Protocol, get_args

import anyio
import msgspec
import pytest

from titrant.actors.instrument import AMBIGUOUS, Instrument
from titrant.errors import NeverSeen, SubmissionRefused, TitrantError
from titrant.model.observation import Readings, observations
from titrant.model.trial import Attempt, Parameterization
from titrant.ports import Metric, Record, Report
from titrant.runtime.clock import RealClock

FaultKind = Literal[
    "delay", "mute", "half_frame", "late_reply", "duplicate", "drop", "refuse", "alarm", "defined_error",
    "crash_in_run", "crash_after_done", "drift", "stuck",
]  # fmt: skip
"""What may go wrong on the instrument's side."""

Outcome = Literal["completed", "failed", "refused", "unknown"]

ALLOWED: dict[FaultKind, tuple[Outcome, ...]] = {
    "delay": ("completed",),
    "mute": ("unknown", "completed"),
    "half_frame": ("unknown", "completed"),
    "late_reply": ("unknown", "completed"),
    "duplicate": ("completed",),
    "drop": ("unknown", "completed"),
    "refuse": ("refused", "failed"),
    "alarm": ("failed",),
    "defined_error": ("failed",),
    "crash_in_run": ("unknown", "failed"),
    "crash_after_done": ("unknown", "completed"),
    "drift": ("completed",),
    "stuck": ("failed", "completed"),
}
"""How an attempt may end that meets the fault; a stuck setting completes only if ``executed`` says what was done."""

GENEROUS = 3.0
"""Seconds on top of twice the deadline before a wait counts as endless: the machine may be busy."""


class FaultyLab(Protocol):
    """The instrument's side, which can be told what shall go wrong."""

    async def arm(self, fault: FaultKind, seconds: float = 0.0) -> None:
        """Let the next run meet *fault*, once; *seconds* is how late a reply comes."""
        ...

    async def starts(self) -> int:
        """Physical starts so far."""
        ...

    async def settled(self) -> None:
        """Wait until nothing is under way any more."""
        ...


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt ended.

    Attributes:
        outcome: In one word.
        value: The metric's mean, where there are data.
        executed: What was carried out otherwise than planned.
        reason: Why it did not complete.
    """

    outcome: Outcome
    value: float | None = None
    executed: Parameterization = {}
    reason: str = ""


_numbers = itertools.count()


def attempt_of(parameters: Parameterization, metadata: dict[str, Any] | None = None) -> Attempt:
    """A fresh attempt, with a key of its own."""
    number = next(_numbers)
    return Attempt(trial=number, parameters=parameters, key=f"contract-{number}", metadata=metadata)


class Carrier:
    """Carries attempts out as the engine does, without an engine: both shapes of runners, every error read."""

    def __init__(self, runner: Any, metric: str, metrics: Mapping[str, Metric] | None = None) -> None:
        def read(data: Any, _progression: float | None) -> Readings:
            return Readings() if data is None else Readings(observations(data, objective=(metric,), known=(metric,)))

        self.instrument = Instrument(runner, clock=RealClock(), read_data=read)
        self.metric, self.metrics = metric, metrics or {}
        self.recorded: dict[str, Any] | None = None
        self.on_record: Callable[[], Any] | None = None

    async def carry_out(self, attempt: Attempt) -> Ended:
        """Carry out, and say how it ended."""
        return await self._ended(lambda: self._run(attempt))

    async def find_again(self, attempt: Attempt) -> Ended:
        """See an attempt to its end that another runner object began."""
        try:
            return await self._ended(lambda: self._rejoin(attempt))
        except Exception as exc:  # noqa: BLE001  # as the engine reads it: the run was not found
            return Ended(outcome="unknown", reason=repr(exc))

    async def _ended(self, work: Callable[[], Any]) -> Ended:
        try:
            return await work()  # type: ignore[no-any-return]
        except SubmissionRefused as exc:
            return Ended(outcome="refused", reason=str(exc))
        except (*AMBIGUOUS, NeverSeen) as exc:
            return Ended(outcome="unknown", reason=repr(exc))
        except TitrantError as exc:
            return Ended(outcome="failed", reason=str(exc))

    async def _run(self, attempt: Attempt) -> Ended:
        if not self.instrument.pushed:
            self.recorded = await self.instrument.submit(attempt)
            return await self._polled(attempt, self.recorded)
        report, record = self._heard(attempt)
        return self._read(attempt, await self.instrument.run(attempt, report=report, record=record))

    def _heard(self, attempt: Attempt) -> tuple[Report, Record]:
        """What a pushed run calls."""

        async def record(metadata: Mapping[str, Any]) -> None:
            self.recorded = self.instrument.recorded(metadata, attempt.trial)
            if self.on_record is not None:
                await self.on_record()

        async def report(_data: Any, _progression: float | None) -> None:
            pass

        return report, record

    async def _rejoin(self, attempt: Attempt) -> Ended:
        if self.instrument.pushed:
            report, record = self._heard(attempt)
            return self._read(attempt, await self.instrument.rejoin(attempt, report=report, record=record))
        metadata = dict(attempt.metadata or {})
        if self.instrument.has_reattach:
            metadata = await self.instrument.reattach(attempt)
        return await self._polled(attempt, metadata)

    async def _polled(self, attempt: Attempt, metadata: dict[str, Any]) -> Ended:
        while True:
            status, reason = await self.instrument.poll(attempt.trial, metadata)
            if status != "running":
                break
            await anyio.sleep(self.instrument.poll_interval(0.01, 0.0))
        executed = await self.instrument.executed(attempt.trial, metadata)
        if status != "completed":
            return Ended(outcome="failed", reason=reason or status, executed=executed)
        fetched = self.metrics[self.metric].fetch(attempt.trial, metadata)
        _, mean = await fetched if hasattr(fetched, "__await__") else fetched
        return Ended(outcome="completed", value=mean[0] if isinstance(mean, tuple) else mean, executed=executed)

    def _read(self, attempt: Attempt, result: Any) -> Ended:
        executed = self.instrument.read_executed(result.executed, attempt.trial)
        told = {one.metric: one.mean for one in self.instrument.read_data(result.data, None).observations}
        done = result.status in ("completed", "early_stopped")
        return Ended(
            outcome="completed" if done else "failed",
            value=told.get(self.metric),
            executed=executed,
            reason=result.reason or "",
        )


class RunnerContract:
    """The tests; every one needs the fixtures ``lab`` (of the class, its module or a conftest) and ``make_runner``.

    Attributes:
        metric: The metric that the runner's data give.
        points: Two points whose results differ clearly.
        tolerance: How far a sound result may be from ``expected``.
        deadline_s: Seconds that the runner waits for one answer.
        run_deadline_s: Seconds after which it gives a whole run up; as ``deadline_s`` where None.
        cannot: Faults that the protocol cannot express or the runner cannot notice, with the reason for each.
    """

    metric: ClassVar[str] = "y"
    points: ClassVar[tuple[Parameterization, Parameterization]] = ({"x": 1.0}, {"x": 2.0})
    tolerance: ClassVar[float] = 1e-6
    deadline_s: ClassVar[float] = 0.5
    run_deadline_s: ClassVar[float | None] = None
    cannot: ClassVar[Mapping[str, str]] = {}

    @pytest.fixture
    def anyio_backend(self) -> str:
        """The event loop to run on."""
        return "asyncio"

    @pytest.fixture
    def make_runner(self, lab: FaultyLab) -> Callable[[], Any]:
        """Give a function that makes a runner for the lab; each call stands for another process."""
        raise NotImplementedError("give this fixture in the subclass")

    @pytest.fixture
    def metrics(self) -> Mapping[str, Metric]:
        """The metrics of a polled runner, by name."""
        return {}

    def expected(self, parameters: Parameterization) -> float:
        """The result of a sound run."""
        raise NotImplementedError("give this method in the subclass")

    @asynccontextmanager
    async def _connected(self, runner: Any, metrics: Mapping[str, Metric]) -> AsyncIterator[Carrier]:
        async with AsyncExitStack() as stack:
            for one in (runner, *metrics.values()):
                if hasattr(type(one), "__aenter__"):
                    await stack.enter_async_context(one)
            yield Carrier(runner, self.metric, metrics)

    def _is_own(self, ended: Ended, parameters: Parameterization) -> bool:
        return ended.value is not None and abs(ended.value - self.expected(parameters)) <= self.tolerance

    # --- sound runs -------------------------------------------------------------------------------------------------

    def test_what_cannot_be_tested_is_declared_with_a_reason(self) -> None:
        assert set(self.cannot) <= set(get_args(FaultKind))
        assert all(len(reason.split()) >= 4 for reason in self.cannot.values())

    @pytest.mark.anyio
    async def test_a_sound_run_starts_once_and_gives_its_result(
        self, lab: FaultyLab, make_runner: Callable[[], Any], metrics: Mapping[str, Metric]
    ) -> None:
        async with self._connected(make_runner(), metrics) as carrier:
            ended: list[Ended] = []
            for point in self.points:
                ended.append(await carrier.carry_out(attempt_of(point)))
                assert ended[-1].outcome == "completed", ended  # or the next might wait for it

        assert all(map(self._is_own, ended, self.points)), f"not what was expected: {ended}"
        assert await lab.starts() == 2, "two runs are two physical starts"

    @pytest.mark.anyio
    async def test_what_names_the_run_is_recorded_before_it_starts(
        self, lab: FaultyLab, make_runner: Callable[[], Any], metrics: Mapping[str, Metric]
    ) -> None:
        async with self._connected(make_runner(), metrics) as carrier:
            at_record: list[int] = []

            async def look() -> None:
                at_record.append(await lab.starts())

            carrier.on_record = look
            await carrier.carry_out(attempt_of(self.points[0]))

        spec = carrier.instrument.spec
        if carrier.instrument.pushed and spec.can_report_status and not spec.honours_keys:
            assert at_record, "a run that can be found again has to be recorded first"
        # What the instrument itself calls it can only come later, and is recorded besides.
        assert at_record[:1] in ([], [0]), "it started before what names it was recorded"

    # --- faults -----------------------------------------------------------------------------------------------------

    @pytest.mark.anyio
    @pytest.mark.parametrize("fault", get_args(FaultKind))
    async def test_a_fault_has_a_stated_outcome_and_leaves_the_next_run_alone(
        self, fault: FaultKind, lab: FaultyLab, make_runner: Callable[[], Any], metrics: Mapping[str, Metric]
    ) -> None:
        first, second = self.points
        if fault in self.cannot:
            return  # declared, and the reason is held to in a test of its own
        whole = self.run_deadline_s or self.deadline_s
        async with self._connected(make_runner(), metrics) as carrier:
            before = await carrier.carry_out(attempt_of(second))  # what a stuck setting sticks to
            assert before.outcome == "completed", before
            starts = await lab.starts()
            late = {"delay": 0.3 * self.deadline_s, "late_reply": 1.5 * self.deadline_s}
            await lab.arm(fault, late.get(fault, 0.0))
            with anyio.fail_after(2 * whole + GENEROUS):
                ended = await carrier.carry_out(attempt := attempt_of(first))
            with anyio.fail_after(2 * whole + GENEROUS):
                await lab.settled()
            started = await lab.starts() - starts
            await carrier.instrument.settled(attempt)  # as once a person has looked, and said so
            after = await carrier.carry_out(attempt_of(second))

        assert ended.outcome in ALLOWED[fault], ended
        assert started <= (0 if ended.outcome == "refused" or fault == "refuse" else 1), "it was carried out twice"
        if ended.outcome == "completed" and fault not in ("drift", "stuck"):
            assert self._is_own(ended, first), f"another's answer: {ended}"
        if fault == "stuck":
            assert ended.executed, f"nothing tells that it was not carried out as planned: {ended}"
        if ended.outcome != "completed":
            assert ended.reason, "it does not say why"
        assert after.outcome == "completed", after
        assert self._is_own(after, second) or fault == "drift", f"another's answer: {after}"

    # --- restarts ---------------------------------------------------------------------------------------------------

    @pytest.mark.anyio
    async def test_a_restart_finds_the_run_again_and_starts_nothing(
        self, lab: FaultyLab, make_runner: Callable[[], Any], metrics: Mapping[str, Metric]
    ) -> None:
        runner = make_runner()
        if not Carrier(runner, self.metric).instrument.spec.can_report_status:
            return  # it declares that it cannot: the engine then asks a person
        begun = attempt_of(self.points[0])
        async with self._connected(runner, metrics) as carrier, anyio.create_task_group() as tasks:
            tasks.start_soon(carrier.carry_out, begun)
            with anyio.fail_after(GENEROUS):
                while not await lab.starts():  # noqa: ASYNC110  # the lab may be another process
                    await anyio.sleep(0.005)
            tasks.cancel_scope.cancel()  # as a kill does: nobody says goodbye to the instrument
        metadata = carrier.recorded or {}
        async with self._connected(make_runner(), metrics) as again:
            ended = await again.find_again(msgspec.structs.replace(begun, metadata=metadata))

        assert ended.outcome == "completed", ended
        assert self._is_own(ended, self.points[0]), f"another's answer: {ended}"
        assert await lab.starts() == 1, "the restart started it again"

    @pytest.mark.anyio
    async def test_a_run_that_is_not_known_there_is_never_said_to_be_done(
        self, lab: FaultyLab, make_runner: Callable[[], Any], metrics: Mapping[str, Metric]
    ) -> None:
        runner = make_runner()
        if not Carrier(runner, self.metric).instrument.spec.can_report_status:
            return
        async with self._connected(runner, metrics) as carrier:
            ended = await carrier.find_again(attempt_of(self.points[0], metadata={}))

        assert ended.outcome in ("unknown", "failed"), ended
        assert await lab.starts() == 0

    @pytest.mark.anyio
    async def test_the_safe_state_can_be_asked_for_twice(
        self, lab: FaultyLab, make_runner: Callable[[], Any], metrics: Mapping[str, Metric]
    ) -> None:
        async with self._connected(make_runner(), metrics) as carrier:
            for _ in range(2):
                await carrier.instrument.safe_state()
            ended = await carrier.carry_out(attempt_of(self.points[0]))

        assert ended.outcome == "completed", ended

    @pytest.mark.anyio
    async def test_connecting_and_leaving_starts_nothing(
        self, lab: FaultyLab, make_runner: Callable[[], Any], metrics: Mapping[str, Metric]
    ) -> None:
        for _ in range(2):
            async with self._connected(make_runner(), metrics):
                pass

        assert await lab.starts() == 0, "connecting started a run"
