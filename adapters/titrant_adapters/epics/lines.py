"""EPICS over its two protocols: the same few calls, each with an answer that is waited for."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Protocol, Self

from titrant.errors import ConfigurationError, RunnerError
from titrant_adapters.shape import library
from titrant_adapters.shape.outcomes import Meaning

SEVERITIES = ("NO_ALARM", "MINOR", "MAJOR", "INVALID")

MEANINGS: dict[str, Meaning] = {
    "aioca.CANothing": "unknown",  # nobody answered; what a server answered is read below
    "epicscorelibs.ca.cadef.CAException": "unknown",
    "epicscorelibs.ca.cadef.Disconnected": "unknown",
    "p4p.client.raw.Disconnected": "unknown",
    "p4p.client.raw.Cancelled": "unknown",
    "p4p.client.raw.RemoteError": "failed",  # the server's own no
}

# What caerr.h says a server answers a put with.
PUT_FAILED, NO_READ_ACCESS, NO_WRITE_ACCESS = 160, 368, 376


class EpicsLine(Protocol):
    """What both protocols do; every answer bears the number of its request, so that none is taken for another's."""

    async def get(self, pv: str) -> Any:
        """A value, with ``severity``."""

    async def put(self, pv: str, value: Any) -> None:
        """Write, and wait until the record has been processed."""

    async def may_write(self, pv: str) -> bool:
        """Whether we may, as far as the protocol tells."""

    def stale(self) -> bool:
        """Never: it reconnects by itself."""

    async def aclose(self) -> None:
        """Let go."""


class CaLine:
    """Channel Access by aioca, which shares one connection to each server with all else in this process."""

    lines: ClassVar[set[CaLine]] = set()

    def __init__(self) -> None:
        self._aioca = library("aioca", "epics")
        self.lines.add(self)

    @classmethod
    async def open(cls) -> Self:
        """Be one of those that use the library."""
        return cls()

    async def get(self, pv: str) -> Any:
        """A value, with ``severity``."""
        try:
            return await self._aioca.caget(pv, format=self._aioca.FORMAT_TIME, timeout=None)
        except self._aioca.CANothing as exc:
            raise _answered(exc) or exc from exc

    async def put(self, pv: str, value: Any) -> None:
        """Write, and wait until the record has been processed."""
        try:
            await self._aioca.caput(pv, value, wait=True, timeout=None)
        except self._aioca.CANothing as exc:
            raise _answered(exc) or exc from exc

    async def may_write(self, pv: str) -> bool:
        """Whether access security lets us."""
        return bool((await self._aioca.cainfo(pv, timeout=None)).write)

    def stale(self) -> bool:
        """Never: it reconnects by itself."""
        return False

    async def aclose(self) -> None:
        """Let go; the last one closes the connections, as one that went silent is noticed by nobody else."""
        self.lines.discard(self)
        if not self.lines:
            self._aioca.purge_channel_caches()


class PvaLine:
    """PV Access by p4p."""

    def __init__(self) -> None:
        self._context = library("p4p.client.asyncio", "epics").Context("pva")

    @classmethod
    async def open(cls) -> Self:
        """Make a client of its own."""
        return cls()

    async def get(self, pv: str) -> Any:
        """A value, with ``severity``."""
        return await self._context.get(pv)

    async def put(self, pv: str, value: Any) -> None:
        """Write, and wait until the record has been processed."""
        await self._context.put(pv, value, wait=True)

    async def may_write(self, pv: str) -> bool:
        """That the variable is there: the protocol does not tell more before a put."""
        await self._context.get(pv)
        return True

    def stale(self) -> bool:
        """Never: it reconnects by itself."""
        return False

    async def aclose(self) -> None:
        """Close the client."""
        self._context.close()


def _answered(exc: Any) -> Exception | None:
    """What a server's answer means; None where there was none."""
    if exc.errorcode == PUT_FAILED:
        return RunnerError(f"the server did not take {exc}")
    if exc.errorcode in (NO_READ_ACCESS, NO_WRITE_ACCESS):
        return ConfigurationError(f"{exc}: ask whoever runs the server for the permission")
    return None


def plain(value: Any) -> float | str:
    """A value without what EPICS adds to it."""
    # Not str(): of p4p's texts that would tell the time as well.
    return float(value) if isinstance(value, int | float) else "".join(value)


def trusted(pv: str, value: Any, worst: str) -> float:
    """A measurement.

    Raises:
        RunnerError: Its alarm is as severe as *worst*, or it is no finite number.
    """
    severity = SEVERITIES[min(value.severity, 3)]
    if value.severity >= SEVERITIES.index(worst):
        raise RunnerError(f"{pv} has an alarm of severity {severity}")
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise RunnerError(f"{pv} is {value!s}, which is no measurement")
    return float(value)
