"""A flow reactor: A + B → P → S with Arrhenius rates, so that too hot is as bad as too cold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from random import Random
from typing import TYPE_CHECKING

from titrant_adapters.twin.ledger import Value
from titrant_adapters.twin.physics.base import Input, Output

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

GAS_CONSTANT = 8.314
KELVIN = 273.15
SECONDS_PER_MINUTE = 60.0


class Kinetics:
    """Yield and conversion of a reaction whose product decomposes.

    The concentrations follow an ordinary differential equation along the reactor; the optimum of the yield lies inside
    the range of the temperature.  It adds no noise: that is the lab's (``Behaviour``).
    """

    inputs = (
        Input(name="temperature", unit="degC", low=20.0, high=150.0, start=20.0),
        Input(name="residence_time", unit="min", low=0.5, high=20.0, start=5.0),
        Input(name="equivalents", low=0.8, high=3.0, start=1.2),
    )
    outputs = (Output(name="yield", unit="%"), Output(name="conversion", unit="%"))

    # Rate constants of formation and of decomposition: the second has the higher barrier, hence the optimum.
    FORMATION = (1e6, 55e3)  # l/(mol s), J/mol
    DECOMPOSITION = (3e8, 80e3)  # 1/s, J/mol
    FEED = 0.1  # mol/l of A

    def __init__(self) -> None:
        # Imported with the first reactor, not with the first run: a third of a second would spoil a reply's time.
        from scipy.integrate import solve_ivp  # noqa: PLC0415

        self._solve = solve_ivp

    def truth(self, conditions: Mapping[str, Value]) -> dict[str, float]:
        """Yield and conversion in per cent."""
        kelvin = float(conditions["temperature"]) + KELVIN
        formation, decomposition = (_rate(*rate, kelvin) for rate in (self.FORMATION, self.DECOMPOSITION))

        def change(_t: float, c: NDArray[float64]) -> tuple[float, float, float]:
            made, lost = formation * c[0] * c[1], decomposition * c[2]
            return -made, -made, made - lost

        feed = (self.FEED, self.FEED * float(conditions["equivalents"]), 0.0)
        seconds = float(conditions["residence_time"]) * SECONDS_PER_MINUTE
        course = self._solve(change, (0.0, seconds), feed, method="LSODA", rtol=1e-7, atol=1e-10)
        left, _, product = course.y[:, -1]
        return {"yield": _percent(product / self.FEED), "conversion": _percent(1 - left / self.FEED)}

    def measure(self, conditions: Mapping[str, Value], draws: Random) -> dict[str, float]:
        """The same: the reaction itself is not left to chance."""
        return self.truth(conditions)


def _rate(factor: float, barrier: float, kelvin: float) -> float:
    return factor * math.exp(-barrier / (GAS_CONSTANT * kelvin))


def _percent(share: float) -> float:
    return 100.0 * min(1.0, max(0.0, float(share)))
