"""Supervision: failures are restarted, too many of them escalate."""

import anyio
import pytest

from titrant.runtime.mailbox import Mailbox
from titrant.runtime.supervision import Intensity, describe, supervise

pytestmark = pytest.mark.anyio


class Failing:
    """Fails after each of these waits, then ends by itself."""

    name = "failing"

    def __init__(self, *waits: float) -> None:
        self.waits = list(waits)
        self.runs = 0

    async def run(self) -> None:
        self.runs += 1
        if self.waits:
            await anyio.sleep(self.waits.pop(0))
            raise ValueError(f"run {self.runs}")


class Heard:
    """What the supervisor was told."""

    def __init__(self) -> None:
        self.restarts: list[tuple[str, str, int]] = []
        self.escalated: list[tuple[str, str]] = []

    async def restarted(self, *told) -> None:
        self.restarts.append(told)

    async def escalate(self, *told) -> None:
        self.escalated.append(told)


async def watch(child, **options):
    heard = Heard()
    await supervise(child, restarted=heard.restarted, escalate=heard.escalate, **options)
    return heard


async def test_a_child_that_ends_by_itself_is_left_alone():
    heard = await watch(Failing())

    assert (heard.restarts, heard.escalated) == ([], [])


async def test_a_failed_child_runs_again_and_each_restart_is_told():
    child = Failing(0, 0)

    heard = await watch(child)

    assert child.runs == 3
    assert heard.restarts == [("failing", "ValueError: run 1", 1), ("failing", "ValueError: run 2", 2)]


async def test_the_sixth_failure_in_thirty_seconds_escalates():
    child = Failing(*[5.0] * 10)

    heard = await watch(child)

    assert (child.runs, len(heard.restarts)) == (6, 5)
    assert heard.escalated == [("failing", "failed 6 times in 30 s, last: ValueError: run 6")]


async def test_failures_further_apart_never_escalate():
    child = Failing(*[6.1] * 20)

    heard = await watch(child)

    assert (child.runs, heard.escalated) == (21, [])


async def test_the_intensity_can_be_chosen():
    heard = await watch(Failing(0, 0), intensity=Intensity(restarts=1, seconds=1.0))

    assert len(heard.escalated) == 1


async def test_one_child_fails_alone():
    other, calm = Failing(0, 0), Failing()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch, other)
        tasks.start_soon(watch, calm)

    assert (other.runs, calm.runs) == (3, 1)


async def test_messages_that_were_not_taken_survive_a_restart():
    mailbox, read = Mailbox("reader"), []

    class Reader:
        name = "reader"

        async def run(self):
            while len(mailbox):
                message = await mailbox.receive()
                if message == "poison":
                    raise ValueError("poison")
                read.append(message)

    for message in ("a", "poison", "b"):
        mailbox.tell(message)
    await watch(Reader())

    assert read == ["a", "b"]


async def test_a_cancelled_child_is_not_restarted():
    child = Failing(1e9)

    with anyio.move_on_after(1):
        await watch(child)

    assert child.runs == 1


async def test_a_failure_in_a_task_group_is_one_failure():
    class Grouped(Failing):
        async def run(self):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(super().run)

    heard = await watch(Grouped(0))

    assert heard.restarts == [("failing", "ValueError: run 1", 1)]


def test_an_exception_is_described_in_one_line():
    assert describe(ValueError("first\nsecond")) == "ValueError: first"
    assert describe(KeyError()) == "KeyError"
    assert describe(ExceptionGroup("g", [OSError("a"), ValueError("b")])) == "OSError: a; ValueError: b"
