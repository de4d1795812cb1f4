"""The one writing connection: aiosqlite's thread, its pragmas, and awaiting it to the end whatever cancels us."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain as flatten
from pathlib import Path
from typing import Any, Protocol, TypeVar

import aiosqlite

from titrant.errors import LogCorrupt, LogUnavailable
from titrant.log import schema
from titrant.log.chain import COLUMNS
from titrant.log.group import Row, Tail
from titrant.log.replay import verified
from titrant.messages.codec import decode

T = TypeVar("T")

ROWS = 32_766 // len(COLUMNS)
"""Events of one statement: SQLite's default limit of variables."""


class Outside(Protocol):
    """What wraps every await that leaves the event loop, for those who keep count of such work (virtual time)."""

    async def __call__(self, call: Callable[[], Awaitable[T]], /) -> T:
        """Await ``call()`` and give its result."""


async def just_await(call: Callable[[], Awaitable[T]], /) -> T:
    """Wrap nothing."""
    return await call()


async def uncancelled(work: Coroutine[Any, Any, T]) -> T:
    """Await *work* to its end; a cancellation that came meanwhile is delivered at the next await.

    anyio's shields hold off anyio's cancellations only; asyncio's own (``wait_for``, Ctrl-C) come through them.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as exc:
            cancelled = exc
    if cancelled is not None:
        cancel_again(cancelled)
    return task.result()


def cancel_again(cancelled: asyncio.CancelledError) -> None:
    """Put a caught cancellation off to the current task's next await; asyncio's count of them stays the same."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
        task.cancel(*cancelled.args[:1])


class _Remembering(sqlite3.Connection):
    """Keeps the errors of statements: aiosqlite drops them where the one who waited was cancelled."""

    def __init__(self, faults: list[sqlite3.Error], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._faults = faults

    def execute(self, *args: Any) -> sqlite3.Cursor:
        """Run one statement."""
        try:
            return super().execute(*args)
        except sqlite3.Error as exc:
            self._faults.append(exc)
            raise


class Writing:
    """The connection that writes a log."""

    def __init__(self, path: Path, outside: Outside) -> None:
        """Name the file; ``connect`` opens it."""
        self._path = path
        self._outside = outside
        self._db: aiosqlite.Connection | None = None
        self._faults: list[sqlite3.Error] = []

    @property
    def fault(self) -> sqlite3.Error | None:
        """What the last insertion raised in the thread, for one who was cancelled in it.

        Ask after another trip to the thread, which comes after that insertion.
        """
        return self._faults[0] if self._faults else None

    async def connect(self) -> None:
        """Open the file and change nothing in it, since it may be somebody else's.

        Raises:
            sqlite3.Error: It cannot be opened.
        """
        uri = self._path.as_uri() + "?mode=rw"
        # Statements are cached by their text, of which there is one per size of a group.
        new = aiosqlite.connect(
            uri, uri=True, isolation_level=None, cached_statements=512, factory=partial(_Remembering, self._faults)
        )
        # A program that forgets to close its log must end all the same; a commit cut off by that is as after kill -9.
        # Before aiosqlite 0.22 the connection itself is the thread.
        thread: Any = getattr(new, "_thread", new)
        thread.daemon = True
        try:
            self._db = await self._outside(lambda: new)
        except schema.FAULTS:
            thread.join(1.0)  # it ends by itself now; it must not speak to an event loop that is closed by then
            raise
        await self.script(schema.GUARDS)

    async def prepare(self) -> None:
        """Set everything a writer needs.

        Raises:
            LogUnavailable: The file system cannot do write-ahead logging.
            sqlite3.Error: The storage failed.
        """
        await self.script(schema.WRITING)
        if (await self.fetch("PRAGMA journal_mode"))[0][0] != "wal":
            raise LogUnavailable(f"{self._path} cannot be written safely there (no WAL): use a local disk")

    async def make_room(self) -> None:
        """Have the file that commits are synced to grow now and not at every commit (``schema.ROOM``).

        Raises:
            LogUnavailable: The file system cannot do write-ahead logging.
            sqlite3.Error: The storage failed.
        """
        try:
            await self.script(schema.ROOM)
        except sqlite3.Error as exc:
            # A full disk may still have space for what is to be written.  Any other failure casts doubt on what is
            # there already.
            if getattr(exc, "sqlite_errorcode", None) != sqlite3.SQLITE_FULL:
                raise
        await self.prepare()

    async def script(self, statements: Sequence[str]) -> None:
        """Run statements without parameters in one trip to the thread.

        Raises:
            sqlite3.Error: One failed; those before it took effect.
        """
        db = self._connection
        await self._outside(lambda: db.executescript(";".join(statements)))

    async def fetch(self, sql: str, values: Iterable[Any] = ()) -> list[Row]:
        """Run one statement and give its rows.

        Raises:
            sqlite3.Error: It failed.
        """
        db = self._connection

        async def fetched() -> list[Row]:
            return [tuple(row) for row in await db.execute_fetchall(sql, values)]

        return await self._outside(fetched)

    async def insert(self, rows: Sequence[Row]) -> None:
        """Store events, all or none.

        Raises:
            sqlite3.IntegrityError: A trigger refused one; none is stored.
            sqlite3.Error: The storage failed; whether they are stored is unknown.
        """
        self._faults.clear()
        if len(rows) <= ROWS:
            await self._insert(rows)
        else:
            await uncancelled(self._insert_many(rows))

    async def _insert_many(self, rows: Sequence[Row]) -> None:
        await self.fetch("BEGIN IMMEDIATE")
        try:
            for start in range(0, len(rows), ROWS):
                await self._insert(rows[start : start + ROWS])
            await self.fetch("COMMIT")
        except sqlite3.Error:
            with suppress(sqlite3.Error):  # SQLite may have rolled back by itself
                await self.fetch("ROLLBACK")
            raise

    async def _insert(self, rows: Sequence[Row]) -> None:
        db, sql = self._connection, schema.INSERT + ",".join([schema.ROW] * len(rows))
        values = list(flatten.from_iterable(rows))
        await self._outside(lambda: db.execute(sql, values))

    async def tail(self, genesis: bytes) -> Tail:
        """Read where the log ends, and check the last event against the one before.

        Raises:
            LogCorrupt: The last event is damaged.
            LogTooNew: It is of a kind not known yet.
            sqlite3.Error: The storage failed.
        """
        rows = await self.fetch(schema.LAST_TWO)
        if not rows:
            return Tail(0, genesis)
        last, previous = rows[0], rows[1][15] if len(rows) > 1 else genesis
        if len(rows) == 1 and last[0] != 1:
            raise LogCorrupt(1, f"it is missing: event {last[0]} comes next")
        for row in verified([last], last[0] - 1, previous):
            decode(row[2], row[3], row[14], seq=row[0])
        return Tail(last[0], last[15], last[5])

    async def close(self) -> None:
        """Close the connection, even one whose storage failed; idempotent."""
        db, self._db = self._db, None
        if db is not None:
            with suppress(sqlite3.Error):
                await self._outside(db.close)

    @property
    def _connection(self) -> aiosqlite.Connection:
        if self._db is None:
            raise LogUnavailable(f"the log {self._path} is not open")
        return self._db
