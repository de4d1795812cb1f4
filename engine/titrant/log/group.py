"""A group of requests on its way into the log: checked, numbered and chained; shared by all kinds of log.

``plan`` is pure.  It assumes that keys it is not told of are new; where that would make a difference to an answer it
gives none and names the keys in ``Plan.ask``: look them up and plan again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from titrant.errors import EventRejected, IdempotencyConflict, LogError, VersionConflict
from titrant.log.base import Append, Draft, Head, Outcome, Record, Stored
from titrant.log.chain import Envelope, encode_envelope, link
from titrant.messages.codec import decode, encode_checked
from titrant.messages.events import Event

Row: TypeAlias = tuple[Any, ...]
"""The columns of one event in the table's order (``chain.COLUMNS``)."""

MAX_ENVELOPE = 1 << 16
"""Bytes of an envelope as JSON."""

_read_envelope = msgspec.json.Decoder(Envelope).decode
_INT64 = 1 << 63


class Tail(msgspec.Struct, frozen=True):
    """Where the log ends: what the next event follows."""

    seq: int
    hash: bytes
    recorded_at: int = 0

    @property
    def head(self) -> Head:
        """The same as the port says it."""
        return Head(self.seq, self.hash)


class Kept(msgspec.Struct, frozen=True):
    """A request that stands in the log: its first number and, of each event, what a repeat must equal."""

    first: int
    bodies: tuple[tuple[Event, int | None, str | None], ...]


class Plan(msgspec.Struct):
    """What to insert, what to answer once it is durable, and where the log then ends."""

    rows: list[Row]
    outcomes: list[Outcome]
    tail: Tail
    ask: set[str]


def plan(requests: Sequence[Append], tail: Tail, epoch: int, known: Mapping[str, Kept | None]) -> Plan:
    """Number and chain the requests that can be stored, and say what becomes of the others.

    Args:
        requests: What is to be appended, in order.
        tail: Where the log ends.
        epoch: The writer's epoch.
        known: Keys that were looked up: the request they stand for, or None where they are new.
    """
    rows: list[Row] = []
    outcomes: list[Outcome] = []
    ask: set[str] = set()
    mine: dict[str, Kept] = {}
    for request in requests:
        keys = {draft.key for draft in request.drafts if draft.key is not None}
        kept = next(((key, found) for key in keys if (found := mine.get(key) or known.get(key))), None)
        if kept is not None:
            outcomes.append(_repeat(request, *kept))
            continue
        try:
            _allow(request, tail)
            fresh, tail = _chained(request.drafts, tail, epoch)
        except LogError as refusal:
            # A repeat of something stored is told so even if the log has moved on: whether it is one must be known.
            ask.update(key for key in keys if key not in known)
            outcomes.append(refusal)
            continue
        rows += fresh
        outcomes.append(Stored(fresh[0][0], tail.seq))
        if keys:
            done = Kept(fresh[0][0], _bodies(request))
            mine.update(dict.fromkeys(keys, done))
    return Plan(rows, outcomes, tail, ask)


def keys_of(requests: Iterable[Append]) -> list[str]:
    """The keys a group carries, each once."""
    return list({draft.key: None for request in requests for draft in request.drafts if draft.key is not None})


def kept_from(rows: Sequence[Row]) -> Kept:
    """Read a stored request, from its first row to its last, as something to compare a repeat with."""
    return Kept(rows[0][0], tuple((decode(row[2], row[3], row[14], seq=row[0]), row[4], row[12]) for row in rows))


def record(row: Row, event: Event) -> Record:
    """Give a row and its decoded payload as the port's record."""
    return Record(
        seq=row[0],
        event=event,
        schema=row[3],
        recorded_at=row[5],
        observed_at=row[6],
        actor=row[7],
        role=row[8],
        reason=row[9],
        trial=row[4],
        cause=row[10],
        correlation=row[11],
        key=row[12],
        epoch=row[13],
        hash=row[15],
        part=row[1],
    )


def _bodies(request: Append) -> tuple[tuple[Event, int | None, str | None], ...]:
    return tuple((draft.event, draft.trial, draft.key) for draft in request.drafts)


def _repeat(request: Append, key: str, kept: Kept) -> Outcome:
    if _bodies(request) == kept.bodies:
        return Stored(kept.first, kept.first + len(kept.bodies) - 1, repeated=True)
    return IdempotencyConflict(key, kept.first)


def _allow(request: Append, tail: Tail) -> None:
    if not request.drafts:
        raise EventRejected("a request to append has no events: give at least one")
    if request.expected is not None and request.expected != tail.seq:
        raise VersionConflict(expected=request.expected, actual=tail.seq)


def _chained(drafts: Sequence[Draft], tail: Tail, epoch: int) -> tuple[list[Row], Tail]:
    """Give the rows of one request.

    Raises:
        EventRejected: An event or its envelope could not be read back as it is.
    """
    seq, previous, at = tail.seq, tail.hash, tail.recorded_at
    rows: list[Row] = []
    for part, draft in enumerate(drafts):
        tag, schema, payload = encode_checked(draft.event)
        seq += 1
        envelope = (
            seq,
            part,
            tag,
            schema,
            draft.trial,
            draft.recorded_at,
            draft.observed_at,
            draft.actor,
            draft.role,
            draft.reason,
            draft.cause,
            draft.correlation,
            draft.key,
            epoch,
        )
        encoded = _checked_envelope(envelope, tag)
        if draft.recorded_at < at:
            raise EventRejected(f"{tag}: recorded_at is {draft.recorded_at}, before the log's last event at {at}")
        at = draft.recorded_at
        previous = link(previous, encoded, payload.encode())
        rows.append((*envelope, payload, previous))
    return rows, Tail(seq, previous, at)


def _checked_envelope(envelope: Envelope, tag: str) -> bytes:
    """Encode an envelope and read it again: a wrong type would be stored as another value than was hashed."""
    try:
        encoded = encode_envelope(envelope)
        same = _read_envelope(encoded) == envelope
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError) as exc:
        raise EventRejected(f"{tag}: the envelope cannot be stored: {exc}") from exc
    if not same:
        raise EventRejected(f"{tag}: the envelope {encoded!r:.200} would not be read back equal")
    if len(encoded) > MAX_ENVELOPE:
        raise EventRejected(f"{tag}: the envelope has {len(encoded)} bytes, more than {MAX_ENVELOPE}")
    for name, number in zip(("trial", "recorded_at", "observed_at", "cause"), _numbers(envelope), strict=True):
        if number is not None and not -_INT64 <= number < _INT64:
            raise EventRejected(f"{tag}: {name} does not fit into 64 bits")
    return encoded


def _numbers(envelope: Envelope) -> tuple[int | None, ...]:
    return envelope[4], envelope[5], envelope[6], envelope[10]
