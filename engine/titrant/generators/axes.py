"""One parameter as an axis: between its values, a number in its own unit, and coordinates of the unit cube.

The *number* of a value is the value itself on a numeric axis and its place in the list on any other, so that a point
is a row of floats and constraints are sums over it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from titrant.generators.descriptors import telling
from titrant.model.space import ChoiceParameterConfig, FixedParameterConfig, ParameterConfig, RangeParameterConfig
from titrant.model.trial import ParameterValue

Floats = npt.NDArray[np.float64]


class Axis(Protocol):
    """A parameter that is free to vary.

    Attributes:
        name: The parameter's name.
        low, high: Least and greatest number.
        count: How many numbers there are; None where infinitely many.
        width: Columns it has in the model's unit cube.
        numeric: Whether its numbers are the parameter's values, and so may stand in constraints.
        linear: Whether the model's coordinate is a linear function of the number.
        extent: How far apart its ends are in its column, if it has but one: 1, or less where 1 would tell too little.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - told above
    @property
    def low(self) -> float: ...  # noqa: D102
    @property
    def high(self) -> float: ...  # noqa: D102
    @property
    def count(self) -> int | None: ...  # noqa: D102
    @property
    def width(self) -> int: ...  # noqa: D102
    @property
    def numeric(self) -> bool: ...  # noqa: D102
    @property
    def linear(self) -> bool: ...  # noqa: D102
    @property
    def extent(self) -> float: ...  # noqa: D102

    def from_unit(self, u: Floats) -> Floats:
        """Numbers from uniform coordinates, every value as likely as any other: ``n`` in (0, 1) to ``n``."""

    def snap(self, z: Floats) -> Floats:
        """The nearest allowed numbers: ``n`` to ``n``."""

    def at(self, level: Floats) -> Floats:
        """Numbers of levels 0 to ``count - 1``: ``n`` to ``n``. Only where ``count`` is given."""

    def level(self, z: Floats) -> Floats:
        """The inverse of ``at``, for allowed numbers."""

    def to_model(self, z: Floats) -> Floats:
        """Coordinates for the model: ``n`` to ``n x width``, in [0, 1] for allowed numbers."""

    def from_model(self, x: Floats) -> Floats:
        """The nearest allowed numbers: ``n x width`` to ``n``."""

    def value(self, z: float) -> ParameterValue:
        """The canonical value of a number."""

    def number(self, value: ParameterValue) -> float:
        """The number of a value, which may lie outside the bounds.

        Raises:
            ValueError: The axis has no place for it.
        """


# How far apart unordered choices and two levels are: of processes with usual length scales, outcomes of two choices
# are correlated by one half then. At a distance of 1 it is 0.13: next to nothing that was learned of one would say
# anything of the other. Of more levels that have an order those between tell, too.
_CHOSEN = 0.5


def _extent(config: RangeParameterConfig | ChoiceParameterConfig, count: int) -> float:
    """How far apart so many levels are from end to end; of sources of data models have notions of their own."""
    return _CHOSEN if count == 2 and config.role not in ("fidelity", "task") else 1.0


class Continuous:
    """A range of floats, linear or logarithmic."""

    count: int | None = None
    width = 1
    numeric = True
    extent: float = 1.0

    def __init__(self, config: RangeParameterConfig) -> None:
        self.name = config.name
        self._config = config
        self.low, self.high = config.bounds
        self.linear = config.scaling != "log"
        # Ends of the scale on which the unit coordinate is linear.
        self._ends = self._scaled(np.array([self.low, self.high]))

    def _scaled(self, z: Floats) -> Floats:
        # A point attached from outside the bounds may be zero or negative: as near to it as a logarithm gets.
        return z if self.linear else np.log(np.maximum(z, self.low * 1e-3))

    def from_unit(self, u: Floats) -> Floats:  # noqa: D102 - told by Axis
        scaled = self._ends[0] + u * (self._ends[1] - self._ends[0])
        return self.snap(scaled if self.linear else np.exp(scaled))

    def snap(self, z: Floats) -> Floats:  # noqa: D102
        # What an optimizer leaves a hair from a bound is the bound: nobody can weigh out 3e-17 g.
        hair = 1e-10 * (self.high - self.low)
        z = np.where(z < self.low + hair, self.low, z)
        return np.where(z > self.high - hair, self.high, z)

    def at(self, level: Floats) -> Floats:  # noqa: D102
        raise NotImplementedError(f"{self.name} has no levels")

    def level(self, z: Floats) -> Floats:  # noqa: D102
        raise NotImplementedError(f"{self.name} has no levels")

    def to_model(self, z: Floats) -> Floats:  # noqa: D102
        unit: Floats = (self._scaled(z) - self._ends[0]) / (self._ends[1] - self._ends[0])
        return self.extent * unit[:, None]

    def from_model(self, x: Floats) -> Floats:  # noqa: D102
        return self.from_unit(x[:, 0])

    def value(self, z: float) -> ParameterValue:  # noqa: D102
        return self._config.nearest(z)

    def number(self, value: ParameterValue) -> float:  # noqa: D102
        return _finite(value)


class Steps(Continuous):
    """Whole numbers, or ``lower + k * step``: evenly spaced in the parameter's unit, whatever the scaling."""

    def __init__(self, config: RangeParameterConfig, count: int) -> None:
        super().__init__(config)
        self.count: int = count
        self.extent = _extent(config, count)
        self._step = float(config.step_size or 1)
        self.high = float(config.nearest(self.high))
        self._ends = self._scaled(np.array([self.low, self.high]))
        # Half a step beyond the ends, so that the outermost values are as likely as the others.
        below = self.low - self._step / 2
        edges = np.array([max(below, self.low / 2), self.high + self._step / 2])
        self._edges = edges if self.linear else np.log(edges)

    def from_unit(self, u: Floats) -> Floats:  # noqa: D102
        if self.linear:
            return self.at(np.floor(u * self.count))
        return self.snap(np.exp(self._edges[0] + u * (self._edges[1] - self._edges[0])))

    def snap(self, z: Floats) -> Floats:  # noqa: D102
        return self.at(self.level(z))

    def at(self, level: Floats) -> Floats:  # noqa: D102
        return self.low + self._step * np.clip(level, 0, self.count - 1)

    def level(self, z: Floats) -> Floats:  # noqa: D102
        return np.rint((z - self.low) / self._step)

    def from_model(self, x: Floats) -> Floats:  # noqa: D102
        return self.snap(Continuous.from_unit(self, x[:, 0] / self.extent))


class Levels:
    """An ordered choice: numbers in ascending order, or names in the order given; evenly spaced for the model."""

    width = 1

    def __init__(self, config: ChoiceParameterConfig) -> None:
        self.name = config.name
        self.numeric = config.interval is not None
        self._values = sorted(config.values, key=float) if self.numeric else list(config.values)
        self.count: int = len(self._values)
        self.extent = _extent(config, self.count)
        self._numbers: Floats = np.array([float(v) if self.numeric else k for k, v in enumerate(self._values)])
        self.low, self.high = float(self._numbers[0]), float(self._numbers[-1])
        self.linear = not self.numeric

    def from_unit(self, u: Floats) -> Floats:  # noqa: D102
        return self.at(np.floor(u * self.count))

    def snap(self, z: Floats) -> Floats:  # noqa: D102
        return self.at(self.level(z))

    def at(self, level: Floats) -> Floats:  # noqa: D102
        numbers: Floats = self._numbers[np.clip(level, 0, self.count - 1).astype(np.intp)]
        return numbers

    def level(self, z: Floats) -> Floats:  # noqa: D102
        level: Floats = np.abs(z[:, None] - self._numbers).argmin(1).astype(np.float64)
        return level

    def to_model(self, z: Floats) -> Floats:  # noqa: D102
        # What was executed between two of the values lies between them, beyond the ends at the end.
        levels: Floats = np.interp(z, self._numbers, np.arange(self.count, dtype=np.float64))
        return self.extent * levels[:, None] / (self.count - 1)

    def from_model(self, x: Floats) -> Floats:  # noqa: D102
        return self.at(np.rint(x[:, 0] / self.extent * (self.count - 1)))

    def value(self, z: float) -> ParameterValue:  # noqa: D102
        return self._values[int(self.level(np.array([z]))[0])]

    def number(self, value: ParameterValue) -> float:  # noqa: D102
        if self.numeric:
            return _finite(value)
        return float(self._numbers[self._values.index(value)])


class Category(Levels):
    """An unordered choice: one column for each value in the model, its place in the list elsewhere."""

    def __init__(self, config: ChoiceParameterConfig) -> None:
        super().__init__(config)
        self.width = self.count
        self.linear = False

    def to_model(self, z: Floats) -> Floats:  # noqa: D102
        one_hot: Floats = _CHOSEN * np.eye(self.count)[self.level(z).astype(np.intp)]
        return one_hot

    def from_model(self, x: Floats) -> Floats:  # noqa: D102
        return self.at(x.argmax(1).astype(np.float64))


class Described(Category):
    """A choice whose values have descriptors: a column for each of those that say something of their own."""

    def __init__(self, config: ChoiceParameterConfig, rows: Sequence[tuple[float, ...]]) -> None:
        """Take the values of ``config`` and, in the same order, what describes each."""
        super().__init__(config)
        order = [config.values.index(value) for value in self._values]
        self._places: Floats = telling(np.array(rows, dtype=np.float64)[order])  # count x width
        self.width = self._places.shape[1]

    def to_model(self, z: Floats) -> Floats:  # noqa: D102
        places: Floats = self._places[self.level(z).astype(np.intp)]
        return places

    def from_model(self, x: Floats) -> Floats:  # noqa: D102
        distances = ((x[:, None, :] - self._places) ** 2).sum(2)  # n x count
        return self.at(distances.argmin(1).astype(np.float64))


def free_axis(config: ParameterConfig) -> Axis | ParameterValue:
    """The axis of a parameter, or its value where there is but one."""
    match config:
        case FixedParameterConfig(value=value):
            return value
        case ChoiceParameterConfig(values=(only,)):
            return only
        case ChoiceParameterConfig(descriptors=dict(table)) if len(config.values) > 2:
            return Described(config, [tuple(row.values()) for row in table.values()])
        case ChoiceParameterConfig():
            # Two unordered values need one column, not two: the other would only repeat it.
            return Levels(config) if config.ordered or len(config.values) == 2 else Category(config)
        case RangeParameterConfig():
            count = config.size()
            if count == 1:
                return config.nearest(config.bounds[0])
            return Continuous(config) if count is None else Steps(config, count)


def _finite(value: ParameterValue) -> float:
    if isinstance(value, str) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a finite number")
    return float(value)
