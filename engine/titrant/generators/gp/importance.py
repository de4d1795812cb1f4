"""Shares of a function's variance that belong to its variables: Sobol's indices.

Sources: A. Saltelli et al., "Variance based sensitivity analysis of model output. Design and estimator for the total
sensitivity index", Computer Physics Communications 181 (2010): the sampling, and the estimators (b) and (f) of table 2.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from titrant.errors import GenerationError
from titrant.generators.axes import Floats
from titrant.generators.digital_net import SobolSequence
from titrant.generators.gp.domain import Domain
from titrant.generators.gp.fitted import Fitted
from titrant.model.insight import Estimate, OutputImportance, ParameterImportance, SobolIndex
from titrant.model.objective import OptimizationConfig

_SAMPLES = 2048
_LEAST_SAMPLES = 128
# Kernel values that may be looked at: some seconds.
_MOST_WORK = 4e8
_RESAMPLES = 500
# Points looked at in one call, so that memory stays bounded.
_CHUNK = 1024
# A spread below this share of the metric's is rounding.
_CONSTANT = 1e-9


def importance_of(fitted: Fitted, config: OptimizationConfig, domain: Domain, seed: int) -> ParameterImportance:
    """What the posterior mean of each metric depends on; all values of a parameter are equally likely.

    Raises:
        GenerationError: No parameter is free.
    """
    free = domain.free
    if not free.dimension:
        raise GenerationError("no parameter is free: there is nothing whose importance could be told")
    names, weights = _outputs(fitted, config)

    def values(u: Floats) -> Floats:
        x = domain.to_model(free.from_unit(u))
        parts = [means(fitted, x[start : start + _CHUNK]) for start in range(0, len(x), _CHUNK)]
        return np.concatenate(parts) @ weights.T

    samples = _SAMPLES
    while samples > _LEAST_SAMPLES and samples * (free.dimension + 2) * len(fitted.data) > _MOST_WORK:
        samples //= 2
    first, total, sd = indices(values, free.dimension, samples, seed)
    least = _CONSTANT * np.abs(weights).max(1)
    outputs = []
    for o, name in enumerate(names):
        varies = sd[o] > least[o]
        found = [
            SobolIndex(axis.name, *(_estimate(part[:, i, o], varies=varies) for part in (first, total)))
            for i, axis in enumerate(free.axes)
        ]
        found.sort(key=lambda one: -one.total.value)
        outputs.append(OutputImportance(output=name, sd=float(sd[o]) if varies else 0.0, indices=tuple(found)))
    return ParameterImportance(
        model=fitted.name, samples=samples, ignored_constraints=free.system.any, outputs=tuple(outputs)
    )


def means(fitted: Fitted, x: Floats) -> Floats:
    """Posterior means of the standardized metrics, without the bends: ``b x w`` to ``b x m``."""
    columns = []
    for function, posterior in zip(fitted.functions, fitted.posteriors, strict=True):
        if function.power == 1.0:
            columns.append(posterior.mean(x))
        else:
            mean, variance = posterior.at(x)
            columns.append(function.back(mean[:, 0], np.sqrt(variance))[0])
    return np.stack(columns, axis=1)


def indices(
    values: Callable[[Floats], Floats], dimension: int, samples: int, seed: int
) -> tuple[Floats, Floats, Floats]:
    """First-order and total indices of a function of independent variables, uniform in the unit cube.

    Args:
        values: ``b x d`` to ``b x o``.
        dimension: ``d``.
        samples: Base points, ``b``; the function is looked at ``b (d + 2)`` times.
        seed: Of the points and of the resampling.

    Returns:
        First-order and total indices, ``r x d x o``: in the first row those of all points, in the others those of
        bootstrap samples; and standard deviations, ``o``.
    """
    u = SobolSequence(2 * dimension, seed).points(0, samples)
    a, b = u[:, :dimension], u[:, dimension:]
    at_a, at_b = values(a), values(b)
    centre = np.concatenate([at_a, at_b]).mean(0)
    at_a, at_b = at_a - centre, at_b - centre
    first, total = [], []
    for i in range(dimension):
        mixed = a.copy()
        mixed[:, i] = b[:, i]
        moved = values(mixed) - centre - at_a
        first.append(at_b * moved)
        total.append(0.5 * moved**2)
    shares = np.full(samples, 1.0 / samples)
    draws = np.random.default_rng([seed, 8]).multinomial(samples, shares, size=_RESAMPLES) / samples
    counts = np.concatenate([shares[None], draws])  # r x b
    mean = counts @ (0.5 * (at_a + at_b))
    variance = np.maximum(counts @ (0.5 * (at_a**2 + at_b**2)) - mean**2, np.finfo(float).tiny)  # r x o
    return (
        np.stack([counts @ part for part in first], axis=1) / variance[:, None],
        np.stack([counts @ part for part in total], axis=1) / variance[:, None],
        np.sqrt(variance[0]),
    )


def _outputs(fitted: Fitted, config: OptimizationConfig) -> tuple[list[str], Floats]:
    """What is told of: names, and weights over the standardized metrics, ``o x m``."""
    data = fitted.data
    names, rows = list(data.metrics), [np.diag(data.scale)]
    for objective in config.objectives:
        if len(objective.terms) > 1:
            row = np.zeros((1, len(data.metrics)))
            for name, weight in objective.terms:
                row[0, data.metrics.index(name)] += weight * data.scale[data.metrics.index(name)]
            names.append(objective.text)
            rows.append(row)
    return names, np.concatenate(rows)


def _estimate(values: Floats, *, varies: bool) -> Estimate:
    if not varies:
        return Estimate(0.0, 0.0, 0.0)
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return Estimate(float(values[0]), float(low), float(high))
