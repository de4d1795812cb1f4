"""Outcomes with a bound to keep, in logarithms where they are smoother so: impurities, doses, stresses, deflections.

Whether a trial keeps the bound is decided within a few units of it, and what breaks it may be many times as large: an
impurity of 3 % at most, of trials that have 0 to 100 %.  Standardized, all that matters is within some hundredths then,
and the model's length scales are those of the cliff.  In logarithms, counted from the least outcome, such metrics are
often smooth, near to sums over the parameters, and alike for all choices.  Where outcomes are spread over orders of
magnitude on the side that keeps the bound, or on both, they are counted from the bound itself, which magnifies what
lies about it.  A metric is stretched only where the process itself, by its evidence, explains the outcomes much better
so.

Sources: E. Snelson, C. E. Rasmussen and Z. Ghahramani, "Warped Gaussian processes", NeurIPS 2003.  D. Eriksson and
M. Poloczek, "Scalable Constrained Bayesian Optimization", AISTATS 2021, of logarithms on both sides of a bound.
"""

from __future__ import annotations

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.gp import hyperparameters
from titrant.generators.gp.bend import NODES, SHARES, Bend
from titrant.generators.gp.data import NOISE_FLOOR, Data
from titrant.generators.gp.goal import Goal
from titrant.model.objective import OptimizationConfig

# Widths looked at, in standard deviations: within its width an outcome counts as it is, beyond it by its logarithm.
_WIDTHS = 10.0 ** np.linspace(1.0, -2.5, 15)
# The same around a bound: so many, from near outcomes' distance from it to that of distant ones.
_AROUND = 10
_NEAR, _DISTANT = 0.1, 0.9
# By how much the logarithm of the evidence must be better. With 2, one of Gramacy's bounds, which needs no logarithm,
# has one in early trials.
_BETTER = 5.0
# Choices of the width, each with the hyperparameters that suit the one before.
_ROUNDS = 2
_LEAST_POINTS = 5
# Standard deviations below this are rounding.
_CONSTANT = 1e-9
# What is told of outcomes stays within so many times what was measured: the mean of exponentials of what is hardly
# known would be moved by what no trial will ever give.
_REACH = 2.0
# More points are not looked at: the time grows with their cube.
_MOST_POINTS = 200


class Stretch(Bend, frozen=True):
    """The logarithm of one standardized metric, counted from one end or from a bound, standardized again.

    Attributes:
        power: None.
        shift, scale: The logarithms' mean and standard deviation.
        end: From where it counts; beyond it as if mirrored, so that every number has a place.
        width: The distance from there that a logarithm of 2 stands for.
        reach: How far from there outcomes are told of, on either side.
    """

    end: float = 0.0
    width: float = 1.0
    reach: float = np.inf

    def there(self, y: Floats) -> Floats:
        """Stretched values, in the same shape."""
        return (_logarithm(y, self.end, self.width) - self.shift) / self.scale

    def undone(self, t: Floats) -> Floats:
        """The values that are stretched to ``t``, in the same shape."""
        raw = self.shift + self.scale * t
        return np.asarray(self.end + self.width * np.sign(raw) * np.expm1(np.abs(raw)))

    def back(self, mean: Floats, sd: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation of what is stretched to normal variables, within reach: ``n`` each."""
        values = self.undone(mean[:, None] + sd[:, None] * NODES)  # n x nodes
        values = np.clip(values, self.end - self.reach, self.end + self.reach)
        centre = values @ SHARES
        return centre, np.sqrt((values - centre[:, None]) ** 2 @ SHARES)

    def slope(self, y: Floats) -> Floats:
        """The derivative at values, in the same shape."""
        return np.asarray(1.0 / ((self.width + np.abs(y - self.end)) * self.scale))


def stretches(config: OptimizationConfig, data: Data, functions: tuple[Bend, ...]) -> tuple[Bend, ...]:
    """The functions with those metrics stretched that call for it.

    Only a metric that has one bound, alone, and is not sought can be: sums are of straight values.

    Args:
        config: What is sought.
        data: What is known.
        functions: How each metric is bent otherwise, ``m``.
    """
    sought = {name for objective in config.objectives for name in objective.metric_names}
    found = list(functions)
    for constraint in config.outcome_constraints:
        (name, weight), *others = constraint.terms
        bounds = [one for one in config.outcome_constraints if name in one.metric_names]
        if others or len(bounds) > 1 or name in sought:
            continue
        j = data.metrics.index(name)
        upward = (constraint.relation == "<=") == (weight > 0)
        # What is relative to a baseline has no bound yet where predictions alone are asked for.
        limit = None if constraint.relative else constraint.limit() / weight
        bound = None if limit is None else float((limit - data.shift[j]) / data.scale[j])
        found[j] = _stretch(*data.known(j), bound, upward=upward) or functions[j]
    return tuple(found)


def aimed(target: Goal, functions: tuple[Bend, ...]) -> Goal:
    """The goal in the units of bent and stretched metrics: bounds of a single metric go with it."""
    bounds = target.bounds.copy()
    for i, row in enumerate(target.constraints):
        (places,) = np.nonzero(row)
        if len(places) == 1:
            weight = float(row[places[0]])
            bounds[i] = weight * float(functions[places[0]].there(target.bounds[i : i + 1] / weight)[0])
    return Goal(target.objectives, target.constraints, bounds, target.thresholds)


def _stretch(x: Floats, y: Floats, variance: Floats | None, bound: float | None, *, upward: bool) -> Stretch | None:
    """The likeliest stretch of standardized outcomes; None where they are better straight.

    Args:
        x: Points, ``n x w``.
        y: Outcomes, ``n``.
        variance: Known noise variances, ``n``, NaN where one is unknown; None where all are.
        bound: What is to be kept, in the same units; None where it is not known.
        upward: Whether it counts from the least one, where not from the bound; from the greatest one otherwise.
    """
    places = hyperparameters.spread_evenly(y, _MOST_POINTS)
    x, y, variance = x[places], y[places], None if variance is None else variance[places]
    if len(y) < _LEAST_POINTS or y.std() < _CONSTANT:
        return None
    end = float(y.min() if upward else y.max())
    candidates = [_standard(y, end, float(width)) for width in _WIDTHS]
    if bound is not None and np.isfinite(bound):
        around = [_standard(y, bound, float(width)) for width in _around(np.abs(y - bound))]
        candidates += [one for one in around if one.scale > _CONSTANT]  # seen from very far they are all the same
    best, most = None, _evidence(x, y, variance, Bend(), _fitted(x, y, variance, Bend())) + _BETTER
    tried: set[int] = set()
    # The likeliest one, were stretched outcomes independent and normal: what suits them as they are may suit no other.
    place = int(np.argmax([np.log(one.slope(y)).sum() for one in candidates]))
    for _ in range(_ROUNDS):
        tried.add(place)
        theta = _fitted(x, y, variance, candidates[place])
        evidence = _evidence(x, y, variance, candidates[place], theta)
        if evidence > most:
            best, most = candidates[place], evidence
        place = int(np.argmax([_evidence(x, y, variance, one, theta) for one in candidates]))
        if place in tried:
            break
    return best


def _around(distances: Floats) -> Floats:
    """Widths to look at around a bound from which outcomes are so far, ``n``; none where all lie on it."""
    apart = distances[distances > NOISE_FLOOR * float(distances.max())]
    if not len(apart):
        return apart
    return np.geomspace(float(np.quantile(apart, _NEAR)), float(np.quantile(apart, _DISTANT)), _AROUND)


def _standard(y: Floats, end: float, width: float) -> Stretch:
    raw = _logarithm(y, end, width)
    reach = _REACH * float(np.abs(y - end).max())
    return Stretch(0.0, float(raw.mean()), float(raw.std(ddof=1)), end, width, reach)


def _logarithm(y: Floats, end: float, width: float) -> Floats:
    away = (y - end) / width
    return np.asarray(np.sign(away) * np.log1p(np.abs(away)))


def _density(x: Floats, y: Floats, variance: Floats | None, function: Bend) -> tuple[Floats, Floats, Floats | None]:
    """Points, outcomes and variances as the process sees them."""
    noise = None if variance is None else np.maximum(variance * function.slope(y) ** 2, NOISE_FLOOR)
    return x, function.there(y), noise


def _fitted(x: Floats, y: Floats, variance: Floats | None, function: Bend) -> Floats:
    """The likeliest hyperparameters, as the density's ``theta``."""
    seen = _density(x, y, variance, function)
    return hyperparameters.Density(*seen).theta(hyperparameters.fit(*seen))


def _evidence(x: Floats, y: Floats, variance: Floats | None, function: Bend, theta: Floats) -> float:
    """The logarithm of the straight outcomes' density, times that of the hyperparameters."""
    seen = _density(x, y, variance, function)
    return float(np.log(function.slope(y)).sum()) - hyperparameters.Density(*seen).value(theta)
