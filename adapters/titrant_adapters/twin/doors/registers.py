"""Which registers the Modbus door has."""

from __future__ import annotations

from titrant_adapters.twin.faults import Exchange

SET, ACTUAL, COMMAND, KEY, STATE, KEY_OF_RUN, MEASURED, END = 0, 100, 200, 201, 210, 214, 220, 300


def exchange(address: int) -> Exchange:
    """What reading an address asks for."""
    return "result" if address >= MEASURED else "status" if address >= STATE else "read"
