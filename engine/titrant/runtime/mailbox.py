"""Mailboxes: typed, bounded queues that are an actor's only way in.

Messages between actors are delivered at most once, in order per sender; what must survive is an event, not a message.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

import anyio

from titrant.errors import ActorStopped, DeadlineExceeded, MailboxFull

M = TypeVar("M")
T = TypeVar("T")


class Answer(Generic[T]):
    """A place for one answer, carried inside a question."""

    __slots__ = ("_error", "_ready", "_value")

    def __init__(self) -> None:
        self._ready = anyio.Event()
        self._value: T | None = None
        self._error: BaseException | None = None

    def give(self, value: T) -> None:
        """Answer; a second answer is ignored."""
        if not self._ready.is_set():
            self._value = value
            self._ready.set()

    def fail(self, error: BaseException) -> None:
        """Answer with an error, raised where the question was asked."""
        if not self._ready.is_set():
            self._error = error
            self._ready.set()

    async def wait(self, deadline_s: float | None = None, what: str = "an answer") -> T:
        """The answer.

        Raises:
            DeadlineExceeded: It did not come within *deadline_s* seconds.
        """
        if deadline_s is None:
            await self._ready.wait()
        elif not self._ready.is_set():
            with anyio.move_on_after(deadline_s):
                await self._ready.wait()
        if not self._ready.is_set():
            raise DeadlineExceeded(f"{what} did not come within {deadline_s:g} s")
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # set together with _ready


class Mailbox(Generic[M]):
    """A bounded queue with one reader.

    Attributes:
        name: Whose it is, for messages.
        capacity: Messages it holds at most.
        dead_letters: Messages that found no room or no reader.
    """

    def __init__(self, name: str, capacity: int = 1024) -> None:
        self.name = name
        self.capacity = capacity
        self.dead_letters = 0
        self._queue: deque[M] = deque()
        self._arrived = anyio.Event()
        self._room = anyio.Event()
        self._closed: BaseException | None = None

    def __len__(self) -> int:
        return len(self._queue)

    def tell(self, message: M) -> None:
        """Put *message* in, now.

        Raises:
            MailboxFull: There is no room; the message is a dead letter.
            ActorStopped: Nobody will read it; the message is a dead letter.
        """
        if self._closed is not None:
            self.dead_letters += 1
            raise ActorStopped(f"{self.name} has stopped: {self._closed}") from self._closed
        if len(self._queue) >= self.capacity:
            self.dead_letters += 1
            raise MailboxFull(f"the mailbox of {self.name} is full ({self.capacity} messages)")
        self._queue.append(message)
        if not self._arrived.is_set():
            self._arrived.set()

    async def send(self, message: M) -> None:
        """Put *message* in, waiting for room.

        Raises:
            ActorStopped: Nobody will read it.
        """
        while self._closed is None and len(self._queue) >= self.capacity:
            if self._room.is_set():  # several may wait for the same one
                self._room = anyio.Event()
            await self._room.wait()
        self.tell(message)

    async def receive(self) -> M:
        """The next message, in order of arrival.

        Raises:
            ActorStopped: The mailbox is closed and empty.
        """
        while not self._queue:
            if self._closed is not None:
                raise ActorStopped(f"{self.name} has stopped: {self._closed}") from self._closed
            self._arrived = anyio.Event()
            await self._arrived.wait()
        message = self._queue.popleft()
        if not self._room.is_set():
            self._room.set()
        return message

    def drain(self) -> list[M]:
        """All messages that are there now."""
        messages = list(self._queue)
        self._queue.clear()
        if not self._room.is_set():
            self._room.set()
        return messages

    def close(self, why: BaseException | None = None) -> list[M]:
        """Refuse messages from now on; returns those nobody will read, counted as dead letters."""
        if self._closed is None:
            self._closed = why or ActorStopped("closed")
        left = self.drain()
        self.dead_letters += len(left)
        self._arrived.set()
        self._room.set()
        return left
