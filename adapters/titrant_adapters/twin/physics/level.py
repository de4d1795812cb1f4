"""An instrument that holds what it is told: a supply its voltage, an oven its temperature, a pump its flow."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from titrant_adapters.twin.ledger import Value
from titrant_adapters.twin.physics.base import Input, Output


class Level:
    """One level to be set, which is measured as it is.

    Args:
        name: Of the input and of the output.
        low: The lowest it takes.
        high: The highest.
        start: Where it is at first, and in its safe state.
        unit: Of all of these.
    """

    def __init__(self, name: str, low: float, high: float, *, start: float, unit: str = "") -> None:
        self.inputs = (Input(name=name, unit=unit, low=low, high=high, start=start),)
        self.outputs = (Output(name=name, unit=unit),)

    def truth(self, conditions: Mapping[str, Value]) -> dict[str, float]:
        """What it is set to."""
        return {name: float(value) for name, value in conditions.items()}

    def measure(self, conditions: Mapping[str, Value], draws: Random) -> dict[str, float]:
        """The same: an instrument of this kind adds no noise of its own."""
        return self.truth(conditions)
