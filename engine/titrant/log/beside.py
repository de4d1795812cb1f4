"""Long logs are read and checked by a second process, while this one decodes the events and folds them.

Reading and hashing are half of loading a log.  They need to know nothing of events, and Python hashes what is as short
as an event one at a time, whatever the number of its threads: so a process does it.  It hands over what it found sound,
and this one decodes those very bytes; from where it stops, for whatever reason, the log is read here.  So it can't make
a log worse than it is, nor better.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

from titrant.log import following, schema
from titrant.log.ahead import BATCH

LONG = 20_000
"""Events from which on a process is worth its start."""

START = 4_096
"""Events that this process reads itself meanwhile."""

_PIPE = 1 << 20  # bytes: some ten batches, where the system can be asked for so many (Linux)


class Sound(NamedTuple):
    """Events that follow each other, and of which none was changed.

    Attributes:
        last: The sequence number of the last.
        lines: What their hashes cover: two lines of JSON each, between them empty ones.
        link: The hash of the last.
    """

    last: int
    lines: bytes
    link: bytes


def helps(events: int) -> bool:
    """Tell whether a second process is of use for so many events, and can be had."""
    return events >= LONG and _processors() > 1 and _interpreter()


@contextmanager
def beside(path: Path, after: int, until: int, link: bytes) -> Iterator[Iterator[Sound]]:
    """Start the process; gives what it finds sound behind event *after*, in order, as far as it gets.

    Args:
        path: The log.
        after: The event to start behind.
        until: The last one wanted.
        link: The hash of event *after*.
    """
    process = _started(path, after, until, link)
    if process is None:
        yield iter(())
        return
    try:
        assert process.stdout is not None
        yield _received(process.stdout)
    finally:
        process.kill()
        process.communicate()


def _received(pipe: IO[bytes]) -> Iterator[Sound]:
    head = following.HEAD
    while len(told := pipe.read(head.size)) == head.size:
        last, length, link = head.unpack(told)
        lines = pipe.read(length)
        if len(lines) < length:
            return
        yield Sound(last, lines, link)


def _started(path: Path, after: int, until: int, link: bytes) -> subprocess.Popen[bytes] | None:
    uri = path.absolute().as_uri() + "?mode=ro"
    asked = (uri, ";".join(schema.READING), schema.AHEAD, str(after), str(until), str(BATCH), link.hex())
    with suppress(OSError):  # no process to be had: all is read here
        return subprocess.Popen(  # noqa: S603  our own program, in this interpreter
            [sys.executable, "-I", "-S", following.__file__, *asked],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pipesize=_PIPE,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    return None


def _processors() -> int:
    affinity = getattr(os, "sched_getaffinity", None)  # not on Windows, nor on macOS
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def _interpreter() -> bool:
    """Tell whether what runs this is Python itself: to start a program that embeds it would start a laboratory."""
    return Path(sys.executable or "").stem.lower().startswith(("python", "pypy")) and not getattr(sys, "frozen", False)
