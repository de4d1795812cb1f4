"""Values as instruments that speak in text write them."""

from __future__ import annotations

from typing import Any

from titrant.errors import RunnerError

NOT_A_NUMBER = 9.9e37
"""SCPI says infinity as 9.9E37 and not-a-number as 9.91E37."""


def command_of(to: str, value: Any) -> str:
    """The command that sets a value: its header, or a text with a place for the value."""
    plain = int(value) if isinstance(value, bool) else value
    return to.format(plain) if "{" in to else f"{to} {plain}"


def number_in(text: str) -> float:
    """A measured value.

    Raises:
        RunnerError: It is no number, or says that there is none.
    """
    try:
        value = float(text)
    except ValueError:
        raise RunnerError(f"the measurement is {text!r}, which is no number") from None
    if not abs(value) < NOT_A_NUMBER:  # false of NaN too
        raise RunnerError(f"the measurement is {text}: overload, or not measured")
    return value
