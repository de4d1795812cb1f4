"""Observations as arrays: what the model is fitted to."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from msgspec.structs import replace

from titrant.generators.axes import Floats
from titrant.generators.base import Point
from titrant.generators.encoding import Encoding
from titrant.model.observation import by_metric

# Standard deviations below this share of the magnitude are rounding, not variation.
_CONSTANT = 1e-12
# Least variance of a measurement, in units of the outcomes' variance: covariance matrices stay well conditioned.
NOISE_FLOOR = 1e-6


class Data(msgspec.Struct, frozen=True):
    """Trials that have all the metrics, standardized.

    Attributes:
        z: Numbers of the points, ``n x d`` (see ``encoding.py``).
        x: Coordinates for the model, ``n x w``.
        y: Standardized means, ``n x m``.
        variance: For each metric the squared SEMs in standardized units, ``n``, at least ``NOISE_FLOOR``; None where
            an SEM is unknown, and the noise is inferred.
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


def collect(encoding: Encoding, metrics: Sequence[str], points: Sequence[Point]) -> Data:
    """The points that have a finite mean of every metric and a place in the search space; the others are left out.

    Args:
        encoding: The whole space.
        metrics: What the model needs, ``m`` names.
        points: Trials, observed or not.
    """
    rows, means, sems, trials = [], [], [], []
    for point in points:
        z = encoding.numbers(point.parameters)
        latest = by_metric(point.observations)
        if z is None or any(name not in latest for name in metrics):
            continue
        rows.append(z)
        trials.append(point.trial)
        means.append([_finite(latest[name].mean) for name in metrics])
        sems.append([_finite(latest[name].sem) for name in metrics])
    z = np.array(rows, dtype=np.float64).reshape(len(rows), encoding.dimension)
    raw = np.array(means, dtype=np.float64).reshape(len(rows), len(metrics))
    sem = np.array(sems, dtype=np.float64).reshape(raw.shape)
    keep = np.asarray(np.isfinite(raw).all(1))
    z, raw, sem = z[keep], raw[keep], sem[keep]
    size = _size(raw)
    shift = size * (raw / size).mean(0) if len(raw) else np.zeros(len(metrics))
    spread = (raw / size).std(0, ddof=1) if len(raw) > 1 else np.zeros(len(metrics))
    scale = np.where(spread > _CONSTANT, size * spread, 1.0)
    variance = (sem / scale) ** 2
    return Data(
        z=z,
        x=encoding.to_model(z),
        y=(raw - shift) / scale,
        variance=tuple(np.maximum(column, NOISE_FLOOR) if np.isfinite(column).all() else None for column in variance.T),
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
    places = np.sort(np.concatenate([best, rest[spread]]))
    return replace(
        data,
        z=data.z[places],
        x=data.x[places],
        y=data.y[places],
        variance=tuple(None if column is None else column[places] for column in data.variance),
        trials=tuple(data.trials[place] for place in places) if data.trials else (),
    )


def _size(raw: Floats) -> Floats:
    """For each column, ``n x m``, a power of two near its greatest magnitude: dividing by it is exact, ``m``.

    Squares of outcomes in attofarads vanish, and those of astronomers overflow.
    """
    greatest = np.abs(raw).max(0, initial=0.0)
    exponent = np.frexp(greatest)[1]
    return np.asarray(np.where(greatest > 0, np.ldexp(1.0, np.minimum(exponent, 1023)), 1.0))


def _finite(value: float | None) -> float:
    return math.nan if value is None else value
