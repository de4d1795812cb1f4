"""Readers see whole, unbroken history or say what is wrong with it."""

import os
import random
import shutil
import sys
import threading

import anyio
import pytest

from titrant.errors import LogCorrupt, LogError
from titrant.log import ahead, replay
from titrant.log.chain import COLUMNS
from titrant.log.replay import open_reader, read_log
from titrant.log.scanning import scan
from titrant.log.sqlite import SqliteLog
from titrant.messages.codec import SCHEMAS, UPCASTERS
from titrant.testing.log_contract import append

pytestmark = pytest.mark.anyio


def without_triggers(connection):
    for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")


def scan_in_twos(path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ahead, "CHUNK", 2)
        return list(scan(path))


async def test_scanning_gives_what_reading_gives(closed):
    assert list(scan(closed)) == [(r.seq, r.recorded_at, r.event) for r in read_log(closed)]
    assert [seq for seq, *_ in scan(closed, 3, 6)] == [4, 5, 6]
    assert list(scan(closed, 99)) == []


@pytest.mark.parametrize("size", [1, 3, 10, 11])
async def test_the_size_of_a_chunk_makes_no_difference(closed, monkeypatch, size):
    whole, scanned = list(read_log(closed, 2)), list(scan(closed, 2))
    monkeypatch.setattr(replay, "CHUNK", size)
    monkeypatch.setattr(ahead, "CHUNK", size)
    assert list(read_log(closed, 2)) == whole
    assert list(scan(closed, 2)) == scanned


@pytest.mark.parametrize("size", [3, 1024])
async def test_scanning_reads_old_schemas_too(closed, monkeypatch, size):
    monkeypatch.setattr(ahead, "CHUNK", size)
    monkeypatch.setitem(SCHEMAS, "trial.completed", 2)
    monkeypatch.setitem(UPCASTERS, ("trial.completed", 1), lambda old: {**old, "reason": "upcast"})
    assert {event.reason for _, _, event in scan(closed)} == {"upcast"}


async def test_who_stops_scanning_leaves_no_thread_behind(closed, monkeypatch):
    monkeypatch.setattr(ahead, "CHUNK", 2)
    scanning = scan(closed)
    assert next(scanning)[0] == 1
    assert "titrant-reading" in "".join(thread.name for thread in threading.enumerate())
    scanning.close()
    assert "titrant-reading" not in "".join(thread.name for thread in threading.enumerate())


async def test_scanning_may_share_a_connection(closed):
    reader = open_reader(closed)
    assert len(list(scan(reader))) == len(list(scan(reader))) == 10
    reader.close()


async def test_a_reader_follows_a_log_while_it_is_written(log):
    """Chunk by chunk, so that it also sees what came after it began, and never a gap."""
    await log.commit([append(*range(300))])
    seen = []
    for record in log.read():
        seen.append(record.seq)
        if record.seq in {1, 299}:
            await log.commit([append(*range(300))])
    assert seen == list(range(1, 901))


async def test_many_readers_never_see_a_gap_nor_hold_up_the_writer(log):
    done = False

    async def follow():
        seen = 0
        while not done or seen < log.head.seq:
            for seq, *_ in scan(log.path, seen):
                assert seq == seen + 1
                seen = seq
            await anyio.lowlevel.checkpoint()
        return seen

    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(follow)
        for _ in range(60):
            await log.commit([append(1, 2), append(3)])
        done = True
    assert log.head.seq == 180


async def test_another_process_reads_while_this_one_writes(log):
    await log.commit([append(*range(20))])
    code = "import sys; from titrant.log.replay import read_log; print(sum(1 for _ in read_log(sys.argv[1])))"
    told = await anyio.run_process([sys.executable, "-c", code, log.path])
    assert told.stdout == b"20\n"
    await log.commit([append(1)])
    assert log.head.seq == 21


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
async def test_an_archived_log_in_a_read_only_folder_is_read(closed):
    closed.parent.chmod(0o500)
    try:
        assert len(list(read_log(closed))) == 10
    finally:
        closed.parent.chmod(0o700)


CHANGES = {
    "part": 1, "type": "trial.failed", "schema": 2, "trial": 4, "recorded_at": 5001, "observed_at": 1,
    "actor": "mallory",    "role": "r", "reason": "r", "cause": 1, "correlation": "c", "idem_key": "x", "epoch": 0,
    "payload": '{"type":"trial.completed","trial":99}', "hash": b"\0" * 32,
}  # fmt: skip


@pytest.mark.parametrize("column", CHANGES)
@pytest.mark.parametrize("read", [read_log, scan])
async def test_a_changed_column_is_found_at_its_event(closed, raw, read, column):
    connection = raw(closed)
    without_triggers(connection)
    connection.execute(f"UPDATE events SET {column} = ? WHERE seq = 6", (CHANGES[column],))

    seen = []
    with pytest.raises(LogCorrupt, match="event 6: its hash does not fit") as caught:
        seen.extend(read(closed))
    assert caught.value.seq == 6
    assert set(CHANGES) == set(COLUMNS) - {"seq"}


async def test_what_stands_before_a_fault_is_given(closed, raw):
    connection = raw(closed)
    without_triggers(connection)
    connection.execute("UPDATE events SET actor = 'mallory' WHERE seq = 6")
    for read in (read_log, scan):
        seen = 0
        with pytest.raises(LogCorrupt):  # noqa: PT012 the loop is what is tested
            for _ in read(closed):
                seen += 1
        assert seen == 5
    assert len(list(scan(closed, after=6))) == 4


@pytest.mark.parametrize(
    ("statement", "seq"),
    [
        ("DELETE FROM events WHERE seq = 4", 4),
        ("DELETE FROM events WHERE seq = 1", 1),
        ("UPDATE events SET seq = 11 WHERE seq = 2", 2),
        ("UPDATE events SET seq = seq + 1 WHERE seq = 10", 10),
        ("UPDATE events SET payload = (SELECT payload FROM events WHERE seq = 3) WHERE seq = 8", 8),
        ("UPDATE events SET payload = payload || char(10) WHERE seq = 6", 6),
        ("UPDATE events SET payload = char(10) || payload WHERE seq = 7", 7),
        ("UPDATE events SET actor = CAST(x'ff41' AS TEXT) WHERE seq = 7", 7),
        ("UPDATE events SET payload = CAST(x'ff41' AS TEXT) WHERE seq = 7", 7),
    ],
)
@pytest.mark.parametrize("read", [read_log, scan, scan_in_twos])
async def test_deleting_moving_and_spoiling_are_found(closed, raw, read, statement, seq):
    connection = raw(closed)
    without_triggers(connection)
    connection.execute(statement)
    with pytest.raises(LogCorrupt) as caught:
        list(read(closed))
    assert caught.value.seq == seq


EIGHTH = '{"type":"trial.completed","trial":8}'


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "8",
        EIGHTH[:-1],
        f"{EIGHTH}\n{EIGHTH}",
        f'{EIGHTH}\n[9,0,"trial.completed",1,null,5,null,"a",null,null,null,null,null,1]\n{EIGHTH}',
        '[8,0,"trial.completed",1,null,5,null,"a",null,null,null,null,null,1]',
    ],
)
@pytest.mark.parametrize("read", [read_log, scan])
async def test_a_payload_is_one_event_whatever_stands_around_it(closed, raw, read, payload):
    """Also where nobody checks the chain: no row reads on into the next, none hides another."""
    connection = raw(closed)
    without_triggers(connection)
    connection.execute("UPDATE events SET payload = ? WHERE seq = 8", (payload,))
    with pytest.raises(LogCorrupt, match="event 8: the payload"):
        list(read(closed, verify=False))


async def test_a_payload_may_have_more_than_one_line(closed, raw):
    connection = raw(closed)
    without_triggers(connection)
    connection.execute("UPDATE events SET payload = ? WHERE seq = 8", (EIGHTH.replace(",", "\n,\n") + "\n",))
    scanned = list(scan(closed, verify=False))
    assert scanned == [(r.seq, r.recorded_at, r.event) for r in read_log(closed, verify=False)]
    assert scanned[7][2].trial == 8


async def test_single_bits_of_the_file_are_found_or_harmless(closed, tmp_path):
    """600 copies with one bit turned: all rows as before, or an error of ours."""
    content, whole = closed.read_bytes(), list(read_log(closed))
    rng, copy, outcomes = random.Random(5), tmp_path / "copy.titrant", {"same": 0, "found": 0}
    for _ in range(600):
        spoilt = bytearray(content)
        spoilt[rng.randrange(len(spoilt))] ^= 1 << rng.randrange(8)
        copy.write_bytes(spoilt)
        try:
            rows = list(read_log(copy))
        except LogError:
            outcomes["found"] += 1
        else:
            # A cut-off tail is the one thing a chain cannot show: the head published elsewhere does.
            assert rows == whole[: len(rows)]
            assert len(rows) == 10 or rows[-1].hash != whole[-1].hash
            outcomes["same"] += 1
        for suffix in ("-wal", "-shm"):
            copy.with_name(copy.name + suffix).unlink(missing_ok=True)
    assert outcomes["found"] > 50


async def test_a_truncated_file_is_damaged(closed, tmp_path):
    copy = tmp_path / "copy.titrant"
    shutil.copy(closed, copy)
    os.truncate(copy, copy.stat().st_size // 2)
    with pytest.raises(LogCorrupt):
        list(read_log(copy))
    with pytest.raises(LogCorrupt):
        await SqliteLog.open(copy, now=1)


async def test_a_damaged_end_is_found_when_the_log_is_opened(closed, raw):
    connection = raw(closed)
    triggers = [sql for (sql,) in connection.execute("SELECT sql FROM sqlite_schema WHERE type = 'trigger'")]
    without_triggers(connection)
    connection.execute("UPDATE events SET reason = 'changed' WHERE seq = 10")
    for sql in triggers:
        connection.execute(sql)
    with pytest.raises(LogCorrupt, match="event 10: its hash"):
        await SqliteLog.open(closed, now=1)


async def test_a_snapshot_that_does_not_fit_is_ignored(log, raw):
    await log.commit([append(*range(4))])
    await log.save_snapshot(2, b"two")
    await log.save_snapshot(4, b"four")
    connection = raw(log.path)

    connection.execute("UPDATE snapshots SET log_hash = zeroblob(32) WHERE seq = 4")
    assert log.load_snapshot() == (2, b"two")
    connection.execute("UPDATE snapshots SET state = x'00' WHERE seq = 2")
    assert log.load_snapshot() is None
