"""A connection for many: made once, dropped by whoever finds it broken, made again by the next."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest

from titrant.errors import OutcomeUnknown, SubmissionRefused
from titrant.model.trial import Attempt
from titrant_adapters.shape import Course, Errors, Shared, Start

pytestmark = pytest.mark.anyio


class Exchange:
    """Where connections are made."""

    def __init__(self):
        self.made, self.closed, self.down = 0, [], None

    async def dial(self):
        await anyio.lowlevel.checkpoint()
        if self.down is not None:
            raise self.down
        self.made += 1
        return f"line {self.made}"

    async def close(self, line):
        self.closed.append(line)
        raise OSError("it is broken anyway")


@pytest.fixture
def exchange():
    return Exchange()


@pytest.fixture
def shared(exchange):
    return Shared(exchange.dial, exchange.close, errors=Errors(), deadline_s=5.0, name="the device")


async def test_all_have_the_same_one(shared, exchange):
    got = []

    async def get():
        got.append(await shared.ready())

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(get)

    assert (got, exchange.made) == (["line 1"] * 3, 1)


async def test_what_one_dropped_the_other_does_not_drop_again(shared, exchange):
    broken = await shared.ready()
    await shared.drop(broken)
    fresh = await shared.ready()
    await shared.drop(broken)

    assert (await shared.ready(), fresh, exchange.closed) == ("line 2", "line 2", ["line 1"])


@pytest.mark.parametrize(("sent", "error"), [(False, SubmissionRefused), (True, OutcomeUnknown)])
async def test_none_to_be_had_is_a_refusal_until_the_start_was_sent(shared, exchange, sent, error):
    exchange.down = ConnectionRefusedError("nobody there")
    with pytest.raises(error, match="connecting to the device: ConnectionRefusedError: nobody there"):
        await shared.ready(Start(sent=sent))


async def test_what_the_instrument_calls_a_run_is_recorded_after_its_start():
    kept = []

    async def record(metadata):
        kept.append(dict(metadata))

    course = Course(Attempt(trial=0, parameters={}, key="k"), record)
    await course.begin({"command": "Run"})
    await course.named({"uuid": "u"})

    assert kept == [{"command": "Run"}, {"uuid": "u"}]


async def test_a_run_that_was_not_to_be_started_any_more_and_has_been_is_unknown():
    async def record(metadata):
        if "uuid" in metadata:
            raise SubmissionRefused("the trial is not to be started any more")

    course = Course(Attempt(trial=0, parameters={}, key="k"), record)
    await course.begin({"command": "Run"})
    with pytest.raises(OutcomeUnknown, match="it was started already"):
        await course.named({"uuid": "u"})
