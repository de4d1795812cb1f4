"""Devices of ophyd-async that live in this process."""

import os

import anyio
from ophyd_async.core import AsyncStatus, StandardReadable, soft_signal_r_and_setter, soft_signal_rw
from ophyd_async.core import StandardReadableFormat as Format


class Motor(StandardReadable):
    """It is where it was sent at once."""

    def __init__(self, name=""):
        self.position = soft_signal_rw(float)
        super().__init__(name)

    @AsyncStatus.wrap
    async def set(self, value):
        """Move."""
        await self.position.set(value)

    async def locate(self):
        """Say where it is."""
        value = await self.position.get_value()
        return {"setpoint": value, "readback": value}

    async def stop(self, success=True):  # bluesky's protocol
        """It stands already."""


class Detector(StandardReadable):
    """It takes as long as a run does."""

    def __init__(self, motor, name=""):
        self.motor = motor
        with self.add_children_as_readables(Format.HINTED_SIGNAL):
            self.y, self._set_y = soft_signal_r_and_setter(float)
        super().__init__(name)

    @AsyncStatus.wrap
    async def trigger(self):
        """Measure."""
        await anyio.sleep(float(os.environ["BENCH_SECONDS"]))
        self._set_y(await self.motor.position.get_value() ** 2)


def devices():
    """By name."""
    motor = Motor(name="motor")
    return {"motor": motor, "detector": Detector(motor, name="detector")}
