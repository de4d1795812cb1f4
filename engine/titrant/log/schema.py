"""What a log file is: its tables, the triggers that keep it append-only, and how to recognise it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from titrant.errors import LogCorrupt, LogMissing, LogTooNew, NotALog
from titrant.log.chain import COLUMNS

APPLICATION_ID = 0x54697472  # "Titr": what file(1) and sqlite3's .dbinfo show
FORMAT = 1

FAULTS = (sqlite3.Error, UnicodeDecodeError)
"""What the sqlite3 module raises: the second where a message quotes bytes of a damaged schema (measured)."""

GAP, CLOCK, EPOCH, KEY = "titrant: gap", "titrant: clock", "titrant: epoch", "titrant: key"
"""What the insert trigger says; the writer tells its refusals apart by these."""

TABLES = (
    """CREATE TABLE meta(
  one INTEGER PRIMARY KEY CHECK(one = 1),
  log_id TEXT NOT NULL,
  format INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  hash_alg TEXT NOT NULL CHECK(hash_alg = 'sha256-v1')
) STRICT""",
    # Fencing: the only row that is ever updated, and only upwards.
    """CREATE TABLE writer(
  one INTEGER PRIMARY KEY CHECK(one = 1),
  epoch INTEGER NOT NULL CHECK(epoch >= 0),
  pid INTEGER NOT NULL,
  host TEXT NOT NULL,
  opened_at INTEGER NOT NULL
) STRICT""",
    # length() of TEXT counts characters and stops at NUL, of a BLOB it counts bytes.
    """CREATE TABLE events(
  seq INTEGER PRIMARY KEY CHECK(seq > 0),
  part INTEGER NOT NULL CHECK(part >= 0),
  type TEXT NOT NULL,
  schema INTEGER NOT NULL CHECK(schema > 0),
  trial INTEGER,
  recorded_at INTEGER NOT NULL CHECK(recorded_at >= 0),
  observed_at INTEGER,
  actor TEXT NOT NULL,
  role TEXT,
  reason TEXT,
  cause INTEGER,
  correlation TEXT,
  idem_key TEXT,
  epoch INTEGER NOT NULL,
  payload TEXT NOT NULL CHECK(length(CAST(payload AS BLOB)) <= 1048576),
  hash BLOB NOT NULL CHECK(length(hash) = 32)
) STRICT""",
    # Not unique: all events of one request may carry its key; the insert trigger keeps it to one request.
    "CREATE INDEX events_key ON events(idem_key) WHERE idem_key IS NOT NULL",
    # Derived: may be dropped at any time, and no audit looks at it.
    """CREATE TABLE snapshots(
  seq INTEGER PRIMARY KEY,
  log_hash BLOB NOT NULL,
  state BLOB NOT NULL,
  state_hash BLOB NOT NULL
) STRICT""",
)

# Each look-up below is one step down a b-tree, so that an append costs O(log n).  The key is checked here and not by a
# unique index because REPLACE deletes the row an index objects to, past delete triggers where another program's
# connection lacks recursive_triggers.
TRIGGERS = (
    f"""CREATE TRIGGER events_in_order BEFORE INSERT ON events BEGIN
  SELECT RAISE(ABORT, '{EPOCH}') WHERE NEW.epoch IS NOT (SELECT epoch FROM writer);
  SELECT RAISE(ABORT, '{GAP}') WHERE NEW.seq IS NOT coalesce((SELECT max(seq) FROM events), 0) + 1;
  SELECT RAISE(ABORT, '{GAP}') WHERE NEW.part > 0
    AND NEW.part IS NOT (SELECT part FROM events WHERE seq = NEW.seq - 1) + 1;
  SELECT RAISE(ABORT, '{CLOCK}') WHERE NEW.recorded_at < (SELECT recorded_at FROM events WHERE seq = NEW.seq - 1);
  SELECT RAISE(ABORT, '{KEY}') WHERE NEW.idem_key IS NOT NULL
    AND EXISTS(SELECT 1 FROM events WHERE idem_key = NEW.idem_key AND seq < NEW.seq - NEW.part);
END""",  # noqa: S608 names of ours
    """CREATE TRIGGER events_no_update BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'titrant: events are append-only'); END""",
    """CREATE TRIGGER events_no_delete BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'titrant: events are append-only'); END""",
    """CREATE TRIGGER meta_once BEFORE INSERT ON meta WHEN EXISTS(SELECT 1 FROM meta)
BEGIN SELECT RAISE(ABORT, 'titrant: meta is fixed'); END""",
    """CREATE TRIGGER meta_no_update BEFORE UPDATE ON meta
BEGIN SELECT RAISE(ABORT, 'titrant: meta is fixed'); END""",
    """CREATE TRIGGER meta_no_delete BEFORE DELETE ON meta
BEGIN SELECT RAISE(ABORT, 'titrant: meta is fixed'); END""",
    """CREATE TRIGGER writer_once BEFORE INSERT ON writer WHEN EXISTS(SELECT 1 FROM writer)
BEGIN SELECT RAISE(ABORT, 'titrant: there is one writer'); END""",
    """CREATE TRIGGER writer_upwards BEFORE UPDATE ON writer WHEN NEW.epoch IS NOT OLD.epoch + 1
BEGIN SELECT RAISE(ABORT, 'titrant: epochs count upwards'); END""",
    """CREATE TRIGGER writer_no_delete BEFORE DELETE ON writer
BEGIN SELECT RAISE(ABORT, 'titrant: there is one writer'); END""",
    """CREATE TRIGGER snapshots_newest_two AFTER INSERT ON snapshots BEGIN
  DELETE FROM snapshots WHERE seq NOT IN (SELECT seq FROM snapshots ORDER BY seq DESC LIMIT 2);
END""",
)

DDL = (f"PRAGMA application_id={APPLICATION_ID}", f"PRAGMA user_version={FORMAT}", *TABLES, *TRIGGERS)
"""What makes an empty database a log, in one transaction."""

GUARDS = (
    "PRAGMA trusted_schema=OFF",
    "PRAGMA cell_size_check=ON",
    "PRAGMA mmap_size=0",
    "PRAGMA busy_timeout=5000",
)
"""For every connection: a file from elsewhere may be hostile."""

WRITING = (
    *GUARDS,
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # NORMAL loses acknowledged events on power loss (measured: 567 of 765 crash images)
    "PRAGMA fullfsync=ON",  # macOS: a plain fsync is no barrier
    "PRAGMA checkpoint_fullfsync=ON",
    "PRAGMA recursive_triggers=ON",  # without it, REPLACE deletes past delete triggers
    "PRAGMA foreign_keys=ON",
    "PRAGMA wal_autocheckpoint=1000",
    "PRAGMA journal_size_limit=67108864",
)
"""For the one writing connection."""

ROOM = (
    "PRAGMA synchronous=NORMAL",  # the checkpoint below syncs everything, once
    *(f"PRAGMA application_id={APPLICATION_ID}",) * 1000,
    "PRAGMA wal_checkpoint(PASSIVE)",  # waits for nobody
)
"""Write what is there already a thousand times, which makes the write-ahead log as long as it will ever be.

A sync of a file that grows has its new length to write as well: a commit then takes half as long again and more
(measured: 240 µs instead of 150 on ext4).  Left to itself, the file grows until the first automatic checkpoint, that
is through the first several hundred events after every opening; from then on SQLite writes over it from the start.
Nothing changes at any moment in between, so that a crash or a full disk may come when it likes.
"""

READING = (*GUARDS, "PRAGMA query_only=ON")
"""For every other connection."""

INSERT = f"INSERT INTO events({','.join(COLUMNS)}) VALUES "  # noqa: S608 column names of ours
ROW = f"({','.join('?' * len(COLUMNS))})"
# As a BLOB the payload comes as the stored bytes, undecoded: what the hash covers and the decoder reads.
SELECT = f"SELECT {','.join(COLUMNS[:-2])},CAST(payload AS BLOB),hash FROM events "  # noqa: S608 the same
# For reading many: SQLite writes what the hash covers itself, as two lines of JSON, which is quicker than handing
# fourteen columns to Python; what a reader needs of the envelope is read from there too.  See ``ahead.py``.
AHEAD = f"""SELECT count(*), max(seq), CAST(group_concat(covered, char(10, 10)) AS BLOB),
CAST(group_concat(hash, '') AS BLOB) FROM (
SELECT seq, json_array({",".join(COLUMNS[:-2])})||char(10)||payload AS covered, hash FROM events
WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?)"""  # noqa: S608 the same
LAST_TWO = SELECT + "ORDER BY seq DESC LIMIT 2"
KIND = "SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version)"
OBJECTS = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"
META = "SELECT log_id, format, created_at, created_by, hash_alg FROM meta"
TAKE_OVER = "UPDATE writer SET epoch = epoch + 1, pid = ?, host = ?, opened_at = ? RETURNING epoch"
SNAPSHOT = "INSERT OR REPLACE INTO snapshots SELECT seq, hash, ?, ? FROM events WHERE seq = ?"
SNAPSHOTS = """SELECT s.seq, s.state, s.state_hash
FROM snapshots s JOIN events e ON e.seq = s.seq AND e.hash = s.log_hash ORDER BY s.seq DESC"""
REQUEST = f"""{SELECT} WHERE seq >= ?1
AND seq < coalesce((SELECT seq FROM events WHERE seq > ?1 AND part = 0 ORDER BY seq LIMIT 1), 9223372036854775807)
ORDER BY seq"""  # noqa: S608 names of ours
"""The events of the request that begins with a number."""


def find_keys(count: int) -> str:
    """Give the statement that finds the keys among ``count``, each with the first number of its request."""
    return f"SELECT idem_key, seq - part FROM events WHERE idem_key IN ({','.join('?' * count)})"  # noqa: S608 marks


def judge(path: str, kind: tuple[int, int], objects: Iterable[str], *, writing: bool) -> None:
    """Refuse a file that is not a log of ours, before anything of it is used.

    Args:
        path: Where it is, for the message.
        kind: Its ``application_id`` and ``user_version``.
        objects: The SQL text of everything in its schema.
        writing: Whether the triggers must be there too.

    Raises:
        LogMissing: It is empty, or its creation was cut short.
        NotALog: It is another application's.
        LogTooNew: A newer titrant wrote it.
        LogCorrupt: Its tables or triggers were changed.
    """
    application, file_format = kind
    have = set(objects)
    if not have and application in {0, APPLICATION_ID}:
        raise LogMissing(f"there is no log at {path}")
    if application != APPLICATION_ID:
        raise NotALog(f"{path} is a database of another application: choose another path")
    if file_format > FORMAT:
        raise LogTooNew(f"{path} has format {file_format}, this titrant reads up to {FORMAT}: update titrant")
    wanted = {*TABLES, *TRIGGERS} if writing else set(TABLES)
    if missing := next((sql for sql in wanted if sql not in have), None):
        raise LogCorrupt(
            0, f"the file's schema was changed: {missing.split('(')[0].split(' BEFORE')[0]} is not as made"
        )
    if strange := next((sql for sql in have if sql not in {*TABLES, *TRIGGERS}), None):
        raise LogCorrupt(0, f"the file's schema was changed: it has {strange[:80]!r}")
