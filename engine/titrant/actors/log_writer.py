"""The log writer: drains its mailbox, commits what is there as one group, then says what became of each request."""

from __future__ import annotations

from titrant.actors.mail import Write
from titrant.errors import ActorStopped
from titrant.log.base import Append, EventLog, Outcome
from titrant.runtime.mailbox import Answer, Mailbox

GROUP = 256
"""Requests committed at once at the most: while one commit syncs, the next group gathers; nobody waits on purpose."""


class LogWriter:
    """The only actor that touches the log's writing side."""

    name = "log writer"

    def __init__(self, log: EventLog, *, capacity: int = 65_536) -> None:
        self.log = log
        self.mailbox: Mailbox[Write] = Mailbox(self.name, capacity)

    async def run(self) -> None:
        """Write until the mailbox is closed.

        Raises:
            LogError: The log can be written no more; whoever supervises stops everything.
        """
        while True:
            try:
                group = [await self.mailbox.receive()]
            except ActorStopped:
                return
            while len(self.mailbox) and len(group) < GROUP:
                group.append(await self.mailbox.receive())
            outcomes = await self.log.commit([write.request for write in group])
            for write, outcome in zip(group, outcomes, strict=True):
                await write.done(outcome)

    async def append(self, request: Append) -> Outcome:
        """Append from any task of the same loop, and wait until it is durable."""
        answer: Answer[Outcome] = Answer()

        async def done(outcome: Outcome) -> None:
            answer.give(outcome)

        await self.mailbox.send(Write(request=request, done=done))
        return await answer.wait()
