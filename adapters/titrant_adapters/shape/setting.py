"""Where one parameter goes, and in which units."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from titrant.errors import ConfigurationError, RunnerError
from titrant.model.trial import ParameterValue
from titrant_adapters.shape.units import UNITS, between


class Setting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where one parameter goes.

    Attributes:
        to: The command, address, node or argument it is written to, in the protocol's own words.
        unit: The unit of the experiment's numbers; empty where they have none.
        sent_in: The unit the instrument wants; as ``unit`` where empty.
        scale: What the instrument gets is ``value * scale + offset``; instead of units, not beside them.
        offset: See ``scale``.
        words: Texts of a choice parameter to what the instrument wants for them.
        read_back: Where the value in force can be read; never asked where None.
        tolerance: How far the value read back may be off, in the parameter's unit.
    """

    to: str | int
    unit: str = ""
    sent_in: str = ""
    scale: float = 1.0
    offset: float = 0.0
    words: dict[str, str | float] = {}
    read_back: str | int | None = None
    tolerance: float = 1e-6

    def __post_init__(self) -> None:
        numbers = {"scale": self.scale, "offset": self.offset, "tolerance": self.tolerance}
        for name, value in numbers.items():
            if not math.isfinite(value):
                raise ConfigurationError(f"{name} is {value!r}: give a finite number")
        if self.scale == 0:
            raise ConfigurationError("scale is 0: every value would be sent as the same")
        if self.tolerance < 0:
            raise ConfigurationError(f"tolerance is {self.tolerance!r}: give 0 or more, in the parameter's unit")
        for unit in filter(None, (self.unit, self.sent_in)):
            if unit not in UNITS:
                raise ConfigurationError(f"{unit!r} is no unit known here: write one of {', '.join(UNITS)}, or scale")
        if self.sent_in and not self.unit:
            raise ConfigurationError(f"sent_in is {self.sent_in!r}, but unit is missing: say the parameter's own")
        if self.sent_in and UNITS[self.unit][0] != UNITS[self.sent_in][0]:
            raise ConfigurationError(
                f"{self.unit} ({UNITS[self.unit][0]}) cannot be sent in {self.sent_in} ({UNITS[self.sent_in][0]})"
            )
        if self.sent_in and (self.scale, self.offset) != (1.0, 0.0):
            raise ConfigurationError("give either sent_in, or scale and offset")

    def outward(self, value: ParameterValue) -> ParameterValue:
        """The value as the instrument wants it."""
        if isinstance(value, str):
            return self.words.get(value, value)
        factor, offset = self._line()
        return value if (factor, offset) == (1.0, 0.0) else float(value * factor + offset)

    def inward(self, value: Any) -> ParameterValue:
        """What the instrument said, as the experiment means it.

        Raises:
            RunnerError: It is no number where one is wanted.
        """
        for word, sent in self.words.items():
            if str(value) == str(sent):
                return word
        if isinstance(value, str):
            text: str = value.strip()
            try:
                value = float(text)
            except ValueError:
                return text
        if not isinstance(value, bool | int | float):
            raise RunnerError(f"{self.to} reads {value!r}, which is no value")
        factor, offset = self._line()
        plain: ParameterValue = value if (factor, offset) == (1.0, 0.0) else (value - offset) / factor
        return plain

    def agrees(self, wanted: ParameterValue, read: ParameterValue) -> bool:
        """Whether what was read is what was wanted, within the tolerance."""
        if isinstance(wanted, str) or isinstance(read, str):
            return str(wanted) == str(read)
        return abs(float(wanted) - float(read)) <= self.tolerance  # never true of NaN

    def _line(self) -> tuple[float, float]:
        if not self.sent_in or self.sent_in == self.unit:
            return self.scale, self.offset
        return between(self.unit, self.sent_in)
