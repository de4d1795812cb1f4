"""A service that gives canned answers over HTTP, byte by byte, and remembers what it was asked."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager

import anyio
from anyio.abc import SocketAttribute
from anyio.streams.tls import TLSListener


class Canned:
    """*answers* has, for ``"POST /runs"``, a status with a document, or a list of them: one for each time it is asked.

    A document may be bytes, which are sent as they are; None leaves the line open, without a word.
    """

    def __init__(self, answers):
        self.answers = answers
        self.asked = []

    @property
    def lines(self):
        """What was asked, without headers and documents."""
        return [head for head, _, _ in self.asked]

    def reply(self, head):
        found = self.answers.get(head, (404, {"error": "no such path"}))
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        if found is None or isinstance(found, bytes):
            return found
        status, document = found
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        head = f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\ncontent-type: application/json\r\n\r\n"
        return head.encode() + body

    async def serve(self, line):
        async with line:
            try:
                head, headers, body = await received(line)
                self.asked.append((head, headers, body))
                answer = self.reply(head)
                if answer is None:
                    await anyio.sleep_forever()
                await line.send(answer)
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                pass


async def received(line):
    """One request: its first line without the version, its headers, its document."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += await line.receive()
    top, _, body = data.partition(b"\r\n\r\n")
    first, *rest = top.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in rest)}
    while len(body) < int(headers.get("content-length", 0)):
        body += await line.receive()
    return first.rpartition(" ")[0], headers, json.loads(body) if body else None


@asynccontextmanager
async def canned(answers, tls=None):
    """Serve on the loopback, with *tls* as an SSL context over HTTPS; gives the service, which has its ``url``."""
    service = Canned(answers)
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        service.url = f"http{'s' if tls else ''}://127.0.0.1:{listener.extra(SocketAttribute.local_port)}"
        tasks.start_soon(
            TLSListener(listener, tls, standard_compatible=False).serve if tls else listener.serve, service.serve
        )
        yield service
        tasks.cancel_scope.cancel()
