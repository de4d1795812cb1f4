"""What the lab twin at an MQTT broker is told to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from titrant_adapters.twin.answers import Refused, Unknown
from titrant_adapters.twin.faults import Exchange
from titrant_adapters.twin.lab import MAKER, MODEL
from titrant_adapters.twin.ledger import Value

if TYPE_CHECKING:
    from titrant_adapters.twin.doors.mqtt import MqttDoor

EXCHANGES: dict[str, Exchange] = {
    "identify": "identify",
    "set": "set",
    "read": "read",
    "start": "start",
    "status": "status",
    "stop": "stop",
}


class Order(msgspec.Struct, frozen=True):
    """What comes in on the command topic."""

    id: str
    do: str
    key: str = ""
    name: str = ""
    value: Value = 0.0
    parameters: dict[str, Value] = {}


def carry_out(door: MqttDoor, order: Order) -> dict[str, Any]:
    """Do what an order says; gives the reply.

    Raises:
        Refused: It is not done now.
        Unknown: There is no such thing.
    """
    settings = door.lab.settings
    match order.do:
        case "identify":
            return {"maker": MAKER, "model": MODEL, "settings": settings.points}
        case "set":
            settings.set(order.name, order.value)
            return {"name": order.name}
        case "read":
            if order.name not in settings.points:
                raise Unknown(f"there is no setting {order.name}; there are {', '.join(settings.points)}")
            return {"set": settings.points[order.name], "actual": settings.actual()[order.name]}
        case "start":
            run = door.started(door.lab.start(order.key, order.parameters))
            door.see_through(run)
            return {"run": run.number, "state": run.state}
        case "status":
            found = door.lab.find(order.key)
            return {"state": "none"} if found is None else msgspec.structs.asdict(found)
        case "stop":
            _stop(door, order.key)
            return {"set": settings.points}
    raise Unknown(f"there is nothing called {order.do!r} to do; there are {', '.join(EXCHANGES)}")


def _stop(door: MqttDoor, key: str) -> None:
    if not key:
        door.lab.safe_state()
        return
    run = door.lab.find(key)
    if run is None or run.state != "running":
        raise Refused(f"run {key} is {run.state if run else 'not known'}: there is nothing to stop")
    door.lab.runs.stop(run.number)
