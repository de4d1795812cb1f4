"""What a person writes down for ophyd-async devices."""

from __future__ import annotations

from typing import Literal

import msgspec

from titrant.model.trial import ParameterValue
from titrant_adapters.shape import Config, Seconds, Setting, bad


class OphydConfig(Config, frozen=True, kw_only=True):
    """Which devices there are, and what they do in a run.

    Attributes:
        devices: ``"module:function"`` that gives a dict of name to device.
        settings: Parameter to setting; ``to`` is a device or signal that can be set, ``read_back`` one that tells where
            it is, as ``name.child``.
        otherwise: What to do where a setting is not taken: ``"fail"`` or ``"record"``.
        ignored: Parameters that are not these devices'.
        trigger: Devices that are triggered, together, and then read.
        also_read: Devices that are read besides.
        measure: Metric to a key of their readings.
        safe: Devices to what they are set to in the safe state; all others are stopped.
        timeout_s: Seconds that connecting, reading or stopping may take.
        run_timeout_s: Seconds that a move or a trigger may take.
    """

    devices: str
    settings: dict[str, Setting] = msgspec.field(default_factory=dict)
    otherwise: Literal["fail", "record"] = "fail"
    ignored: tuple[str, ...] = ()
    trigger: tuple[str, ...] = ()
    also_read: tuple[str, ...] = ()
    measure: dict[str, str]
    safe: dict[str, ParameterValue] = msgspec.field(default_factory=dict)
    timeout_s: Seconds = 10.0
    run_timeout_s: Seconds = 3600.0

    def check(self) -> None:
        """There is something to read."""
        if not self.trigger and not self.also_read:
            raise bad("trigger", self.trigger, "name the devices that measure, here or in also_read")
        if not self.measure:
            raise bad("measure", self.measure, "name a key of the readings for each metric")
