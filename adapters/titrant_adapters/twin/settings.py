"""What is set on the simulated lab, and where it really is: lagging behind, or stuck."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from titrant_adapters.twin.ahead import Faults
from titrant_adapters.twin.answers import OutOfRange, Unknown
from titrant_adapters.twin.clock import LabClock
from titrant_adapters.twin.ledger import Value
from titrant_adapters.twin.physics import Input

Course = tuple[Value, float]
"""Where an input was, and when it was told to go elsewhere."""

Lag = Callable[[float], float]
"""Seconds since then to the share of the way that is left."""


class Settings:
    """The inputs of a lab.

    Args:
        inputs: What there is to set.
        lag_s: Time constant with which it is followed, in seconds of the lab; 0 for at once.
        clock: The lab's.
        faults: May say that settings are stuck.
    """

    def __init__(self, inputs: tuple[Input, ...], lag_s: float, clock: LabClock, faults: Faults) -> None:
        self.inputs = {one.name: one for one in inputs}
        self.points: dict[str, Value] = {one.name: one.initial for one in inputs}
        self._lag_s, self._clock, self._faults = lag_s, clock, faults
        self._from: dict[str, Course] = {}
        self._held: set[str] = set()

    def check(self, values: Mapping[str, Value]) -> None:
        """Refuse what cannot be set; nothing is set.

        Raises:
            OutOfRange: A value is none that it takes.
            Unknown: There is no input of that name.
        """
        for name, value in values.items():
            if name not in self.inputs:
                raise Unknown(f"there is no setting {name}; there are {', '.join(self.inputs)}")
            if problem := self.inputs[name].problem(value):
                raise OutOfRange(problem)

    def set(self, name: str, value: Value) -> None:
        """Set one input; raises as ``check``."""
        self.check({name: value})
        if self._faults.stuck():
            # Each is stuck once: whoever sets it again has looked at it, and is on the next run.
            if name not in self._held:
                self._held.add(name)
                return
            self._faults.release()
        self._held.clear()
        self._go(name, value)

    def moved_on(self) -> None:
        """A run has begun, or another fault was armed: no setting counts as stuck any more."""
        self._held.clear()

    def reset(self) -> None:
        """Set everything to what it was at first."""
        for name, one in self.inputs.items():
            self._go(name, one.initial)

    def actual(self) -> dict[str, Value]:
        """Where the inputs really are."""
        if not self._lag_s:
            return dict(self.points)
        return self._lagged(lambda since: math.exp(-since / self._lag_s))

    def over(self, seconds: float) -> dict[str, Value]:
        """Where they are on average over the next *seconds*."""
        if not self._lag_s or not seconds:
            return self.actual()
        share = self._lag_s / seconds * -math.expm1(-seconds / self._lag_s)
        return self._lagged(lambda since: math.exp(-since / self._lag_s) * share)

    def _lagged(self, left: Lag) -> dict[str, Value]:
        now, found = self._clock.now(), dict(self.points)
        for name, (old, at) in self._from.items():
            new = found[name]
            if not isinstance(old, str) and not isinstance(new, str):
                found[name] = new + (old - new) * left(now - at)
        return found

    def _go(self, name: str, value: Value) -> None:
        if self._lag_s:
            self._from[name] = (self.actual()[name], self._clock.now())
        self.points[name] = value
