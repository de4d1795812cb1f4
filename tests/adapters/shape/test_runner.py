"""The body of every runner: outcomes read by phase, runs taken up again, the instrument left safe on every way out."""

from __future__ import annotations

import anyio
import pytest

from titrant.errors import NeverSeen, OutcomeUnknown, RunnerError, SubmissionRefused
from titrant.model.trial import Attempt
from titrant.ports import Finding, Result
from titrant_adapters.shape import AdapterRunner, Deviation

pytestmark = pytest.mark.anyio
RECORDED = {"id": "r1"}


class Bench(AdapterRunner):
    """Writes down what is asked of it; what goes wrong is set from outside."""

    def __init__(self, *, can_report_status=True):
        super().__init__()
        self.can_report_status = can_report_status
        self.done, self.wrong, self.wrong_before, self.unreachable = [], None, None, None
        self.answer, self.broken = {"y": 1.0}, []

    async def connect(self):
        self.done.append("connect")
        if self.unreachable is not None:
            raise self.unreachable

    async def disconnect(self):
        self.done.append("disconnect")

    async def make_safe(self):
        self.done.append("safe")
        self.fail(self.broken.pop() if self.broken else None)

    async def carry_out(self, attempt, course):
        self.fail(self.wrong_before)
        await course.begin(RECORDED)
        self.done.append("start")
        self.fail(self.wrong)
        return self.answer

    async def collect(self, attempt, course):
        self.done.append(f"collect {attempt.metadata['id']}")
        self.fail(self.wrong)
        return self.answer

    def fail(self, error):
        if error is not None:
            raise error


@pytest.fixture
def bench():
    return Bench()


def attempt(metadata=None):
    return Attempt(trial=3, parameters={"x": 1.0}, key="k", metadata=metadata)


async def record(_metadata):
    pass


async def run(bench):
    return await bench.run(attempt(), record, None)


# --- outcomes ---------------------------------------------------------------------------------------------------------


async def test_what_is_carried_out_gives_its_data(bench):
    assert await run(bench) == Result(data={"y": 1.0})


@pytest.mark.parametrize(
    ("phase", "error"), [("wrong_before", SubmissionRefused), ("wrong", OutcomeUnknown)], ids=["before", "after"]
)
async def test_a_broken_line_is_a_refusal_before_the_start_and_unknown_after_it(bench, phase, error):
    setattr(bench, phase, ConnectionResetError("gone"))
    with pytest.raises(error, match="trial 3: ConnectionResetError: gone"):
        await run(bench)


async def test_what_the_table_does_not_name_passes_as_it_is(bench):
    bench.wrong = KeyError("a bug")
    with pytest.raises(KeyError, match="a bug"):
        await run(bench)


@pytest.mark.parametrize("again", [False, True])
async def test_a_setting_that_was_not_taken_is_a_failure_that_says_what_was_done(bench, again):
    bench.wrong = Deviation("x is 2.0, not 1.0", {"x": 2.0})
    result = await (bench.reattach(attempt(RECORDED)) if again else run(bench))

    assert (result.status, result.executed, result.reason) == ("failed", {"x": 2.0}, "x is 2.0, not 1.0")


# --- taking runs up again ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metadata", [None, {}])
async def test_what_was_never_recorded_was_never_started(bench, metadata):
    with pytest.raises(NeverSeen, match="trial 3 was never started: its start is recorded first"):
        await bench.reattach(attempt(metadata))

    assert bench.done == []


async def test_what_was_recorded_is_collected_and_not_started(bench):
    assert await bench.reattach(attempt(RECORDED)) == Result(data={"y": 1.0})
    assert bench.done == ["collect r1"]


async def test_a_result_that_is_collected_is_given_as_it_is(bench):
    bench.answer = Result(status="failed", reason="overheated")

    assert await bench.reattach(attempt(RECORDED)) is bench.answer


@pytest.mark.parametrize("error", [ConnectionResetError("gone"), TimeoutError(), EOFError()])
async def test_a_line_that_breaks_while_collecting_is_never_a_refusal(bench, error):
    bench.wrong = error
    with pytest.raises(OutcomeUnknown):
        await bench.reattach(attempt(RECORDED))


@pytest.mark.parametrize("error", [NeverSeen("no such run"), RunnerError("overheated"), OutcomeUnknown("who knows")])
async def test_what_an_adapter_says_itself_is_not_translated(bench, error):
    bench.wrong = error
    with pytest.raises(type(error)) as caught:
        await bench.reattach(attempt(RECORDED))

    assert caught.value is error


async def test_a_runner_that_cannot_collect_says_so():
    class Forgetful(AdapterRunner):
        pass

    with pytest.raises(NotImplementedError, match="Forgetful has no collect"):
        await Forgetful().reattach(attempt(RECORDED))


# --- ways out ---------------------------------------------------------------------------------------------------------


async def test_a_line_that_is_found_broken_is_no_reason_to_leave_it_unsafe(bench):
    bench.broken = [ConnectionResetError("the broker was restarted")]
    async with bench:
        pass

    assert bench.done == ["connect", "safe", "safe", "disconnect"]


async def test_an_instrument_that_cannot_be_made_safe_is_told(bench):
    bench.broken = [ConnectionResetError("the line is dead")] * 3
    with pytest.raises(SubmissionRefused, match="safe state: ConnectionResetError: the line is dead"):
        await bench.safe_state()

    assert bench.done == ["safe", "safe"]


async def test_what_the_instrument_says_no_to_is_not_tried_again(bench):
    bench.broken = [RunnerError("the valve is stuck")]
    with pytest.raises(RunnerError, match="the valve is stuck"):
        await bench.safe_state()

    assert bench.done == ["safe"]


async def test_it_is_left_safe(bench):
    async with bench:
        await run(bench)

    assert bench.done == ["connect", "start", "safe", "disconnect"]


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize(("findable", "left"), [(True, ["disconnect"]), (False, ["safe", "disconnect"])])
@pytest.mark.parametrize("error", [OutcomeUnknown("who knows"), None], ids=["unknown", "cancelled"])
async def test_a_run_under_way_goes_on_where_it_can_be_found_again(findable, left, again, error):
    bench = Bench(can_report_status=findable)
    bench.wrong = error

    async def hang(*_):
        await anyio.sleep_forever()

    if error is None:
        bench.carry_out = bench.collect = hang
    async with bench:
        before = len(bench.done)
        with anyio.move_on_after(0.01 if error is None else 10):
            with pytest.raises(OutcomeUnknown) if error else anyio.CancelScope():
                await (bench.reattach(attempt(RECORDED)) if again else run(bench))

    assert [one for one in bench.done[before:] if one in ("safe", "disconnect")] == left


@pytest.mark.parametrize("again", [False, True])
async def test_a_run_that_ended_badly_is_not_under_way(bench, again):
    bench.wrong = RunnerError("overheated")
    async with bench:
        with pytest.raises(RunnerError):
            await (bench.reattach(attempt(RECORDED)) if again else run(bench))

    assert bench.done[-2:] == ["safe", "disconnect"]


async def test_a_connection_that_was_half_made_is_let_go(bench):
    bench.unreachable = ConnectionRefusedError("nobody there")
    with pytest.raises(SubmissionRefused, match="connecting: ConnectionRefusedError: nobody there"):
        async with bench:
            pass

    assert bench.done == ["connect", "disconnect"]


async def test_a_probe_tells_what_it_found_and_leaves(bench):
    assert await bench.probe() == [Finding("ok", "Bench is connected")]
    assert bench.done == ["connect", "disconnect"]
