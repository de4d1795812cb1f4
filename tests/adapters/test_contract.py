"""The contract itself: a sound runner keeps it, and each bad one is caught by the test that is there for it."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest

from titrant import OutcomeUnknown, PushedRunner, SubmissionRefused
from titrant.errors import NeverSeen, RunnerError
from titrant.ports import Result
from titrant.testing.runner_contract import FaultKind, RunnerContract

DEADLINE = 0.1


class Bench:
    """An instrument in memory: y = x²; runs have names, and outlive whoever asked for them."""

    def __init__(self):
        self.runs = {}
        self.begun = 0
        self.fault, self.seconds = None, 0.0
        self.kept = None
        self.unread = []

    async def arm(self, fault: FaultKind, seconds=0.0):
        self.fault, self.seconds = fault, seconds

    async def starts(self):
        return self.begun

    async def settled(self):
        await anyio.lowlevel.checkpoint()

    async def start(self, name, x):
        """The reply; mute where none comes."""
        fault, self.fault = self.fault, None
        if fault == "refuse":
            raise SubmissionRefused("the door is open")
        self.begun += 1
        if fault == "stuck":
            x = self.kept
        self.kept = x
        y = x**2 + (0.1 if fault == "drift" else 0.0)
        ends = {"alarm": ("failed", "alarm"), "defined_error": ("failed", "overheated"), "crash_in_run": (None, "gone")}
        self.runs[name] = (*ends.get(fault, ("completed", "")), x, y)
        if fault == "delay":
            await anyio.sleep(self.seconds)
        if fault in ("mute", "half_frame", "late_reply"):
            await anyio.sleep_forever()
        if fault in ("drop", "crash_in_run", "crash_after_done"):
            raise ConnectionResetError("the line is dead")
        if fault == "duplicate":
            self.unread.append(y)
        return y


class Sound(PushedRunner):
    """Names the run, records the name, starts it, and asks for it by name."""

    name = "sound"
    can_report_status = True

    def __init__(self, bench):
        self.bench = bench

    async def run(self, attempt, record):
        await record({"run": attempt.key})
        try:
            with anyio.fail_after(DEADLINE):
                await self.bench.start(attempt.key, attempt.parameters["x"])
        except (TimeoutError, ConnectionResetError):
            pass  # the run has a name: it is asked for
        return self.read(attempt.key, attempt.parameters["x"])

    def read(self, name, wanted):
        status, reason, x, y = self.bench.runs[name]
        if status is None:
            raise OutcomeUnknown(reason)
        executed = None if wanted == x else {"x": x}
        return Result(status=status, reason=reason or None, data=y, executed=executed)

    async def reattach(self, attempt):
        name = (attempt.metadata or {}).get("run")
        if name not in self.bench.runs:
            raise NeverSeen(f"no run is called {name}")
        return self.read(name, attempt.parameters["x"])


class Contract(RunnerContract):
    deadline_s = DEADLINE
    runner = Sound

    def expected(self, parameters):
        return parameters["x"] ** 2

    @pytest.fixture
    def lab(self):
        return Bench()

    @pytest.fixture
    def make_runner(self, lab):
        return lambda: self.runner(lab)


class TestASoundRunnerKeepsIt(Contract):
    pass


class Twice(Sound):
    """Starts again when no answer came."""

    async def run(self, attempt, record):
        await record({"run": attempt.key})
        for _ in range(2):
            with anyio.move_on_after(DEADLINE):
                await self.bench.start(attempt.key, attempt.parameters["x"])
                break
        return self.read(attempt.key, attempt.parameters["x"])


class Impatient(Sound):
    """Takes a broken line for a failed run."""

    async def run(self, attempt, record):
        await record({"run": attempt.key})
        try:
            with anyio.fail_after(DEADLINE):
                return await self.bench.start(attempt.key, attempt.parameters["x"])
        except (TimeoutError, ConnectionResetError) as exc:
            raise RunnerError("no answer") from exc


class Endless(Sound):
    """Has no deadline of its own."""

    async def run(self, attempt, record):
        await record({"run": attempt.key})
        return await self.bench.start(attempt.key, attempt.parameters["x"])


class Glued(Sound):
    """Reads whatever lies on the line first."""

    async def run(self, attempt, record):
        await record({"run": attempt.key})
        stale, self.bench.unread = self.bench.unread, []
        fresh = await self.bench.start(attempt.key, attempt.parameters["x"])
        return stale[0] if stale else fresh


class Blind(Sound):
    """Believes that what was set is what was done, and that what ended went well."""

    def read(self, name, wanted):
        return Result(data=self.bench.runs[name][3])


class Hasty(Sound):
    """Starts first, and records afterwards."""

    async def run(self, attempt, record):
        await self.bench.start(attempt.key, attempt.parameters["x"])
        await record({"run": attempt.key})
        return self.read(attempt.key, attempt.parameters["x"])


class Restarting(Sound):
    """Calls a run that it cannot find a finished one, and starts one that it should only look at."""

    async def reattach(self, attempt):
        return Result(data=await self.bench.start("again", attempt.parameters["x"]))


class Untranslated(Sound):
    """Lets a foreign error through."""

    async def run(self, attempt, record):
        raise KeyError("BadNodeIdUnknown")


FAULT = "test_a_fault_has_a_stated_outcome_and_leaves_the_next_run_alone"
CAUGHT = [
    (Twice, FAULT, "mute", "it was carried out twice"),
    (Impatient, FAULT, "mute", "outcome='failed'"),
    (Impatient, FAULT, "crash_after_done", "outcome='failed'"),
    (Glued, FAULT, "duplicate", "another's answer"),
    (Blind, FAULT, "stuck", "nothing tells"),
    (Blind, FAULT, "alarm", "outcome='completed'"),
    (Blind, FAULT, "crash_in_run", "outcome='completed'"),
    (Hasty, "test_what_names_the_run_is_recorded_before_it_starts", None, "it started before what names it"),
    (Restarting, "test_a_restart_finds_the_run_again_and_starts_nothing", None, "the restart started it again"),
    (Restarting, "test_a_run_that_is_not_known_there_is_never_said_to_be_done", None, "outcome='completed'"),
]


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def held(runner, test, fault):
    contract, bench = Contract(), Bench()
    given = () if fault is None else (fault,)
    await getattr(contract, test)(*given, bench, lambda: runner(bench), {})


@pytest.mark.anyio
@pytest.mark.parametrize(("runner", "test", "fault", "told"), CAUGHT)
async def test_a_bad_runner_is_caught(runner, test, fault, told):
    with pytest.raises(AssertionError) as caught:
        await held(runner, test, fault)

    assert told in str(caught.value)


@pytest.mark.anyio
async def test_a_runner_without_a_deadline_is_caught(monkeypatch):
    monkeypatch.setattr("titrant.testing.runner_contract.GENEROUS", 0.1)
    with pytest.raises(TimeoutError):
        await held(Endless, FAULT, "mute")


@pytest.mark.anyio
async def test_a_foreign_error_is_not_taken_for_an_outcome():
    with pytest.raises(KeyError):
        await held(Untranslated, FAULT, "delay")


@pytest.mark.parametrize("cannot", [{"duplicate": "no"}, {"thunder": "it cannot be seen from here"}])
def test_an_exception_without_a_reason_is_caught(cannot):
    contract = type("Declared", (Contract,), {"cannot": cannot})()
    with pytest.raises(AssertionError):
        contract.test_what_cannot_be_tested_is_declared_with_a_reason()
