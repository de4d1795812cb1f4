"""A line in front of a server that can be spoiled: TCP on the loopback interface, byte for byte.

Every protocol is served by an unmodified server of its own library behind such a line; what goes wrong goes wrong on
the wire, as it would with a real instrument, and not in some hook of that library.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream, Listener, SocketAttribute, SocketStream

from titrant.errors import ConfigurationError
from titrant_adapters.twin.faults import Fault
from titrant_adapters.twin.lab import LabTwin

LOOPBACK = "127.0.0.1"
CHUNK = 65536


class Wire:
    """The line between callers and a server.

    Args:
        lab: Whose replies pass here.
        listener: Where callers connect.
        framed: A frame lost or cut makes the line useless for this protocol, so that nothing comes on it any more;
            False where later replies follow, glued to the half that came.

    Attributes:
        port: Where callers connect.
    """

    def __init__(self, lab: LabTwin, listener: Listener[SocketStream], *, framed: bool) -> None:
        self.port = port_of(listener)
        self._lab, self._listener, self._framed = lab, listener, framed
        self._faults: list[Fault] = []
        self._lines: set[anyio.CancelScope] = set()
        self._up_at = 0.0

    def spoil(self, fault: Fault) -> None:
        """Let a fault meet the next bytes from the server."""
        self._faults.append(fault)

    def cut(self, down_s: float = 0.0) -> None:
        """Close all lines at once, and new ones for some seconds."""
        self._faults.clear()
        self._up_at = anyio.current_time() + down_s
        for line in list(self._lines):
            line.cancel()

    async def serve(self, inner: int) -> None:
        """Pass bytes on between callers and the server at the port *inner*, until cancelled."""

        async def pass_on(caller: SocketStream) -> None:
            async with caller:
                if anyio.current_time() >= self._up_at:
                    await self._connect(caller, inner)

        await self._listener.serve(pass_on)

    async def _connect(self, caller: SocketStream, inner: int) -> None:
        try:
            async with await anyio.connect_tcp(LOOPBACK, inner) as server, anyio.create_task_group() as tasks:
                self._lines.add(tasks.cancel_scope)
                try:
                    tasks.start_soon(self._ask, caller, server, tasks.cancel_scope)
                    await self._answer(server, caller)
                    tasks.cancel_scope.cancel()
                finally:
                    self._lines.discard(tasks.cancel_scope)
        except OSError:  # the server is going down: the caller sees its line closed
            return

    async def _ask(self, caller: ByteReceiveStream, server: ByteSendStream, line: anyio.CancelScope) -> None:
        try:
            async for chunk in caller:
                await server.send(chunk)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            pass
        line.cancel()

    async def _answer(self, server: ByteReceiveStream, caller: ByteSendStream) -> None:
        try:
            async for chunk in server:
                with self._lab.replying():
                    await anyio.sleep(self._lab.behaviour.latency_s)
                    passed = await self._pass(chunk, caller, self._faults.pop(0) if self._faults else None)
                if not passed:
                    await anyio.sleep_forever()  # an open line, and nobody at its other end
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            return
        except _Dropped:
            return

    async def _pass(self, chunk: bytes, caller: ByteSendStream, fault: Fault | None) -> bool:
        """Send what the fault leaves of a reply; whether the line is of any use after it."""
        match fault.kind if fault else "":
            case "delay" | "late_reply":
                await anyio.sleep(fault.seconds if fault else 0.0)
                await caller.send(chunk)
            case "duplicate":
                await caller.send(chunk + chunk)
            case "half_frame":
                await caller.send(chunk[: len(chunk) // 2])
                return not self._framed
            case "mute":
                return not self._framed
            case "drop":
                raise _Dropped
            case _:
                await caller.send(chunk)
        return True


class _Dropped(Exception):
    """The line is to be closed in place of a reply."""


def port_of(listener: Listener[SocketStream]) -> int:
    """Where a listener is reached."""
    port: int = listener.extra(SocketAttribute.local_port)  # noqa: S610  # not Django's
    return port


@asynccontextmanager
async def open_wire(lab: LabTwin, port: int, *, framed: bool) -> AsyncIterator[Wire]:
    """Listen on the loopback interface, at a port or (0) at any that is free.

    Raises:
        ConfigurationError: The port cannot be had.
    """
    try:
        listeners = await anyio.create_tcp_listener(local_host=LOOPBACK, local_port=port)
    except (OSError, OverflowError) as exc:
        raise ConfigurationError(f"port {port} cannot be had: {exc}. Port 0 takes any that is free") from exc
    async with listeners:
        wire = Wire(lab, listeners, framed=framed)
        lab.runs.on_crash.append(wire.cut)
        try:
            yield wire
        finally:
            lab.runs.on_crash.remove(wire.cut)
