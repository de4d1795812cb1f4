"""The same trials as an aggregate of the eventsourcing library, in its SQLite store: what its replay costs.

Each trial leaves the six events that titrant's benchmark has, with the same contents.  An aggregate's whole history is
read again to use it, as titrant reads its log; there is no chain of hashes to verify.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from titrant.log.base import Draft
from titrant.messages import events as e


class Laboratory(Aggregate):
    """The trials, folded as far as titrant folds them: where each stands and what came out."""

    def __init__(self) -> None:
        self.open: dict[int, dict[str, Any]] = {}
        self.closed: dict[int, dict[str, Any]] = {}

    @event("TrialCreated")
    def create(self, trial: int, content: dict[str, Any]) -> None:
        self.open[trial] = {"parameters": content["parameters"], "status": "candidate"}

    @event("Submitting")
    def submit(self, trial: int, content: dict[str, Any]) -> None:
        self.open[trial].update(status="submitting", runner=content["runner"], key=content["key"])

    @event("Running")
    def start(self, trial: int, content: dict[str, Any]) -> None:
        self.open[trial].update(status="running", metadata=content["metadata"])

    @event("RunFinished")
    def finish(self, trial: int, content: dict[str, Any]) -> None:
        self.open[trial].update(awaiting=content["awaiting"])

    @event("DataAttached")
    def attach(self, trial: int, content: dict[str, Any]) -> None:
        self.open[trial].update(observations=content["observations"])

    @event("Completed")
    def complete(self, trial: int, content: dict[str, Any]) -> None:
        self.closed[trial] = {**self.open.pop(trial), "status": "completed"}


METHODS = {
    e.TrialCreated: Laboratory.create,
    e.TrialSubmitting: Laboratory.submit,
    e.TrialRunning: Laboratory.start,
    e.TrialRunFinished: Laboratory.finish,
    e.DataAttached: Laboratory.attach,
    e.TrialCompleted: Laboratory.complete,
}


class Replayed:
    """A stored history, and how fast it is read again."""

    def __init__(self, folder: Path, drafts: Sequence[Draft]) -> None:
        store = {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(folder / "eventsourcing.db")}
        self._application: Application[UUID] = Application(env=store)
        laboratory = Laboratory()
        for draft in drafts:
            content = msgspec.to_builtins(draft.event)
            METHODS[type(draft.event)](laboratory, trial=content["trial"], content=content)
        self._id, self._events, self._trials = laboratory.id, len(drafts) + 1, len(drafts) // len(METHODS)
        self._application.save(laboratory)

    def rate(self) -> float:
        """Events a second, decoded and folded.

        Raises:
            AssertionError: Not all of the trials came back.
        """
        gc.collect()
        begun = time.perf_counter()
        again: Laboratory = self._application.repository.get(self._id)
        seconds = time.perf_counter() - begun
        if len(again.closed) != self._trials:
            raise AssertionError(f"{len(again.closed)} of {self._trials} trials came back")
        return self._events / seconds

    def close(self) -> None:
        """Give the database back."""
        self._application.close()
