"""Any ophyd-async devices as an instrument: motors that are set, detectors that are triggered and read.

::

    [[runners]]
    use = "ophyd"
    with.devices = "my_beamline:devices"
    with.settings.x = { to = "stage.x", unit = "mm", read_back = "stage.x", tolerance = 0.01 }
    with.trigger = ["detector"]
    with.measure.counts = "detector-channel-1-value"

``my_beamline.devices`` is a function that gives devices by name, each made of whatever ophyd-async has: EPICS, Tango,
simulations.  They live in this process: nobody finds a run again that was under way when it died.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio

from titrant.model.trial import Attempt, ParameterValue
from titrant.ports import Finding, Result
from titrant_adapters.ophyd.config import OphydConfig
from titrant_adapters.ophyd.devices import Devices, made, over, trusted
from titrant_adapters.shape import AdapterRunner, Course, Errors, Setting, Settings, Start, bad, library


class OphydRunner(AdapterRunner[OphydConfig]):
    """Sets, triggers and reads ophyd-async devices; see ``OphydConfig``."""

    config_type = OphydConfig
    errors = Errors(
        {
            "ophyd_async.core.NotConnectedError": "unknown",
            "ophyd_async.epics.motor.MotorLimitsError": "failed",
            "builtins.RuntimeError": "failed",  # as devices say that they were stopped, or p4p that it was lost
            "builtins.ValueError": "failed",
        }
    )

    @property
    def settings(self) -> Settings:
        """How parameters reach the devices."""
        return Settings(self.config.settings, self.config.otherwise, self.config.ignored)

    async def connect(self) -> None:
        """Make the devices, connect them, and make sure that they can do what is wanted of them."""
        library("ophyd_async.core", "ophyd")  # before a function that needs it says so in its own words
        config, devices = self.config, Devices(made(self.config.devices))
        await devices.connect(config.timeout_s)
        for setting in config.settings.values():
            await devices.check_units(setting)
            if setting.read_back is not None:
                devices.locatable(setting.read_back)
        for path in (*config.safe, *(one.to for one in config.settings.values())):
            devices.movable(path)
        self._triggered = {path: devices.triggerable(path) for path in config.trigger}
        self._read = [devices.readable(path) for path in (*config.trigger, *config.also_read)]
        keys = [key for device in self._read for key in await device.describe()]
        if missing := [key for key in config.measure.values() if key not in keys]:
            raise bad("measure", missing[0], f"the devices tell {', '.join(keys)}")
        self._devices = devices

    async def look(self) -> AsyncIterator[Finding]:
        """What the devices read now."""
        for name, value in (await self._readings(Start())).items():
            yield Finding("ok", f"{name} is {value['value']!r}")

    async def make_safe(self) -> None:
        """Stop what moves, and set what is to be set."""
        for path in (*(one.to for one in self.config.settings.values()), *self.config.trigger):
            await self._devices.stop(path)
        for path, value in self.config.safe.items():
            await over(self._devices.movable(path).set(value), path)

    async def carry_out(self, attempt: Attempt, course: Course) -> Result:
        """Set, read back, trigger, read."""
        executed = await self.settings.apply(
            attempt.parameters, self._set, lambda one: self._devices.where(one.read_back)
        )
        await course.begin()
        with course.start.within(self.config.run_timeout_s, "the run"):
            under_way = {path: device.trigger() for path, device in self._triggered.items()}
            try:
                for path, status in under_way.items():
                    await over(status, path)
            finally:
                for status in under_way.values():
                    status.task.cancel()  # those that are over do not mind
            told = await self._readings(course.start)
        data = {name: trusted(key, told[key]) for name, key in self.config.measure.items()}
        return Result(data=data, executed=executed or None)

    async def _set(self, setting: Setting, value: ParameterValue) -> None:
        try:
            with Start().within(self.config.run_timeout_s, f"setting {setting.to}"):
                await over(self._devices.movable(setting.to).set(value), str(setting.to))
        except BaseException:
            with anyio.move_on_after(self.config.timeout_s, shield=True):
                await self._devices.stop(setting.to)  # or it would move on, watched by nobody
            raise

    async def _readings(self, start: Start) -> dict[str, Any]:
        told: dict[str, Any] = {}
        with start.within(self.config.timeout_s, "reading"):
            for device in self._read:
                told |= await device.read()
        return told
