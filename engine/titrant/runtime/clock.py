"""The one clock port: real time, or virtual time that jumps to the next timer when nothing can move.

Both run the same actors.  Timers are anyio's own (``anyio.sleep``, ``anyio.fail_after``); in virtual time they obey the
event loop of ``runtime/virtual_loop.py``, so that code which knows nothing of titrant waits virtually as well.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from titrant.runtime.virtual_loop import VirtualTimeLoop

T = TypeVar("T")

VIRTUAL_EPOCH = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z in microseconds: where virtual time begins."""


class Clock(Protocol):
    """What actors may know of time."""

    virtual: bool

    def now(self) -> int:
        """Microseconds since 1970 UTC; never decreasing."""

    async def outside(self, work: Callable[[], Awaitable[T]]) -> T:
        """Await work that goes on outside the event loop (a thread, a process, the disk)."""


class RealClock:
    """The machine's clock, kept from going backwards."""

    virtual = False

    def __init__(self, *, not_before: int = 0) -> None:
        self._last = not_before

    def now(self) -> int:
        """Microseconds since 1970 UTC; stands still while the machine's clock is set back."""
        self._last = max(self._last, time.time_ns() // 1000)
        return self._last

    async def outside(self, work: Callable[[], Awaitable[T]]) -> T:
        """Just await: real time goes on by itself."""
        return await work()


class VirtualClock:
    """The event loop's virtual time, counted from a fixed day: the same in every repetition."""

    virtual = True

    def __init__(self, loop: VirtualTimeLoop, *, not_before: int = 0) -> None:
        self._loop = loop
        self._start = max(VIRTUAL_EPOCH, not_before) - round(loop.time() * 1e6)

    def now(self) -> int:
        """Microseconds since 1970 UTC on the virtual calendar."""
        return self._start + round(self._loop.time() * 1e6)

    async def outside(self, work: Callable[[], Awaitable[T]]) -> T:
        """Hold virtual time while *work* goes on, and give its result back in the order the work was begun."""
        return await self._loop.outside(work)


def clock_of_running_loop(*, not_before: int = 0) -> Clock:
    """The clock that fits the event loop this is called in."""
    loop = running_asyncio_loop()
    if isinstance(loop, VirtualTimeLoop):
        return VirtualClock(loop, not_before=not_before)
    return RealClock(not_before=not_before)


def running_asyncio_loop() -> asyncio.AbstractEventLoop | None:
    """The asyncio loop this is called in, or None under another back end."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
