"""What the storage under a log is worth: SQLite's version, the file system, the write-ahead log's length."""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

SOUND_FROM = (3, 51, 3)
"""SQLite from 3.7.0 to 3.51.2 can damage a file when a checkpoint meets a reset of its write-ahead log."""

NETWORK = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "afs",
        "afpfs",
        "webdav",
        "davfs",
        "fuse.sshfs",
        "fuse.rclone",
        "9p",
        "ceph",
    }
)
"""Kinds of file systems whose locks another machine may not see."""


def sqlite_version() -> tuple[int, ...]:
    """The version of the SQLite library in use."""
    return sqlite3.sqlite_version_info


def wal_problem(folder: Path) -> str | None:
    """Make a small database with a write-ahead log in *folder*, and delete it; why it could not be, or None."""
    try:
        with (
            tempfile.TemporaryDirectory(prefix=".titrant-", dir=folder) as made,
            closing(sqlite3.connect(Path(made) / "probe", isolation_level=None)) as database,
        ):
            mode = database.execute("PRAGMA journal_mode=WAL").fetchone()[0]
            database.execute("CREATE TABLE probe(one)")
            return None if mode == "wal" else f"SQLite falls back to journal mode {mode!r} there"
    except (sqlite3.Error, OSError) as exc:
        return str(exc)


def wal_bytes(path: Path) -> int:
    """Bytes in the write-ahead log of the log at *path*."""
    beside = Path(f"{path}-wal")
    return beside.stat().st_size if beside.exists() else 0


def file_system(folder: Path) -> str | None:
    """The kind of the file system that *folder* is on, as the system names it; None where it does not say."""
    if sys.platform == "win32":
        return "smb3" if str(folder.resolve()).startswith("\\\\") else None
    mounts = Path("/proc/mounts")
    if not mounts.exists():  # macOS has no list to read; the probe of ``wal_problem`` still tells what works
        return None
    target = os.path.realpath(folder)
    best, kind = "", None
    for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
        _, point, found, *_ = line.split(" ")
        point = point.replace("\\040", " ")
        inside = target == point or target.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, found
    return kind
