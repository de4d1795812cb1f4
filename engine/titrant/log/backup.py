"""A copy of a log, taken while it may be written."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from titrant.errors import LogCorrupt, LogExists, LogUnavailable
from titrant.log import schema
from titrant.log.replay import open_reader, translated
from titrant.log.verify import Verdict, verify


def backup(path: str | Path, to: str | Path) -> Verdict:
    """Copy a log as it is at one moment, and audit the copy; the writer, if there is one, is not held up.

    Args:
        path: The log.
        to: Where the copy goes; there must be nothing yet.

    Returns:
        What the audit of the copy found, with its head.

    Raises:
        LogExists: There is something at *to*.
        LogMissing: There is no log at *path*.
        NotALog: The file is something else.
        LogTooNew: A newer titrant wrote it.
        LogCorrupt: The log is damaged; no copy is left.
        LogUnavailable: The storage failed; no copy is left.
    """
    path, to = Path(path).absolute(), Path(to).absolute()
    if to.exists():
        raise LogExists(f"there is something at {to} already: choose another path")
    reader = open_reader(path)
    part = to.with_name(f"{to.name}.part")
    try:
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as exc:
        reader.close()
        raise LogUnavailable(f"the backup {part} cannot be made: {exc}") from exc
    try:
        _copy(reader, part)
        verdict = verify(part)
        if verdict.fault is not None:
            raise LogCorrupt(verdict.fault.seq, f"{verdict.fault.what} (no backup was made of it)")
        _settle(part, to)
    except schema.FAULTS as exc:
        raise translated(exc, path) from exc
    except OSError as exc:
        raise LogUnavailable(f"the backup {to} cannot be made: {exc}") from exc
    finally:
        reader.close()
        for name in (f"{part}", f"{part}-wal", f"{part}-shm"):
            with suppress(OSError):
                Path(name).unlink(missing_ok=True)
    return verdict


def _copy(reader: sqlite3.Connection, part: Path) -> None:
    """All pages in one step, that is in one read transaction: SQLite begins anew when a writer comes in between."""
    copy = sqlite3.connect(part.as_uri() + "?mode=rw", uri=True, isolation_level=None)
    try:
        reader.backup(copy, pages=-1)
        # What is copied says that it has a write-ahead log; switched off, the file is whole by itself, to be archived
        # or sent; whoever opens it for writing switches it on again.
        copy.execute("PRAGMA journal_mode=DELETE")
    finally:
        copy.close()


def _settle(part: Path, to: Path) -> None:
    """Give a copy its name once its bytes are on the disk, unless somebody took the name meanwhile."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    if to.exists():
        raise LogExists(f"there is something at {to} already: choose another path")
    part.replace(to)
