"""Taking a log file over for writing: what it is, making one where asked, lease, epoch and end."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import anyio.lowlevel
import msgspec

from titrant.errors import LogCorrupt, LogExists, LogMissing, LogUnavailable
from titrant.log import chain, schema
from titrant.log.group import Row, Tail
from titrant.log.lease import Lease
from titrant.log.replay import genesis_of, has_content, translated
from titrant.log.writing import Outside, Writing, uncancelled
from titrant.runtime.crash_points import crash_point


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A log that this process may write, as it was when it took it over."""

    path: Path
    lease: Lease
    db: Writing
    log_id: str
    genesis: bytes
    epoch: int
    tail: Tail


async def make(path: Path, *, log_id: str, now: int, engine: str, outside: Outside) -> Held:
    """Make a log and hold it; see ``SqliteLog.create``."""
    return await _take(path, now, outside, (log_id, schema.FORMAT, now, engine, chain.HASH_ALG))


async def take_over(path: Path, *, now: int, outside: Outside) -> Held:
    """Hold a log; see ``SqliteLog.open``."""
    return await _take(path, now, outside, None)


async def _take(path: Path, now: int, outside: Outside, meta: Row | None) -> Held:
    lease = _leased(path, now, must_exist=meta is None)
    db = Writing(path, outside)
    done = False
    try:
        # Read before the connection is there, which makes a file of that name itself.
        unclean = _is_filled(Path(f"{path}-wal"))
        with anyio.CancelScope(shield=True):
            held = await uncancelled(_begin(path, lease, db, meta, now, unclean=unclean))
        await anyio.lowlevel.checkpoint()  # who was cancelled meanwhile would never get the log and could not close it
        done = True
    except schema.FAULTS as exc:
        raise translated(exc, path) from exc
    finally:
        if not done:
            with anyio.CancelScope(shield=True):
                await uncancelled(db.close())
            lease.release()
    return held


def _leased(path: Path, now: int, *, must_exist: bool) -> Lease:
    if not has_content(path) and must_exist:
        raise LogMissing(f"there is no log at {path}")
    try:
        lease = Lease(path, now=now)
    except OSError as exc:
        if not path.parent.is_dir():
            raise LogUnavailable(f"the folder {path.parent} does not exist: make it before {path.name} in it") from exc
        raise LogUnavailable(f"the lock of {path} cannot be taken: {exc}") from exc
    try:
        # SQLite would make the file readable by everybody.  An existing one is not opened here: closing it again would
        # drop the locks of connections that this process may have.
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as exc:
        lease.release()
        raise LogUnavailable(f"the log {path} cannot be made: {exc}") from exc
    return lease


def _is_filled(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


async def _begin(path: Path, lease: Lease, db: Writing, meta: Row | None, now: int, *, unclean: bool) -> Held:
    await db.connect()
    kind = (await db.fetch(schema.KIND))[0]
    objects = [sql for (sql,) in await db.fetch(schema.OBJECTS)]
    try:
        schema.judge(str(path), (kind[0], kind[1]), objects, writing=True)
    except LogMissing:
        if meta is None:
            raise
        await db.prepare()
        await _fill(db, meta)
    else:
        if meta is not None:
            raise LogExists(f"there is a log at {path} already: open it, or choose another path")
        if unclean and (await db.fetch("PRAGMA quick_check(1)"))[0][0] != "ok":
            raise LogCorrupt(0, "pages of the file are damaged (PRAGMA quick_check)")
        await db.prepare()
    about = next(iter(await db.fetch(schema.META)), None)
    genesis = genesis_of(about)
    tail = await db.tail(genesis)
    await db.make_room()
    crash_point("log.open.before")
    taken = await db.fetch(schema.TAKE_OVER, (os.getpid(), socket.gethostname(), now))
    crash_point("log.open.after")
    if not about or not taken:
        raise LogCorrupt(0, "the file's row of meta or of its writer is missing")
    return Held(path=path, lease=lease, db=db, log_id=about[0], genesis=genesis, epoch=taken[0][0], tail=tail)


async def _fill(db: Writing, meta: Row) -> None:
    """Make a log of an empty file, in one transaction: killed in between, it is an empty file still."""
    crash_point("log.create.before")
    await db.script(("BEGIN IMMEDIATE", *schema.DDL))
    await db.fetch("INSERT INTO meta VALUES (1,?,?,?,?,?)", meta)
    await db.fetch("INSERT INTO writer VALUES (1,0,0,'',0)")
    crash_point("log.create.filled")
    await db.fetch("COMMIT")
    crash_point("log.create.after")
