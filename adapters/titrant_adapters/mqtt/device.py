"""The device at the other end: whether it is there, what it says of a run, and what it answers when it is asked."""

from __future__ import annotations

import math
from typing import Any

import anyio

from titrant.errors import NeverSeen, OutcomeUnknown, SubmissionRefused
from titrant_adapters.mqtt.broker import Broker
from titrant_adapters.mqtt.config import MqttConfig
from titrant_adapters.mqtt.heard import Heard, text
from titrant_adapters.mqtt.messages import Message
from titrant_adapters.shape import Start
from titrant_adapters.shape.documents import fill, holes

AGAIN_S = 0.1
"""How long to wait before a line that broke is tried again."""


class Device:
    """A device that bears no connection of its own: what it says is told apart by names; see ``MqttConfig``."""

    def __init__(self, config: MqttConfig) -> None:
        self._config = config
        self.heard = Heard(config)
        self.broker = Broker(config, [*filter(None, (config.result, config.reply, config.presence))], self.heard)

    async def there(self, start: Start) -> None:
        """Make sure that it is there, before anything is sent to it.

        Raises:
            SubmissionRefused: It is not.
        """
        config = self._config
        with start.within(config.timeout_s, f"a sign of life on {config.presence}"):
            await self.broker.catch_up(start)
            presence = await self.broker.until(lambda: self.heard.presence, start)
        if presence != config.online:
            raise SubmissionRefused(
                f"the device is {presence}, says {config.presence}: see that it is on and connected"
            )

    async def send(self, message: Message, start: Start, **values: Any) -> None:
        """Send a message, filled in."""
        await self.broker.publish(message.topic, fill(message.json, values), start, self._config.qos)

    async def result(self, key: str, start: Start, *, ask: bool) -> Any:
        """Await the result of a run, and ask for it after a silence, or at once; whoever calls bounds the wait.

        Raises:
            SubmissionRefused: It was not taken.
            NeverSeen: Asked at once, it knows no such run.
        """
        config = self._config

        def told() -> Any:
            if why := text(self.heard.said(config.reply, key), config.refusal):
                raise SubmissionRefused(f"the device says {why}")
            return self.heard.said(config.result, key)

        while True:
            found = None
            if not ask:
                with anyio.move_on_after(config.poll_s if config.status else math.inf):
                    found = await self._until(told, start)
            if found is None and config.status is not None:
                found = await self._asked(key, start, config.status, absent_is_news=ask)
            if found is not None:
                return found
            ask = False

    async def stop(self, key: str, start: Start, message: Message) -> None:
        """Tell it to end a run; where the message has a question, await the reply.

        Raises:
            SubmissionRefused: It says that it does not.
            OutcomeUnknown: It did not answer in time.
        """
        if "question" not in holes(message.json):
            await self.send(message, start, key=key)
            return
        with (
            self.heard.question(key) as (question, answer),
            start.within(self._config.timeout_s, "the answer to the stop"),
        ):
            await self.send(message, start, key=key, question=question)
            said = await self._until(answer, start)
        if why := text(said, self._config.refusal):
            raise SubmissionRefused(f"the device says {why}")

    async def _asked(self, key: str, start: Start, status: Message, *, absent_is_news: bool) -> Any:
        """What it answers for a key; None where that is no result yet, or nothing came."""
        config, answer = self._config, None
        with self.heard.question(key) as (question, answered):
            try:
                with anyio.move_on_after(config.timeout_s):
                    await self.send(status, start, key=key, question=question)
                    answer = await self._until(answered, start)
            except OutcomeUnknown:
                await anyio.sleep(AGAIN_S)
        state = text(answer, config.state)
        if state in config.absent and absent_is_news:
            raise NeverSeen(f"the device knows no run {key}: it says {state}")
        # A command may still be on its way to a device that knows nothing of it.
        return None if state in config.running + config.absent or not state else answer

    async def _until(self, found: Any, start: Start) -> Any:
        """Wait for something to be said, over as many connections as it takes."""
        while True:
            try:
                return await self.broker.until(found, start)
            except OutcomeUnknown:
                await anyio.sleep(AGAIN_S)
