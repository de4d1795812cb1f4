"""The lab twin as an instrument that speaks SCPI over a TCP socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import SocketStream, TaskGroup
from anyio.streams.buffered import BufferedByteReceiveStream

from titrant_adapters.twin.doors.base import LOOPBACK, Door
from titrant_adapters.twin.doors.scpi_dialect import Dialect
from titrant_adapters.twin.doors.wire import Wire, port_of
from titrant_adapters.twin.lab import LabTwin
from titrant_adapters.twin.runs import Run

LONGEST = 4096
ERROR_QUEUE = 20


class ScpiDoor(Door):
    """Settings by name, ``INIT`` to start, ``FETC?`` for the values; errors wait in a queue, as the standard has it."""

    protocol = "scpi"
    framed = False  # a late or cut reply is glued to the next one, which is what makes line protocols dangerous

    def __init__(self, lab: LabTwin, wire: Wire, tasks: TaskGroup) -> None:
        super().__init__(lab, wire, tasks)
        self.errors: list[str] = []
        """The instrument's error queue, one for all lines; the oldest first."""

    def wrong(self, code: int, text: str) -> None:
        """Enter an error into the queue."""
        if len(self.errors) >= ERROR_QUEUE:
            self.errors[-1] = '-350,"Queue overflow"'
        else:
            self.errors.append(f'{code},"{text.replace(chr(34), chr(39))}"')

    def started(self, run: Run) -> Run:
        """As for every door; a failure enters the queue when it happens."""
        self._tasks.start_soon(self._watch, run.number)
        return run

    async def _watch(self, number: int) -> None:
        ended = await self.lab.runs.finish(number)
        if ended.state == "failed":
            self.wrong(-240, f"Hardware error; {ended.reason}")

    @property
    def address(self) -> str:
        """As VISA writes it."""
        return f"TCPIP0::{LOOPBACK}::{self.port}::SOCKET"

    def how_to(self) -> str:
        """A session, to be typed."""
        name = next(iter(self.lab.settings.inputs))
        return (
            f"nc {LOOPBACK} {self.port}, then:  *IDN?   SOUR:{name.upper()} <value>   SOUR:{name.upper()}?   "
            f'INIT? "key"   RUN:STAT?   FETC?   SYST:ERR?'
        )

    @asynccontextmanager
    async def behind(self) -> AsyncIterator[int]:
        """Serve the dialect below on a port of its own."""
        async with (
            await anyio.create_tcp_listener(local_host=LOOPBACK) as listeners,
            anyio.create_task_group() as sessions,
        ):
            sessions.start_soon(listeners.serve, self._talk)
            yield port_of(listeners)
            sessions.cancel_scope.cancel()

    async def _talk(self, line: SocketStream) -> None:
        received, dialect = BufferedByteReceiveStream(line), Dialect(self)
        async with line:
            try:
                while True:
                    text = (await received.receive_until(b"\n", LONGEST)).decode("ascii", "replace").strip()
                    reply = await dialect.hear(text)
                    if reply is not None:
                        await line.send(reply.encode("ascii", "replace") + b"\n")
            except (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError, anyio.DelimiterNotFound):
                return
