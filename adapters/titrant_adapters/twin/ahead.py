"""The faults that lie ahead of the lab, and those of the run that began last."""

from __future__ import annotations

import threading
from collections.abc import Collection

from titrant_adapters.twin.faults import BEFORE_A_RUN, REPLY, Exchange, Fault, FaultPlan


class Faults:
    """The faults that lie ahead of the lab; arming is safe from any thread."""

    def __init__(self, plan: FaultPlan, *, runs: int = 0) -> None:
        self._plan = plan
        self._lock = threading.Lock()
        self._begun: list[Fault] = []
        self._ahead = plan.of(runs + 1)

    def arm(self, *faults: Fault) -> None:
        """Let the next run meet these faults, or none, in place of any that lay ahead of it."""
        with self._lock:
            self._begun, self._ahead = [], list(faults)

    def stuck(self) -> bool:
        """Whether settings are not taken now."""
        with self._lock:
            return any(fault.kind == "stuck" for fault in self._ahead)

    def release(self) -> None:
        """Let settings be taken again."""
        with self._lock:
            _pop(self._ahead, {"stuck"})

    def refusal(self) -> Fault | None:
        """The refusal that lies ahead, once."""
        with self._lock:
            return _pop(self._ahead, {"refuse"})

    def begin(self, run: int) -> list[Fault]:
        """Move on to the run *run*, which has just been started; its faults of the run itself."""
        with self._lock:
            self._begun, self._ahead = self._ahead, self._plan.of(run + 1)
            return [fault for fault in self._begun if fault.kind not in REPLY]

    def of_reply(self, exchange: Exchange) -> Fault | None:
        """The fault of the reply that is about to go out, once.

        A start may have had no reply (a command without an answer): its fault then meets the next reply of that run.
        """
        with self._lock:
            faults = self._ahead if exchange in BEFORE_A_RUN else self._begun
            late = {"start", exchange} if exchange in ("status", "result") else {exchange}
            return _pop(faults, REPLY, late)


def _pop(faults: list[Fault], kinds: Collection[str], on: Collection[str] | None = None) -> Fault | None:
    for fault in faults:
        if fault.kind in kinds and (on is None or fault.on in on):
            faults.remove(fault)
            return fault
    return None
