"""What is done with a driver's object, in the thread that has it."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from operator import attrgetter
from typing import Any

import msgspec

from titrant.errors import ConfigurationError, RunnerError
from titrant_adapters.pymeasure.config import PymeasureConfig
from titrant_adapters.shape import Blocking, Errors
from titrant_adapters.shape.visa import VISA_ERRORS, opening, patience

NOT_A_NUMBER = 9.9e37
"""SCPI says infinity as 9.9E37 and not-a-number as 9.91E37."""


ERRORS = Errors(
    {
        **VISA_ERRORS,
        "pymeasure.errors.Error": "failed",  # RangeError: outside of what the driver lets through
        "builtins.ValueError": "unknown",  # an answer that the driver cannot read, in one of three ways
        "builtins.LookupError": "unknown",
        "builtins.TypeError": "unknown",
    }
)


def named(driver: str) -> Any:
    """The class of a driver, ``module:Class``.

    Raises:
        ConfigurationError: There is none.
    """
    module, _, name = driver.partition(":")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as exc:
        raise ConfigurationError(f"there is no driver {driver!r}: {exc}") from exc


def recognised(said: str, config: PymeasureConfig) -> str:
    """What an instrument says of itself.

    Raises:
        RunnerError: It is not the one that was meant.
    """
    if config.identity not in said:
        wrong = f"{config.resource} says it is {said!r}, not {config.identity!r}"
        raise RunnerError(f"{wrong}: is it the right one?")
    return said


async def opened(driver: Any, config: PymeasureConfig) -> Blocking[Any]:
    """Make the driver, which opens the resource.

    Raises:
        ConfigurationError: It does not take what it was given, or has no property that is wanted of it.
        OSError: Nobody answers.
    """

    def make() -> Any:
        options = {"timeout": patience(config.timeout_s), **config.options}
        try:
            made = driver(config.resource, visa_library=config.library, **options)
        except Exception as exc:
            raise opening(exc, config.resource) from exc
        for name in sorted(config.names()):
            # Only looked up, not read: reading a property asks the instrument.
            first = name.partition(".")[0]
            if not hasattr(type(made), first) and first not in vars(made):
                _close(made)
                raise ConfigurationError(f"{config.driver} has no property or method {name!r}")
        return made

    return await Blocking.open(make, _close)


def _close(driver: Any) -> None:
    driver.adapter.close()


def read(driver: Any, name: str) -> Any:
    """The value of a property, or what a method gives."""
    value = attrgetter(name)(driver)
    return value() if callable(value) else value


def assign(driver: Any, name: str, value: Any) -> None:
    """Set a property."""
    owner, _, last = name.rpartition(".")
    setattr(attrgetter(owner)(driver) if owner else driver, last, value)


def do(driver: Any, steps: tuple[str, ...]) -> None:
    """Carry out steps: methods to call, and ``property=value`` with the value as JSON, or a text."""
    for step in steps:
        name, is_set, text = (part.strip() for part in step.partition("="))
        if not is_set:
            read(driver, name)
            continue
        try:
            value = msgspec.json.decode(text)
        except msgspec.DecodeError:
            value = text
        assign(driver, name, value)


def errors_of(driver: Any, name: str) -> list[Any]:
    """What the instrument tells of errors."""
    return list(read(driver, name) or ()) if name else []


def kept_back(driver: Any, work: Callable[[Any], None]) -> ValueError | None:
    """Do something; give what a validator of the driver said if it let nothing out."""
    try:
        work(driver)
    except ValueError as exc:
        return exc
    return None


def refused(errors: list[Any]) -> bool:
    """Whether nothing was done; IEEE 488.2: -2xx cannot be done as things stand."""
    codes = [str(one[0] if isinstance(one, list | tuple) else one) for one in errors]
    return all(code.startswith("-2") for code in codes)


def number(value: Any) -> float:
    """A measurement.

    Raises:
        RunnerError: It is none.
    """
    try:
        found = float(value)
    except (TypeError, ValueError):
        raise RunnerError(f"the measurement is {value!r}, which is no number") from None
    if not math.isfinite(found) or abs(found) >= NOT_A_NUMBER:
        raise RunnerError(f"the measurement is {found}: overload, or not measured")
    return found
