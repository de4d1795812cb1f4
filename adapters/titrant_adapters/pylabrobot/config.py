"""What a person writes down about a bench of PyLabRobot."""

from __future__ import annotations

from typing import Literal

import msgspec

from titrant_adapters.shape import Config, Seconds, Setting, bad


class Look(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One reading of the plate reader.

    Attributes:
        of: What is read.
        at: Further arguments of PyLabRobot's method: ``{ wavelength = 520 }`` for absorbance.
    """

    of: Literal["absorbance", "fluorescence", "luminescence"] = "absorbance"
    at: dict[str, float | int] = {}


class PylabrobotConfig(Config, frozen=True, kw_only=True):
    """Where the bench comes from, and what is done on it for each trial.

    Attributes:
        bench: Module and function that gives an object with ``handler`` (a LiquidHandler, its deck laid out) and, for
            metrics, ``reader`` (a PlateReader).
        settings: Parameter to setting; ``to`` is where the liquid comes from, as ``"stock[A1:H1]"``, and the number the
            volume in uL that goes into the trial's well.
        ignored: Parameters that are not volumes.
        plate: The plate whose wells take one trial each, in their order.
        tips: The racks that tips are taken from.
        least_ul: Volumes up to this one are not pipetted at all.
        measure: Metric to reading.
        book: A file that tells which wells and tips are used, and what is uncertain; it outlives the engine.
        timeout_s: Seconds one step may take.
        run_timeout_s: Seconds all steps of a trial may take.
        poll_s: Seconds before a reading that broke off is made again.
    """

    bench: str
    settings: dict[str, Setting]
    ignored: tuple[str, ...] = ()
    plate: str
    tips: tuple[str, ...]
    least_ul: float = 0.0
    measure: dict[str, Look]
    book: str
    timeout_s: Seconds = 120.0
    run_timeout_s: Seconds = 3600.0
    poll_s: Seconds = 1.0

    def check(self) -> None:
        """There is a bench, something to pipette, and something to see."""
        if not all(self.bench.partition(":")):
            raise bad("bench", self.bench, "give module:function")
        for field in ("settings", "measure", "tips", "plate", "book"):
            if not getattr(self, field):
                raise bad(field, getattr(self, field), "it must not be empty")
        for name, setting in self.settings.items():
            plate, bracket, wells = str(setting.to).partition("[")
            if not (plate and bracket and wells.endswith("]") and wells[:-1]):
                raise bad(f"settings.{name}.to", setting.to, "write where the liquid comes from as 'stock[A1:H1]'")
            if setting.read_back is not None:
                raise bad(f"settings.{name}.read_back", setting.read_back, "a volume in a well cannot be read back")
            if (setting.sent_in or setting.unit) and (setting.sent_in or setting.unit) != "uL":
                raise bad(f"settings.{name}.sent_in", setting.sent_in, 'PyLabRobot wants microlitres: sent_in = "uL"')
