"""What a person writes down about a Modbus device."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

import msgspec

from titrant.errors import RunnerError
from titrant_adapters.modbus.words import Address
from titrant_adapters.shape import Config, Port, Seconds, Setting, bad


class Write(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number to be written.

    Attributes:
        at: Its address.
        value: What is written.
    """

    at: str | int
    value: float | str = 1


class Reading(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A measurement that is kept scaled: it is ``number * scale + offset``.

    Attributes:
        at: Its address.
        scale: See above.
        offset: See above.
    """

    at: str | int
    scale: float = 1.0
    offset: float = 0.0

    def of(self, number: float) -> float:
        """What a number in the registers means.

        Raises:
            RunnerError: It is none.
        """
        if not math.isfinite(number):
            raise RunnerError(f"the measurement is {number}: not measured")
        return number * self.scale + self.offset


class ModbusConfig(Config, frozen=True, kw_only=True):
    """Where the device is, and what its registers mean; addresses are told in ``Address``.

    Attributes:
        host: Its name or address.
        port: Its port.
        device: Its number behind a gateway, also called unit or slave.
        low_word_first: The order of registers in numbers that take several.
        settings: Parameter to setting; ``to`` and ``read_back`` are addresses.
        otherwise: What to do where a setting is not taken: ``"fail"`` or ``"record"``.
        ignored: Parameters that are not this device's.
        start: What to write to start a run.
        status: Where the state of the run stands.
        running: Its numbers while the run goes on.
        done: Its numbers when the run is done.
        failed: Its numbers when the run has failed, or was stopped.
        error: Where the number of an error stands, for messages.
        quality: Where a number stands that must be 0, or the values are of bad quality.
        key: Where a number of our own is written before a start, if the device keeps one.
        key_of_run: Where the number stands that the latest run was started with; runs are found again by it.
        measure: Metric to address, or to ``{ at = ..., scale = ... }``.
        safe: What to write to bring the device into its safe state.
        stop: What to write to end the run; a coil, as ``{ at = "coil:1" }``, or a register.
        stop_timeout_s: Seconds after which a run that was stopped must be over.
        timeout_s: Seconds one answer may take.
        run_timeout_s: Seconds a run may take.
        poll_s: Seconds between two looks at the state.
    """

    host: str
    port: Port = 502
    device: int = 1
    low_word_first: bool = False
    settings: dict[str, Setting] = msgspec.field(default_factory=dict)
    otherwise: Literal["fail", "record"] = "fail"
    ignored: tuple[str, ...] = ()
    start: Write
    status: str | int
    running: tuple[int, ...] = (1,)
    done: tuple[int, ...] = (2,)
    failed: tuple[int, ...] = (3,)
    error: str | int | None = None
    quality: str | int | None = None
    key: str | int | None = None
    key_of_run: str | int | None = None
    measure: dict[str, str | int | Reading]
    safe: tuple[Write, ...] = ()
    stop: Write | None = None
    stop_timeout_s: Seconds = 30.0
    timeout_s: Seconds = 2.0
    run_timeout_s: Seconds = 3600.0
    poll_s: Seconds = 0.05

    def check(self) -> None:
        """Every address is one, what is written can be, and a key has both its places."""
        if not self.measure:
            raise bad("measure", self.measure, 'name an address for each metric: { yield = "220:float32" }')
        if (self.key is None) != (self.key_of_run is None):
            raise bad("key_of_run", self.key_of_run, "give both key and key_of_run, or neither")
        for _, address in self.addresses():
            Address.read(address)
        stop = [] if self.stop is None else [self.stop]
        for write in (self.start, *stop, *self.safe, *(Write(one.to) for one in self.settings.values())):
            if Address.read(write.at).table in ("input", "discrete"):
                raise bad("at", write.at, "inputs can only be read; write to a holding register or a coil")
        if self.key is not None and not Address.read(self.key).whole:
            raise bad("key", self.key, "a key is a whole number: give it a type as uint32")

    def addresses(self) -> Iterator[tuple[str, str | int]]:
        """All that is going to be read: what for, and its address."""
        for name in ("status", "error", "quality", "key_of_run"):
            if (address := getattr(self, name)) is not None:
                yield name, address
        for name, one in self.settings.items():
            if one.read_back is not None:
                yield f"settings.{name}.read_back", one.read_back
        for name, reading in self.readings().items():
            yield f"measure.{name}", reading.at

    def readings(self) -> dict[str, Reading]:
        """Where the metrics stand."""
        return {name: one if isinstance(one, Reading) else Reading(one) for name, one in self.measure.items()}
