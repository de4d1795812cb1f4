"""Joint draws of what points truly give, as a model sees it: for what no formula tells of several metrics at once."""

from __future__ import annotations

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.gp.data import Data
from titrant.generators.gp.fitted import Fitted
from titrant.generators.gp.posterior import Posterior, cholesky

DRAWS = 4096


def drawn(fitted: Fitted, x: Floats, count: int, seed: int) -> Floats:
    """Joint draws of what points ``c x w`` truly give, in standardized units: ``c x count x m``."""
    rng = np.random.default_rng([seed, 9])
    draws = []
    for function, posterior in zip(fitted.functions, fitted.posteriors, strict=True):
        draws.append(function.undone(joint_draws(posterior, x, count, rng)))
    return np.stack(draws, axis=-1)


def joint_draws(posterior: Posterior, x: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Joint draws of a process without its noise at points ``c x w``: ``c x count``."""
    mean, covariance = posterior.joint(x)
    normal = rng.standard_normal((len(x), count))
    return np.asarray(mean[:, None] + cholesky(covariance, posterior.hyper.outputscale) @ normal)


def utilities(data: Data, terms: tuple[tuple[str, float], ...], y: Floats) -> Floats:
    """An objective of these terms, in its own unit, of standardized metrics: ``c x s x m`` to ``c x s``."""
    places = [(data.metrics.index(name), weight) for name, weight in terms]
    return np.asarray(sum(weight * (data.shift[j] + data.scale[j] * y[..., j]) for j, weight in places))
