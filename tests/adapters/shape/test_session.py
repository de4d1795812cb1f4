"""A line is never used again after something went wrong on it; also where a driver blocks a thread."""

from __future__ import annotations

import threading

import anyio
import anyio.lowlevel
import pytest

from titrant import ConfigurationError, OutcomeUnknown, SubmissionRefused
from titrant.errors import RunnerError
from titrant_adapters.shape import Blocking, Errors, Session, Start, library


@pytest.fixture
def anyio_backend():
    return "asyncio"


class Wire:
    """A line in memory: answers each question with its number, and counts itself."""

    made = 0

    def __init__(self):
        type(self).made += 1
        self.number, self.unread, self.closed = type(self).made, False, False

    def stale(self):
        return self.unread

    async def aclose(self):
        self.closed = True

    async def ask(self):
        await anyio.lowlevel.checkpoint()
        return self.number


@pytest.fixture
def session(monkeypatch):
    monkeypatch.setattr(Wire, "made", 0)
    session = Session(opened, identified, errors=Errors(), deadline_s=0.05, name="the pump")
    session.lines = []
    return session


async def opened():
    return Wire()


async def identified(_line):
    return "pump 7"


async def hang(_line):
    await anyio.sleep_forever()


async def broken(_line):
    raise ConnectionResetError("gone")


@pytest.mark.anyio
async def test_a_sound_line_is_used_again(session):
    assert [await session.exchange(Wire.ask, "asking") for _ in range(3)] == [1, 1, 1]
    assert session.identity == "pump 7"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("talk", "said"), [(hang, r"took longer than 0\.05 s"), (broken, "ConnectionResetError: gone")]
)
@pytest.mark.parametrize(("sent", "meant"), [(True, OutcomeUnknown), (False, SubmissionRefused)])
async def test_after_a_fault_another_line_is_opened(session, talk, said, sent, meant):
    with pytest.raises(meant, match=rf"asking \(the pump\).*{said}"):
        await session.exchange(talk, "asking", Start(sent=sent))

    assert await session.exchange(Wire.ask, "asking") == 2


@pytest.mark.anyio
async def test_a_cancelled_exchange_poisons_the_line_and_closes_it(session):
    held = []

    async def hold(line):
        held.append(line)
        await anyio.sleep_forever()

    with anyio.move_on_after(0.01):
        await session.exchange(hold, "asking")

    assert held[0].closed
    assert await session.exchange(Wire.ask, "asking") == 2


@pytest.mark.anyio
async def test_what_nobody_asked_for_poisons_it_too(session):
    async def twice(line):
        line.unread = True
        return await line.ask()

    assert await session.exchange(twice, "asking") == 1
    assert await session.exchange(Wire.ask, "asking") == 2


@pytest.mark.anyio
async def test_another_instrument_behind_the_new_line_is_told(session):
    await session.exchange(Wire.ask, "asking")
    session.identity = "pump 8"
    await session.aclose()

    with pytest.raises(RunnerError, match="was 'pump 8' and now says it is 'pump 7'"):
        await session.exchange(Wire.ask, "asking")


@pytest.mark.anyio
async def test_exchanges_take_turns(session):
    under_way = []

    async def alone(line):
        under_way.append(1)
        assert len(under_way) == 1
        await anyio.lowlevel.checkpoint()
        under_way.clear()

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(session.exchange, alone, "asking")


@pytest.mark.anyio
async def test_an_exchange_can_be_broken_off_for_one_that_must_not_wait(session):
    ended = []

    async def long():
        with pytest.raises(OutcomeUnknown, match="was broken off"):
            await session.exchange(hang, "awaiting", Start(sent=True), deadline_s=60.0)
        ended.append("long")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(long)
        await anyio.wait_all_tasks_blocked()
        session.break_off()
        answer = await session.exchange(Wire.ask, "making safe")

    assert (answer, ended) == (2, ["long"])


@pytest.mark.anyio
async def test_a_driver_that_hangs_in_its_thread_is_left_to_itself():
    release, made, closed = threading.Event(), [], []

    def make():
        made.append(len(made))
        return made[-1]

    async def open_line():
        return await Blocking.open(make, closed.append)

    async def who(line):
        return await line.call(lambda _driver: "meter")

    session = Session(open_line, who, errors=Errors(), deadline_s=0.05, name="the meter")
    with pytest.raises(OutcomeUnknown):
        await session.exchange(lambda line: line.call(lambda _d: release.wait()), "reading", Start(sent=True))
    answer = await session.exchange(lambda line: line.call(lambda driver: driver), "reading", deadline_s=5.0)
    release.set()

    assert (answer, made, closed) == (1, [0, 1], [0])


@pytest.mark.anyio
async def test_a_line_with_an_abandoned_call_answers_no_other():
    release = threading.Event()
    line = await Blocking.open(lambda: "driver", lambda _driver: None)
    with anyio.move_on_after(0.01):
        await line.call(lambda _driver: release.wait())

    assert line.stale()
    with pytest.raises(BrokenPipeError, match="still has the driver"):
        await line.call(lambda driver: driver)
    release.set()


def test_a_library_that_is_not_there_is_told_with_its_extra():
    with pytest.raises(ConfigurationError, match=r"needs no_such_library.*pip install 'titrant\[visa\]'"):
        library("no_such_library.sub", "visa")
