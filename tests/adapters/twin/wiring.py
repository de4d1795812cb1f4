"""What the tests of all doors share: a small lab, and the faults that they put on the wire."""

from __future__ import annotations

from contextlib import asynccontextmanager

from titrant_adapters.twin import Behaviour, LabTwin, Pace
from titrant_adapters.twin.doors import door_named, open_door
from titrant_adapters.twin.faults import KINDS
from titrant_adapters.twin.physics import Input, Output

PATIENCE_S = 0.25
"""How long a test waits for what never comes."""

LATE_S = 0.6
"""How late a late reply is: well after that patience."""


class Voltage:
    """Power is the square of a voltage."""

    inputs = (Input(name="volt", unit="V", low=0.0, high=6.0, start=1.0),)
    outputs = (Output(name="power", unit="W"),)

    def truth(self, conditions):
        return {"power": conditions["volt"] ** 2}

    def measure(self, conditions, _draws):
        return self.truth(conditions)


class Supply(Voltage):
    """The same with a second input and output."""

    inputs = (*Voltage.inputs, Input(name="amp", low=0.0, high=2.0))
    outputs = (*Voltage.outputs, Output(name="ripple", unit="mV"))

    def truth(self, conditions):
        return super().truth(conditions) | {"ripple": 10.0}


def make_lab(duration_s=0.05, *, matter=Supply, **behaviour):
    return LabTwin(matter(), behaviour=Behaviour(duration_s=duration_s, **behaviour), clock=Pace())


@asynccontextmanager
async def opened(protocol, lab=None, **options):
    """A door of a lab."""
    async with open_door(door_named(protocol), lab or make_lab(), **options) as door:
        yield door


def expressible(protocol):
    """The faults that a protocol has words for."""
    return [kind for kind in KINDS if kind not in door_named(protocol).cannot]
