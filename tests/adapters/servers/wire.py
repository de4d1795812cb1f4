"""A faulty line to a sound server: what a real server can never be asked to do, happens on the way to it.

The line hands everything on until a fault is armed and the request that starts a run comes by.  It suits every
server that speaks over TCP and fills the part of RunnerContract's ``FaultyLab`` for servers that others wrote.
"""

import anyio
from anyio.abc import SocketAttribute
from tests.adapters.servers.process import LOOPBACK

WIRE_FAULTS = ("delay", "late_reply", "mute", "half_frame", "duplicate", "drop", "crash_in_run", "crash_after_done")
DEAD = (OSError, anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError)
PACE_S = 0.005


class FaultyWire:
    """Listens on ``port`` of the loopback, in front of *server*.

    ``is_start`` tells the request (its bytes) that starts a run; ``of`` the ledger's word for it.  ``rewrite`` has,
    for each fault that is not the line's but the instrument's (refuse, defined_error, ...), a function from the
    request to one that the server will answer in that way.  ``idle`` waits until the instrument has nothing to do.
    """

    def __init__(self, server, *, is_start, of="", rewrite=None, idle=None):
        self.server, self.is_start, self.of, self.rewrite, self.idle = server, is_start, of, rewrite or {}, idle
        self.host, self.port = LOOPBACK, 0
        self._armed, self._seconds = None, 0.0
        self._held_back, self._up = 0, anyio.Lock()

    async def __aenter__(self):
        self._listener = await anyio.create_tcp_listener(local_host=LOOPBACK)
        self.port = self._listener.extra(SocketAttribute.local_port)
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        self._tasks.start_soon(self._listener.serve, self._connected)
        return self

    async def __aexit__(self, *exc):
        self._tasks.cancel_scope.cancel()
        try:
            return await self._tasks.__aexit__(*exc)
        finally:
            await self._listener.aclose()

    async def arm(self, fault, seconds=0.0):
        """Let the next run meet *fault*, once."""
        assert fault in WIRE_FAULTS or fault in self.rewrite, f"this line does not know the fault {fault}"
        self._armed, self._seconds = fault, seconds

    async def starts(self):
        """Physical starts so far, out of the server's own ledger."""
        return self.server.starts(self.of)

    async def started(self, before):
        """Wait until there is a start more than *before*."""
        with anyio.fail_after(20):
            while await self.starts() == before:  # noqa: ASYNC110  (the start is told by a file)
                await anyio.sleep(PACE_S)

    async def settled(self):
        """Wait until no reply is held back, the server is up, and the instrument has nothing to do."""
        while self._held_back:  # noqa: ASYNC110  (tests only; many lines may be under way at once)
            await anyio.sleep(PACE_S)
        async with self._up:
            pass
        if self.idle is not None:
            await self.idle()

    async def _connected(self, client):
        async with client:
            async with self._up:
                upstream = await anyio.connect_tcp(LOOPBACK, self.server.port)
            async with upstream, anyio.create_task_group() as both:
                line = _Line(self, client, upstream)
                both.start_soon(line.hand_on_requests, both.cancel_scope)
                await line.hand_on_replies()
                both.cancel_scope.cancel()

    def take(self, request):
        """The fault that *request* is to meet, if it is the start of the next run."""
        if self._armed is None or not self.is_start(request):
            return None, 0.0
        fault, self._armed = self._armed, None
        return fault, self._seconds

    def reply(self, chunk):
        """What the server said, as clients are to read it; for protocols that tell where the server is."""
        return chunk

    async def restart(self):
        """Kill the server and start it again, on the same port; whoever calls meanwhile waits."""
        with anyio.CancelScope(shield=True):  # the line's end, which this brings about, must not leave it dead
            async with self._up:
                await anyio.to_thread.run_sync(self.server.stop)
                await anyio.to_thread.run_sync(self.server.start)

    async def hold(self, seconds):
        """Keep a reply back."""
        self._held_back += 1
        try:
            await anyio.sleep(seconds)
        finally:
            self._held_back -= 1


class _Line:
    """One connection through the wire, with the fault that it suffers from, if any."""

    def __init__(self, wire, client, upstream):
        self.wire, self.client, self.upstream = wire, client, upstream
        self.fault, self.seconds = None, 0.0

    async def hand_on_requests(self, line_cut):
        """Client to server; a start may meet its fault here."""
        try:
            async for request in self.client:
                fault, self.seconds = self.wire.take(request)
                before = await self.wire.starts()
                self.fault = fault or self.fault
                await self.upstream.send(self.wire.rewrite.get(fault, bytes)(request))
                if fault == "crash_in_run":
                    await self.wire.started(before)
                    await self.wire.restart()
        except DEAD:
            pass
        line_cut.cancel()

    async def hand_on_replies(self):
        """Server to client, as well as the fault allows; ends when the line is to be cut."""
        try:
            async for reply in self.upstream:
                if not await self._hand_on(reply):
                    return
        except DEAD:
            return
        if self.fault in {"mute", "half_frame"}:
            await anyio.sleep_forever()  # silence, not the end of the line

    async def _hand_on(self, reply):
        reply = self.wire.reply(reply)
        match self.fault:
            case "mute" | "crash_in_run":
                return True
            case "half_frame":
                self.fault = "mute"
                await self.client.send(reply[: len(reply) // 2])
                return True
            case "drop":
                return False
            case "crash_after_done":
                await self.wire.restart()
                return False
            case "delay" | "late_reply":
                await self.wire.hold(self.seconds)
            case "duplicate":
                await self.client.send(reply)
        self.fault = None
        await self.client.send(reply)
        return True
