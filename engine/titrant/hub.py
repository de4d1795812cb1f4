"""The hub: hands durable events to subscribers, none of which can slow the writer or each other."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager

from titrant.errors import ActorError, ActorStopped, MailboxFull
from titrant.log.base import Record
from titrant.rules.state import State
from titrant.runtime.mailbox import Mailbox

Published = tuple[Record, State]
"""An event and the state after the decision it was part of."""


class Hub:
    """Publishes to bounded mailboxes; a subscriber that falls behind is cut off and told where to go on reading."""

    def __init__(self) -> None:
        self._boxes: list[Mailbox[Published]] = []
        self._collected: dict[str, list[Record]] = {}

    def publish(self, record: Record, state: State) -> None:
        """Hand an event that is durable to everyone who listens."""
        if record.correlation is not None and record.correlation in self._collected:
            self._collected[record.correlation].append(record)
        for box in list(self._boxes):
            try:
                box.tell((record, state))
            except MailboxFull:
                self._boxes.remove(box)
                why = f"this subscriber fell behind at event {record.seq}: read the log from there, or subscribe anew"
                box.close(ActorError(why))

    def close(self, why: BaseException) -> None:
        """There will be no more events."""
        for box in self._boxes:
            box.close(why)
        self._boxes.clear()

    @contextmanager
    def collecting(self, correlation: str) -> Iterator[list[Record]]:
        """A list that grows by every event of the call that *correlation* names, as they become durable."""
        found = self._collected[correlation] = []
        try:
            yield found
        finally:
            del self._collected[correlation]

    async def listen(self, capacity: int = 65_536) -> AsyncGenerator[Published, None]:
        """Yield events as they become durable, until the engine ends.

        Raises:
            ActorError: This subscriber fell behind.
        """
        box: Mailbox[Published] = Mailbox("subscriber", capacity)
        self._boxes.append(box)
        try:
            while True:
                try:
                    yield await box.receive()
                except ActorStopped as exc:
                    if isinstance(exc.__cause__, ActorError) and not isinstance(exc.__cause__, ActorStopped):
                        raise exc.__cause__ from None
                    return
        finally:
            if box in self._boxes:
                self._boxes.remove(box)
