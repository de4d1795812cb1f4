"""ophyd-async devices by name, and what is asked of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import anyio

from titrant.errors import ConfigurationError, RunnerError
from titrant_adapters.shape import Setting, bad, library

MAJOR = 2
"""From this alarm severity on a reading is not believed."""


class Devices:
    """Devices and their children, ``name.child``.

    Args:
        by_name: The devices.
    """

    def __init__(self, by_name: dict[str, Any]) -> None:
        self._core, self._can = library("ophyd_async.core", "ophyd"), library("bluesky.protocols", "ophyd")
        self._devices = by_name

    async def connect(self, timeout_s: float) -> None:
        """Name and connect them."""
        for name, device in self._devices.items():
            device.set_name(device.name or name)
            await device.connect(timeout=timeout_s)

    def movable(self, path: object) -> Any:
        """One that can be set."""
        return self._found(path, self._can.Movable)

    def triggerable(self, path: object) -> Any:
        """One that can be triggered."""
        return self._found(path, self._can.Triggerable)

    def readable(self, path: object) -> Any:
        """One that can be read."""
        return self._found(path, self._core.AsyncReadable)

    def locatable(self, path: object) -> Any:
        """One that can tell where it is."""
        return self._found(path, (self._core.SignalR, self._can.Locatable))

    async def stop(self, path: object) -> None:
        """Stop it, if it can be."""
        found = self._found(path, object)
        if isinstance(found, self._can.Stoppable):
            await found.stop(success=False)

    async def where(self, path: object) -> Any:
        """Where it is."""
        found = self.locatable(path)
        return await found.get_value() if isinstance(found, self._core.SignalR) else (await found.locate())["readback"]

    def _found(self, path: object, kinds: Any) -> Any:
        name, *children = str(path).split(".")
        found = self._devices.get(name)
        for child in children:
            found = dict(found.children()).get(child) if isinstance(found, self._core.Device) else None
        if not isinstance(found, kinds):
            has = "there is none such" if found is None else f"it is a {type(found).__name__}, which cannot do that"
            raise ConfigurationError(f"{path}: {has} among {', '.join(self._devices)}")
        return found

    async def check_units(self, setting: Setting) -> None:
        """Hold a setting's unit against the device's.

        Raises:
            ConfigurationError: They are two.
        """
        device, wanted = self.movable(setting.to), setting.sent_in or setting.unit
        told = await device.describe() if isinstance(device, self._core.AsyncReadable) else {}
        units = {key["units"] for key in told.values() if key.get("units")}
        if wanted and units and wanted not in units:
            raise ConfigurationError(f"{setting.to} is in {', '.join(units)}, not in {wanted}: say sent_in")


def made(function: str) -> dict[str, Any]:
    """What ``"module:function"`` gives.

    Raises:
        ConfigurationError: There is no such function, or it gives something else.
    """
    module, _, name = function.partition(":")
    try:
        devices = vars(import_module(module))[name]()
    except (ImportError, KeyError) as exc:
        raise bad("devices", function, f"it cannot be imported: {exc!r}") from exc
    if not isinstance(devices, dict):
        raise bad("devices", function, "it has to give a dict of name to device")
    return devices


async def over(status: Any, path: str) -> None:
    """Await a status.  Never its task: one that is stopped would cancel ours.

    Raises:
        RunnerError: It was stopped.
    """
    ended = anyio.Event()
    status.add_callback(lambda _: ended.set())
    try:
        await ended.wait()
    except BaseException:
        status.task.cancel()
        raise
    error = status.exception()
    if error is not None:
        raise error if isinstance(error, Exception) else RunnerError(f"{path} was stopped")


def trusted(key: str, reading: Mapping[str, Any]) -> float:
    """A measurement.

    Raises:
        RunnerError: It has an alarm, or is no finite number.
    """
    value, severity = reading["value"], reading.get("alarm_severity", 0)
    if severity >= MAJOR or not math.isfinite(value):
        raise RunnerError(f"{key} is {value!r}, with an alarm of severity {severity}")
    return float(value)
