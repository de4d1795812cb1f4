"""What a device at a broker says: of itself, of runs, and in answer to questions."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from titrant_adapters.mqtt.config import MqttConfig
from titrant_adapters.shape.documents import NoSuchValueError, at


class Heard:
    """What was said and is awaited, told apart by names; called with each message.

    Attributes:
        presence: What the device says of itself; None as long as it says nothing.
    """

    def __init__(self, config: MqttConfig) -> None:
        self._config = config
        self.presence = None if config.presence else config.online
        self._awaited: dict[tuple[str, str], Any] = {}
        self._questions = itertools.count(1)

    def said(self, topic: str, name: str) -> Any:
        """What was said on a topic of a run or a question that is awaited; None as long as nothing was."""
        return self._awaited[topic, name]

    @contextmanager
    def listening(self, key: str) -> Iterator[None]:
        """Keep what is said of a run."""
        names = (self._config.result, key), (self._config.reply, key)
        self._awaited |= dict.fromkeys(names)
        try:
            yield
        finally:
            for name in names:
                self._awaited.pop(name, None)

    @contextmanager
    def question(self, key: str) -> Iterator[tuple[str, Any]]:
        """A name for a question, and what gives the answer to it once there is one."""
        question = f"{key}?{next(self._questions)}"
        name = (self._config.reply, question)
        self._awaited[name] = None
        try:
            yield question, lambda: self._awaited[name]
        finally:
            self._awaited.pop(name)

    def __call__(self, topic: str, said: bytes) -> None:
        """Take down what was said on a topic, if anybody awaits it."""
        config = self._config
        if topic == config.presence:
            self.presence = said.decode(errors="replace")
            return
        try:
            document = msgspec.json.decode(said)
        except msgspec.DecodeError:
            return  # half a message
        for where, pointer in ((config.result, config.key), (config.reply, config.reply_to)):
            name = (where, text(document, pointer))
            if where == topic and name in self._awaited:  # heard twice it says the same
                self._awaited[name] = document


def text(document: Any, pointer: str) -> str:
    """What stands at a pointer, as a text; empty where nothing does."""
    try:
        found = at(document, pointer)
    except NoSuchValueError:
        return ""
    return "" if found is None else str(found)
