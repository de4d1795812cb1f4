"""What a person writes down for an instrument behind EPICS process variables."""

from __future__ import annotations

from typing import Literal

import msgspec

from titrant.errors import ConfigurationError
from titrant_adapters.epics.lines import EpicsLine
from titrant_adapters.shape import Config, Seconds, Setting, bad


class EpicsConfig(Config, frozen=True, kw_only=True):
    """Which variables there are.

    Attributes:
        protocol: ``"ca"`` or ``"pva"``.
        prefix: What all names begin with.
        settings: Parameter to setting; ``to`` and ``read_back`` are variables.
        otherwise: What to do where a setting is not taken: ``"fail"`` or ``"record"``.
        ignored: Parameters that are not this instrument's.
        start: The variable that starts a run; the put is answered when the run is over.
        start_value: What is put there.
        count: A variable that counts the runs that have ended, written after what was measured.
        measure: Metric to variable.
        alarm: The least severity at which a measurement is not believed.
        safe: Variables to what brings them into the safe state.
        timeout_s: Seconds one exchange may take, and finding the variables.
        run_timeout_s: Seconds a run may take.
        poll_s: Seconds between two looks at the count.
    """

    protocol: Literal["ca", "pva"] = "ca"
    prefix: str = ""
    settings: dict[str, Setting] = msgspec.field(default_factory=dict)
    otherwise: Literal["fail", "record"] = "fail"
    ignored: tuple[str, ...] = ()
    start: str
    start_value: float | int | str = 1
    count: str = ""
    measure: dict[str, str]
    alarm: Literal["MINOR", "MAJOR", "INVALID"] = "MAJOR"
    safe: dict[str, float | int | str] = msgspec.field(default_factory=dict)
    timeout_s: Seconds = 5.0
    run_timeout_s: Seconds = 3600.0
    poll_s: Seconds = 0.1

    def check(self) -> None:
        """Something is measured."""
        if not self.measure:
            raise bad("measure", self.measure, 'name a variable for each metric: { yield = "YIELD" }')

    def pv(self, name: object) -> str:
        """A variable's whole name."""
        return f"{self.prefix}{name}"

    async def find_all(self, line: EpicsLine) -> None:
        """Make sure that every variable is there, and that those to be written may be.

        Raises:
            ConfigurationError: One may not.
        """
        settings = self.settings.values()
        for name in (self.start, *self.safe, *(one.to for one in settings)):
            if not await line.may_write(self.pv(name)):
                raise ConfigurationError(f"{self.pv(name)} may not be written: ask for the permission")
        for read in (self.count, *self.measure.values(), *(one.read_back for one in settings)):
            if read:
                await line.get(self.pv(read))
