"""A serial line of frames that end with a terminator."""

from __future__ import annotations

import asyncio
from typing import Any

from titrant_adapters.shape import Errors, library

MAX_FRAME = 1 << 20
"""Bytes after which a frame without an end is no frame."""

ERRORS = Errors(
    {
        "serialx.common.SerialException": "unknown",
        "serialx.common.UnsupportedSetting": "misconfigured",
        "serialx.common.UnknownUriScheme": "misconfigured",
        "builtins.ValueError": "misconfigured",  # an address that is none; nothing else here raises it
    }
)


class SerialLine(asyncio.Protocol):
    """A port of our own reading: only so is it certain what has arrived and was not asked for.

    Make it with ``open``.

    Args:
        sent_end: What ends a frame that is sent.
        end: What ends a frame that is received.
    """

    def __init__(self, sent_end: bytes, end: bytes) -> None:
        self._sent_end, self._end = sent_end, end
        self._rest = b""
        self._lost: OSError | None = None
        self._news = asyncio.Event()
        self._closed = asyncio.Event()
        self._transport: Any = None

    @classmethod
    async def open(cls, port: str, sent_end: bytes, end: bytes, **options: Any) -> SerialLine:
        """Open a port; the caller bounds the wait."""
        serialx = library("serialx", "serial")
        line = cls(sent_end, end)
        loop = asyncio.get_running_loop()
        line._transport, _ = await serialx.create_serial_connection(loop, lambda: line, port, **options)
        return line

    def data_received(self, data: bytes) -> None:
        """Keep what comes."""
        self._rest += data
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Remember that the cable was pulled."""
        self._lost = OSError(f"the line is gone: {exc or 'the other side closed it'}")
        self._news.set()
        self._closed.set()

    async def send(self, text: str) -> None:
        """Send a frame; the terminator is added.

        Raises:
            OSError: The line is gone.
        """
        if self._lost is not None:
            raise self._lost
        self._transport.write(text.encode() + self._sent_end)

    async def receive(self) -> str:
        """The next frame, without its terminator.

        Raises:
            OSError: The line is gone, or what comes is no frame.
        """
        while self._end not in self._rest:
            if len(self._rest) > MAX_FRAME:
                raise OSError(f"{len(self._rest)} bytes came and no end of a frame")
            if self._lost is not None:
                raise self._lost
            self._news.clear()
            await self._news.wait()
        frame, _, self._rest = self._rest.partition(self._end)
        return frame.decode("ascii", "replace")

    def stale(self) -> bool:
        """Whether bytes came that nobody asked for, or the line is gone."""
        return bool(self._rest) or self._lost is not None

    async def aclose(self) -> None:
        """Close the port, and wait until the system has let go of it: until then it is locked, also for us."""
        self._transport.close()
        try:
            await self._closed.wait()
        finally:
            if not self._closed.is_set():
                self._transport.abort()  # the other end takes nothing: what was not sent is dropped
