"""Playing an experiment in a terminal: its log, event by event, at a chosen speed, seen as a run is seen."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TextIO

import msgspec

from titrant.errors import ConfigurationError
from titrant.log.scanning import scan
from titrant.messages import events as e
from titrant.progress.picture import Picture
from titrant.progress.watcher import Watcher
from titrant.replay.moment import When, history, state_at
from titrant.rules.state import State

Speed = float | Literal["max"]
"""How many times as fast as it was; ``"max"`` waits for nothing."""

PIECE_S = 0.2
"""Seconds after which Ctrl-C is noticed at the latest."""

Wait = Callable[[float], object]


class Played(msgspec.Struct, frozen=True):
    """How far it came: the last event shown, and whether somebody ended it before the end."""

    seq: int
    interrupted: bool


def play(
    path: str | Path,
    until: When = None,
    speed: Speed = 1.0,
    *,
    since: When = 0,
    file: TextIO | None = None,
    wait: Wait | None = None,
) -> Played:
    """Show an experiment again: a live view in a terminal, elsewhere the lines that a run prints.

    Ctrl-C ends it cleanly, with a summary of what there was by then; ``since`` goes on from there.

    Args:
        path: The log.
        until: The last moment to show.
        speed: How many times as fast as it was, or ``"max"``.
        since: The moment to begin at.
        file: Where to write; stdout where None.
        wait: Lets that many seconds pass.

    Raises:
        ConfigurationError: A moment cannot be read or lies outside the log, or the speed is no positive number.
        LogError: The log is missing, damaged, or too new.
    """
    factor = _factor(speed)
    begin = state_at(path, since)
    clock = _Clock(begin.at, factor, wait or _pass)
    watcher = _Replayed(
        begin.state, clock=clock, virtual=_virtual(path), path=str(path), file=sys.stdout if file is None else file
    )
    interrupted = False
    if watcher.live:
        watcher.screen.open()
    else:
        watcher.writer.begin()
    try:
        for record, state in history(path, until):
            if record.seq <= begin.seq:
                continue
            clock.wait_for(record.recorded_at)
            watcher.see(record, state)
            watcher.seq = record.seq
            if not watcher.live:
                watcher.writer.turn()  # line by line: nothing is left out, however quick it goes
    except KeyboardInterrupt:
        interrupted = True
    finally:
        clock.stop()
        if watcher.live:
            watcher.screen.close()
        else:
            watcher.writer.end()
    return Played(watcher.seq, interrupted)


class _Clock:
    """The time of what is shown: that of the last event, and as much more as has passed since, times the speed."""

    def __init__(self, at: int, factor: float, wait: Wait) -> None:
        self._at = at
        self._next = at
        self._factor = factor
        self._wait = wait
        self._real = time.monotonic()

    def now(self) -> int:
        """Microseconds since 1970 UTC; called from the thread that draws."""
        at, following = self._at, self._next
        passed = (time.monotonic() - self._real) * self._factor * 1e6 if following > at else 0.0
        return at + round(min(passed, following - at))

    def wait_for(self, at: int) -> None:
        """Let time pass until an event that was recorded at *at*."""
        if self._at and math.isfinite(self._factor) and at > self._at:
            self._real, self._next = time.monotonic(), at
            self._wait((at - self._at) / 1e6 / self._factor)
        self._at = self._next = at

    def stop(self) -> None:
        """Nothing follows any more."""
        self._at = self._next = self.now()


class _Replayed(Watcher):
    """A watcher whose last words say where it ended, in the middle of a run as well."""

    def __init__(self, state: State, *, clock: _Clock, virtual: bool, path: str, file: TextIO) -> None:
        self.seq = 0
        super().__init__(state, now=clock.now, virtual=virtual, path=path, file=file)

    def picture(self) -> Picture:
        """What is to be seen now."""
        picture = super().picture()
        return picture if picture.outcome else msgspec.structs.replace(picture, outcome=f"as of event {self.seq}")


def _pass(seconds: float) -> None:
    """Let time pass, in pieces: on some systems a wait cannot be interrupted before it is over."""
    never, until = threading.Event(), time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        never.wait(min(left, PIECE_S))


def _factor(speed: Speed) -> float:
    if speed == "max":
        return math.inf
    if not isinstance(speed, (int, float)) or not 0 < speed < math.inf:
        raise ConfigurationError(f'the speed is {speed!r}: give a number above 0, such as 60, or "max"')
    return float(speed)


def _virtual(path: str | Path) -> bool:
    """Whether the experiment ran in virtual time: then its log names no process."""
    first = next(scan(path, 0, 1), None)
    return first is not None and isinstance(first[2], e.SessionOpened) and not first[2].pid
