"""The port of the event log: drafts go in, numbered and chained records come out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

from titrant.errors import LogError
from titrant.messages.events import Event


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An event on its way into the log, with its envelope as far as it is known before it has a number.

    Attributes:
        event: What happened.
        recorded_at: When it was decided, microseconds since 1970 UTC; never decreasing within a log.
        observed_at: When the instrument says it happened, where it says so.
        actor: Who: ``"user:NAME"``, ``"runner:NAME"``, ``"engine"`` …
        role: In which role.
        reason: Why, in a person's words.
        trial: The trial it concerns.
        cause: Sequence number of the event that led to this one.
        correlation: Identity of the command it came from.
        key: Idempotency key; within a log it stands for the one request that brought it, for ever.
    """

    event: Event
    recorded_at: int
    observed_at: int | None = None
    actor: str = "engine"
    role: str | None = None
    reason: str | None = None
    trial: int | None = None
    cause: int | None = None
    correlation: str | None = None
    key: str | None = None


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it stands in the log; ``part`` is its place in the request that brought it, from 0."""

    seq: int
    event: Event
    schema: int
    recorded_at: int
    observed_at: int | None
    actor: str
    role: str | None
    reason: str | None
    trial: int | None
    cause: int | None
    correlation: str | None
    key: str | None
    epoch: int
    hash: bytes
    part: int = 0


class Head(msgspec.Struct, frozen=True):
    """The last event's sequence number and chain hash; ``seq`` 0 and the genesis hash for an empty log."""

    seq: int
    hash: bytes


class Append(msgspec.Struct, frozen=True, kw_only=True):
    """One atomic request to append.

    Attributes:
        drafts: At least one; all are stored, or none.
        expected: The sequence number the log must be at (counting earlier requests of the same group), or None.
    """

    drafts: tuple[Draft, ...]
    expected: int | None = None


class Stored(msgspec.Struct, frozen=True):
    """The request is durable: its events have the numbers ``first`` to ``last``.

    ``repeated`` tells that the same key and events had been stored before; nothing was added.
    """

    first: int
    last: int
    repeated: bool = False


Outcome = Stored | LogError
"""What became of one request: stored, or refused on its own account while others of its group were stored."""


class EventLog(Protocol):
    """An append-only log with one writer.  Contract: ``titrant.testing.LogContract``."""

    @property
    def log_id(self) -> str:
        """The log's own random identity, 128 bit as hex."""

    @property
    def epoch(self) -> int:
        """This writer's fencing epoch, one more than its predecessor's."""

    @property
    def head(self) -> Head:
        """The last durable event."""

    async def commit(self, requests: Sequence[Append]) -> list[Outcome]:
        """Store a group of requests in one durable transaction, and say what became of each.

        A request is refused on its own (``VersionConflict``, ``IdempotencyConflict``, ``EventRejected``) without
        touching the others.  Cancellation never interrupts a commit.

        Raises:
            Fenced: A newer writer took over; nothing was stored.
            LogUnavailable: The storage failed; what was in doubt has been settled by reading back where it could be.
        """

    def read(self, after: int = 0, until: int | None = None) -> Iterator[Record]:
        """Yield the records with ``after < seq <= until`` in order, each checked against the chain.

        Raises:
            LogCorrupt: The first fault found, by sequence number.
        """

    def scan(self, after: int = 0, until: int | None = None) -> Iterator[tuple[int, int, Event]]:
        """Yield (seq, recorded_at, event) like ``read``, without the rest of the envelope and faster.

        Raises:
            LogCorrupt: The first fault found, by sequence number.
        """

    async def save_snapshot(self, seq: int, state: bytes) -> None:
        """Keep a derived copy of the state at ``seq``; the newest two are kept."""

    def load_snapshot(self) -> tuple[int, bytes] | None:
        """The newest snapshot that fits the chain, or None."""

    async def close(self) -> None:
        """Let the log go; idempotent."""
