"""What points cost, in logarithms, over a model's columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from titrant.generators.axes import Axis, Floats
from titrant.generators.base import Point, Request
from titrant.generators.encoding import Encoding
from titrant.generators.gp.hyperparameters import fit
from titrant.generators.gp.posterior import Posterior
from titrant.model.fidelity import FIXED_SHARE, AffineCost, Cost, distance
from titrant.model.observation import by_metric
from titrant.model.space import SearchSpace

# Places at which a cost is known along a column; between them it is a straight line.
_PLACES = 129
# Measured costs from which a model of them can be made.
_LEAST = 3


class TabulatedCost:
    """A sum of what each fidelity costs."""

    def __init__(self, whole: Encoding, cost: AffineCost | None) -> None:
        """Take the encoding of the whole space, and what is said of costs."""
        space, names = whole.space, whole.space.having("fidelity")
        self._fixed = FIXED_SHARE if cost is None else cost.fixed_cost
        self._tables: list[tuple[int, Floats, Floats]] = []  # column, coordinates, costs
        for axis, part in zip(whole.axes, whole.slices, strict=True):
            if axis.name in names:
                numbers = _numbers(axis)
                costs = np.array([_share(space, cost, axis.name, float(one)) for one in numbers])
                self._tables.append((part.start, axis.to_model(numbers)[:, 0], costs))
        for name, value in whole.fixed.items():
            self._fixed += _share(space, cost, name, float(value)) if name in names else 0.0

    def logs(self, x: Floats) -> Floats:
        """Logarithms of costs: ``b x w`` to ``b``."""
        total = np.full(len(x), self._fixed)
        for column, places, costs in self._tables:
            total += np.interp(x[:, column], places, costs)
        return np.asarray(np.log(np.maximum(total, np.finfo(float).tiny)))

    def log_and_slope(self, point: Floats) -> tuple[float, Floats]:
        """The same at one point ``w``, and its gradient, ``w``."""
        log = float(self.logs(point[None])[0])
        slope = np.zeros(len(point))
        for column, places, costs in self._tables:
            after = int(np.clip(np.searchsorted(places, point[column], side="right"), 1, len(places) - 1))
            rise = (costs[after] - costs[after - 1]) / (places[after] - places[after - 1])
            slope[column] = rise / np.exp(log)
        return log, slope


class MeasuredCost:
    """A model of measured costs: a Gaussian process of their logarithms' distance from a tabulated cost."""

    def __init__(self, base: TabulatedCost, x: Floats, costs: Floats) -> None:
        """Take what it begins from, points ``n x w`` and their costs ``n``, above 0."""
        self._base = base
        logs = np.log(costs) - base.logs(x)
        self._shift, self._scale = float(logs.mean()), float(logs.std()) or 1.0
        y = (logs - self._shift) / self._scale
        hyper = fit(x, y, None)
        self._process = Posterior(x, y[:, None], np.full(len(x), hyper.noise), hyper)

    def logs(self, x: Floats) -> Floats:
        """Logarithms of costs: ``b x w`` to ``b``."""
        return self._base.logs(x) + self._shift + self._scale * self._process.mean(x)

    def log_and_slope(self, point: Floats) -> tuple[float, Floats]:
        """The same at one point ``w``, and its gradient, ``w``."""
        log, slope = self._base.log_and_slope(point)
        mean, _, rise, _ = self._process.slope(point)
        return log + self._shift + self._scale * float(mean[0]), slope + self._scale * rise[0]


Costs = TabulatedCost | MeasuredCost


def costs_of(request: Request, whole: Encoding) -> Costs:
    """What a request says and its trials tell of costs.

    Args:
        request: What is asked.
        whole: Encoding of its space.
    """
    cost: Cost | None = request.cost
    if isinstance(cost, AffineCost):
        return TabulatedCost(whole, cost)
    base = TabulatedCost(whole, None)
    found = [] if cost is None else _measured(whole, cost, request.observed)
    if len(found) < _LEAST:
        return base
    x = whole.to_model(np.array([row for row, _ in found]))
    return MeasuredCost(base, x, np.array([one for _, one in found]))


def _measured(whole: Encoding, metric: str, points: Sequence[Point]) -> list[tuple[Floats, float]]:
    """Numbers of the points whose cost was measured, and that cost; of costs that are not above 0 there is no log."""
    found = []
    for point in points:
        row, one = whole.numbers(point.parameters), by_metric(point.observations).get(metric)
        if row is not None and one is not None and one.mean is not None and 0 < one.mean < np.inf:
            found.append((row, one.mean))
    return found


def _numbers(axis: Axis) -> Floats:
    """Numbers of an axis from end to end, ascending in its coordinate."""
    if axis.count is not None and axis.count <= _PLACES:
        return axis.at(np.arange(float(axis.count)))
    return np.unique(axis.from_model(np.linspace(0.0, 1.0, _PLACES)[:, None]))


def _share(space: SearchSpace, cost: AffineCost | None, name: str, value: float) -> float:
    """What one fidelity adds to the cost of a trial (see ``model.fidelity.cost_of``)."""
    if cost is not None:
        return cost.fidelity_weights.get(name, 0.0) * value
    return (1.0 - FIXED_SHARE) * (1.0 - distance(space.parameter(name), value)) / len(space.having("fidelity"))
