"""The alarm clock of an actor."""

import anyio
import pytest

from titrant.runtime.alarm import Alarm

pytestmark = pytest.mark.anyio


class Desk:
    """Notes what the alarm delivers, and when."""

    def __init__(self) -> None:
        self.got: list[tuple[float, str]] = []
        self.began = anyio.current_time()

    async def deliver(self, message: str) -> None:
        self.got.append((round(anyio.current_time() - self.began, 6), message))


async def rung(seconds, *settings, then=None):
    desk = Desk()
    alarm = Alarm(desk.deliver)
    with anyio.move_on_after(seconds):
        async with anyio.create_task_group() as tasks:
            for delay, message in settings:
                alarm.set(delay, message)
            tasks.start_soon(alarm.run)
            if then is not None:
                await then(alarm)
    return desk.got


async def test_messages_come_when_they_are_due_in_order_of_time():
    assert await rung(100, (20, "b"), (10, "a"), (30, "c")) == [(10, "a"), (20, "b"), (30, "c")]


async def test_what_is_due_at_the_same_time_comes_in_the_order_it_was_set():
    assert await rung(100, (10, "a"), (10, "b"), (10, "c")) == [(10, "a"), (10, "b"), (10, "c")]


async def test_what_is_past_is_due_at_once():
    assert await rung(1, (-5, "late"), (0, "now")) == [(0, "late"), (0, "now")]


async def test_an_earlier_message_set_later_comes_first():
    async def then(alarm):
        await anyio.sleep(5)
        alarm.set(1, "early")

    assert await rung(100, (50, "late"), then=then) == [(6, "early"), (50, "late")]


async def test_a_cleared_alarm_rings_no_more():
    async def then(alarm):
        await anyio.sleep(5)
        alarm.clear()

    assert await rung(100, (50, "never"), then=then) == []


async def test_nothing_rings_before_its_time():
    assert await rung(9, (10, "a")) == []
