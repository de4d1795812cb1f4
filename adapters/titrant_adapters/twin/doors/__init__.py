"""Protocols in front of the lab twin; each module loads its library when its door is opened."""

from __future__ import annotations

from importlib import import_module

from titrant.errors import ConfigurationError
from titrant_adapters.twin.doors.base import Door, open_door

PROTOCOLS = {
    "scpi": ("scpi", "ScpiDoor"),
    "rest": ("rest", "RestDoor"),
    "modbus": ("modbus", "ModbusDoor"),
    "opcua": ("opcua", "OpcUaDoor"),
    "sila": ("sila", "SilaDoor"),
    "mqtt": ("mqtt", "MqttDoor"),
}
"""Name to module and class."""


def door_named(protocol: str) -> type[Door]:
    """The door of a protocol.

    Raises:
        ConfigurationError: There is none of that name.
    """
    if protocol not in PROTOCOLS:
        raise ConfigurationError(f"there is no protocol {protocol!r}; there are {', '.join(PROTOCOLS)}")
    module, name = PROTOCOLS[protocol]
    found: type[Door] = getattr(import_module(f"titrant_adapters.twin.doors.{module}"), name)
    return found


__all__ = ["PROTOCOLS", "Door", "door_named", "open_door"]
