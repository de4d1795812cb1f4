"""One writer, and an answer that is true whatever fails."""

import asyncio
import os
import sqlite3
import sys

import aiosqlite
import anyio
import msgspec
import pytest

from titrant.errors import Fenced, LogInUse, LogUnavailable
from titrant.log.base import Stored
from titrant.log.replay import read_log
from titrant.log.sqlite import SqliteLog
from titrant.testing.log_contract import append, commit_one

pytestmark = pytest.mark.anyio

HOLD = """
import asyncio, sys
from titrant.log.sqlite import SqliteLog
from titrant.testing.log_contract import append
async def main():
    log = await SqliteLog.open(sys.argv[1], now=5)
    await log.commit([append(99, at=10_000)])
    print("held", flush=True)
    sys.stdin.read()
asyncio.run(main())
"""


async def test_a_second_writer_in_this_process_is_refused_and_told_who_holds_it(log):
    with pytest.raises(LogInUse, match="is open in this process: close that client first") as caught:
        await SqliteLog.open(log.path, now=2)
    assert str(os.uname().nodename) in caught.value.owner
    assert await commit_one(log, append(0)) == Stored(1, 1)


async def test_another_process_is_refused_until_the_owner_is_killed(closed):
    async with await anyio.open_process([sys.executable, "-c", HOLD, closed]) as child:
        assert (await child.stdout.receive()).startswith(b"held")
        with pytest.raises(LogInUse, match=f"process {child.pid} on "):
            await SqliteLog.open(closed, now=6)
        child.kill()
        await child.wait()

    log = await SqliteLog.open(closed, now=7)
    assert (log.epoch, log.head.seq) == (3, 11)
    await log.close()


async def test_a_log_left_open_does_not_keep_the_process_from_ending(closed):
    code = HOLD.replace("sys.stdin.read()", "raise SystemExit(7)")
    with anyio.fail_after(20):
        ended = await anyio.run_process([sys.executable, "-W", "ignore", "-c", code, closed], check=False)
    assert ended.returncode == 7
    assert len(list(read_log(closed))) == 11


async def test_a_closed_log_is_free_again(closed):
    for epoch in (2, 3):
        log = await SqliteLog.open(closed, now=2)
        assert log.epoch == epoch
        await log.close()
    assert not closed.with_name(closed.name + "-wal").exists()


async def test_a_log_that_cannot_be_opened_is_free_again(closed, raw):
    connection = raw(closed)
    connection.execute("PRAGMA user_version = 2")
    for _ in range(2):
        with pytest.raises(Exception, match="has format 2"):
            await SqliteLog.open(closed, now=2)
    connection.execute("PRAGMA user_version = 1")
    await (await SqliteLog.open(closed, now=2)).close()


async def test_a_writer_whose_lock_was_defeated_is_fenced(log):
    await log.commit([append(0)])
    log.path.with_name(log.path.name + ".lock").unlink()
    other = await SqliteLog.open(log.path, now=3)
    assert await commit_one(other, append(1)) == Stored(2, 2)

    for _ in range(2):
        with pytest.raises(Fenced, match="another writer took the log"):
            await log.commit([append(2)])
    assert [record.event.trial for record in other.read()] == [0, 1]
    await other.close()


async def test_a_fork_may_not_write(log, monkeypatch):
    real = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: real + 1)
    with pytest.raises(LogInUse, match="of which this process is a fork"):
        await log.commit([append(0)])
    with pytest.raises(LogInUse, match="fork"):
        await log.close()
    monkeypatch.undo()
    assert await commit_one(log, append(0)) == Stored(1, 1)


@pytest.fixture
def failing(monkeypatch):
    """Make the statement that inserts fail: before it does anything, or after it has done everything."""

    def arm(*, after, error="disk I/O error"):
        execute = aiosqlite.Connection.execute

        async def fail(self, sql, values=None):
            if not sql.startswith("INSERT INTO events"):
                return await execute(self, sql, values)
            if after:
                await execute(self, sql, values)
            monkeypatch.setattr(aiosqlite.Connection, "execute", execute)
            raise sqlite3.OperationalError(error)

        monkeypatch.setattr(aiosqlite.Connection, "execute", fail)

    return arm


async def test_a_commit_that_raises_but_committed_is_stored(log, failing):
    await log.commit([append(0)])
    failing(after=True)
    assert await log.commit([append(1, key="k"), append(2)]) == [Stored(2, 2), Stored(3, 3)]

    assert await log.commit([append(3), append(1, key="k")]) == [Stored(4, 4), Stored(2, 2, repeated=True)]
    assert [record.event.trial for record in log.read()] == [0, 1, 2, 3]


async def test_a_commit_that_raises_and_did_not_is_told_so_and_nothing_more_is_taken(log, failing):
    await log.commit([append(0)])
    failing(after=False)
    for _ in range(2):
        with pytest.raises(LogUnavailable, match=r"disk I/O error\): nothing of the last group was stored"):
            await log.commit([append(1)])
    with pytest.raises(LogUnavailable):
        await log.save_snapshot(1, b"")
    assert log.head.seq == 1
    await log.close()

    again = await SqliteLog.open(log.path, now=2)
    assert await commit_one(again, append(1)) == Stored(2, 2)
    await again.close()


@pytest.mark.parametrize("after", [True, False])
async def test_storage_that_stays_away_leaves_a_doubt_that_is_told(log, failing, monkeypatch, after):
    await log.commit([append(0)])
    failing(after=after)

    def broken(*_, **__):
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr(sqlite3, "connect", broken)
    with pytest.raises(LogUnavailable, match="whether the last group was stored is unknown"):
        await log.commit([append(1)])
    monkeypatch.undo()
    with pytest.raises(LogUnavailable):
        await log.commit([append(1)])
    assert len(list(read_log(log.path))) == 1 + after


async def test_a_log_written_behind_the_writers_back_is_not_written_further(log, raw):
    await log.commit([append(0)])
    raw(log.path).execute(
        "INSERT INTO events SELECT 2, 0, type, 1, 1, recorded_at, 1, 'mallory', '', '', 1, '', 'k', epoch, payload,"
        " hash FROM events"
    )
    with pytest.raises(LogUnavailable, match="titrant: gap"):
        await log.commit([append(1)])


async def test_a_failed_snapshot_stops_the_log(log, monkeypatch):
    await log.commit([append(0)])

    async def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(aiosqlite.Connection, "execute_fetchall", full)
    with pytest.raises(LogUnavailable, match="disk is full"):
        await log.save_snapshot(1, b"")
    with pytest.raises(LogUnavailable, match="disk is full"):
        await log.commit([append(1)])


@pytest.mark.parametrize("events", [2, 5000])
@pytest.mark.parametrize("moment", range(8))
async def test_asyncios_own_cancellation_leaves_log_and_answer_agreeing(log, moment, events):
    """It comes through anyio's shield; the answer is given all the same, and the cancellation after it."""
    answers, after = [], []

    async def commit():
        answers.append(await log.commit([append(*range(events))]))
        await asyncio.sleep(0)
        after.append(True)

    task = asyncio.create_task(commit())
    for _ in range(moment):
        await asyncio.sleep(0)
    under_way = task.cancel()  # another thread may have been so quick that all is over
    await asyncio.wait([task])

    assert task.cancelled() == under_way
    assert bool(after) != under_way
    assert log.head.seq == len(list(log.read())) == events * len(answers)
    assert len(answers) == (moment > 0)
    assert await commit_one(log, append(2)) == Stored(log.head.seq, log.head.seq)


@pytest.mark.parametrize("moment", range(1, 8))
async def test_a_fenced_writer_that_is_cancelled_meanwhile_is_not_told_that_it_stored_anything(log, moment):
    """What aiosqlite was to raise is lost with the future that was cancelled; the end of the log is somebody else's."""
    await log.commit([append(0)])
    log.path.with_name(log.path.name + ".lock").unlink()
    other = await SqliteLog.open(log.path, now=3)
    await other.commit([append(1)])

    answers = []

    async def commit():
        try:
            answers.append(await log.commit([append(2)]))
        except Fenced as refusal:
            answers.append(refusal)

    task = asyncio.create_task(commit())
    for _ in range(moment):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert [type(answer) for answer in answers] == [Fenced]
    assert [record.event.trial for record in other.read()] == [0, 1]
    await other.close()


async def test_a_timeout_of_asyncio_is_still_a_timeout(log):
    answers = []

    async def commit():
        async with asyncio.timeout(0):
            answers.append(await log.commit([append(0)]))
            await asyncio.sleep(0)

    with pytest.raises(TimeoutError):
        await commit()
    assert log.head.seq == len(answers)


async def test_cancelling_again_and_again_changes_nothing(log):
    async def commit():
        return await log.commit([append(0)])

    task = asyncio.create_task(commit())
    await asyncio.sleep(0)
    while not task.done():
        task.cancel()
        await asyncio.sleep(0)
    assert log.head.seq == len(list(log.read())) == 1


async def test_cancelling_while_another_commits_stores_nothing_of_ones_own(log):
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(log.commit, [append(0)])
        await anyio.lowlevel.checkpoint()
        with anyio.move_on_after(0) as scope:
            await log.commit([append(1)])
    assert scope.cancelled_caught
    assert [record.event.trial for record in log.read()] == [0]


async def test_opening_and_closing_survive_cancellation(closed):
    for moment in range(12):
        task = asyncio.create_task(SqliteLog.open(closed, now=2))
        for _ in range(moment):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        log = await SqliteLog.open(closed, now=2) if task.cancelled() else task.result()
        closing = asyncio.create_task(log.close())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing])
        await log.close()
    assert len(list(read_log(closed))) == 10


async def test_every_trip_to_the_thread_goes_through_outside(path):
    inside, trips = 0, 0

    async def outside(call):
        nonlocal inside, trips
        inside, trips = inside + 1, trips + 1
        try:
            return await call()
        finally:
            inside -= 1

    log = await SqliteLog.create(path, log_id="x", now=1, engine="test", outside=outside)
    trips = 0
    await log.commit([append(0, key="k")])
    assert trips == 1
    await log.commit([append(1), append(2), append(3)])
    assert trips == 2
    await log.save_snapshot(2, b"")
    assert trips == 3
    await log.close()
    assert (inside, trips) == (0, 5)


async def test_the_owner_is_written_beside_the_log(log):
    lock = log.path.with_name(log.path.name + ".lock")
    assert msgspec.json.decode(lock.read_bytes())["pid"] == os.getpid()
    await log.close()
    assert lock.read_bytes() == b""
