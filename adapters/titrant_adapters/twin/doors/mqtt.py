"""The lab twin as a device at an MQTT broker, with a last will.

==================  ========================================================================================
``<prefix>/cmd``    to the device: ``{"id": ..., "do": "start", "key": ..., "parameters": {...}}``; ``do`` may also be
                    identify, set (``name``, ``value``), read (``name``), status (``key``) or stop (one run by its
                    ``key``, or all)
``<prefix>/data``   its reply, with the same ``id``, and ``error`` where it did not do it
``<prefix>/result`` what became of a run, told when it is over
``<prefix>/status`` online or offline, retained; the broker says offline when the device is lost
==================  ========================================================================================
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import anyio
import msgspec
from anyio.abc import TaskGroup

from titrant.errors import ConfigurationError
from titrant_adapters.twin.answers import Refused, Unknown
from titrant_adapters.twin.doors.base import LOOPBACK, Door, need
from titrant_adapters.twin.doors.mqtt_orders import EXCHANGES, Order, carry_out
from titrant_adapters.twin.doors.wire import Wire
from titrant_adapters.twin.faults import Exchange
from titrant_adapters.twin.lab import LabTwin
from titrant_adapters.twin.runs import Run

if TYPE_CHECKING:
    from aiomqtt import Client

QOS = 1
NO_DELAY = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)
"""Or an acknowledgement would keep the next message back for 40 ms."""
KEEP_ALIVE_S = 5
AGAIN_S = 0.05
"""How long the device waits before it connects again, in real seconds."""
HEARD_S = 1.0
"""How long it waits for the broker: on a line that was cut, no message is ever taken."""


class MqttDoor(Door):
    """A client of a broker that others run; faults meet its messages, since the broker passes on only whole ones.

    Args:
        lab: The lab behind it.
        wire: The device's own line to the broker, which a crash cuts.
        tasks: Where what goes on is seen through.
        broker_port: Where the broker is reached, on this machine.
        prefix: The first part of all topics.
    """

    protocol = "mqtt"

    def __init__(
        self, lab: LabTwin, wire: Wire, tasks: TaskGroup, broker_port: int = 1883, prefix: str = "titrant/twin"
    ) -> None:
        super().__init__(lab, wire, tasks)
        self._broker_port, self.prefix = broker_port, prefix
        self._client: Client | None = None

    @property
    def address(self) -> str:
        """The broker and the topics."""
        return f"mqtt://{LOOPBACK}:{self._broker_port}/{self.prefix}"

    def how_to(self) -> str:
        """Commands to be typed."""
        where = f"-h {LOOPBACK} -p {self._broker_port}"
        order = msgspec.json.encode({"id": "1", "do": "start", "key": "k1"}).decode()
        return (
            f"mosquitto_sub {where} -t '{self.prefix}/#' -v    mosquitto_pub {where} -t {self.prefix}/cmd -m '{order}'"
        )

    @asynccontextmanager
    async def behind(self) -> AsyncIterator[int]:
        """Be there; the port is the broker's."""
        need("aiomqtt")
        try:
            await (await anyio.connect_tcp(LOOPBACK, self._broker_port)).aclose()
        except OSError as exc:
            remedy = f"start one, for instance `mosquitto -p {self._broker_port}`"
            raise ConfigurationError(f"there is no MQTT broker at {LOOPBACK}:{self._broker_port}: {remedy}") from exc
        async with anyio.create_task_group() as device:
            device.start_soon(self._be_there)
            yield self._broker_port
            device.cancel_scope.cancel()

    async def _be_there(self) -> None:
        """Connect, and again whenever the line is lost."""
        mqtt = need("aiomqtt")
        will = mqtt.Will(f"{self.prefix}/status", "offline", qos=QOS, retain=True)
        while True:
            try:
                async with mqtt.Client(
                    LOOPBACK, self.port, will=will, keepalive=KEEP_ALIVE_S, timeout=HEARD_S, socket_options=NO_DELAY
                ) as client:
                    await client.subscribe(f"{self.prefix}/cmd", qos=QOS)
                    await client.publish(f"{self.prefix}/status", "online", qos=QOS, retain=True)
                    self._client = client
                    async for message in client.messages:
                        self._tasks.start_soon(self._hear, bytes(message.payload))
            except mqtt.MqttError:
                self._client = None
                await anyio.sleep(AGAIN_S)

    async def _hear(self, payload: bytes) -> None:
        try:
            order = msgspec.json.decode(payload, type=Order)
        except msgspec.MsgspecError as exc:
            await self._tell("data", {"id": None, "error": f"not understood: {exc}"})
            return
        try:
            answer = carry_out(self, order)
        except (Refused, Unknown) as exc:
            await self._tell("data", {"id": order.id, "error": str(exc)})
            return
        await self._reply(EXCHANGES[order.do], "data", {"id": order.id, **answer})

    def see_through(self, run: Run) -> None:
        """Tell what becomes of a run once it is over."""
        self._tasks.start_soon(self._tell_result, run)

    async def _tell_result(self, run: Run) -> None:
        ended = await self.lab.runs.finish(run.number)
        await self._reply("result", "result", msgspec.structs.asdict(ended))

    async def _reply(self, exchange: Exchange, topic: str, content: dict[str, Any]) -> None:
        fault = self.lab.faults.of_reply(exchange)
        kind = fault.kind if fault else None
        with self.lab.replying():
            await anyio.sleep(self.lab.behaviour.latency_s + (fault.seconds if fault else 0.0))
            if kind == "drop":
                self._wire.cut()
            elif kind != "mute":
                for _ in range(2 if kind == "duplicate" else 1):
                    await self._tell(topic, content, half=kind == "half_frame")

    async def _tell(self, topic: str, content: dict[str, Any], *, half: bool = False) -> None:
        payload = msgspec.json.encode(content)
        sent = payload[: len(payload) // 2] if half else payload
        if self._client is not None:  # a device that is not connected tells nobody
            with suppress(need("aiomqtt").MqttError):
                await self._client.publish(f"{self.prefix}/{topic}", sent, qos=QOS)
