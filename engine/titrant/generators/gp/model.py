"""The model: one Gaussian process for each metric, in numpy and scipy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.gp import hyperparameters, sampled
from titrant.generators.gp.asked import mixed
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
    found = hyperparameters.fit(*data.known(j))
    return Posterior(data.x, *data.filled(j, found.noise), found)


def draws(data: Data, likeliest: Sequence[Posterior], count: int, seed: int) -> tuple[tuple[Posterior, ...], ...]:
    """The same processes with drawn hyperparameters instead of the likeliest ones: ``count x m``.

    Raises:
        FloatingPointError: The numbers fail.
    """
    found: list[list[Posterior]] = []
    for j, one in enumerate(likeliest):
        hypers = sampled.drawn(*data.known(j), one.hyper, count, mixed(seed, j))
        found.append([Posterior(data.x, *data.filled(j, hyper.noise), hyper) for hyper in hypers])
    return tuple(zip(*found, strict=True))


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


def averaged(models: Sequence[Sequence[dict[str, tuple[float, float]]]]) -> list[dict[str, tuple[float, float]]]:
    """What several models predict, each at the same rows, as one prediction."""
    found = []
    for same in zip(*models, strict=True):
        row = {}
        for name in same[0]:
            mean, sem = np.array([one[name] for one in same]).T
            row[name] = float(mean.mean()), float(np.sqrt((sem * sem).mean() + mean.var()))
        found.append(row)
    return found
