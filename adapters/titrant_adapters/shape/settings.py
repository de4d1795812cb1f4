"""How the parameters of an experiment reach an instrument, and whether they did."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

import msgspec

from titrant.errors import ConfigurationError, RunnerError
from titrant.model.space import SearchSpace
from titrant.model.trial import Parameterization, ParameterValue
from titrant_adapters.shape.setting import Setting


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
