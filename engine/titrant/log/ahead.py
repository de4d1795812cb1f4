"""Reading ahead: SQLite prepares the next events in a thread of its own while Python works on those before them.

Of reading a long log, SQLite's part is a third, and needs no interpreter.  But to hand a row over is the interpreter's
work, and a thread that asks for the interpreter at each row waits for it at each row.  So SQLite puts a thousand events
into one row: what their hashes cover, and the hashes.  Two such rows are asked for ahead, since the thread that has
read one must have the interpreter to be asked for the next.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Generator
from typing import NamedTuple

from titrant.log import schema
from titrant.log.following import SEPARATOR

CHUNK = 1024
"""Events read at a time: fewer, and handing over takes longer than reading; more is only memory."""

BATCH = 128
"""Events handed out at a time: so few that the garbage collector finds them dead already when it looks."""

END = (1 << 63) - 1
"""After every sequence number."""

_WIDTH = 32  # bytes of a hash
# A newline at a payload's end, which would be taken for the beginning of the next event.
_STRAY = b"\n" + SEPARATOR


class Batch(NamedTuple):
    """Events that follow each other.

    Attributes:
        last: The sequence number up to which these are all events; of an unreadable batch the last one wanted.
        covered: What the hash of each covers, two lines of JSON; none where the events cannot be read all at once and
            must be looked at one by one.
        stored: The hash of each.
    """

    last: int
    covered: list[bytes]
    stored: list[bytes]


def read_ahead(reader: sqlite3.Connection, after: int, until: int | None = None) -> Generator[Batch]:
    """Yield the events with ``after < seq <= until``, in order, as far as the log goes when its end is reached.

    Only that no number is missing is checked; an unreadable batch is the last.  Close the iterator before the
    connection.
    """
    for chunk in _chunks(reader, after, END if until is None else until):
        first = chunk.last - len(chunk.covered)
        for at in range(0, len(chunk.covered), BATCH):
            covered = chunk.covered[at : at + BATCH]
            yield Batch(first + at + len(covered), covered, chunk.stored[at : at + BATCH])
        if not chunk.covered:
            yield chunk


def _chunks(reader: sqlite3.Connection, after: int, until: int) -> Generator[Batch]:
    def following(batch: Batch | None) -> Batch | None:
        return None if batch is None or not batch.covered else _read(reader, batch.last, until)

    chunk = _read(reader, after, until)
    # Short logs, and the tail of one, need no thread; an SQLite that was built without locks can have none.
    while chunk is not None and (len(chunk.covered) < CHUNK or sqlite3.threadsafety < 3):
        yield chunk
        chunk = following(chunk)
    if chunk is None:
        return

    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  # 10 ms that short logs need not wait for

    with ThreadPoolExecutor(1, thread_name_prefix="titrant-reading") as thread:
        asked = deque([thread.submit(following, chunk)])
        while chunk is not None:
            asked.append(thread.submit(lambda before: following(before.result()), asked[-1]))
            yield chunk
            chunk = asked.popleft().result()


def _read(reader: sqlite3.Connection, after: int, until: int) -> Batch | None:
    """The next chunk, or None where there is none."""
    try:
        count, last, lines, hashes = reader.execute(schema.AHEAD, (after, until, CHUNK)).fetchone()
    except schema.FAULTS:  # said in the right words by whoever looks at the events one by one
        return Batch(until, [], [])
    if not count:
        return None
    lines = lines or b""
    covered = lines.split(SEPARATOR)
    # Something is missing, or no engine wrote it: a payload's last newline would be taken for the next event's first.
    if last - after != count or len(covered) != count or len(hashes or b"") != _WIDTH * count or _STRAY in lines:
        return Batch(until, [], [])
    return Batch(last, covered, [hashes[at : at + _WIDTH] for at in range(0, len(hashes), _WIDTH)])
