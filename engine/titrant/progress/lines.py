"""Plain lines for a pipe, a file or a journal: one per finished trial and per notable event, never a flood."""

from __future__ import annotations

import threading
from collections import deque

import msgspec

from titrant.model.observation import means
from titrant.model.trial import Trial
from titrant.progress import words
from titrant.progress.notices import Notice
from titrant.progress.picture import Picture
from titrant.rules.state import RunState, State

KEPT = 1_000
"""Lines that wait at most; what comes on top of a stuck pipe is counted only."""


class Finished(msgspec.Struct, frozen=True):
    """A trial that is over, put into words only if there is room for the line."""

    at: int
    trial: Trial
    state: State
    leads: bool


class Begun(msgspec.Struct, frozen=True):
    """A run that begins."""

    at: int
    run: RunState
    state: State


Entry = Finished | Begun | Notice


class Backlog:
    """Lines that wait to be written; filled by the event loop, emptied by a thread."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self._skipped = 0
        self._lock = threading.Lock()

    def add(self, entry: Entry) -> None:
        """Put an entry at the end."""
        with self._lock:
            self._entries.append(entry)
            if len(self._entries) > KEPT:
                self._entries.popleft()
                self._skipped += 1

    def take(self, room: int | None) -> tuple[list[Entry], int]:
        """Up to *room* entries in order (all for None), and how many are left out.

        Where there are too many, notable ones are kept before others, and late ones before early ones.
        """
        with self._lock:
            entries, skipped = list(self._entries), self._skipped
            self._entries.clear()
            self._skipped = 0
        if room is None or len(entries) <= room:
            return entries, skipped
        ranked = sorted(range(len(entries)), key=lambda at: (isinstance(entries[at], Finished), -at))
        kept = sorted(ranked[: room - 1])
        return [entries[at] for at in kept], skipped + len(entries) - len(kept)


def lines(entries: list[Entry], skipped: int, *, began: int | None, virtual: bool) -> list[str]:
    """The entries as lines of text."""
    told = [f"{words.time_of_day(entry.at, began, virtual=virtual)}  {_told(entry)}" for entry in entries]
    return [*told, f"(… {skipped} more)"] if skipped else told


def closing_lines(picture: Picture, path: str | None) -> list[str]:
    """The last words of a run."""
    span = words.duration(picture.elapsed_s) + (" of virtual time" if picture.virtual else "")
    counts = ", ".join(f"{number} {name}" for name, number in picture.counts)
    outcome = picture.outcome or "interrupted"
    told = [f"{picture.name}: {outcome}, {words.count(picture.ended, 'trial')} in {span} ({counts})"]
    if picture.reason:
        told.append(picture.reason)
    if picture.leader is not None:
        told.append(f"best: {picture.leader.result} in trial {picture.leader.trial}: {picture.leader.conditions}")
    elif picture.front is not None:
        told.append(f"front: {words.count(picture.front, 'trial')} that no other beats")
    if picture.unknown and picture.waiting and picture.waiting != picture.reason:
        told.append(picture.waiting)
    return [*told, f"log: {path}"] if path is not None else told


def _told(entry: Entry) -> str:
    match entry:
        case Notice(text=text):
            return text
        case Begun(run=run):
            options = run.options
            taken = f", and {words.count(run.taken, 'trial')} taken over" if run.taken else ""
            return f"run of {words.count(options.max_trials, 'trial')}{taken}, {options.parallelism} at a time"
        case Finished(trial=trial, state=state):
            return _finished(trial, state) + (" (best so far)" if entry.leads else "")


def _finished(trial: Trial, state: State) -> str:
    began, ended = trial.started_at, trial.ended_at
    took = "" if began is None or ended is None or trial.asked else f" in {words.duration((ended - began) / 1e6)}"
    where = f" on {trial.runner}" if trial.runner is not None and len(state.runners) > 1 else ""
    optimization = state.optimization
    reached = "" if optimization is None else ": " + words.result(optimization, means(trial.observations))
    return f"trial {trial.index} {trial.status.name.lower().replace('_', ' ')}{took}{where}{reached}"
