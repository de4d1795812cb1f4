"""A TCP line of frames that end with a terminator."""

from __future__ import annotations

import socket

import anyio

MAX_FRAME = 1 << 20
"""Bytes after which a frame without an end is no frame."""


class TcpLine:
    """A socket of our own: only so is it certain what has arrived and was not asked for.

    Make it with ``open``.
    """

    def __init__(self, sock: socket.socket, terminator: bytes) -> None:
        self._sock = sock
        self._terminator = terminator
        self._rest = b""

    @classmethod
    async def open(cls, host: str, port: int, terminator: bytes = b"\n") -> TcpLine:
        """Connect; the caller bounds the wait.

        Raises:
            OSError: Nobody listens there, or the host has no address.
        """
        found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        failure: OSError = OSError(f"{host} has no address")
        for family, kind, protocol, _, address in found:
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(0)  # never blocks
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                await _connected(sock, address)
            except OSError as exc:
                sock.close()
                failure = exc
            except BaseException:
                sock.close()
                raise
            else:
                return cls(sock, terminator)
        raise failure

    async def send(self, frame: bytes) -> None:
        """Send a frame; the terminator is added.

        Raises:
            OSError: The connection is broken.
        """
        left = memoryview(frame + self._terminator)
        while left:
            try:
                left = left[self._sock.send(left) :]
            except BlockingIOError:
                await anyio.wait_writable(self._sock)

    async def receive(self) -> bytes:
        """The next frame, without its terminator.

        Raises:
            OSError: The connection is broken.
            EOFError: The other side closed it.
        """
        while self._terminator not in self._rest:
            if len(self._rest) > MAX_FRAME:
                raise OSError(f"{len(self._rest)} bytes came and no end of a frame")
            try:
                more = self._sock.recv(65_536)
            except BlockingIOError:
                await anyio.wait_readable(self._sock)
                continue
            if not more:
                raise EOFError("the other side closed the connection")
            self._rest += more
        frame, _, self._rest = self._rest.partition(self._terminator)
        return frame

    async def ask(self, frame: bytes) -> bytes:
        """Send a frame, and give the one that answers it."""
        await self.send(frame)
        return await self.receive()

    def stale(self) -> bool:
        """Whether bytes came that nobody asked for, or the other side has closed."""
        if self._rest:
            return True
        try:
            self._sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True  # bytes, or the end of the stream

    async def aclose(self) -> None:
        """Close the socket."""
        if self._sock.fileno() >= 0:
            anyio.notify_closing(self._sock)
            self._sock.close()


async def _connected(sock: socket.socket, address: tuple[object, ...]) -> None:
    try:
        sock.connect(address)
    except BlockingIOError:
        await anyio.wait_writable(sock)
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, f"{address[0]}:{address[1]} does not take connections") from None
