"""An alarm clock for one actor: delivers messages when their time has come, in order of time, then of setting."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import anyio


class Alarm:
    """One task that sleeps until the earliest message is due."""

    def __init__(self, deliver: Callable[[Any], Awaitable[None]]) -> None:
        self._deliver = deliver
        self._due: list[tuple[float, int, Any]] = []
        self._order = itertools.count()
        self._changed = anyio.Event()

    def set(self, delay_s: float, message: Any) -> None:
        """Deliver *message* in *delay_s* seconds (at once if that is in the past)."""
        when = anyio.current_time() + max(0.0, delay_s)
        heapq.heappush(self._due, (when, next(self._order), message))
        if self._due[0][2] is message:
            self._changed.set()

    def clear(self) -> None:
        """Forget all messages."""
        self._due.clear()
        self._changed.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            self._changed = anyio.Event()
            wait = self._due[0][0] - anyio.current_time() if self._due else None
            if wait is not None and wait <= 0:
                await self._deliver(heapq.heappop(self._due)[2])
                continue
            with anyio.move_on_after(wait):
                await self._changed.wait()
