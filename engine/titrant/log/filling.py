"""A log file made of rows that exist already: what an export gives back when it is imported."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from titrant.errors import LogCorrupt, LogExists, LogUnavailable
from titrant.log import schema
from titrant.log.group import Row


def fill(path: str | Path, meta: tuple[str, int, int, str, str], rows: Iterable[Row]) -> int:
    """Make a log of rows as they are: all of them, or no file.  Nothing is checked but what the tables check.

    Args:
        path: Where; there must be nothing yet.
        meta: The log's identity: log_id, format, created_at, created_by, hash_alg.
        rows: The columns of its events (``chain.COLUMNS``), payloads as text; what they raise is raised.

    Returns:
        How many there were.

    Raises:
        LogExists: There is something at that path.
        LogCorrupt: The tables refuse a row.
        LogUnavailable: The storage failed.
    """
    path = Path(path).absolute()
    made = False
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        made = True
        count = _filled(path, meta, rows)
        made = False
    except FileExistsError as exc:
        raise LogExists(f"there is something at {path} already: choose another path") from exc
    except sqlite3.IntegrityError as exc:
        raise LogCorrupt(0, f"the tables of a log refuse an event: {exc}") from exc
    except (sqlite3.Error, OSError) as exc:
        raise LogUnavailable(f"the log {path} cannot be made: {exc}") from exc
    except (UnicodeEncodeError, OverflowError) as exc:
        raise LogCorrupt(0, f"an event cannot be stored: {exc}") from exc
    finally:
        if made:
            for name in (f"{path}-wal", f"{path}-shm", f"{path}"):
                with suppress(OSError):
                    Path(name).unlink(missing_ok=True)
    return count


def _filled(path: Path, meta: tuple[str, int, int, str, str], rows: Iterable[Row]) -> int:
    connection = sqlite3.connect(path.as_uri() + "?mode=rw", uri=True, isolation_level=None)
    try:
        for statement in (*schema.WRITING, "BEGIN IMMEDIATE", *schema.DDL[:2], *schema.TABLES):
            connection.execute(statement)
        connection.execute("INSERT INTO meta VALUES (1,?,?,?,?,?)", meta)
        count = connection.executemany(schema.INSERT + schema.ROW, rows).rowcount
        # The triggers hold the epoch against the writer's, and these rows are of many writers.
        connection.execute("INSERT INTO writer SELECT 1, coalesce(max(epoch), 0), 0, '', 0 FROM events")
        for trigger in schema.TRIGGERS:
            connection.execute(trigger)
        connection.execute("COMMIT")
    finally:
        connection.close()
    return max(count, 0)
