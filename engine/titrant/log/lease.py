"""The lease: one process at a time may write a log.

The lock is the operating system's, on a file beside the log, so that it ends with the process however that ends; the
file also names the owner.  The writer's epoch in the log itself fences one whose lock was defeated (a deleted lock
file, a network drive).  After ``fork`` the child must not use what it inherited: SQLite forbids it.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import msgspec

from titrant.errors import LogInUse

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_FAR = 1 << 30  # Windows locks bytes, and locked bytes cannot be read: lock one far behind the owner's name


class Owner(msgspec.Struct, frozen=True):
    """Who holds a lease."""

    pid: int
    host: str
    opened_at: int

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


class Lease:
    """The exclusive right to write one log, until ``release`` or the process's end."""

    def __init__(self, path: Path, *, now: int) -> None:
        """Take the lease.

        Args:
            path: The log's path; the lock is ``<path>.lock``.
            now: The time, microseconds since 1970 UTC, for those who ask who holds it.

        Raises:
            LogInUse: Somebody holds it, in another process or in this one.
        """
        self._path = path
        self.owner = Owner(os.getpid(), socket.gethostname(), now)
        flags = os.O_RDWR | os.O_CREAT | (0 if sys.platform == "win32" else os.O_NOFOLLOW)
        self._file: int | None = os.open(f"{path}.lock", flags, 0o600)
        try:
            _lock(self._file)
        except OSError as exc:
            holder = _owner(self._file)
            os.close(self._file)
            self._file = None
            here = holder is not None and (holder.pid, holder.host) == (self.owner.pid, self.owner.host)
            raise LogInUse(str(path), "another process" if holder is None else str(holder), here=here) from exc
        os.ftruncate(self._file, 0)
        os.write(self._file, msgspec.json.encode(self.owner))

    def check(self) -> None:
        """Make sure that this is the process that took the lease.

        Raises:
            LogInUse: It is a child made by ``fork``.
        """
        if os.getpid() != self.owner.pid:
            raise LogInUse(str(self._path), f"{self.owner}, of which this process is a fork")

    def release(self) -> None:
        """Let the log go; idempotent."""
        if self._file is None:
            return
        if os.getpid() == self.owner.pid:
            os.ftruncate(self._file, 0)
        # Closing lets the lock go, unless a fork still has it open.  The file stays: to delete it would race with the
        # next owner, who may hold a lock on the deleted one.
        os.close(self._file)
        self._file = None


def holder(path: Path) -> Owner | None:
    """Who holds the lease of the log at *path* now; None where nobody does.

    It never makes, changes or deletes anything.  Where a holder's name stands, it takes the lock for a moment to see
    whether that process is still there; a writer that opens the log in that moment is refused.
    """
    try:
        file = os.open(f"{path}.lock", os.O_RDWR)
    except OSError:  # never held, or not ours to hold
        return None
    try:
        owner = _owner(file)
        if owner is not None:
            _lock(file)
    except OSError:
        return owner
    else:
        return None
    finally:
        os.close(file)


def _lock(file: int) -> None:
    if sys.platform == "win32":
        os.lseek(file, _FAR, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        os.lseek(file, 0, os.SEEK_SET)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _owner(file: int) -> Owner | None:
    try:
        os.lseek(file, 0, os.SEEK_SET)
        return msgspec.json.decode(os.read(file, 4096), type=Owner)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None  # one that took it a moment ago and has not written its name yet
