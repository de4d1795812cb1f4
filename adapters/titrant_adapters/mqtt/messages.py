"""What a person writes down for a broker, its messages, and a sensor that tells its readings there."""

from __future__ import annotations

from typing import Any

import msgspec

from titrant_adapters.shape import Config, Port, Seconds, Secret, bad
from titrant_adapters.shape.documents import is_pointer


class Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message to be sent; every ``{name}`` in its document is filled in.

    Attributes:
        topic: Where.
        json: The document.
    """

    topic: str
    json: Any = None


class BrokerConfig(Config, frozen=True, kw_only=True):
    """Which broker.

    Attributes:
        host: Its name or address.
        port: Its port.
        username: Who we are there.
        password: What proves it.
        tls: Whether the line is encrypted.
        identifier: A client identifier of our own: the broker then keeps what comes while the line is broken.
        timeout_s: Seconds that connecting, sending or an answer may take.
    """

    host: str
    port: Port = 1883
    username: str | None = None
    password: Secret | None = None
    tls: bool = False
    identifier: str = ""
    timeout_s: Seconds = 5.0


class SensorConfig(BrokerConfig, frozen=True, kw_only=True):
    """Where a sensor tells its readings; see also ``BrokerConfig``.

    Attributes:
        topic: The topic of the readings.
        value: JSON pointer to the number; the whole message where empty.
        ask: What makes it measure; None where it tells by itself.
    """

    topic: str
    value: str = ""
    ask: Message | None = None

    def check(self) -> None:
        """The topic is one, the pointer is one."""
        check_topic("topic", self.topic)
        check_pointer("value", self.value)


def check_topic(field: str, topic: str, *, empty: bool = False) -> None:
    """Hold a topic against what one is.

    Raises:
        ConfigurationError: It stands for many, or is empty and must not be.
    """
    if not (topic or empty) or set(topic) & {"+", "#"}:
        raise bad(field, topic, "write one topic, without + and #")


def check_pointer(field: str, pointer: str) -> None:
    """Hold a text against what a JSON pointer is.

    Raises:
        ConfigurationError: It is none.
    """
    if not is_pointer(pointer):
        raise bad(field, pointer, "write a JSON pointer, such as /values/yield")
