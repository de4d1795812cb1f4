"""Crash tests: kill a real process anywhere, then hold the log it left against what it had promised.

The process under test calls ``witness`` first; whatever the engine then publishes is also written to a file outside of
the engine.  The test ends the process with ``run`` (at a named crash point, or after a time), and ``check_log`` reads
the log with the production library and names every promise that was broken.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from titrant.errors import LogError, LogMissing
from titrant.hub import Hub
from titrant.log.base import Record
from titrant.log.replay import read_log
from titrant.log.snapshots import pack, unpack
from titrant.messages.codec import encode
from titrant.rules.evolve import evolve
from titrant.rules.state import State

# --- in the process under test ----------------------------------------------------------------------------------------


class Statement(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a witness: an event that was published, or a state that the process vouches for at an event."""

    seq: int
    event: str = ""
    state: bytes = b""


class Witness:
    """Writes statements to a file; each is one ``write``, which survives the process's death."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def published(self, record: Record) -> None:
        """State that an event is durable."""
        self._say(Statement(record.seq, event=fingerprint(record)))

    def vouches(self, seq: int, state: State) -> None:
        """State what the experiment's state is after event *seq*."""
        self._say(Statement(seq, state=pack(state)))

    def _say(self, statement: Statement) -> None:
        os.write(self._file, msgspec.json.encode(statement) + b"\n")


def witness(path: Path) -> Witness:
    """Have everything that this process publishes from now on written to *path*, before any subscriber sees it."""
    itself = Witness(path)
    publish = Hub.publish

    def published(hub: Hub, record: Record, state: State) -> None:
        itself.published(record)
        publish(hub, record, state)

    setattr(Hub, "publish", published)  # noqa: B010  # a method replaced for the life of a process that will be killed
    return itself


def fingerprint(record: Record) -> str:
    """Everything an event's publication says of it, in one line."""
    tag, schema, payload = encode(record.event)
    envelope = (
        *(record.seq, tag, schema, record.recorded_at, record.observed_at, record.actor, record.role, record.reason),
        *(record.trial, record.cause, record.correlation, record.key, record.epoch),
    )
    return f"{envelope} {payload}"


# --- in the test ------------------------------------------------------------------------------------------------------


class Ended(msgspec.Struct, frozen=True):
    """How a process ended.

    Attributes:
        code: Its exit code; minus the signal's number where one ended it.
        hung: Whether it had to be ended because it took too long.
        said: What it wrote to stderr.
    """

    code: int
    hung: bool
    said: str

    @property
    def killed(self) -> bool:
        """Whether it died of ``kill -9``, as it was meant to."""
        return self.code == -signal.SIGKILL and not self.hung


def run(
    argv: Sequence[str],
    *,
    at: str = "",
    after: float | None = None,
    listing: Path | None = None,
    limit: float = 60.0,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Ended:
    """Run a process to its end, or kill it on the way.

    Args:
        argv: What Python is to run, from ``-m`` on.
        at: The crash point at which it kills itself: ``name``, or ``name#3`` for the third time.
        after: Seconds after which it is killed from outside.
        listing: A file that every crash point passed is appended to.
        limit: Seconds after which it counts as hung: it is asked where it stands (SIGABRT), then killed.
        cwd: Its working folder.
        env: Further environment.
    """
    points = {"TITRANT_CRASH_AT": at, "TITRANT_CRASH_LIST": "" if listing is None else str(listing)}
    process = subprocess.Popen(  # noqa: S603  # the test's own program
        [sys.executable, "-X", "faulthandler", *argv],
        cwd=cwd,
        env={**os.environ, **(env or {}), **points},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    hung = False
    try:
        try:
            said = process.communicate(timeout=limit if after is None else after)[1]
        except subprocess.TimeoutExpired:
            hung = after is None
            process.send_signal(signal.SIGABRT if hung else signal.SIGKILL)
            said = process.communicate(timeout=limit)[1]
    finally:
        process.kill()
        process.wait()
    return Ended(process.returncode, hung, said.decode(errors="replace"))


class Testimony(msgspec.Struct):
    """What the processes that worked on one log had said before they died."""

    published: dict[int, str] = {}
    vouched: dict[int, bytes] = {}

    def read(self, path: Path) -> None:
        """Take in what was written since; a line that was cut short was not said."""
        if not path.exists():
            return
        for line in path.read_bytes().split(b"\n")[:-1]:
            statement = msgspec.json.decode(line, type=Statement)
            if statement.event:
                self.published[statement.seq] = statement.event
            else:
                self.vouched[statement.seq] = statement.state


class Checked(msgspec.Struct):
    """A log as it was found.

    Attributes:
        records: Its events, as far as they could be read.
        state: Their fold.
        faults: What is wrong with it.
    """

    records: list[Record] = []
    state: State = State()
    faults: list[str] = []

    def events(self, kind: type[Any]) -> list[Any]:
        """The events of one kind."""
        return [record.event for record in self.records if isinstance(record.event, kind)]


def check_log(path: Path, testimony: Testimony) -> Checked:
    """Read a log from its first event and hold it against *testimony*.

    Checked: numbers without gaps, the chain, times that never decrease, every published event there and equal, every
    state that was vouched for equal to the fold of the events up to it.
    """
    found = Checked()
    try:
        for record in read_log(path):
            _take(found, record, testimony)
    except LogMissing:
        pass  # killed while it was made
    except LogError as exc:
        found.faults.append(f"log: {exc}")
    last = len(found.records)
    found.faults += [f"lost: event {seq} was acknowledged" for seq in sorted(testimony.published) if seq > last]
    found.faults += [f"lost: a state at event {seq} was vouched for" for seq in sorted(testimony.vouched) if seq > last]
    return found


def _take(found: Checked, record: Record, testimony: Testimony) -> None:
    if record.seq != len(found.records) + 1:
        found.faults.append(f"gap: event {record.seq} follows {len(found.records)}")
    if found.records and record.recorded_at < found.records[-1].recorded_at:
        found.faults.append(f"time: event {record.seq} is older than the one before")
    said = testimony.published.get(record.seq)
    if said is not None and said != fingerprint(record):
        found.faults.append(f"changed: event {record.seq} was published as {said} and is {fingerprint(record)}")
    found.records.append(record)
    found.state = evolve(found.state, record.event, record.recorded_at)
    vouched = testimony.vouched.get(record.seq)
    if vouched is not None and unpack(vouched) != found.state:
        found.faults.append(f"replay: the state at event {record.seq} was another than its events give")
