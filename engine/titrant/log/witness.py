"""A second process that follows the chain of hashes while this one decodes the events and folds them.

Hashing is a fifth of loading a log.  It needs to know nothing of events, and Python hashes what is as short as an event
one at a time, whatever the number of its threads: so a process does it, with the standard library alone.  What it does
not vouch for is looked at again here, for the right words: it can't make a log worse than it is, nor better.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType

from titrant.log import schema
from titrant.log.ahead import CHUNK, END
from titrant.log.replay import hash_at, open_reader

LONG = 20_000
"""Events from which on a process is worth its start."""

_LAST = "SELECT coalesce(max(seq), 0) FROM events WHERE seq <= ?"

_FOLLOW = r"""
import json, sqlite3, sys
from hashlib import sha256
uri, select, after, last, chunk, previous, pragmas = json.loads(sys.stdin.read())
reader, link = sqlite3.connect(uri, uri=True, isolation_level=None), bytes.fromhex(previous)
for pragma in pragmas:
    reader.execute(pragma)
while after < last:
    count, after, lines, hashes = reader.execute(select, (after, last, chunk)).fetchone()
    covered = lines.split(b"\n\n")
    if len(covered) != count:
        sys.exit("not as an engine writes it")
    found = bytearray()
    for one in covered:
        link = sha256(link + one).digest()
        found += link
    if found != hashes:
        sys.exit("not whole")
print("whole")
"""


class Witness:
    """Follows the chain of a log between two of its events; use it in ``with``.

    Args:
        path: The log.
        after: The event to start behind.
        last: The last event.
        previous: The hash of event ``after``.
    """

    def __init__(self, path: Path, after: int, last: int, previous: bytes) -> None:
        self.last = last
        uri = path.absolute().as_uri() + "?mode=ro"
        asked = json.dumps([uri, schema.AHEAD, after, last, CHUNK, previous.hex(), list(schema.READING)])
        self._process: subprocess.Popen[str] | None = None
        try:
            self._process = subprocess.Popen(  # noqa: S603  the program above, in this interpreter
                [sys.executable, "-I", "-S", "-c", _FOLLOW],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
            assert self._process.stdin is not None
            with self._process.stdin as question:
                question.write(asked)
        except OSError:  # no process to be had: what nobody vouches for is looked at here
            self._end()

    def __enter__(self) -> Witness:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def vouches(self) -> bool:
        """Wait for its word: whether it found every hash as it must be."""
        if self._process is None or self._process.stdout is None:
            return False
        return self._process.stdout.read().strip() == "whole" and self._process.wait() == 0

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@contextmanager
def witness(path: str | Path, after: int, until: int | None) -> Iterator[Witness | None]:
    """One that follows the chain behind event *after*, to *until* or as far as the log goes now.

    None where it would be no help: the log is short, there is one processor, or the program has no interpreter that
    could be started, as one that embeds Python.

    Raises:
        LogError: As ``open_reader``, and ``hash_at``.
    """
    with closing(open_reader(path)) as reader:
        last = reader.execute(_LAST, (END if until is None else until,)).fetchone()[0]
        previous = hash_at(reader, after)
    if last - after < LONG or (os.cpu_count() or 1) < 2 or not sys.executable:
        yield None
        return
    with Witness(Path(path), after, last, previous) as found:
        yield found
