"""Results that were written down: by an instrument into a file, or by a program into its output."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Generic, Literal, TypeVar

import anyio.lowlevel
import msgspec

from titrant.errors import RunnerError
from titrant.model.trial import Attempt, ParameterValue
from titrant.ports import Result
from titrant_adapters.shape.config import Config, bad
from titrant_adapters.shape.runner import AdapterRunner
from titrant_adapters.shape.setting import Setting
from titrant_adapters.shape.settings import Settings


class WrittenConfig(Config, frozen=True, kw_only=True):
    """What goes into an order, and where in the result things stand.

    Attributes:
        settings: Parameter to setting; ``to`` is its name in the order, ``read_back`` the field of the result that says
            what was carried out.  Where empty all parameters go out as they are.
        otherwise: What to do where something else was carried out: ``"fail"`` or ``"record"``.
        ignored: Parameters that go elsewhere.
        measure: Metric to the field of the result that holds it.
        status: The field that says how it ended; none where empty.
        done: What stands there if it ended well.
    """

    settings: dict[str, Setting] = msgspec.field(default_factory=dict)
    otherwise: Literal["fail", "record"] = "fail"
    ignored: tuple[str, ...] = ()
    measure: dict[str, str]
    status: str = ""
    done: tuple[str, ...] = ("done", "ok", "good")

    def check(self) -> None:
        """There is something to be read."""
        if not self.measure:
            raise bad("measure", self.measure, 'name a field for each metric: { purity = "area_percent" }')

    @property
    def fields(self) -> list[str]:
        """All fields that a result must have."""
        asked = [str(one.read_back) for one in self.settings.values() if one.read_back is not None]
        return [*self.measure.values(), *asked, *([self.status] if self.status else [])]


W = TypeVar("W", bound=WrittenConfig)


class WrittenRunner(AdapterRunner[W], Generic[W]):
    """Writes orders and reads results; see ``WrittenConfig``."""

    @property
    def settings(self) -> Settings | None:
        """How parameters get into an order."""
        config = self.config
        return Settings(config.settings, config.otherwise, config.ignored) if config.settings else None

    def ordered(self, attempt: Attempt) -> dict[str, ParameterValue]:
        """What is ordered, by the names it has there."""
        if self.settings is None:
            return {name: value for name, value in attempt.parameters.items() if name not in self.config.ignored}
        return {str(setting.to): value for setting, value in self.settings.outward(attempt.parameters).values()}

    async def judged(self, attempt: Attempt, fields: Mapping[str, Any]) -> Result:
        """The result that the fields tell.

        Raises:
            Deviation: Something else was carried out than was ordered.
            RunnerError: It ended badly, or a value cannot be believed.
        """
        config = self.config
        if missing := [name for name in config.fields if name not in fields]:
            raise RunnerError(f"the result has no {', '.join(missing)}; it has {', '.join(fields) or 'nothing'}")
        if config.status and str(fields[config.status]).strip().lower() not in map(str.lower, config.done):
            raise RunnerError(f"it ended as {fields[config.status]!r}")

        async def written(_setting: Setting, _value: ParameterValue) -> None:
            await anyio.lowlevel.checkpoint()  # it went out with the order

        async def read(setting: Setting) -> Any:
            await anyio.lowlevel.checkpoint()
            return fields[str(setting.read_back)]

        executed = await self.settings.apply(attempt.parameters, written, read) if self.settings else {}
        data = {metric: _number(field, fields[field]) for metric, field in config.measure.items()}
        return Result(data=data, executed=executed or None)


def _number(field: str, value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise RunnerError(f"{field} is {value!r}, which is no number") from None
    if not math.isfinite(number):
        raise RunnerError(f"{field} is {value}: not measured")
    return number
