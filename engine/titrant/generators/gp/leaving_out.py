"""How well a model predicts trials that it has not seen, without fitting it anew."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

# Typed only where scipy-stubs is installed.
from scipy.special import ndtri  # type: ignore[import-untyped,unused-ignore]

from titrant.generators.axes import Floats
from titrant.generators.gp.bend import bent
from titrant.generators.gp.fitted import Fitted
from titrant.model.insight import Coverage, Estimate, LeftOut, MetricFit, ModelFit

LEVELS = (0.5, 0.8, 0.95)
"""Shares of the measurements that intervals should hold."""
RESAMPLES = 1000
# Standardized outcomes that vary less do not vary.
_CONSTANT = 1e-9


def fit_of(fitted: Fitted, seed: int) -> ModelFit:
    """Each metric's fit; hyperparameters, bend and units stay those of all the data."""
    groups = same_places(fitted.data.x)
    return ModelFit(
        model=fitted.name,
        metrics=tuple(_metric(fitted, j, groups, seed) for j in range(len(fitted.data.metrics))),
    )


def same_places(x: Floats) -> list[npt.NDArray[np.intp]]:
    """Places of rows, ``n x w``, that are the same: a trial's replicates are left out together with it."""
    _, group = np.unique(x, axis=0, return_inverse=True)
    group = group.reshape(-1)
    order = np.argsort(group, kind="stable").astype(np.intp)
    return np.split(order, np.flatnonzero(np.diff(group[order])) + 1)


def _metric(fitted: Fitted, j: int, groups: list[npt.NDArray[np.intp]], seed: int) -> MetricFit:
    data, function, posterior = fitted.data, fitted.functions[j], fitted.posteriors[j]
    mean, variance = posterior.left_out(groups)
    sd = np.sqrt(variance)
    standardized = (bent(data, fitted.functions).y[:, j] - mean) / sd
    centre, spread = function.back(mean, sd)
    y, shift, scale = data.y[:, j], float(data.shift[j]), float(data.scale[j])
    rows = np.random.default_rng([seed, 7, j]).integers(len(y), size=(RESAMPLES, len(y)))
    squares = (y - centre) ** 2
    errors = np.sqrt(squares[rows].mean(1))
    left_out = [
        LeftOut(trial, shift + scale * float(one), shift + scale * float(said), scale * float(wide), float(z))
        for trial, one, said, wide, z in zip(data.trials, y, centre, spread, standardized, strict=True)
    ]
    return MetricFit(
        metric=data.metrics[j],
        r2=_r2(y, squares, rows),
        rmse=Estimate(scale * float(np.sqrt(squares.mean())), *_ends(scale * errors)),
        residual_mean=float(standardized.mean()),
        residual_sd=float(np.sqrt((standardized**2).mean())),
        coverage=tuple(_coverage(standardized, level) for level in LEVELS),
        left_out=tuple(sorted(left_out, key=lambda one: one.trial)),
    )


def _r2(y: Floats, squares: Floats, rows: npt.NDArray[np.int64]) -> Estimate | None:
    if y.std() < _CONSTANT:
        return None
    variances = y[rows].var(1)
    varied = variances > _CONSTANT**2  # of two trials every other resample is one of them twice
    ratios = 1.0 - squares[rows].mean(1)[varied] / variances[varied]
    return Estimate(float(1.0 - squares.mean() / y.var()), *_ends(ratios))


def _coverage(standardized: Floats, level: float) -> Coverage:
    inside = int((np.abs(standardized) <= ndtri(0.5 + level / 2)).sum())
    return Coverage(level, share(inside, len(standardized)))


def share(count: int, of: int) -> Estimate:
    """A share and its interval by Wilson, which stays between 0 and 1 at either end."""
    z = float(ndtri(0.975))
    p, size = count / of, 1.0 + z * z / of
    middle = (p + z * z / (2 * of)) / size
    half = z / size * float(np.sqrt(p * (1 - p) / of + z * z / (4 * of * of)))
    return Estimate(p, min(p, max(0.0, middle - half)), max(p, min(1.0, middle + half)))


def _ends(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
