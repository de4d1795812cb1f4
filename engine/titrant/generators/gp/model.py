"""The model: one Gaussian process for each metric, in numpy and scipy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.gp import hyperparameters
from titrant.generators.gp.bend import Bend
from titrant.generators.gp.data import Data
from titrant.generators.gp.posterior import Posterior

NAME = "GP(Matern-5/2)"


def fit(data: Data) -> tuple[Posterior, ...]:
    """Fit the standardized metrics: ``m`` processes over ``w`` columns.

    Raises:
        FloatingPointError: The numbers fail.
    """
    return tuple(_fit_one(data, j) for j in range(len(data.metrics)))


def _fit_one(data: Data, j: int) -> Posterior:
    variance = data.variance[j]
    found = hyperparameters.fit(data.x, data.y[:, j], variance)
    noise = np.full(len(data), found.noise) if variance is None else variance
    return Posterior(data.x, data.y[:, j : j + 1], noise, found)


def predict(
    model: tuple[Posterior, ...], data: Data, x: Floats, functions: Sequence[Bend] | None = None
) -> list[dict[str, tuple[float, float]]]:
    """Mean and SEM of the mean at each row, in the metrics' own units.

    Args:
        model: Of the standardized metrics, bent.
        data: What they are without the bend.
        x: ``b x w``.
        functions: How each was bent, ``m``; None where none was.
    """
    found: list[dict[str, tuple[float, float]]] = [{} for _ in x]
    for j, name in enumerate(data.metrics):
        mean, variance = model[j].at(x)
        function = Bend() if functions is None else functions[j]
        centre, sd = function.back(mean[:, 0], np.sqrt(variance))
        for one, value, sem in zip(found, data.shift[j] + data.scale[j] * centre, data.scale[j] * sd, strict=True):
            one[name] = float(value), float(sem)
    return found
