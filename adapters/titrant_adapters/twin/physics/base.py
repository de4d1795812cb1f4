"""The port to the physics: what can be set, what is measured, and how one follows from the other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from random import Random
from typing import Protocol

import msgspec

from titrant_adapters.twin.ledger import Value


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can be set.

    Attributes:
        name: Its name.
        unit: Its unit; empty for none.
        low: The lowest number it takes.
        high: The highest.
        choices: The texts it takes, instead of numbers.
        start: What it is set to at first; the middle where None.
    """

    name: str
    unit: str = ""
    low: float = 0.0
    high: float = 1.0
    choices: tuple[str, ...] = ()
    start: float | None = None

    @property
    def initial(self) -> Value:
        """What it is set to at first."""
        if self.choices:
            return self.choices[0]
        return (self.low + self.high) / 2 if self.start is None else self.start

    def problem(self, value: Value) -> str | None:
        """Why it does not take *value*, or None."""
        if self.choices:
            return None if value in self.choices else f"{self.name} takes {', '.join(self.choices)}, not {value!r}"
        if isinstance(value, str) or not math.isfinite(value):
            return f"{self.name} takes numbers, not {value!r}"
        if not self.low <= value <= self.high:
            return f"{self.name} takes {self.low:g} to {self.high:g} {self.unit}".rstrip() + f", not {value:g}"
        return None


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is measured."""

    name: str
    unit: str = ""


class MaterialError(Exception):
    """The lab has run out of something, or holds too much of it."""


class Physics(Protocol):
    """How a lab's settings become values."""

    @property
    def inputs(self) -> tuple[Input, ...]:
        """What can be set."""

    @property
    def outputs(self) -> tuple[Output, ...]:
        """What is measured."""

    def truth(self, conditions: Mapping[str, Value]) -> dict[str, float]:
        """The values without noise: what conditions are to be judged by."""

    def measure(self, conditions: Mapping[str, Value], draws: Random) -> dict[str, float]:
        """Carry the conditions out and measure, with what noise belongs to the physics itself.

        Raises:
            MaterialError: They cannot be carried out with what there is.
        """
