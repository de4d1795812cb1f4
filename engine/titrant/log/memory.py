"""A log in memory: everything the port promises but durability; for tests, simulations and trying things out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from titrant.errors import LogError, LogUnavailable
from titrant.log import chain
from titrant.log.base import Append, Head, Outcome, Record
from titrant.log.group import Kept, Row, Tail, kept_from, keys_of, plan, record
from titrant.log.replay import verified
from titrant.log.schema import FORMAT
from titrant.messages.codec import decode
from titrant.messages.events import Event


class MemoryLog:
    """An event log that ends with the process.  The same checks, numbers and hashes as on disk."""

    def __init__(self, *, log_id: str, now: int = 0, engine: str = "titrant") -> None:
        """Begin an empty log.

        Args:
            log_id: Its own random identity, 128 bit as hex.
            now: When it was made, microseconds since 1970 UTC.
            engine: What made it.
        """
        self._log_id = log_id
        self._genesis = chain.genesis(
            log_id=log_id, file_format=FORMAT, created_at=now, created_by=engine, hash_alg=chain.HASH_ALG
        )
        self._tail = Tail(0, self._genesis)
        self._rows: list[Row] = []
        self._starts: dict[str, int] = {}
        self._snapshots: list[tuple[int, bytes]] = []
        self._closed = False

    @property
    def log_id(self) -> str:
        """The log's own identity."""
        return self._log_id

    @property
    def epoch(self) -> int:
        """Always 1: nobody else can write it."""
        return 1

    @property
    def head(self) -> Head:
        """The last event."""
        return self._tail.head

    async def commit(self, requests: Sequence[Append]) -> list[Outcome]:
        """Store a group of requests and say what became of each.

        Raises:
            LogUnavailable: The log was closed.
        """
        if self._closed:
            raise LogUnavailable("this log was closed: open it again to write")
        known = {key: self._kept(start) for key in keys_of(requests) if (start := self._starts.get(key))}
        planned = plan(requests, self._tail, self.epoch, known)
        for row in planned.rows:
            if row[12] is not None:
                self._starts.setdefault(row[12], row[0] - row[1])
        self._rows += planned.rows
        self._tail = planned.tail
        return planned.outcomes

    def read(self, after: int = 0, until: int | None = None) -> Iterator[Record]:
        """Yield the records with ``after < seq <= until`` in order, each checked against the chain.

        Raises:
            LogCorrupt: The first fault found.
        """
        for row in verified(self._rows[after:until], after, self._before(after)):
            yield record(row, decode(row[2], row[3], row[14], seq=row[0]))

    def scan(self, after: int = 0, until: int | None = None) -> Iterator[tuple[int, int, Event]]:
        """Yield (seq, recorded_at, event) like ``read``, without the rest of the envelope.

        Raises:
            LogCorrupt: The first fault found.
        """
        for row in verified(self._rows[after:until], after, self._before(after)):
            yield row[0], row[5], decode(row[2], row[3], row[14], seq=row[0])

    async def save_snapshot(self, seq: int, state: bytes) -> None:
        """Keep a derived copy of the state at ``seq``; the newest two are kept.

        Raises:
            LogError: There is no event ``seq``.
        """
        if not 0 < seq <= self._tail.seq:
            raise LogError(f"there is no event {seq} to keep a snapshot at: the log ends at {self._tail.seq}")
        others = [kept for kept in self._snapshots if kept[0] != seq]
        self._snapshots = sorted([*others, (seq, state)])[-2:]

    def load_snapshot(self) -> tuple[int, bytes] | None:
        """The newest snapshot, or None."""
        return self._snapshots[-1] if self._snapshots else None

    async def close(self) -> None:
        """Refuse further events; idempotent.  What was stored can still be read."""
        self._closed = True

    def _before(self, after: int) -> bytes:
        return self._rows[after - 1][15] if 0 < after <= len(self._rows) else self._genesis

    def _kept(self, start: int) -> Kept:
        end = start
        while end < len(self._rows) and self._rows[end][1] > 0:
            end += 1
        return kept_from(self._rows[start - 1 : end])
