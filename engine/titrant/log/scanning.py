"""Reading a long log at speed: what loading an experiment, and showing any moment of its past, comes down to.

Events are taken a batch at a time: SQLite joins what their hashes cover (``ahead.py``), and all of a batch is decoded
at once.  A long log is read and checked by a second process (``beside.py``).  Whatever is not as expected, be it an old
schema or a fault, is looked at one event at a time, by what has the upcasters and the right words (``replay.py``).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from hashlib import sha256
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec

from titrant.log import schema
from titrant.log.ahead import END, Batch, read_ahead
from titrant.log.beside import START, beside, helps
from titrant.log.chain import Envelope
from titrant.log.replay import UNHASHABLE, hash_at, open_reader, path_of, rows_between, translated, verified
from titrant.messages.codec import SCHEMAS, TAGS, UNREADABLE, decode
from titrant.messages.events import Event

_decode_lines: Callable[[bytes], list[Any]] = msgspec.json.Decoder(Envelope | Event).decode_lines
"""Decode what hashes cover, of each event two lines: an envelope, and the event under it."""

_SEQ, _TAG, _SCHEMA, _AT = map(itemgetter, (0, 2, 3, 5))
"""Of an envelope."""

_LAST = "SELECT coalesce(max(seq), 0) FROM events WHERE seq <= ?"

Decoded = tuple[list[Any], list[Any]]
"""Envelopes, and the event of each."""

Scanned = Iterable[tuple[int, int, Event]]
"""Sequence number, time of recording, event."""

_Batches = Generator[Scanned, None, tuple[int, bytes | None]]
"""Events as ``scan`` yields them, some at a time; at last, the number and the hash of the one that was reached."""


def scan(
    source: str | Path | sqlite3.Connection, after: int = 0, until: int | None = None, *, verify: bool = True
) -> Iterator[tuple[int, int, Event]]:
    """Yield (seq, recorded_at, event) like ``read_log``, several times faster: what loading an experiment uses.

    Args:
        source: The log, or a connection from ``open_reader``, which stays open.
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
    for batch in batches(source, after, until, verify=verify):
        yield from batch


def batches(
    source: str | Path | sqlite3.Connection, after: int = 0, until: int | None = None, *, verify: bool = True
) -> Iterator[Scanned]:
    """Yield what ``scan`` yields, some at a time: for the loop that has little to do with each; raises as it does.

    A batch must be used up before the next one is asked for.
    """
    reader = source if isinstance(source, sqlite3.Connection) else open_reader(source)
    end = END if until is None else until
    try:
        previous = hash_at(reader, after) if verify else None
        if previous is not None and helps(_last(reader, end) - after):
            after, previous = yield from _in_two(reader, after, end, previous)
        yield from _in_one(reader, after, end, previous)
    finally:
        if reader is not source:
            reader.close()


def sound(batch: Batch, after: int, previous: bytes | None) -> Decoded | None:
    """Decode the events of a batch; None where one is anything other than expected: of an old schema, or a fault.

    Args:
        batch: The events that follow event ``after``.
        after: See ``batch``.
        previous: The hash of event ``after``; None to check the numbers only.
    """
    known, sha = decoded(b"\n".join(batch.covered), after, batch.last), sha256
    if previous is None:
        return known
    for covered, stored in zip(batch.covered, batch.stored, strict=True):
        previous = sha(previous + covered).digest()
        if previous != stored:
            return None
    return known


def decoded(lines: bytes, after: int, last: int) -> Decoded | None:
    """Decode what hashes cover, of the events behind *after* to *last*; None where one is of no current schema."""
    # Loops in C, one for each check: they and the decoder are most of loading.
    try:
        found = _decode_lines(lines)
        if len(found) != 2 * (last - after):
            return None
        envelopes, events = found[::2], found[1::2]
        tags = list(map(_TAG, envelopes))
        fits = (
            list(map(_SEQ, envelopes)) == list(range(after + 1, last + 1))
            and list(map(TAGS.__getitem__, map(type, events))) == tags
            and list(map(SCHEMAS.__getitem__, tags)) == list(map(_SCHEMA, envelopes))
        )
    except (*UNREADABLE, *UNHASHABLE, LookupError):
        return None
    return (envelopes, events) if fits else None


def _in_one(reader: sqlite3.Connection, after: int, until: int, previous: bytes | None) -> _Batches:
    verify = previous is not None
    with closing(read_ahead(reader, after, until)) as read:
        for batch in read:
            known = sound(batch, after, previous)
            yield _examined(reader, after, batch.last, previous) if known is None else _scanned(*known)
            after, previous = batch.last, batch.stored[-1] if verify and batch.stored else None
    return after, previous


def _in_two(reader: sqlite3.Connection, after: int, until: int, previous: bytes) -> _Batches:
    """As far as a process beside this one finds the log sound; until it is at work, events are read here."""
    start = after + START
    link = hash_at(reader, start)
    with beside(path_of(reader), start, until, link) as found:
        reached, last = yield from _in_one(reader, after, start, previous)
        if reached < start:
            return reached, last
        after, previous = start, link
        for batch in found:
            known = decoded(batch.lines, after, batch.last)
            yield _examined(reader, after, batch.last, previous) if known is None else _scanned(*known)
            after, previous = batch.last, batch.link
    return after, previous


def _scanned(envelopes: list[Any], events: list[Any]) -> Scanned:
    return zip(map(_SEQ, envelopes), map(_AT, envelopes), events, strict=True)


def _examined(reader: sqlite3.Connection, after: int, until: int, previous: bytes | None) -> Scanned:
    for rows in rows_between(reader, after, until):
        for row in verified(rows, after, previous):
            yield row[0], row[5], decode(row[2], row[3], row[14], seq=row[0])
        after, previous = rows[-1][0], None if previous is None else rows[-1][15]


def _last(reader: sqlite3.Connection, until: int) -> int:
    """The last event there is now, up to *until*."""
    try:
        last: int = reader.execute(_LAST, (until,)).fetchone()[0]
    except schema.FAULTS as exc:
        raise translated(exc, path_of(reader)) from exc
    return last
