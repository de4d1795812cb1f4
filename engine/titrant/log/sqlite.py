"""The event log in one SQLite file.

One connection writes, in a thread of its own, so that the event loop never waits for a disk.  A group of requests is
one ``INSERT`` of many rows outside any transaction of ours: SQLite makes it atomic, its triggers see the rows before,
and it costs a single trip to the thread.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Self

import anyio

from titrant.errors import Fenced, LogError, LogUnavailable
from titrant.log import schema
from titrant.log.base import Append, Head, Outcome, Record
from titrant.log.group import Kept, Plan, kept_from, keys_of, plan
from titrant.log.opening import Held, make, take_over
from titrant.log.replay import open_reader, read_log, translated
from titrant.log.scanning import scan
from titrant.log.writing import Outside, cancel_again, just_await, uncancelled
from titrant.messages.events import Event
from titrant.runtime.crash_points import crash_point

_KEYS = 500  # looked up in one statement


class SqliteLog:
    """An event log in a file.  Make one with ``create`` or ``open``; contract: ``titrant.testing.LogContract``."""

    def __init__(self, held: Held) -> None:
        """Use ``create`` or ``open``."""
        self.path = held.path
        self._lease = held.lease
        self._db = held.db
        self._log_id = held.log_id
        self._genesis = held.genesis
        self._epoch = held.epoch
        self._tail = held.tail
        self._turn = asyncio.Lock()
        self._refusal: LogError | None = None

    @classmethod
    async def create(
        cls, path: str | Path, *, log_id: str, now: int, engine: str, outside: Outside = just_await
    ) -> Self:
        """Begin a log at *path* and hold it for writing.

        Killed at any moment, this leaves no log or a whole one.

        Args:
            path: Where; its folder must exist.
            log_id: The log's own random identity, 128 bit as hex.
            now: The time, microseconds since 1970 UTC.
            engine: What makes it, for the record.
            outside: Wraps every await that leaves the event loop.

        Raises:
            LogExists: There is one already.
            NotALog: There is a file that is something else.
            LogInUse: Another process holds it.
            LogUnavailable: The storage failed.
        """
        return cls(await make(_absolute(path), log_id=log_id, now=now, engine=engine, outside=outside))

    @classmethod
    async def open(cls, path: str | Path, *, now: int, outside: Outside = just_await) -> Self:
        """Hold the log at *path* for writing; its epoch goes up by one.

        Args:
            path: The log.
            now: The time, microseconds since 1970 UTC.
            outside: Wraps every await that leaves the event loop.

        Raises:
            LogMissing: There is none.
            NotALog: The file is something else.
            LogTooNew: A newer titrant wrote it.
            LogInUse: Another process holds it.
            LogCorrupt: Its end, its schema or, if it was not closed in good order, its pages are damaged.
            LogUnavailable: The storage failed.
        """
        return cls(await take_over(_absolute(path), now=now, outside=outside))

    @property
    def log_id(self) -> str:
        """The log's own identity."""
        return self._log_id

    @property
    def epoch(self) -> int:
        """This writer's fencing epoch."""
        return self._epoch

    @property
    def head(self) -> Head:
        """The last durable event."""
        return self._tail.head

    async def commit(self, requests: Sequence[Append]) -> list[Outcome]:
        """Store a group of requests in one durable transaction, and say what became of each.

        Cancellation never interrupts it: once begun it is carried to its end, answered, and the cancellation is
        delivered at the caller's next await.

        Raises:
            Fenced: A newer writer took over, or the log was closed; nothing was stored.
            LogUnavailable: The storage failed; the message tells whether anything was stored.
            LogInUse: This process is a fork of the one that opened the log.
        """
        async with self._turn:
            self._check()
            outcomes: list[Outcome] = []
            with anyio.CancelScope(shield=True):
                outcomes += await self._commit(requests)
            return outcomes

    def read(self, after: int = 0, until: int | None = None) -> Iterator[Record]:
        """Yield the records with ``after < seq <= until`` in order, each checked against the chain.

        Raises:
            LogCorrupt: The first fault found, by sequence number.
            LogUnavailable: The storage failed.
        """
        return read_log(self.path, after, until)

    def scan(self, after: int = 0, until: int | None = None) -> Iterator[tuple[int, int, Event]]:
        """Yield (seq, recorded_at, event) like ``read``, several times faster.

        Raises:
            LogCorrupt: The first fault found, by sequence number.
            LogUnavailable: The storage failed.
        """
        return scan(self.path, after, until)

    async def save_snapshot(self, seq: int, state: bytes) -> None:
        """Keep a derived copy of the state at ``seq``; the newest two are kept.

        Raises:
            LogError: There is no event ``seq``.
            Fenced: The log was closed.
            LogUnavailable: The storage failed.
        """
        async with self._turn:
            self._check()
            if not 0 < seq <= self._tail.seq:
                raise LogError(f"there is no event {seq} to keep a snapshot at: the log ends at {self._tail.seq}")
            with anyio.CancelScope(shield=True):
                crash_point("log.snapshot.before")
                await uncancelled(self._save_snapshot(seq, state))
                crash_point("log.snapshot.after")

    def load_snapshot(self) -> tuple[int, bytes] | None:
        """The newest snapshot that fits the chain and itself, or None.

        Raises:
            LogUnavailable: The storage failed.
        """
        reader = open_reader(self.path)
        try:
            for seq, state, state_hash in reader.execute(schema.SNAPSHOTS):
                if sha256(state).digest() == state_hash:
                    return seq, state
        except schema.FAULTS as exc:
            raise translated(exc, self.path) from exc
        finally:
            reader.close()
        return None

    async def close(self) -> None:
        """Copy everything into the main file and let the log go; idempotent.

        Raises:
            LogInUse: This process is a fork of the one that opened the log.
        """
        with anyio.CancelScope(shield=True):
            async with self._turn:
                await uncancelled(self._close())

    async def _commit(self, requests: Sequence[Append]) -> list[Outcome]:
        planned = plan(requests, self._tail, self._epoch, {})
        informed = bool(planned.ask)
        if informed:
            planned = await self._informed(requests)
        cancelled: asyncio.CancelledError | None = None
        while planned.rows:
            kind = planned.rows[-1][2]
            crash_point(f"log.commit.before:{kind}")
            try:
                interrupted = await self._insert(planned)
                cancelled = interrupted or cancelled
                if interrupted is not None and await uncancelled(self._is_to_do()):
                    continue
            except sqlite3.Error as exc:
                if schema.KEY in str(exc) and not informed:
                    # Keys are looked up only now: hardly any request is a repeat, and the index knows anyhow.
                    planned, informed = await uncancelled(self._informed(requests)), True
                    continue
                await uncancelled(self._settle(planned, exc))
            self._tail = planned.tail
            crash_point(f"log.commit.after:{kind}")
            break
        if cancelled is not None:
            cancel_again(cancelled)
        return planned.outcomes

    async def _insert(self, planned: Plan) -> asyncio.CancelledError | None:
        """Insert; give the cancellation that got in between, if one did.

        asyncio's own cancellation passes through anyio's shield, while the statement goes on in the thread.
        """
        try:
            await self._db.insert(planned.rows)
        except asyncio.CancelledError as exc:
            return exc
        return None

    async def _is_to_do(self) -> bool:
        """Whether an insertion that was cancelled never began: what is asked of the thread next comes after it.

        Raises:
            sqlite3.Error: It failed, and nobody was there to be told; or the log's end cannot be read.
        """
        tail = await self._db.tail(self._genesis)
        if self._db.fault is not None:
            raise self._db.fault
        return tail == self._tail

    async def _informed(self, requests: Sequence[Append]) -> Plan:
        """Plan with every key of the group looked up.

        Raises:
            LogUnavailable: The storage failed; nothing was stored.
        """
        keys = keys_of(requests)
        known: dict[str, Kept | None] = dict.fromkeys(keys)
        try:
            for start in range(0, len(keys), _KEYS):
                some = keys[start : start + _KEYS]
                for key, first in await self._db.fetch(schema.find_keys(len(some)), some):
                    known[key] = known[key] or kept_from(await self._db.fetch(schema.REQUEST, (first,)))
        except sqlite3.Error as exc:
            words = f"the log {self.path} cannot be read, and nothing was stored: {exc}"
            raise await self._stopped(LogUnavailable(words)) from exc
        return plan(requests, self._tail, self._epoch, known)

    async def _settle(self, planned: Plan, cause: sqlite3.Error) -> None:
        """Find out, after an error, whether the group was stored: a COMMIT that raises may have committed.

        Raises:
            Fenced: Another writer took over.
            LogUnavailable: It was not stored, or that cannot be found out.
        """
        if schema.EPOCH in str(cause):
            raise await self._stopped(Fenced(f"another writer took the log {self.path} over: stop this one")) from cause
        failed = f"the storage of {self.path} failed ({cause})"
        try:
            await self._db.close()
            await self._db.connect()
            await self._db.prepare()
            tail = await self._db.tail(self._genesis)
            # What can be read may be in the system's cache only, where the failed call was a sync.  A checkpoint
            # writes it once more, into the main file, and syncs that.
            busy, pages, copied = (await self._db.fetch("PRAGMA wal_checkpoint(FULL)"))[0]
        except (*schema.FAULTS, LogError) as exc:
            words = f"{failed} and cannot be read back ({exc}): whether the last group was stored is unknown"
            raise await self._stopped(LogUnavailable(words)) from cause
        if tail == self._tail:
            raise await self._stopped(LogUnavailable(f"{failed}: nothing of the last group was stored")) from cause
        if tail != planned.tail:
            raise await self._stopped(LogUnavailable(f"{failed}: another program wrote this log")) from cause
        if busy or pages != copied:
            raise await self._stopped(LogUnavailable(f"{failed}: stored, perhaps not durably")) from cause

    async def _save_snapshot(self, seq: int, state: bytes) -> None:
        try:
            await self._db.fetch(schema.SNAPSHOT, (state, sha256(state).digest(), seq))
        except sqlite3.Error as exc:
            raise await self._stopped(LogUnavailable(f"a snapshot could not be stored: {exc}")) from exc

    async def _stopped(self, refusal: LogError) -> LogError:
        """Refuse everything from here on."""
        self._refusal = refusal
        await self._db.close()
        return refusal

    async def _close(self) -> None:
        self._lease.check()
        if self._refusal is None:
            crash_point("log.close.before")
            with suppress(sqlite3.Error):  # everything is durable in the WAL; the next opening copies it
                await self._db.fetch("PRAGMA wal_checkpoint(TRUNCATE)")
            self._refusal = LogUnavailable(f"the log {self.path} was closed: open it again to write")
        await self._db.close()
        self._lease.release()
        crash_point("log.close.after")

    def _check(self) -> None:
        self._lease.check()
        if self._refusal is not None:
            raise self._refusal


def _absolute(path: str | Path) -> Path:
    return Path(path).absolute()
