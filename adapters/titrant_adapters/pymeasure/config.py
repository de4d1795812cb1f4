"""What a person writes down about a driver of pymeasure."""

from __future__ import annotations

from typing import Literal

import msgspec

from titrant_adapters.shape import Config, Seconds, Setting, bad


class PymeasureConfig(Config, frozen=True, kw_only=True):
    """What a driver is asked to do; a name may have dots, as ``ch_1.voltage``.

    Attributes:
        driver: Module and class of the driver.
        resource: The VISA resource name of the instrument.
        library: The back end of VISA, as pyvisa takes it.
        options: Further arguments of the driver.
        settings: Parameter to setting; ``to`` and ``read_back`` are properties.
        otherwise: What to do where a setting is not taken: ``"fail"`` or ``"record"``.
        ignored: Parameters that are not this instrument's.
        start: Steps that start a run: methods to call, and ``property=value``; one that blocks may take a whole run.
        status: The property or method that tells how the run stands; empty where ``start`` or ``measure`` wait for it.
        running: What it is while the run goes on.
        done: What it is when the run is done.
        measure: Metric to property or method.
        safe: Steps that bring the instrument into its safe state.
        error: The method that gives the instrument's errors, as a list; empty where there is none.
        who: The property that says who it is.
        identity: A text that it must contain.
        timeout_s: Seconds one answer may take.
        run_timeout_s: Seconds a run may take.
        poll_s: Seconds between two looks at the status.
    """

    driver: str
    resource: str
    library: str = "@py"
    options: dict[str, str | int | float | bool] = msgspec.field(default_factory=dict)
    settings: dict[str, Setting] = msgspec.field(default_factory=dict)
    otherwise: Literal["fail", "record"] = "fail"
    ignored: tuple[str, ...] = ()
    start: tuple[str, ...]
    status: str = ""
    running: tuple[str, ...] = ("RUN", "0")
    done: tuple[str, ...] = ("DONE", "IDLE", "1")
    measure: dict[str, str]
    safe: tuple[str, ...] = ("shutdown",)
    error: str = "check_errors"
    who: str = "id"
    identity: str = ""
    timeout_s: Seconds = 2.0
    run_timeout_s: Seconds = 3600.0
    poll_s: Seconds = 0.05

    def check(self) -> None:
        """There is a class to drive, something that starts it, and something to measure."""
        if not all(self.driver.partition(":")):
            raise bad("driver", self.driver, "give module:Class, as pymeasure.instruments.keithley:Keithley2260B")
        if not self.start:
            raise bad("start", self.start, 'name what starts a run: ["trigger"] or ["output_enabled=true"]')
        if not self.measure:
            raise bad("measure", self.measure, 'name a property for each metric: { power = "power" }')

    def names(self) -> set[str]:
        """All properties and methods of the driver that are going to be used."""
        steps = (step.partition("=")[0] for step in (*self.start, *self.safe))
        backs = (str(one.read_back) for one in self.settings.values() if one.read_back is not None)
        sent = (str(one.to) for one in self.settings.values())
        return {*steps, *backs, *sent, *self.measure.values(), self.status, self.error, self.who} - {""}
