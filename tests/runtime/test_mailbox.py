"""Mailboxes and answers."""

import anyio
import pytest

from titrant.errors import ActorStopped, DeadlineExceeded, MailboxFull
from titrant.runtime.mailbox import Answer, Mailbox

pytestmark = pytest.mark.anyio


def mailbox(capacity=2, *messages):
    box = Mailbox("lab", capacity)
    for message in messages:
        box.tell(message)
    return box


async def test_messages_come_out_in_the_order_they_went_in():
    box = mailbox(3, 1, 2, 3)

    assert [await box.receive() for _ in range(3)] == [1, 2, 3]


async def test_a_receiver_waits_for_a_message():
    box, got = mailbox(), []

    async with anyio.create_task_group() as tasks:

        async def read():
            got.append(await box.receive())

        tasks.start_soon(read)
        await anyio.wait_all_tasks_blocked()
        assert got == []
        box.tell("there")

    assert got == ["there"]


async def test_a_full_mailbox_refuses_and_counts_a_dead_letter():
    box = mailbox(2, 1, 2)

    with pytest.raises(MailboxFull, match=r"the mailbox of lab is full \(2 messages\)"):
        box.tell(3)
    assert (box.dead_letters, len(box)) == (1, 2)


async def test_a_sender_waits_for_room():
    box = mailbox(1, "first")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(box.send, "second")
        await anyio.wait_all_tasks_blocked()
        assert len(box) == 1
        assert await box.receive() == "first"

    assert (await box.receive(), box.dead_letters) == ("second", 0)


async def test_emptying_a_mailbox_makes_room():
    box = mailbox(2, 1, 2)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(box.send, 3)
        await anyio.wait_all_tasks_blocked()
        assert box.drain() == [1, 2]

    assert await box.receive() == 3


async def test_a_closed_mailbox_refuses_with_the_reason():
    box = mailbox()
    box.close(ValueError("broken"))

    with pytest.raises(ActorStopped, match="lab has stopped: broken"):
        box.tell(1)
    with pytest.raises(ActorStopped, match="lab has stopped: broken"):
        await box.send(1)
    assert box.dead_letters == 2


async def test_closing_gives_back_what_nobody_will_read():
    box = mailbox(3, 1, 2)

    assert box.close() == [1, 2]
    assert box.dead_letters == 2


async def test_closing_again_keeps_the_first_reason():
    box = mailbox()
    box.close(ValueError("first"))
    box.close(ValueError("second"))

    with pytest.raises(ActorStopped, match="first"):
        await box.receive()


async def test_closing_ends_whoever_waits():
    box, full, ended = mailbox(), mailbox(1, "x"), []

    async def expect_end(wait, *args):
        with pytest.raises(ActorStopped):
            await wait(*args)
        ended.append(wait)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(expect_end, box.receive)
        tasks.start_soon(expect_end, full.send, "y")
        await anyio.wait_all_tasks_blocked()
        box.close()
        full.close()

    assert len(ended) == 2


async def test_an_answer_reaches_who_asked():
    answer = Answer()

    async with anyio.create_task_group() as tasks:

        async def give():
            answer.give(42)

        tasks.start_soon(give)
        assert await answer.wait(1.0) == 42


async def test_an_error_is_raised_where_the_question_was_asked():
    answer = Answer()
    answer.fail(KeyError("no"))

    with pytest.raises(KeyError, match="no"):
        await answer.wait()


async def test_the_first_answer_counts():
    answer = Answer()
    answer.give(1)
    answer.give(2)
    answer.fail(KeyError("late"))

    assert await answer.wait() == 1


async def test_an_answer_that_does_not_come_has_a_deadline():
    with pytest.raises(DeadlineExceeded, match="the plate did not come within 5 s"):
        await Answer().wait(5.0, what="the plate")


async def test_an_answer_that_is_there_needs_no_time():
    answer = Answer()
    answer.give(1)

    assert await answer.wait(0.0) == 1


@pytest.mark.anyio
async def test_several_senders_may_wait_for_room():
    mailbox: Mailbox[int] = Mailbox("small", capacity=1)
    mailbox.tell(0)
    async with anyio.create_task_group() as tasks:
        for number in (1, 2, 3):
            tasks.start_soon(mailbox.send, number)
        with anyio.fail_after(5):
            received = [await mailbox.receive() for _ in range(4)]

    assert sorted(received) == [0, 1, 2, 3]
