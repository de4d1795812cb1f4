"""Observations as arrays: what the model is fitted to."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from titrant.generators.axes import Floats
from titrant.generators.base import Point
from titrant.generators.encoding import Encoding, Mask
from titrant.model.observation import by_metric

# Standard deviations below this share of the magnitude are rounding, not variation.
_CONSTANT = 1e-12
# Least variance of a measurement, in units of the outcomes' variance: covariance matrices stay well conditioned.
NOISE_FLOOR = 1e-6
# A variance with which a measurement says nothing, in the same units.
_NOTHING = 1e8


class Data(msgspec.Struct, frozen=True):
    """Trials, standardized: those that have all the metrics, or, where asked for, some.

    Attributes:
        z: Numbers of the points, ``n x d`` (see ``encoding.py``).
        x: Coordinates for the model, ``n x w``.
        y: Standardized means, ``n x m``; NaN where a trial lacks a metric.
        variance: For each metric the squared SEMs in standardized units, ``n``, at least ``NOISE_FLOOR``, NaN where one
            is unknown; None where all are.  What is unknown is inferred.
        shift, scale: A mean in the metric's unit is ``shift + scale * y``: ``m`` each.
        metrics: Their names.
        trials: Indices of the trials, ``n``.
    """

    z: Floats
    x: Floats
    y: Floats
    variance: tuple[Floats | None, ...]
    shift: Floats
    scale: Floats
    metrics: tuple[str, ...]
    trials: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.x)

    @property
    def whole(self) -> Mask:
        """Which trials have all the metrics, ``n``."""
        return np.asarray(np.isfinite(self.y).all(1))

    def known(self, j: int) -> tuple[Floats, Floats, Floats | None]:
        """The trials that have metric ``j``: points ``p x w``, outcomes ``p``, and noise variances ``p`` or None."""
        y, variance = self.y[:, j], self.variance[j]
        there = np.isfinite(y)
        if there.all():
            return self.x, y, variance
        return self.x[there], y[there], None if variance is None else variance[there]

    def filled(self, j: int, noise: float | None) -> tuple[Floats, Floats]:
        """Outcomes of metric ``j`` at all points, ``n x 1``, and their noise variances, ``n``.

        What a trial lacks has so much noise that it says nothing.

        Args:
            j: Which metric.
            noise: What was inferred for those whose noise is unknown.
        """
        y, variance = self.y[:, j], self.variance[j]
        inferred = np.full(len(y), math.nan if noise is None else noise)
        told = inferred if variance is None else np.where(np.isnan(variance), inferred, variance)
        there = np.isfinite(y)
        return np.where(there, y, 0.0)[:, None], np.where(there, told, _NOTHING)


def columns(encoding: Encoding, points: Sequence[Point]) -> Floats:
    """Coordinates for the model, ``n x w``, of those points that have a place in the space."""
    rows = [row for point in points if (row := encoding.numbers(point.parameters)) is not None]
    return encoding.to_model(np.array(rows, dtype=np.float64).reshape(len(rows), encoding.dimension))


def collect(encoding: Encoding, metrics: Sequence[str], points: Sequence[Point], *, partial: bool = False) -> Data:
    """The points that have a finite mean of every metric and a place in the search space; the others are left out.

    Args:
        encoding: The whole space.
        metrics: What the model needs, ``m`` names.
        points: Trials, observed or not.
        partial: Whether one metric is enough.
    """
    rows, means, sems, trials = [], [], [], []
    for point in points:
        z = encoding.numbers(point.parameters)
        latest = by_metric(point.observations)
        if z is None:
            continue
        rows.append(z)
        trials.append(point.trial)
        found = [latest.get(name) for name in metrics]
        means.append([math.nan if one is None else _finite(one.mean) for one in found])
        sems.append([math.nan if one is None else _finite(one.sem) for one in found])
    z = np.array(rows, dtype=np.float64).reshape(len(rows), encoding.dimension)
    raw = np.array(means, dtype=np.float64).reshape(len(rows), len(metrics))
    sem = np.array(sems, dtype=np.float64).reshape(raw.shape)
    there = np.isfinite(raw)
    keep = np.asarray(there.any(1) if partial else there.all(1))
    z, raw, sem, there = z[keep], np.where(there, raw, math.nan)[keep], sem[keep], there[keep]
    shift, scale = np.zeros(len(metrics)), np.ones(len(metrics))
    for j in range(len(metrics)):
        shift[j], scale[j] = _unit(raw[there[:, j], j])
    variance = (sem / scale) ** 2
    return Data(
        z=z,
        x=encoding.to_model(z),
        y=(raw - shift) / scale,
        variance=tuple(np.maximum(column, NOISE_FLOOR) if np.isfinite(column).any() else None for column in variance.T),
        shift=shift,
        scale=scale,
        metrics=tuple(metrics),
        trials=tuple(trial for trial, kept in zip(trials, keep.tolist(), strict=True) if kept),
    )


def thinned(data: Data, worth: Floats, most: int) -> Data:
    """At most so many of the points: half of them the best ones, the others spread evenly over what they are worth.

    Args:
        data: ``n`` points.
        worth: What each is worth, ``n``; the larger the better.
        most: How many to keep.
    """
    if len(data) <= most:
        return data
    order = np.argsort(-worth, kind="stable")
    best, rest = order[: most // 2], order[most // 2 :]
    spread = np.linspace(0.0, len(rest) - 1.0, most - len(best)).round().astype(np.intp)
    return picked(data, np.sort(np.concatenate([best, rest[spread]])))


def picked(data: Data, places: npt.NDArray[np.intp]) -> Data:
    """Some of the points, in the order of their places; in the same units as all of them."""
    return replace(
        data,
        z=data.z[places],
        x=data.x[places],
        y=data.y[places],
        variance=tuple(None if column is None else column[places] for column in data.variance),
        trials=tuple(data.trials[place] for place in places) if data.trials else (),
    )


def _unit(raw: Floats) -> tuple[float, float]:
    """Mean and standard deviation of outcomes, ``n``; 1 where they do not vary.

    They are divided by a power of two near their greatest magnitude first, which is exact: squares of outcomes in
    attofarads vanish, and those of astronomers overflow.
    """
    if not len(raw):
        return 0.0, 1.0
    greatest = float(np.abs(raw).max())
    size = math.ldexp(1.0, min(math.frexp(greatest)[1], 1023)) if greatest > 0 else 1.0
    spread = float((raw / size).std(ddof=1)) if len(raw) > 1 else 0.0
    return size * float((raw / size).mean()), size * spread if spread > _CONSTANT else 1.0


def _finite(value: float | None) -> float:
    return math.nan if value is None else value
