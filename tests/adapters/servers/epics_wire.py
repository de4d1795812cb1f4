"""Faulty lines to the EPICS servers: clients search first, and have to be told of the line in place of the server.

Channel Access searches over UDP: ``Search`` hands searches on and names another port in the answers.  PV Access can
search over TCP: ``PvaWire`` does the same to the answers that pass through it.
"""

import selectors
import socket
import struct
import threading

from tests.adapters.servers.process import LOOPBACK
from tests.adapters.servers.wire import FaultyWire

SEARCH, WRITE_NOTIFY = 6, 19
HEADER = struct.Struct(">HHHHII")
PVA_SEARCH_RESPONSE, PVA_PUT = 0x04, 0x0B
PVA_PORT = slice(8 + 12 + 4 + 16, 8 + 12 + 4 + 16 + 2)


def messages(chunk):
    """Where each Channel Access message begins, its command, and what it carries."""
    at = 0
    while at + HEADER.size <= len(chunk):
        command, size, *_ = HEADER.unpack_from(chunk, at)
        yield at, command, chunk[at + HEADER.size : at + HEADER.size + size]
        at += HEADER.size + size


def starts_over_ca(chunk):
    """Whether a put of the number 1 is among the messages: nothing but a run is started by one."""
    return (WRITE_NOTIFY, struct.pack(">d", 1.0)) in [message[1:] for message in messages(chunk)]


def starts_over_pva(chunk):
    """Whether it is a put (not the preparation of one) of the number 1."""
    return chunk[:1] == b"\xca" and chunk[3] == PVA_PUT and struct.pack("<d", 1.0) in chunk


class Search:
    """A thread that hands searches on to ``server`` (a UDP port) and puts ``tcp_port``, if any, into the answers.

    Nobody waits for an answer, as none comes where the server has no such variable.
    """

    def __init__(self):
        self.server, self.tcp_port = None, None
        self._near = socket.socket(type=socket.SOCK_DGRAM)
        self._near.bind((LOOPBACK, 0))
        self.port = self._near.getsockname()[1]
        self._far = {}
        self._thread = threading.Thread(target=self._hand_on, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._near.sendto(b"", (LOOPBACK, self.port))
        self._thread.join()
        for line in self._near, *self._far.values():
            line.close()

    def _hand_on(self):
        with selectors.DefaultSelector() as heard:
            heard.register(self._near, selectors.EVENT_READ)
            while True:
                for key, _ in heard.select():
                    if key.fileobj is not self._near:
                        self._answer(key.fileobj, client=key.data)
                        continue
                    asked, client = self._near.recvfrom(65536)
                    if not asked:
                        return
                    if client not in self._far:
                        self._far[client] = socket.socket(type=socket.SOCK_DGRAM)
                        heard.register(self._far[client], selectors.EVENT_READ, client)
                    if self.server is not None:
                        self._far[client].sendto(asked, (LOOPBACK, self.server))

    def _answer(self, far, client):
        try:
            answer = bytearray(far.recv(65536))
        except OSError:  # nobody is there
            return
        for at, command, _ in messages(answer):
            if command == SEARCH and self.tcp_port is not None:
                struct.pack_into(">H", answer, at + 4, self.tcp_port)
        self._near.sendto(answer, client)


class PvaWire(FaultyWire):
    """A line that is told of in place of the server behind it."""

    def reply(self, chunk):
        """What the server says, with this line's port in answers to searches."""
        told = bytearray(chunk)
        if told[:1] == b"\xca" and told[3] == PVA_SEARCH_RESPONSE and len(told) >= PVA_PORT.stop:
            told[PVA_PORT] = struct.pack(">H" if told[2] & 0x80 else "<H", self.port)
        return bytes(told)
