"""A place at an MQTT broker.  Nobody listens in the background: whoever waits takes in what comes, for all."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Collection
from typing import Any, TypeVar

import anyio
import msgspec

from titrant.errors import ConfigurationError, RunnerError
from titrant_adapters.mqtt.messages import BrokerConfig
from titrant_adapters.shape import Errors, Shared, Start, library

T = TypeVar("T")

QOS = 1
KEEP_ALIVE_S = 10
NO_DELAY = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)
"""Or an acknowledgement would keep the next message back for 40 ms."""
ERRORS = Errors({"aiomqtt.MqttError": "unknown"})

Hear = Callable[[str, bytes], None]
"""Takes a message in: its topic and what it says."""


class Broker:
    """A connection to a broker, made again when it broke.

    Args:
        config: Which.
        topics: What is listened to.
        hear: Called with each message, while somebody waits.
        retained: Whether what was said before we came is of interest.
    """

    def __init__(self, config: BrokerConfig, topics: Collection[str], hear: Hear, *, retained: bool = True) -> None:
        self._config, self._topics, self._hear, self._retained = config, topics, hear, retained
        self.name = f"the MQTT broker at {config.host}:{config.port}"
        self._connection: Shared[Any] = Shared(
            self._dial, _close, errors=ERRORS, deadline_s=config.timeout_s, name=self.name
        )
        self._taking, self._news = False, anyio.Event()

    async def connect(self) -> None:
        """Connect for the first time.

        Raises:
            ConfigurationError: The broker does not want us.
        """
        mqtt = library("aiomqtt", "mqtt")
        try:
            await self._connection.ready()
        except RunnerError as exc:
            if isinstance(exc.__cause__, mqtt.exceptions.MqttConnectError):
                raise ConfigurationError(
                    f"{self.name} refuses: {exc.__cause__}; look at username and password"
                ) from exc
            raise

    async def aclose(self) -> None:
        """Leave the broker."""
        await self._connection.aclose()

    async def publish(self, topic: str, document: Any, start: Start, qos: int = QOS) -> None:
        """Send a document.

        Raises:
            OutcomeUnknown: It may have arrived, after the start was sent.
            SubmissionRefused: Before that.
        """
        client = await self._connection.ready(start)
        try:
            what = f"sending to {topic}"
            with ERRORS.translated(start, what), start.within(self._config.timeout_s, what):
                await client.publish(topic, msgspec.json.encode(document), qos=qos)
        except BaseException:
            await self._connection.drop(client)
            raise

    async def until(self, found: Callable[[], T | None], start: Start) -> T:
        """Take messages in until *found* gives something; whoever calls bounds the wait.

        Raises:
            OutcomeUnknown: The line broke, after the start was sent; before that it is a SubmissionRefused.
        """
        while (value := found()) is None:
            if self._taking:
                await self._news.wait()
                continue
            self._taking = True
            try:
                await self._take(await self._connection.ready(start), start)
            finally:  # the next who waits takes over
                self._taking = False
                self._news.set()
                self._news = anyio.Event()
        return value

    async def catch_up(self, start: Start) -> None:
        """Take in what has come while nobody waited."""
        client = await self._connection.ready(start)
        while not self._taking and len(client.messages):
            await self._take(client, start)

    async def _take(self, client: Any, start: Start) -> None:
        try:
            with ERRORS.translated(start, "listening"):
                message = await anext(client.messages)
        except RunnerError:
            await self._connection.drop(client)
            raise
        if self._retained or not message.retain:
            self._hear(str(message.topic), bytes(message.payload or b""))

    async def _dial(self) -> Any:
        config = self._config
        # The library connects in a thread that nobody can stop: first see that there is somebody.
        await (await anyio.connect_tcp(config.host, config.port)).aclose()
        client = library("aiomqtt", "mqtt").Client(
            config.host,
            config.port,
            username=config.username,
            password=config.password.reveal() if config.password else None,
            identifier=config.identifier or None,
            clean_session=not config.identifier,
            tls_context=ssl.create_default_context() if config.tls else None,
            timeout=config.timeout_s,
            keepalive=KEEP_ALIVE_S,
            socket_options=NO_DELAY,
        )
        await client.__aenter__()
        try:
            await client.subscribe([(topic, QOS) for topic in self._topics])
        except BaseException:
            await _close(client)
            raise
        return client


async def _close(client: Any) -> None:
    await client.__aexit__(None, None, None)
