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
from typing import TYPE_CHECKING, NamedTuple

from titrant.log import schema

if TYPE_CHECKING:
    from concurrent.futures import Future

CHUNK = 1024
"""Events read at a time: fewer, and handing over takes longer than reading; more is only memory."""

END = (1 << 63) - 1
"""After every sequence number."""

_WIDTH = 32  # bytes of a hash
_SEPARATOR = b"\n\n"  # of events in a row: neither line of one is empty


class Chunk(NamedTuple):
    """Events that follow each other.

    Attributes:
        last: The sequence number up to which these are all events; of an unreadable chunk the last one wanted.
        lines: What the hash of each covers, two lines of JSON each, with empty lines between them; empty where they
            cannot be read all at once and must be looked at one by one.
        covered: The same, event by event.
        stored: The hash of each.
    """

    last: int
    lines: bytes
    covered: list[bytes]
    stored: list[bytes]


def read_ahead(reader: sqlite3.Connection, after: int, until: int | None = None) -> Generator[Chunk]:
    """Yield the events with ``after < seq <= until``, in order, as far as the log goes when its end is reached.

    Nothing is checked, and an unreadable chunk is the last.  Close the iterator before the connection.
    """
    until = END if until is None else until
    chunk = _read(reader, after, until)
    while chunk is not None and len(chunk.stored) < CHUNK:  # short logs, and the tail of one, need no thread
        yield chunk
        chunk = _read(reader, chunk.last, until) if chunk.lines else None
    if chunk is None:
        return
    if sqlite3.threadsafety < 3:  # pragma: no cover  # an SQLite built without locks of its own
        while chunk is not None:
            yield chunk
            chunk = _read(reader, chunk.last, until) if chunk.lines else None
        return

    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  # 10 ms that short logs need not wait for

    def following(before: Future[Chunk | None]) -> Chunk | None:
        previous = before.result()
        return _read(reader, previous.last, until) if previous is not None and previous.lines else None

    with ThreadPoolExecutor(1, thread_name_prefix="titrant-reading") as thread:
        asked = deque([thread.submit(_read, reader, chunk.last, until)])
        while chunk is not None:
            asked.append(thread.submit(following, asked[-1]))
            yield chunk
            chunk = asked.popleft().result()


def _read(reader: sqlite3.Connection, after: int, until: int) -> Chunk | None:
    """The next chunk, or None where there is none."""
    try:
        count, last, lines, hashes = reader.execute(schema.AHEAD, (after, until, CHUNK)).fetchone()
    except schema.FAULTS:  # said in the right words by whoever looks at the events one by one
        return Chunk(until, b"", [], [])
    if not count:
        return None
    covered = (lines or b"").split(_SEPARATOR)
    if len(covered) != count or len(hashes or b"") != _WIDTH * count:  # something is missing, or no engine wrote it
        return Chunk(until, b"", [], [])
    return Chunk(last, lines, covered, [hashes[at : at + _WIDTH] for at in range(0, len(hashes), _WIDTH)])
