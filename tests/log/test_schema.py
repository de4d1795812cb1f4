"""The database itself refuses what would change history, whoever asks."""

import sqlite3

import pytest

from titrant.errors import LogCorrupt, LogExists, LogMissing, LogTooNew, NotALog
from titrant.log import schema
from titrant.log.replay import open_reader, read_log
from titrant.log.sqlite import SqliteLog
from titrant.testing.log_contract import append

pytestmark = pytest.mark.anyio

OK = {
    "seq": 11, "part": 0, "type": "t", "schema": 1, "trial": None, "recorded_at": 9000, "observed_at": None,
    "actor": "a", "role": None, "reason": None, "cause": None, "correlation": None, "idem_key": None, "epoch": 1,
    "payload": "{}", "hash": b"h" * 32,
}  # fmt: skip
INSERT = schema.INSERT + schema.ROW


def row(**changes):
    return tuple({**OK, **changes}.values())


FORBIDDEN = {
    "update": ("UPDATE events SET payload = '{}' WHERE seq = 3", ()),
    "delete": ("DELETE FROM events WHERE seq = 10", ()),
    "delete all": ("DELETE FROM events", ()),
    "replace": (INSERT.replace("INSERT", "INSERT OR REPLACE"), row(seq=5)),
    "replace by key": (INSERT.replace("INSERT", "INSERT OR REPLACE"), row(idem_key="k")),
    "ignore": (INSERT.replace("INSERT", "INSERT OR IGNORE"), row(seq=5)),
    "upsert": (INSERT + " ON CONFLICT(seq) DO UPDATE SET payload = '{}'", row(seq=5)),
    "gap": (INSERT, row(seq=12)),
    "number again": (INSERT, row(seq=10)),
    "no number": (INSERT, row(seq=None)),
    "part without its request": (INSERT, row(part=2)),
    "clock backwards": (INSERT, row(recorded_at=8999)),
    "stale epoch": (INSERT, row(epoch=0)),
    "future epoch": (INSERT, row(epoch=2)),
    "key again": (INSERT, row(idem_key="k")),
    "short hash": (INSERT, row(hash=b"h" * 31)),
    "text for a number": (INSERT, row(recorded_at="noon")),
    "blob for text": (INSERT, row(actor=b"a")),
    "two megabytes": (INSERT, row(payload="x" * 2_000_000)),
    "just too many bytes": (INSERT, row(payload="ä" * 600_000)),
    "meta changed": ("UPDATE meta SET log_id = 'z'", ()),
    "meta replaced": ("INSERT OR REPLACE INTO meta VALUES (1, 'z', 1, 1, 'x', 'sha256-v1')", ()),
    "meta deleted": ("DELETE FROM meta", ()),
    "writer replaced": ("INSERT OR REPLACE INTO writer VALUES (1, 9, 1, 'h', 1)", ()),
    "writer deleted": ("DELETE FROM writer", ()),
    "epoch back": ("UPDATE writer SET epoch = 0", ()),
}


@pytest.mark.parametrize("statement", FORBIDDEN)
async def test_a_forbidden_statement_is_refused_by_the_database(closed, raw, statement):
    """On a bare connection: no pragma of ours protects it (recursive_triggers is off)."""
    connection = raw(closed)
    before = connection.execute("SELECT * FROM events").fetchall()
    with pytest.raises(sqlite3.IntegrityError, match=r"titrant|CHECK|cannot store"):
        connection.execute(*FORBIDDEN[statement])
    assert connection.execute("SELECT * FROM events").fetchall() == before


async def test_the_control_is_accepted(closed, raw):
    raw(closed).execute(INSERT, row())


async def test_a_reader_cannot_write(closed):
    reader = open_reader(closed)
    for statement in (
        "DROP TABLE events",
        "CREATE TABLE t(x)",
        "UPDATE writer SET epoch = 2",
        "PRAGMA user_version = 7",
    ):
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.execute(statement)
    reader.close()


async def test_appending_takes_no_more_steps_in_a_long_log(log, raw):
    """Counted in instructions of SQLite's machine, the triggers' own among them."""

    def steps(number):
        connection, count = raw(log.path), 0

        def step():
            nonlocal count
            count += 1

        connection.execute("BEGIN IMMEDIATE")
        connection.set_progress_handler(step, 1)
        connection.execute(INSERT, row(seq=number, idem_key="k"))
        connection.set_progress_handler(None, 1)
        connection.execute("ROLLBACK")
        return count

    await log.commit([append(0, at=9000)])
    short = steps(2)
    await log.commit([append(*range(3000), at=9000, key="other")])
    assert steps(3002) < short + 30


async def test_the_pragmas_are_set(log):
    async def value(name):
        return (await log._db.fetch(f"PRAGMA {name}"))[0][0]

    wanted = {
        "application_id": schema.APPLICATION_ID, "user_version": 1, "journal_mode": "wal", "synchronous": 2,
        "busy_timeout": 5000, "recursive_triggers": 1, "trusted_schema": 0, "cell_size_check": 1, "mmap_size": 0,
        "journal_size_limit": 67108864, "fullfsync": 1, "checkpoint_fullfsync": 1, "foreign_keys": 1,
        "wal_autocheckpoint": 1000,
    }  # fmt: skip
    assert {name: await value(name) for name in wanted} == wanted


async def test_only_the_owner_may_read_the_file(log):
    for suffix in ("", "-wal", "-shm", ".lock"):
        assert (log.path.parent / (log.path.name + suffix)).stat().st_mode & 0o777 == 0o600


async def test_creating_never_writes_over_a_log(closed, make_log):
    with pytest.raises(LogExists, match="there is a log at"):
        await make_log()
    assert len(list(read_log(closed))) == 10


async def test_a_missing_log_is_missing(path):
    with pytest.raises(LogMissing, match="there is no log"):
        await SqliteLog.open(path, now=1)
    with pytest.raises(LogMissing, match="there is no log"):
        next(read_log(path))
    assert not path.exists()
    assert list(path.parent.iterdir()) == []


async def test_an_empty_file_is_no_log_but_may_become_one(path, make_log):
    path.touch()
    with pytest.raises(LogMissing):
        await SqliteLog.open(path, now=1)
    log = await make_log()
    assert log.head.seq == 0
    await log.close()


@pytest.mark.parametrize("content", [b"x", b"not a database " * 500, b"SQLite format 3\x00" + b"\xff" * 4080])
async def test_another_file_is_not_a_log_and_stays_as_it_is(path, make_log, content):
    path.write_bytes(content)
    for attempt in (make_log, lambda: SqliteLog.open(path, now=1)):
        with pytest.raises(NotALog, match="not an event log"):
            await attempt()
    with pytest.raises(NotALog, match="not an event log"):
        next(read_log(path))
    assert path.read_bytes() == content


async def test_another_applications_database_is_not_a_log_and_stays_as_it_is(path, make_log):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE events(seq INTEGER PRIMARY KEY)")
    connection.close()
    content = path.read_bytes()
    for attempt in (make_log, lambda: SqliteLog.open(path, now=1)):
        with pytest.raises(NotALog, match="another application"):
            await attempt()
    with pytest.raises(NotALog, match="another application"):
        next(read_log(path))
    assert path.read_bytes() == content


async def test_a_newer_format_is_refused(closed, raw, make_log):
    raw(closed).execute("PRAGMA user_version = 2")
    for attempt in (make_log, lambda: SqliteLog.open(closed, now=1)):
        with pytest.raises(LogTooNew, match="has format 2, this titrant reads up to 1"):
            await attempt()
    with pytest.raises(LogTooNew, match="has format 2"):
        next(read_log(closed))


@pytest.mark.parametrize(
    ("statement", "readable"),
    [
        ("DROP TRIGGER events_no_update", True),
        ("DROP INDEX events_key", False),
        ("CREATE TRIGGER mine AFTER INSERT ON events BEGIN DELETE FROM snapshots; END", False),
        ("CREATE VIEW mine AS SELECT 1", False),
    ],
)
async def test_a_changed_schema_is_refused(closed, raw, statement, readable):
    raw(closed).execute(statement)
    with pytest.raises(LogCorrupt, match="schema was changed"):
        await SqliteLog.open(closed, now=1)
    if readable:
        assert len(list(read_log(closed))) == 10
    else:
        with pytest.raises(LogCorrupt, match="schema was changed"):
            next(read_log(closed))


async def test_a_request_of_many_events_is_one_transaction(log):
    """More than one statement can hold."""
    outcomes = await log.commit([append(*range(5000)), append(0)])
    assert (outcomes[0].last, log.head.seq) == (5000, 5001)
    assert [record.part for record in log.read(after=4998)] == [4998, 4999, 0]
