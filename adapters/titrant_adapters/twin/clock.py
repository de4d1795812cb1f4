"""The lab's time: real, faster or slower, virtual where the event loop is, or moved by hand."""

from __future__ import annotations

from typing import Protocol

import anyio

from titrant.errors import ConfigurationError


class LabClock(Protocol):
    """Seconds of the lab, which need not be those of the wall."""

    def now(self) -> float:
        """Seconds since some moment; never decreasing."""

    async def sleep(self, seconds: float) -> None:
        """Wait for seconds of the lab."""


class Pace:
    """The event loop's time, *speed* times as fast; virtual where the loop's time is."""

    def __init__(self, speed: float = 1.0) -> None:
        if not 0 < speed < float("inf"):
            raise ConfigurationError(f"the speed is {speed!r}: give a number above 0, such as 60 for a minute a second")
        self.speed = speed

    def now(self) -> float:
        """Seconds of the lab."""
        return anyio.current_time() * self.speed

    async def sleep(self, seconds: float) -> None:
        """Wait for seconds of the lab."""
        await anyio.sleep(seconds / self.speed)


class ByHand:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self._now = 0.0
        self._moved = anyio.Event()

    def now(self) -> float:
        """Seconds of the lab."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass, and wake whoever waits."""
        self._now += seconds
        self._moved.set()
        self._moved = anyio.Event()

    async def sleep(self, seconds: float) -> None:
        """Wait until time was moved that far."""
        due = self._now + seconds
        while self._now < due:
            await self._moved.wait()
