"""How the parameters of an experiment reach an instrument, and whether they did."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

import msgspec

from titrant.errors import ConfigurationError, RunnerError
from titrant.model.space import SearchSpace
from titrant.model.trial import Parameterization, ParameterValue

_UNITS: dict[str, tuple[str, float, float]] = {
    # unit: (what it measures, factor, offset): value * factor + offset is in the first unit of its kind
    "K": ("temperature", 1, 0),
    "degC": ("temperature", 1, 273.15),
    "degF": ("temperature", 5 / 9, 459.67 * 5 / 9),
    **{unit: ("time", factor, 0) for unit, factor in {"s": 1, "ms": 1e-3, "min": 60, "h": 3600}.items()},
    **{unit: ("volume", factor, 0) for unit, factor in {"L": 1, "mL": 1e-3, "uL": 1e-6}.items()},
    **{unit: ("mass", factor, 0) for unit, factor in {"kg": 1, "g": 1e-3, "mg": 1e-6, "ug": 1e-9}.items()},
    **{
        unit: ("length", factor, 0) for unit, factor in {"m": 1, "cm": 1e-2, "mm": 1e-3, "um": 1e-6, "nm": 1e-9}.items()
    },
    **{unit: ("voltage", factor, 0) for unit, factor in {"V": 1, "mV": 1e-3, "kV": 1e3}.items()},
    **{unit: ("current", factor, 0) for unit, factor in {"A": 1, "mA": 1e-3, "uA": 1e-6}.items()},
    **{unit: ("power", factor, 0) for unit, factor in {"W": 1, "mW": 1e-3, "kW": 1e3}.items()},
    **{unit: ("frequency", factor, 0) for unit, factor in {"Hz": 1, "kHz": 1e3, "MHz": 1e6, "rpm": 1 / 60}.items()},
    **{unit: ("a share", factor, 0) for unit, factor in {"1": 1, "%": 1e-2}.items()},
    **{unit: ("amount", factor, 0) for unit, factor in {"mol": 1, "mmol": 1e-3, "umol": 1e-6}.items()},
    **{unit: ("concentration", f, 0) for unit, f in {"mol/L": 1, "mmol/L": 1e-3, "M": 1, "mM": 1e-3}.items()},
    **{
        unit: ("pressure", factor, 0)
        for unit, factor in {"Pa": 1, "kPa": 1e3, "mbar": 100, "bar": 1e5, "psi": 6894.757293168}.items()
    },
    **{
        unit: ("flow", factor, 0)
        for unit, factor in {"L/min": 1, "mL/min": 1e-3, "uL/min": 1e-6, "L/h": 1 / 60, "mL/h": 1e-3 / 60}.items()
    },
}


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
            if unit not in _UNITS:
                raise ConfigurationError(f"{unit!r} is no unit known here: write one of {', '.join(_UNITS)}, or scale")
        if self.sent_in and not self.unit:
            raise ConfigurationError(f"sent_in is {self.sent_in!r}, but unit is missing: say the parameter's own")
        if self.sent_in and _UNITS[self.unit][0] != _UNITS[self.sent_in][0]:
            raise ConfigurationError(
                f"{self.unit} ({_UNITS[self.unit][0]}) cannot be sent in {self.sent_in} ({_UNITS[self.sent_in][0]})"
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
        (_, factor, offset), (_, to_factor, to_offset) = _UNITS[self.unit], _UNITS[self.sent_in]
        return factor / to_factor, (offset - to_offset) / to_factor


class Deviation(RunnerError):
    """Settings were accepted and are not in force.

    Attributes:
        executed: What is in force instead, parameter to value.
    """

    def __init__(self, said: str, executed: Parameterization) -> None:
        self.executed = executed
        super().__init__(said)


class Settings(msgspec.Struct, frozen=True):
    """All settings of an adapter, and what to do where one is not taken.

    Attributes:
        by_name: Parameter to setting.
        otherwise: ``"fail"`` the trial, or ``"record"`` what was executed and go on.
        ignored: Parameters of the experiment that are not this instrument's.
    """

    by_name: dict[str, Setting]
    otherwise: Literal["fail", "record"] = "fail"
    ignored: tuple[str, ...] = ()

    def check(self, space: SearchSpace) -> None:
        """Hold the settings against a search space.

        Raises:
            ConfigurationError: A parameter has no setting, a setting no parameter, or a text nothing to send for it.
        """
        if missing := [name for name in space.names if name not in self.by_name and name not in self.ignored]:
            said = f"nothing says how {', '.join(map(repr, missing))} reaches the instrument"
            raise ConfigurationError(f"{said}: add it to the adapter's settings, or to `ignored`")
        if extra := [name for name in self.by_name if name not in space.names]:
            raise ConfigurationError(
                f"the settings name {', '.join(map(repr, extra))}, which the experiment does not vary "
                f"(it has {', '.join(space.names)}): remove it, or add the parameter"
            )
        for name, setting in self.by_name.items():
            values = getattr(space.parameter(name), "allowed", ())
            texts = [value for value in values if isinstance(value, str)]
            if setting.words and (wordless := [text for text in texts if text not in setting.words]):
                raise ConfigurationError(f"words of {name!r} says nothing for {wordless[0]!r}")
            if texts and setting.unit:
                raise ConfigurationError(f"{name!r} has texts for values and the unit {setting.unit!r}: remove it")

    def outward(self, parameters: Mapping[str, ParameterValue]) -> dict[str, tuple[Setting, ParameterValue]]:
        """What to send, in the order of the settings: name to setting and value."""
        return {name: (one, one.outward(parameters[name])) for name, one in self.by_name.items() if name in parameters}

    async def apply(
        self,
        parameters: Mapping[str, ParameterValue],
        write: Callable[[Setting, ParameterValue], Awaitable[object]],
        read: Callable[[Setting], Awaitable[Any]],
    ) -> Parameterization:
        """Set, read back, compare.

        Returns:
            What is in force otherwise than planned; to be given as ``executed``.

        Raises:
            Deviation: Something is, and ``otherwise`` is ``"fail"``.
        """
        for setting, value in self.outward(parameters).values():
            await write(setting, value)
        return await self.compare(parameters, read)

    async def compare(
        self, parameters: Mapping[str, ParameterValue], read: Callable[[Setting], Awaitable[Any]]
    ) -> Parameterization:
        """Read back and compare what was set before, or went with the start; gives and raises as ``apply``."""
        executed: Parameterization = {}
        for name, (setting, _) in self.outward(parameters).items():
            if setting.read_back is None:
                continue
            found = setting.inward(await read(setting))
            if not setting.agrees(parameters[name], found):
                executed[name] = found
        if executed and self.otherwise == "fail":
            listed = "; ".join(f"{name} is {executed[name]!r}, not {parameters[name]!r}" for name in executed)
            raise Deviation(f"settings were accepted and not taken: {listed}", executed)
        return executed
