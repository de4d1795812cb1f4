"""What a person writes down for a device at an MQTT broker."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from titrant_adapters.mqtt.messages import BrokerConfig, Message, check_pointer, check_topic
from titrant_adapters.shape import Seconds, Setting, bad
from titrant_adapters.shape.documents import holes


class MqttConfig(BrokerConfig, frozen=True, kw_only=True):
    """Which messages do what; see also ``BrokerConfig``.

    Attributes:
        command: Starts a run; its document has holes for ``{key}``, ``{trial}`` and the parameters.
        settings: Parameter to setting; ``read_back`` is a pointer to what the result says was carried out.
        otherwise: What to do where that differs: ``"fail"`` or ``"record"``.
        ignored: Parameters that are not this device's.
        result: The topic of results.
        key: Pointer to the run's key in a result.
        measure: Metric to pointer into the result.
        reason: Pointer to why a run failed; a text there means that it did.
        reply: The topic of the device's replies, if it has one.
        reply_to: Pointer to the key or the question in a reply.
        refusal: Pointer to why a command was not taken.
        status: Asks with ``{question}`` what became of ``{key}``; the reply is a result, or says that there is none.
        state: Pointer to the state in a result.
        running: States of a run that goes on.
        done: States of one that is done; all others are failures.
        absent: States that mean the device knows no such run.
        absence_is_proof: What it does not know was certainly not started: it takes commands and questions in order.
        presence: The topic on which it says that it is there, retained, and offline by its last will.
        online: What it says then.
        safe: Messages that bring it into its safe state.
        stop: Ends the run ``{key}``; with ``{question}`` in it, the device's reply is awaited.
        stop_timeout_s: Seconds after which a run that was stopped must be over.
        places: Runs at once.
        qos: Quality of service of what is sent.
        run_timeout_s: Seconds a run may take.
        poll_s: Seconds of silence after which it is asked.
    """

    command: Message
    settings: dict[str, Setting] = msgspec.field(default_factory=dict)
    otherwise: Literal["fail", "record"] = "fail"
    ignored: tuple[str, ...] = ()
    result: str
    key: str = "/id"
    measure: dict[str, str]
    reason: str = "/error"
    reply: str = ""
    reply_to: str = "/id"
    refusal: str = "/error"
    status: Message | None = None
    state: str = "/state"
    running: tuple[str, ...] = ("queued", "running")
    done: tuple[str, ...] = ("done", "completed")
    absent: tuple[str, ...] = ("none", "unknown")
    absence_is_proof: bool = False
    presence: str = ""
    online: str = "online"
    safe: tuple[Message, ...] = ()
    stop: Message | None = None
    stop_timeout_s: Seconds = 30.0
    places: Annotated[int, Meta(ge=1, description="1 or more")] = 1
    qos: Literal[0, 1, 2] = 1
    run_timeout_s: Seconds = 3600.0
    poll_s: Seconds = 5.0

    def check(self) -> None:
        """Results can be told apart, questions can be answered, and every parameter is sent."""
        if not self.measure:
            raise bad("measure", self.measure, 'name a pointer for each metric: { yield = "/yield" }')
        for name, topic in {"result": self.result, "reply": self.reply, "presence": self.presence}.items():
            check_topic(name, topic, empty=name != "result")
        pointers = {"key": self.key, "reason": self.reason, "state": self.state, "refusal": self.refusal}
        for name, pointer in (pointers | {f"measure.{name}": one for name, one in self.measure.items()}).items():
            check_pointer(name, pointer)
        sent = {*holes(self.command.json)}
        if "key" not in sent:
            raise bad("command", self.command.json, 'write "{key}" where the device takes a name for the run')
        if lost := [name for name in self.settings if name not in sent]:
            raise bad("command", self.command.json, f'write "{{{lost[0]}}}" where it belongs')
        if unknown := sorted(sent - {"key", "trial", *self.settings}):
            raise bad("command", self.command.json, f"{{{unknown[0]}}} is no setting: add it, or remove it")
        if self.status is not None and not (self.reply and {*holes(self.status.json)} == {"key", "question"}):
            raise bad("status", self.status.json, 'write "{key}" and "{question}" in it, and the topic of the `reply`')
        if self.stop is not None:
            self._check_stop({*holes(self.stop.json)})

    def _check_stop(self, holes_in_it: set[str]) -> None:
        assert self.stop is not None
        if "key" not in holes_in_it or holes_in_it - {"key", "question"}:
            raise bad("stop", self.stop.json, 'write "{key}", which says which run it ends; besides, only "{question}"')
        if "question" in holes_in_it and not self.reply:
            raise bad("stop", self.stop.json, 'an answer to "{question}" needs the topic of the `reply`')
