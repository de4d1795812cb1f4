"""Reading a log, from any process, while it is written or long after.

Readers are read-only connections of their own.  They read a bounded number of events at a time, so that none of them
holds a transaction open and the writer's checkpoints are never held up.  The file is opened through SQLite only:
closing an ordinary file handle on it would drop the writer's locks if that is in the same process.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec

from titrant.errors import LogCorrupt, LogMissing, LogUnavailable, NotALog
from titrant.log import schema
from titrant.log.ahead import END
from titrant.log.base import Record
from titrant.log.chain import WIDTH, encode_envelope, genesis, link
from titrant.log.group import Row, record
from titrant.messages.codec import decode

CHUNK = 256
"""Events read at a time: small enough that the garbage collector finds them dead already."""

_envelope = itemgetter(slice(0, WIDTH))
UNHASHABLE = (msgspec.MsgspecError, TypeError, ValueError, OverflowError)


def open_reader(path: str | Path) -> sqlite3.Connection:
    """Open a log for reading only; close the connection when done.

    Raises:
        LogMissing: There is no log at that path.
        NotALog: The file is something else.
        LogTooNew: A newer titrant wrote it.
        LogCorrupt: Its tables were changed.
        LogUnavailable: The storage failed.
    """
    path = Path(path).absolute()
    if not has_content(path):
        raise LogMissing(f"there is no log at {path}")
    reader = None
    try:
        reader = _connect(path)
        check(reader, path)
    except schema.FAULTS as exc:
        raise translated(exc, path) from exc
    else:
        opened, reader = reader, None
        return opened
    finally:
        if reader is not None:
            reader.close()


def read_log(path: str | Path, after: int = 0, until: int | None = None, *, verify: bool = True) -> Iterator[Record]:
    """Yield the records with ``after < seq <= until`` in order, as far as the log goes when its end is reached.

    Args:
        path: The log.
        after: The sequence number to start behind.
        until: The last one wanted; None for all.
        verify: Whether to check each against the chain.

    Raises:
        LogMissing: There is no log at that path.
        NotALog: The file is something else.
        LogCorrupt: The first fault found, by sequence number.
        LogTooNew: An event is of a kind not known yet.
        LogUnavailable: The storage failed.
    """
    reader = open_reader(path)
    try:
        previous = hash_at(reader, after) if verify else None
        for rows in rows_between(reader, after, until):
            for row in verified(rows, after, previous):
                yield record(row, decode(row[2], row[3], row[14], seq=row[0]))
            after, previous = rows[-1][0], rows[-1][15] if verify else None
    finally:
        reader.close()


def verified(rows: Iterable[Row], after: int, previous: bytes | None) -> Iterator[Row]:
    """Yield rows one by one, each checked to follow the one before.

    Args:
        rows: In order, the first of them following event ``after``.
        after: See ``rows``.
        previous: The hash of event ``after``; None to check the numbers only.

    Raises:
        LogCorrupt: A number is missing, or the chain is broken.
    """
    for row in rows:
        after += 1
        if row[0] != after:
            raise LogCorrupt(after, f"it is missing: event {row[0]} comes next")
        if previous is not None:
            payload = row[14].encode() if isinstance(row[14], str) else row[14]
            try:
                previous = link(previous, encode_envelope(_envelope(row)), payload)
            except UNHASHABLE as exc:
                raise LogCorrupt(after, f"its envelope cannot be read: {exc}") from exc
            if previous != row[15]:
                raise LogCorrupt(after, "its hash does not fit: it, or one before it, was changed after it was written")
        yield row


def has_content(path: Path) -> bool:
    """Tell whether there is a file that is not empty, without opening it.

    Raises:
        NotALog: It is too small for a database; SQLite would take it for an empty one and write over it.
    """
    size = path.stat().st_size if path.exists() else 0
    if 0 < size < 512:
        raise NotALog(f"{path} is not an event log: choose another path")
    return size > 0


def check(reader: sqlite3.Connection, path: Path) -> None:
    """Refuse a file that is not a log; see ``schema.judge``."""
    kind = reader.execute(schema.KIND).fetchone()
    schema.judge(str(path), kind, [sql for (sql,) in reader.execute(schema.OBJECTS)], writing=False)


def hash_at(reader: sqlite3.Connection, seq: int) -> bytes:
    """Give the chain's hash at ``seq``; the genesis at 0; nothing fits where there is no such event.

    Raises:
        LogCorrupt: The file is damaged there.
        LogUnavailable: The storage failed.
    """
    try:
        if seq > 0:
            row = reader.execute("SELECT hash FROM events WHERE seq = ?", (seq,)).fetchone()
            return row[0] if row and isinstance(row[0], bytes) else b""
        meta = reader.execute(schema.META).fetchone()
    except schema.FAULTS as exc:
        raise translated(exc, path_of(reader), seq) from exc
    return genesis_of(meta)


def genesis_of(meta: Sequence[object] | None) -> bytes:
    """Give the genesis of a log from its meta row.

    Raises:
        LogCorrupt: It cannot be one.
    """
    try:
        log_id, file_format, created_at, created_by, hash_alg = msgspec.convert(meta, tuple[str, int, int, str, str])
    except msgspec.ValidationError as exc:
        raise LogCorrupt(0, f"the log's own identity cannot be read: {exc}") from exc
    return genesis(
        log_id=log_id, file_format=file_format, created_at=created_at, created_by=created_by, hash_alg=hash_alg
    )


def translated(
    exc: sqlite3.Error | UnicodeDecodeError, path: Path, seq: int = 0
) -> NotALog | LogCorrupt | LogUnavailable:
    """Say in titrant's words what SQLite reports; ``seq`` is the event that was being read."""
    code = getattr(exc, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_NOTADB:
        return NotALog(f"{path} is not an event log: choose another path")
    if code in {sqlite3.SQLITE_CORRUPT, 0}:  # 0: the module's own complaint, of text that is no UTF-8
        return LogCorrupt(seq, f"the file is damaged: {exc}")
    return LogUnavailable(f"the log {path} cannot be read: {exc}")


def _connect(path: Path) -> sqlite3.Connection:
    for options in ("?mode=ro", "?mode=ro&immutable=1"):
        reader = sqlite3.connect(path.as_uri() + options, uri=True, isolation_level=None, check_same_thread=False)
        try:
            for pragma in schema.READING:
                reader.execute(pragma)
            reader.execute(schema.KIND).fetchone()
        except sqlite3.OperationalError as exc:
            reader.close()
            # An archived log in a folder without write permission: readers of a WAL file need its index beside it.
            frozen = exc.sqlite_errorcode in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY_CANTINIT}
            if not frozen or Path(f"{path}-wal").exists() or "immutable" in options:
                raise
        except schema.FAULTS:
            reader.close()
            raise
        else:
            return reader
    raise LogUnavailable(f"the log {path} cannot be opened")


def path_of(reader: sqlite3.Connection) -> Path:
    """The file of a connection."""
    return Path(reader.execute("PRAGMA database_list").fetchone()[2])


def rows_between(reader: sqlite3.Connection, after: int, until: int | None) -> Iterator[list[Any]]:
    """Yield the rows with ``after < seq <= until`` in order, a bounded number at a time; nothing is checked.

    Raises:
        LogCorrupt: The file is damaged; what is sound before that was given.
        LogUnavailable: The storage failed.
    """
    select = schema.SELECT + "WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
    last, size = END if until is None else until, CHUNK
    while True:
        try:
            rows = reader.execute(select, (after, last, size)).fetchall()
        except schema.FAULTS as exc:
            if size == 1:
                raise translated(exc, path_of(reader), after + 1) from exc
            size = 1  # Give what is sound before the fault, and name the right event.
            continue
        if not rows:
            return
        yield rows
        after = rows[-1][0]
