"""An asyncio event loop whose time jumps to the next timer as soon as nothing else can happen.

Three rules make a run in virtual time the same every time, byte for byte:

1. Time stands still while a callback is ready, and while work begun through ``outside`` is under way in a thread, a
   process or on the disk.  How long that takes on the real clock has no influence.
2. Results of outside work come back only when nothing else can move and all of it is done, one at a time, in the order
   in which the work was begun: which thread is faster has no influence.
3. Time moves only while somebody waits for the engine (``driven``): between calls of a blocking client it is frozen.
"""

from __future__ import annotations

import asyncio
import selectors
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class _IdleWatch(selectors.BaseSelector):
    """The loop's selector: asked for events with a timeout only when the loop has nothing left to run."""

    def __init__(self, inner: selectors.BaseSelector) -> None:
        self.inner = inner
        self.loop: VirtualTimeLoop | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Poll; when the loop is idle, decide whether to wait for the outside world or to let time jump."""
        ready = self.inner.select(0)
        loop = self.loop
        if ready or loop is None or timeout == 0:
            return ready
        if loop.outside_running:
            return self.inner.select(None)
        if loop.release_one():
            return []
        if timeout is None or not loop.drivers:
            return self.inner.select(None)
        loop.jump(timeout)
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self.inner.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self.inner.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self.inner.modify(fileobj, events, data)

    def get_map(self) -> Any:
        return self.inner.get_map()

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        return self.inner.get_key(fileobj)

    def close(self) -> None:
        self.inner.close()


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """See the module's docstring."""

    def __init__(self) -> None:
        self._virtual_time = 0.0
        self.outside_running = 0
        self.drivers = 1
        self._finished: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._next_ticket = 0
        watch = _IdleWatch(selectors.DefaultSelector())
        super().__init__(watch)
        # asyncio compares timers at the resolution of the real clock, 1 ns; a year of virtual seconds is coarser.
        self._clock_resolution = 1e-6
        watch.loop = self

    def time(self) -> float:
        """Virtual seconds since the loop began."""
        return self._virtual_time

    def jump(self, seconds: float) -> None:
        """Let *seconds* pass."""
        self._virtual_time += seconds

    async def outside(self, work: Callable[[], Awaitable[T]]) -> T:
        """Await *work* done outside the loop; rules 1 and 2 of the module's docstring."""
        ticket = self._next_ticket
        self._next_ticket += 1
        self.outside_running += 1
        try:
            return await work()
        finally:
            self.outside_running -= 1
            gate = self.create_future()
            self._finished.append((ticket, gate))
            await asyncio.shield(gate)

    def release_one(self) -> bool:
        """Hand back the finished outside work that was begun first; False if there is none."""
        waiting = [entry for entry in self._finished if not entry[1].done()]
        if not waiting:
            self._finished.clear()
            return False
        first = min(waiting)
        self._finished.remove(first)
        first[1].set_result(None)
        return True

    def start_frozen(self) -> None:
        """Let time move only inside ``driven`` from here on."""
        self.drivers = 0

    @contextmanager
    def driven(self) -> Iterator[None]:
        """Time may move while somebody waits inside."""
        self.drivers += 1
        try:
            yield
        finally:
            self.drivers -= 1
