"""Outcomes bent towards a normal distribution, so that one deep valley does not hide the others from the model.

Source: I.-K. Yeo and R. A. Johnson, "A new family of power transformations to improve normality or symmetry",
Biometrika 87 (2000).
"""

from __future__ import annotations

import msgspec
import numpy as np
from msgspec.structs import replace

from titrant.generators.axes import Floats
from titrant.generators.gp.data import NOISE_FLOOR, Data
from titrant.model.objective import OptimizationConfig

# Powers looked at: from logarithmic on one side to logarithmic on the other; all of them reach every number.
_POWERS = np.linspace(0.0, 2.0, 41)
# How strongly the power is drawn to 1, where nothing is bent: half the inverse of its variance.
_STRAIGHTNESS = 2.0
# Nodes and shares for means over a normal distribution, exact for polynomials to degree 31.
NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(16)
SHARES = _WEIGHTS / _WEIGHTS.sum()


class Bend(msgspec.Struct, frozen=True):
    """An increasing function of one standardized metric, standardized again.

    Attributes:
        power: Of the transformation; 1 leaves everything straight.
        shift, scale: The bent values' mean and standard deviation.
    """

    power: float = 1.0
    shift: float = 0.0
    scale: float = 1.0

    def there(self, y: Floats) -> Floats:
        """Bent values, in the same shape."""
        return y if self.power == 1.0 else (_bent(y, self.power) - self.shift) / self.scale

    def undone(self, t: Floats) -> Floats:
        """The values that bend to ``t``, in the same shape."""
        return t if self.power == 1.0 else _straight(self.shift + self.scale * t, self.power)

    def slope(self, y: Floats) -> Floats:
        """The derivative at values, in the same shape."""
        if self.power == 1.0:
            return np.ones_like(y)
        positive = np.where(y >= 0, self.power, 2.0 - self.power) - 1.0
        return np.asarray((1.0 + np.abs(y)) ** positive / self.scale)

    def back(self, mean: Floats, sd: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation of what bends to normal variables: ``n`` each."""
        if self.power == 1.0:
            return mean, sd
        values = self.undone(mean[:, None] + sd[:, None] * NODES)  # n x nodes
        centre = values @ SHARES
        return centre, np.sqrt((values - centre[:, None]) ** 2 @ SHARES)


def bends(config: OptimizationConfig, data: Data) -> tuple[Bend, ...]:
    """How each metric is bent: only one that is sought alone is, since sums and bounds are of straight values."""
    (objective, *others) = config.objectives
    constrained = {name for constraint in config.constraints for name in constraint.metric_names}
    sought = set() if others or len(objective.terms) > 1 else {objective.metric_names[0]} - constrained
    return tuple(_bend(data.known(j)[1]) if name in sought else Bend() for j, name in enumerate(data.metrics))


def bent(data: Data, functions: tuple[Bend, ...]) -> Data:
    """The data with bent outcomes, and noise as large as it is there."""
    columns = [(one, data.y[:, j], data.variance[j]) for j, one in enumerate(functions)]
    return replace(
        data,
        y=np.stack([one.there(y) for one, y, _ in columns], axis=1),
        variance=tuple(
            None if variance is None else np.maximum(variance * one.slope(y) ** 2, NOISE_FLOOR)
            for one, y, variance in columns
        ),
    )


def _bend(y: Floats) -> Bend:
    """The most probable bend of standardized values ``n``."""
    if y.std() < 1e-9:
        return Bend()
    candidates = np.stack([_bent(y, power) for power in _POWERS])  # powers x n
    spread = candidates.std(1)
    # The log density of the values, were the bent ones normal.
    density = -len(y) * np.log(spread) + (_POWERS - 1.0) * float((np.sign(y) * np.log1p(np.abs(y))).sum())
    place = int((density - _STRAIGHTNESS * (_POWERS - 1.0) ** 2).argmax())
    chosen = candidates[place]
    return Bend(float(_POWERS[place]), float(chosen.mean()), float(chosen.std(ddof=1)))


def _bent(y: Floats, power: float) -> Floats:
    """The transformation of Yeo and Johnson, elementwise."""
    size = np.log1p(np.abs(y))
    return np.where(y >= 0, _grown(size, power), -_grown(size, 2.0 - power))


def _grown(size: Floats, power: float) -> Floats:
    """``(exp(power size) - 1) / power``, and its limit at power 0."""
    return size if abs(power) < 1e-12 else np.expm1(power * size) / power


def _straight(t: Floats, power: float) -> Floats:
    """The inverse of ``_bent``."""
    return np.where(t >= 0, _ungrown(np.abs(t), power), -_ungrown(np.abs(t), 2.0 - power))


def _ungrown(grown: Floats, power: float) -> Floats:
    size = grown if abs(power) < 1e-12 else np.log1p(power * grown) / power
    return np.asarray(np.expm1(size))
