"""Acting on the experiment of a log: through the engine that runs it, or on the log itself where nobody holds it."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from titrant import mint
from titrant.control import address as places
from titrant.control import wire
from titrant.control.outcome import Outcome
from titrant.control.wire import Counter, Failure, Greeting, Malformed, Proof, Reply, Request
from titrant.errors import ConfigurationError, EngineUnreachable, LogInUse, NoReply
from titrant.messages.commands import By

PATIENCE_S = 180.0
"""How long an act may take: more than a suggestion's deadline."""

HEARD_S = 5.0
"""How long an engine has to show that it is there."""

SETTLE_S = 3.0
"""How long a log may be held by a process that cannot be asked: one that is just opening or closing it."""

M = TypeVar("M")


def call(
    log_path: str | Path, act: str, arguments: Mapping[str, Any], by: By, *, timeout_s: float = PATIENCE_S
) -> Outcome:
    """Have the engine that works on a log do something; blocks until it is done and durable.

    Args:
        log_path: The log.
        act: What, by its name in ``acts.ACTS``.
        arguments: Its arguments.
        by: Who, in which role and why.
        timeout_s: Seconds it may take.

    Raises:
        EngineUnreachable: No engine of that log takes requests here; nothing was asked of it.
        NoReply: It did not answer, or not in time: the act may have been done, so look at the log.
        TitrantError: Whatever the act raised in the engine.
    """
    path = os.path.realpath(log_path)
    request = Request(log=path, act=act, arguments=wire.sendable(arguments), by=by)
    try:
        framed = wire.framed(request, wire.MAX_REQUEST)
    except (Malformed, TypeError) as exc:
        raise ConfigurationError(f"the arguments of {act!r} cannot be sent: {exc}") from exc
    address, token = places.find(Path(path))
    try:
        connection = places.connect(address)
    except OSError as exc:
        raise EngineUnreachable(f"{address}, which worked on {path}, takes no requests: {exc}") from exc
    with connection:
        try:
            proof = _greeted(_Line(connection, HEARD_S), token)
        except (OSError, EOFError, Malformed) as exc:
            raise EngineUnreachable(f"{address}, which worked on {path}, does not answer: {exc}") from exc
        try:
            answer = _asked(_Line(connection, timeout_s), proof + framed)
        except TimeoutError as exc:
            told = f"{address} has not answered {act!r} within {timeout_s:g} s: look at the log whether it was done"
            raise NoReply(told) from exc
        except (OSError, EOFError, Malformed) as exc:
            told = f"{address} ended before it answered {act!r} ({exc}): look at the log whether it was done"
            raise NoReply(told) from exc
    if isinstance(answer, Failure):
        raise wire.error_of(answer)
    return Outcome(events=answer.events, value=answer.value)


def act_on(
    log_path: str | Path, act: str, arguments: Mapping[str, Any], by: By, *, timeout_s: float = PATIENCE_S
) -> Outcome:
    """Do something to the experiment of a log, whoever runs it; blocks until it is done and durable.

    The engine that works on the log is asked.  Where there is none, this process opens the log, acts and closes it.

    Args:
        log_path: The log.
        act: What, by its name in ``acts.ACTS``.
        arguments: Its arguments.
        by: Who, in which role and why.
        timeout_s: Seconds it may take.

    Raises:
        LogMissing: There is no such log.
        LogInUse: A process holds the log and takes no requests.
        NoReply: The engine did not answer, or not in time: the act may have been done, so look at the log.
        TitrantError: Whatever the act raises.
    """
    try:
        return call(log_path, act, arguments, by, timeout_s=timeout_s)
    except EngineUnreachable:
        pass
    import anyio.from_thread  # noqa: PLC0415  # an engine that can be asked answers without a loop here

    with anyio.from_thread.start_blocking_portal() as portal:  # in a thread: this one may be running a loop
        return portal.call(partial(act_on_async, log_path, act, arguments, by, timeout_s=timeout_s))


async def act_on_async(
    log_path: str | Path, act: str, arguments: Mapping[str, Any], by: By, *, timeout_s: float = PATIENCE_S
) -> Outcome:
    """Do something to the experiment of a log, whoever runs it; see ``act_on``."""
    import anyio  # noqa: PLC0415

    from titrant.control.alone import act_alone  # noqa: PLC0415  # loads the engine
    from titrant.runtime.threads import run_in_thread  # noqa: PLC0415

    wait, since = 0.02, anyio.current_time()
    while True:
        try:
            return await run_in_thread(partial(call, log_path, act, arguments, by, timeout_s=timeout_s))
        except EngineUnreachable as exc:
            unreachable = exc
        try:
            with anyio.move_on_after(timeout_s):
                return await act_alone(Path(log_path), act, arguments, by)
            raise NoReply(f"{act!r} has not ended within {timeout_s:g} s: look at the log whether it was done")
        except LogInUse as exc:
            if anyio.current_time() - since > SETTLE_S:
                exc.add_note(str(unreachable))
                raise
        await anyio.sleep(wait)
        wait = min(2 * wait, 0.5)


class _Line:
    """A connection with a deadline for all that is said on it."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection = connection
        self._end = time.monotonic() + seconds

    def send(self, data: bytes) -> None:
        self._wait()
        self._connection.sendall(data)

    def receive(self, kind: type[M], limit: int) -> M:
        """The next message; EOFError where the connection ends."""
        size = wire.length(self._exactly(wire.HEADER), limit)
        return wire.read(self._exactly(size), kind)

    def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            self._wait()
            part = self._connection.recv(min(size - len(data), 1 << 20))
            if not part:
                raise EOFError("the connection was closed")
            data += part
        return bytes(data)

    def _wait(self) -> None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("no answer in time")
        self._connection.settimeout(left)


def _greeted(line: _Line, token: str) -> bytes:
    """Have the engine prove that it is the one; returns the proof that it wants in turn."""
    nonce = mint.token()
    line.send(wire.framed(Greeting(version=wire.VERSION, nonce=nonce), wire.MAX_GREETING))
    answer: Counter | Failure = line.receive(Counter | Failure, wire.MAX_REPLY)  # type: ignore[arg-type]  # a union
    if isinstance(answer, Failure):
        raise Malformed(answer.message)
    if not wire.proves(answer.proof, token, "engine", nonce, answer.nonce):
        raise Malformed("it does not know the token, so it is another program")
    proof = wire.prove(token, "caller", nonce, answer.nonce)
    return wire.framed(Proof(proof=proof), wire.MAX_GREETING)


def _asked(line: _Line, framed: bytes) -> Reply | Failure:
    line.send(framed)
    answer: Reply | Failure = line.receive(Reply | Failure, wire.MAX_REPLY)  # type: ignore[arg-type]  # a union
    return answer
