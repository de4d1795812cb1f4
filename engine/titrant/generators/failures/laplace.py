"""A Gaussian process of successes and failures: Laplace's approximation for the probit likelihood.

The approximation is a Gaussian process of real numbers, with other values and noise in place of the labels, so that the
same code says what it thinks of a point.

Source: C. E. Rasmussen and C. K. I. Williams, "Gaussian Processes for Machine Learning" (2006), sections 3.4 and 3.6.
"""

from __future__ import annotations

import numpy as np

# Typed only where scipy-stubs is installed.
from scipy.linalg import cho_solve  # type: ignore[import-untyped,unused-ignore]

from titrant.generators.axes import Floats
from titrant.generators.gp.hyperparameters import Hyperparameters
from titrant.generators.gp.kernel import matern, squared_distances
from titrant.generators.gp.logs import log_density, log_probability
from titrant.generators.gp.posterior import Posterior, cholesky

_STEPS = 50
_PRECISION = 1e-9
# Curvatures below this say nothing, and their inverse would be no noise that anybody can compute with.
_LEAST_CURVATURE = 1e-8


def classified(x: Floats, labels: Floats, hyper: Hyperparameters) -> tuple[Posterior, float]:
    """The latent process given successes and failures, and the logarithm of their evidence.

    Args:
        x: Points, ``n x w``.
        labels: 1 for a success, -1 for a failure, ``n``.
        hyper: Of the latent process; a success has the probability ``Phi(f)``.

    Raises:
        FloatingPointError: A covariance matrix is not positive definite.
    """
    scaled = x / hyper.lengthscales
    kernel = hyper.outputscale * matern(squared_distances(scaled, scaled))[0]
    f, weights = np.full(len(x), hyper.mean), np.zeros(len(x))
    height = _height(f, weights, labels, hyper.mean)
    for _ in range(_STEPS):
        slope, curvature = _likelihood(f, labels)
        root = np.sqrt(curvature)
        lower = cholesky(np.eye(len(x)) + root[:, None] * kernel * root, 1.0)
        target = curvature * (f - hyper.mean) + slope
        newton = target - root * cho_solve((lower, True), root * (kernel @ target))
        # Newton's step, halved until it is one uphill: the likelihood is log-concave, so there is one.
        share = 1.0
        while share > 1e-6:
            moved = weights + share * (newton - weights)
            there = hyper.mean + kernel @ moved
            reached = _height(there, moved, labels, hyper.mean)
            if reached >= height - 1e-12:
                break
            share /= 2.0
        f, weights, gained, height = there, moved, reached - height, reached
        if gained < _PRECISION:
            break
    slope, curvature = _likelihood(f, labels)
    root = np.sqrt(curvature)
    lower = cholesky(np.eye(len(x)) + root[:, None] * kernel * root, 1.0)
    evidence = height - float(np.log(np.diag(lower)).sum())
    pseudo = f + slope / curvature
    return Posterior(x, pseudo[:, None], 1.0 / curvature, hyper), evidence


def _likelihood(f: Floats, labels: Floats) -> tuple[Floats, Floats]:
    """The slope and the curvature (minus the second derivative) of ``log Phi(label f)``: ``n`` each."""
    u = labels * f
    ratio = np.exp(log_density(u) - log_probability(u))
    return labels * ratio, np.maximum(ratio * (ratio + u), _LEAST_CURVATURE)


def _height(f: Floats, weights: Floats, labels: Floats, mean: float) -> float:
    """The logarithm of likelihood times prior, constants left out."""
    return float(log_probability(labels * f).sum() - 0.5 * weights @ (f - mean))
