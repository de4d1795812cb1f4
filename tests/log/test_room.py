"""The write-ahead log is made as long as it will be at every opening, and whatever interrupts that does no harm."""

import shutil
import sqlite3

import aiosqlite
import pytest

from titrant.errors import LogUnavailable
from titrant.log import schema
from titrant.log.base import Stored
from titrant.log.sqlite import SqliteLog
from titrant.testing.log_contract import append, commit_one

pytestmark = pytest.mark.anyio

PAGE = 4096


def beside(path):
    return path.with_name(path.name + "-wal")


async def test_commits_do_not_lengthen_the_file_they_are_synced_to(log):
    roomy = beside(log.path).stat().st_size
    assert roomy > 1000 * PAGE
    for number in range(50):
        await log.commit([append(number, key=f"k{number}")])
    assert beside(log.path).stat().st_size == roomy


async def test_an_opened_log_has_as_much_room_and_the_same_content(closed):
    before = closed.stat().st_size
    log = await SqliteLog.open(closed, now=2)
    assert beside(closed).stat().st_size > 1000 * PAGE
    assert closed.stat().st_size == before
    assert [record.seq for record in log.read()] == list(range(1, 11))
    await log.close()
    assert not beside(closed).exists()


async def test_a_reader_in_the_middle_of_a_read_does_not_hold_an_opening_up(closed, raw):
    reader = raw(closed)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM events").fetchone() == (10,)
    log = await SqliteLog.open(closed, now=2)
    assert await commit_one(log, append(10, at=10_000)) == Stored(11, 11)
    assert reader.execute("SELECT count(*) FROM events").fetchone() == (10,)
    reader.execute("COMMIT")
    await log.close()


@pytest.mark.parametrize("left", [0.0, 0.001, 0.4, 0.5001, 0.999, 1.0])
async def test_power_lost_while_room_is_made_loses_nothing(closed, raw, tmp_path, left):
    """What the disk kept may end anywhere: in the middle of a page, too."""
    connection = raw(closed)
    for statement in (*schema.WRITING, "PRAGMA wal_autocheckpoint=0"):
        connection.execute(statement)
    # An event that is durable in the write-ahead log only, as after a crash.
    connection.execute("UPDATE writer SET epoch = epoch + 1")
    durable = beside(closed).stat().st_size
    for statement in schema.ROOM[:-1]:
        connection.execute(statement)

    copy = tmp_path / "copy.titrant"
    shutil.copy(closed, copy)
    whole = beside(closed).read_bytes()
    beside(copy).write_bytes(whole[: durable + int(left * (len(whole) - durable))])

    log = await SqliteLog.open(copy, now=2)
    assert (log.epoch, log.head.seq) == (3, 10)
    assert await commit_one(log, append(10, at=10_000)) == Stored(11, 11)
    await log.close()


@pytest.fixture
def failing(monkeypatch):
    """Make room until half of it is there, then fail."""

    def arm(message, code):
        script = aiosqlite.Connection.executescript

        async def fail(self, text):
            if schema.ROOM[-1] not in text:
                return await script(self, text)
            await script(self, ";".join(schema.ROOM[:500]))
            error = sqlite3.OperationalError(message)
            error.sqlite_errorcode = code
            raise error

        monkeypatch.setattr(aiosqlite.Connection, "executescript", fail)

    return arm


async def test_a_log_opens_where_there_is_no_space_for_room_and_is_as_durable(closed, failing):
    failing("database or disk is full", sqlite3.SQLITE_FULL)
    log = await SqliteLog.open(closed, now=2)
    assert await log._db.fetch("PRAGMA synchronous") == [(2,)]
    assert await commit_one(log, append(10, at=10_000)) == Stored(11, 11)
    await log.close()


async def test_a_disk_that_fails_while_room_is_made_is_not_written_to(closed, failing, monkeypatch):
    failing("disk I/O error", sqlite3.SQLITE_IOERR)
    with pytest.raises(LogUnavailable, match="disk I/O error"):
        await SqliteLog.open(closed, now=2)
    monkeypatch.undo()
    log = await SqliteLog.open(closed, now=3)
    assert (log.epoch, log.head.seq) == (2, 10)
    await log.close()
