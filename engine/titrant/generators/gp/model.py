"""The model: one Gaussian process for each metric, in numpy and scipy."""

from __future__ import annotations

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.gp import hyperparameters
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


def predict(model: tuple[Posterior, ...], data: Data, x: Floats) -> list[dict[str, tuple[float, float]]]:
    """Mean and SEM of the mean at each row, in the metrics' own units.

    Args:
        model: Of the standardized metrics.
        data: What it was fitted to.
        x: ``b x w``.
    """
    answers = [posterior.at(x) for posterior in model]
    return [
        {
            name: (
                float(data.shift[j] + data.scale[j] * answers[j][0][i, 0]),
                float(data.scale[j] * np.sqrt(answers[j][1][i])),
            )
            for j, name in enumerate(data.metrics)
        }
        for i in range(len(x))
    ]
