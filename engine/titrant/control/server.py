"""The server beside a running engine: takes acts of other processes of the same user, one to a connection.

Each connection has a task of its own, so that one which is slow, silent or full of rubbish holds up only itself, and
a halt waits for nobody.  Who has not shown within seconds that he knows the token is sent away.  Acts under way are
bounded in number; past that, only a halt is taken.
"""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.abc
import msgspec
from anyio.streams.buffered import BufferedByteReceiveStream

from titrant import mint
from titrant.api.calls import Calls
from titrant.control import address as places
from titrant.control import wire
from titrant.control.address import Address
from titrant.control.wire import Answer, Counter, Greeting, Malformed, Proof, Reply, Request
from titrant.errors import CommandRefused, ConfigurationError, EngineUnreachable, NoReply, TitrantError
from titrant.runtime.diagnostics import Logger
from titrant.runtime.supervision import describe

log = Logger(__name__)

M = TypeVar("M")
Listener = anyio.abc.SocketListener

GREETING_S = 5.0
"""How long a caller has to show that it knows the token, and to say what it wants."""

REPLY_S = 5.0
"""How long a caller has to take its answer."""

GRACE_S = 2.0
"""How long acts under way have to end when the client is closed."""

STRANGERS = 32
"""Connections of callers not yet known; where there are more, the oldest is sent away."""

ACTS_AT_ONCE = 64
"""Acts under way; where there are more, all but a halt are refused."""

PAST_ANY_LIMIT = ("halt",)
"""Acts that are always taken."""

_GONE = (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)


@asynccontextmanager
async def serving(client: Calls, path: Path, *, unix: bool | None = None) -> AsyncIterator[None]:
    """Take acts of other processes on *client*, whose log is at *path*, until the end of the block.

    An experiment does not depend on it: where it cannot be, the diagnostics say so, and the block runs all the same.

    Args:
        client: The open experiment; this process holds its lease.
        path: Its log.
        unix: Whether to use a Unix socket, and not the loopback interface; wherever there are any where None.
    """
    async with AsyncExitStack() as found:
        try:
            unix = places.HAS_UNIX_SOCKETS if unix is None else unix
            server = await found.enter_async_context(_published(client, path, unix=unix))
        except OSError as exc:
            log.warning("control.unavailable", log=str(path), reason=describe(exc))
            yield
            return
        tasks = anyio.create_task_group()
        await tasks.__aenter__()
        try:
            tasks.start_soon(server.accept, tasks)
            yield
        finally:  # what went wrong in the block is not the group's affair, which would wrap it
            with anyio.CancelScope(shield=True):
                await server.wind_up()
            tasks.cancel_scope.cancel()
            await tasks.__aexit__(None, None, None)


@asynccontextmanager
async def _published(client: Calls, path: Path, *, unix: bool) -> AsyncIterator[_Server]:
    """A server that listens and can be found; what leads to it goes with it."""
    places.sweep(path)
    folder, token = places.make_folder()
    address = Address(pid=os.getpid(), host=socket.gethostname(), folder=str(folder))
    try:
        listener: Listener
        if unix and places.fits(folder):
            listener = await anyio.create_unix_listener(address.socket, mode=0o600)
        else:
            (one,) = (await anyio.create_tcp_listener(local_host="127.0.0.1")).listeners
            assert isinstance(one, Listener)
            listener, port = one, one.extra_attributes[anyio.abc.SocketAttribute.local_port]()
            address = msgspec.structs.replace(address, port=port)
        async with listener:
            places.publish(path, address)
            yield _Server(client, path, token, listener)
    finally:
        places.withdraw(path, address)


class _Server:
    """One listener, and the connections made to it."""

    def __init__(self, client: Calls, path: Path, token: str, listener: Listener) -> None:
        self._client = client
        self._path = path
        self._token = token
        self._listener = listener
        self._strangers: list[anyio.CancelScope] = []
        self._under_way = 0
        self._idle = anyio.Event()

    async def accept(self, tasks: anyio.abc.TaskGroup) -> None:
        """Give each connection a task of its own, until the listener is closed."""
        while True:
            try:
                stream = await self._listener.accept()
            except anyio.ClosedResourceError:
                return
            except Exception as exc:  # noqa: BLE001  # no file descriptor left, a caller gone before he was heard
                log.warning("control.accept_failed", reason=describe(exc))
                await anyio.sleep(0.1)
                continue
            if len(self._strangers) >= STRANGERS:
                self._strangers.pop(0).cancel()
            tasks.start_soon(self._attend, stream)

    async def wind_up(self) -> None:
        """Let nobody in any more, and the acts under way end, for a while."""
        await self._listener.aclose()
        if self._under_way:
            self._idle = anyio.Event()
            with anyio.move_on_after(GRACE_S):
                await self._idle.wait()

    async def _attend(self, stream: anyio.abc.SocketStream) -> None:
        """See one connection to its end; nothing that a caller does gets out of here."""
        try:
            async with stream:
                request = await self._heard(stream)
                if request is not None:
                    await self._serve(stream, request)
        except _GONE:
            return  # he left; what he asked for is done all the same
        except Exception as exc:  # no connection is worth an experiment
            log.error("control.connection_failed", reason=describe(exc), exc_info=exc)

    # --- who it is, and what he wants -------------------------------------------------------------------------------

    async def _heard(self, stream: anyio.abc.SocketStream) -> Request | None:
        """The caller's request; None where he is no caller of ours, or too slow."""
        request: Request | None = None
        with anyio.move_on_after(GREETING_S) as patience:
            self._strangers.append(patience)
            incoming = BufferedByteReceiveStream(stream)
            try:
                if not await self._is_known(stream, incoming):
                    return None
            except Malformed:
                return None
            finally:
                if patience in self._strangers:
                    self._strangers.remove(patience)
            try:
                request = await _received(incoming, Request, wire.MAX_REQUEST)
            except Malformed as exc:
                await _tell(stream, wire.failure(ConfigurationError(f"the request is not understood: {exc}")))
        return request

    async def _is_known(self, stream: anyio.abc.SocketStream, incoming: BufferedByteReceiveStream) -> bool:
        """Show the caller that this is the engine, and see whether he knows its token."""
        greeting = await _received(incoming, Greeting, wire.MAX_GREETING)
        if greeting.version != wire.VERSION:
            told = f"the engine speaks version {wire.VERSION}, not {greeting.version}: use the same titrant for both"
            await _tell(stream, wire.failure(EngineUnreachable(told)))
            return False
        nonce = mint.token()
        proof = wire.prove(self._token, "engine", greeting.nonce, nonce)
        await _tell(stream, Counter(nonce=nonce, proof=proof))
        shown = await _received(incoming, Proof, wire.MAX_GREETING)
        return wire.proves(shown.proof, self._token, "caller", greeting.nonce, nonce)

    # --- doing it ---------------------------------------------------------------------------------------------------

    async def _serve(self, stream: anyio.abc.SocketStream, request: Request) -> None:
        self._under_way += 1
        try:
            answer = await self._answer(request)
            await _tell(stream, answer)
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True):
                await _tell(stream, wire.failure(NoReply(f"the engine was closed before {request.act!r} had ended")))
            raise
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    async def _answer(self, request: Request) -> Answer:
        if not _same(request.log, self._path):  # a log that was copied together with the file beside it
            return wire.failure(EngineUnreachable(f"the engine works on {self._path}, not on {request.log}"))
        if self._under_way > ACTS_AT_ONCE and request.act not in PAST_ANY_LIMIT:
            return wire.failure(CommandRefused(f"{ACTS_AT_ONCE} acts are under way: try again when some have ended"))
        from titrant.control.acts import perform  # noqa: PLC0415  # 10 ms, when somebody first asks for something

        try:
            outcome = await perform(self._client, request.act, request.arguments, request.by)
        except TitrantError as exc:
            return wire.failure(exc)
        except Exception as exc:  # told to the caller; the engine goes on
            log.error("control.act_failed", act=request.act, reason=describe(exc), exc_info=exc)
            return wire.failure(TitrantError(f"{request.act!r} failed inside the engine: {describe(exc)}"))
        return Reply(events=outcome.events, value=outcome.value)


def _same(told: str, path: Path) -> bool:
    try:
        return Path(told).samefile(path)
    except (OSError, ValueError):
        return False


async def _received(incoming: BufferedByteReceiveStream, kind: type[M], limit: int) -> M:
    size = wire.length(await incoming.receive_exactly(wire.HEADER), limit)
    return wire.read(await incoming.receive_exactly(size), kind)


async def _tell(stream: anyio.abc.SocketStream, message: Counter | Answer) -> None:
    """Send a message, as long as the caller takes it in good time."""
    try:
        frame = wire.framed(message, wire.MAX_REPLY)
    except Malformed as exc:
        frame = wire.framed(wire.failure(NoReply(f"it was done, but the answer cannot be sent: {exc}")), wire.MAX_REPLY)
    with anyio.move_on_after(REPLY_S):
        await stream.send(frame)
