"""An experiment at any moment of its history, folded from the log alone."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from titrant.errors import ConfigurationError, LogCorrupt
from titrant.log import schema
from titrant.log.base import Record
from titrant.log.replay import open_reader, read_log, translated
from titrant.log.scanning import batches, scan
from titrant.log.snapshots import unpack
from titrant.messages.events import Event
from titrant.rules.evolve import evolve
from titrant.rules.state import State

When = int | str | datetime | None
"""A moment: a sequence number, a time, or a text that means either (see ``sequence_number``); None for the end."""

_UNFIT = (LookupError, AttributeError, TypeError, ValueError)
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_NUMBER = re.compile(r"-?\d+")
_SPAN = re.compile(r"([+-])((?:\d{1,9}(?:\.\d{1,9})?[smhd]){1,4})")
_PIECE = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_AT = "SELECT coalesce(max(recorded_at), 0) FROM events WHERE seq = ?"
_FORMS = "give a sequence number (42), one from the end (-10), a time (2026-05-04T14:30), or a span (-10m, +1h30m)"


class Moment(msgspec.Struct, frozen=True):
    """The state after an event.

    Attributes:
        seq: The event's sequence number; 0 before the first one.
        at: When it was recorded, microseconds since 1970 UTC.
        state: The fold of all events up to it.
    """

    seq: int
    at: int
    state: State


def state_at(path: str | Path, when: When = None, *, snapshots: bool = False) -> Moment:
    """Fold the log up to a moment.

    Args:
        path: The log; it may be written meanwhile.
        when: The moment.
        snapshots: Whether to begin from a snapshot: quicker, and as good as the snapshot.  Otherwise every event from
            the first on is folded, and checked against the chain.

    Raises:
        ConfigurationError: *when* cannot be read, or lies outside the log.
        LogError: The log is missing, damaged, or too new.
    """
    until = sequence_number(path, when)
    begin = _snapshot(path, until) if snapshots else Moment(0, 0, State())
    seq, at, state = begin.seq, begin.at, begin.state
    try:
        for batch in batches(path, seq, until):
            for number, recorded_at, event in batch:
                state = evolve(state, event, recorded_at)
                seq, at = number, recorded_at
    except _UNFIT as exc:  # around the loop, not in it: this is all of finding a moment in a long log
        raise _unfit(seq + 1, exc) from exc
    if until is not None and seq < until:
        raise LogCorrupt(seq + 1, "it is missing, and it was there a moment ago")
    return Moment(seq, at, state)


def moments(path: str | Path, until: When = None) -> Iterator[Moment]:
    """Yield the state after each event, the first to the one at *until*.

    Raises:
        ConfigurationError: *until* cannot be read, or lies outside the log.
        LogError: The log is missing, damaged, or too new.
    """
    state = State()
    for seq, at, event in scan(path, 0, sequence_number(path, until)):
        state = fold(state, seq, event, at)
        yield Moment(seq, at, state)


def history(path: str | Path, until: When = None) -> Iterator[tuple[Record, State]]:
    """Yield each event with its envelope and the state after it.

    Raises:
        ConfigurationError: *until* cannot be read, or lies outside the log.
        LogError: The log is missing, damaged, or too new.
    """
    state = State()
    for record in read_log(path, 0, sequence_number(path, until)):
        state = fold(state, record.seq, record.event, record.recorded_at)
        yield record, state


def fold(state: State, seq: int, event: Event, at: int) -> State:
    """The state after an event.

    Raises:
        LogCorrupt: The event does not fit the state: no engine wrote it there.
    """
    try:
        return evolve(state, event, at)
    except _UNFIT as exc:
        raise _unfit(seq, exc) from exc


def _unfit(seq: int, exc: Exception) -> LogCorrupt:
    return LogCorrupt(seq, f"it does not follow from what is before it: {type(exc).__name__}: {exc}")


def sequence_number(path: str | Path, when: When) -> int | None:
    """The sequence number of the last event at or before a moment; None where the whole log is meant.

    A number is a sequence number, a negative one counts from the last event.  A time is in ISO 8601, in local time
    where it says no other.  A span with a sign is a distance: ``"-10m"`` from the last event, ``"+1h30m"`` from the
    first.

    Raises:
        ConfigurationError: *when* cannot be read, or lies outside the log.
        LogError: The log is missing or damaged.
    """
    if when is None:
        return None
    with _Ends(path) as ends:
        if isinstance(when, str):
            text = when.strip()
            span = _SPAN.fullmatch(text)
            if span is not None:
                seconds = sum(float(number) * _SECONDS[unit] for number, unit in _PIECE.findall(span[2]))
                from_end = span[1] == "-"
                start = ends.at(ends.last if from_end else min(1, ends.last))
                return ends.before(start + round((-seconds if from_end else seconds) * 1e6), text)
            when = _read(text)
        if isinstance(when, datetime):
            return ends.before(round(when.timestamp() * 1e6), when.isoformat())
        number = when if when >= 0 else ends.last + when
        if not 0 <= number <= ends.last:
            raise ConfigurationError(f"there is no event {when}: the log has events 1 to {ends.last}")
        return number


def _read(text: str) -> int | datetime:
    """A text as a sequence number or a time."""
    try:
        return int(text) if _NUMBER.fullmatch(text) else datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError) as exc:  # the last two: a year that the machine cannot reckon with
        raise ConfigurationError(f"{text!r} names no moment: {_FORMS}") from exc


class _Ends:
    """Where a log begins and ends, and when its events were recorded: by its index, nothing is folded."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    def __enter__(self) -> _Ends:
        self._reader = open_reader(self._path)
        (self.last,) = self._one("SELECT coalesce(max(seq), 0) FROM events", ())
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

    def at(self, seq: int) -> int:
        """When an event was recorded; 0 where there is none."""
        return self._one(_AT, (seq,))[0]

    def before(self, at: int, told: str) -> int:
        """The last event recorded at or before a time; times never decrease, so that halving finds it."""
        low, high = 0, self.last
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.at(middle) <= at else (low, middle - 1)
        if not low:
            first = datetime.fromtimestamp(self.at(min(1, self.last)) / 1e6, tz=UTC).astimezone()
            raise ConfigurationError(f"{told} is before the log's first event, at {first.isoformat()}")
        return low

    def _one(self, select: str, values: tuple[int, ...]) -> tuple[int]:
        try:
            found: tuple[int] = self._reader.execute(select, values).fetchone()
        except schema.FAULTS as exc:
            raise translated(exc, self._path) from exc
        return found


def _snapshot(path: str | Path, until: int | None) -> Moment:
    """The newest snapshot at or before an event that fits the chain and itself, or the beginning."""
    reader = open_reader(path)
    try:
        for seq, packed, packed_hash in reader.execute(schema.SNAPSHOTS):
            fits = (until is None or seq <= until) and hashlib.sha256(packed).digest() == packed_hash
            state = unpack(packed) if fits else None
            if state is not None:
                return Moment(seq, reader.execute(_AT, (seq,)).fetchone()[0], state)
    except schema.FAULTS as exc:
        raise translated(exc, Path(path)) from exc
    finally:
        reader.close()
    return Moment(0, 0, State())
