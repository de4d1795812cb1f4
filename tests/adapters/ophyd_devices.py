"""An instrument of ophyd-async devices: its simulated stage, and a detector that goes wrong when told to."""

import os
from pathlib import Path

import anyio
import anyio.lowlevel
from ophyd_async.core import AsyncStatus, StandardReadable, soft_signal_r_and_setter
from ophyd_async.core import StandardReadableFormat as Format
from ophyd_async.sim import SimMotor, SimPointDetector, SimStage

RUN_S = 0.08


def enter():
    """A start, for a test in another process."""
    if "LEDGER" in os.environ:
        with Path(os.environ["LEDGER"]).open("a") as ledger:
            ledger.write("start\n")


class Detector(StandardReadable):
    """y is the square of where the motor is; it fills the part of RunnerContract's lab."""

    def __init__(self, motor):
        self.motor, self.begun, self.armed, self.over = motor, 0, ("", 0.0), anyio.Event()
        self.over.set()
        self.severity = 0
        with self.add_children_as_readables(Format.HINTED_SIGNAL):
            self.y, self.set_y = soft_signal_r_and_setter(float)
        super().__init__()

    async def arm(self, fault, seconds=0.0):
        self.armed = fault, seconds
        self.motor.stuck = fault == "stuck"

    async def starts(self):
        return self.begun

    async def settled(self):
        await self.over.wait()

    @AsyncStatus.wrap
    async def trigger(self):
        (fault, seconds), self.armed, self.motor.stuck = self.armed, ("", 0.0), False
        if fault == "refuse":
            raise RuntimeError("the interlock is open")
        self.begun += 1
        enter()
        self.over = anyio.Event()
        try:
            await anyio.sleep(RUN_S)
            if fault == "defined_error":
                raise RuntimeError("the shutter is jammed")
            if fault == "crash_in_run":
                raise ConnectionResetError("the IOC is gone")
            self.set_y(await self.motor.user_readback.get_value() ** 2 + (fault == "drift"))
            self.severity = 2 if fault == "alarm" else 0
            if fault in ("crash_after_done", "drop"):
                raise ConnectionResetError("the IOC is gone")
        finally:
            self.over.set()
        if fault == "mute":
            await anyio.sleep_forever()
        await anyio.sleep(seconds)

    async def read(self):
        return {name: {**one, "alarm_severity": self.severity} for name, one in (await super().read()).items()}


class Motor(SimMotor):
    """A simulated motor that can be stuck: it says that it moved."""

    stuck = False

    def set(self, value, *args, **more):
        return AsyncStatus(anyio.lowlevel.checkpoint()) if self.stuck else super().set(value, *args, **more)


def devices():
    """A motor and a detector that sees it."""
    motor = Motor()
    return {"motor": motor, "detector": Detector(motor)}


def simulated():
    """What ophyd-async ships."""
    return {"stage": SimStage(None), "counter": SimPointDetector(None, num_channels=1)}


def no_devices():
    """Not what is wanted."""
    return SimMotor()
