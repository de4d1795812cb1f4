"""Which acquisition function several objectives call for, and the draws it is averaged over."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.encoding import Mask
from titrant.generators.gp.acquisition import Combination
from titrant.generators.gp.build import drawn_of
from titrant.generators.gp.goal import Goal
from titrant.generators.gp.here import Here
from titrant.generators.gp.posterior import Posterior
from titrant.generators.pareto.boxes import beyond, front_above, undominated
from titrant.generators.pareto.chebyshev import LeastGain
from titrant.generators.pareto.reference import reference_point
from titrant.generators.pareto.volume import VolumeGain
from titrant.generators.pareto.worth import Within, Worth

# Objectives up to here are traded off by hypervolume: the boxes of a front of 20 are some 20 for two objectives, 50 for
# three, 160 for four and 500 for five, and each draw has boxes of its own.
MOST_BY_VOLUME = 4
# Points of a front beyond which there are too many boxes all the same: 1,400 for 100 points and four objectives.
_MOST_IN_FRONT = {2: 1000, 3: 300, 4: 100}
# What a search takes by hypervolume, in milliseconds: at least, and for each point of the front, by the number of
# boxes; and without it.
_LEAST_MS, _IN_FRONT_MS = {2: 30.0, 3: 30.0, 4: 60.0}, {2: 4.0, 3: 13.0, 4: 46.0}
_WITHOUT_MS = 50.0
# Draws for each number of objectives.
_DRAWS = {2: 16, 3: 16, 4: 8}
_FEW_DRAWS = 8
# Directions in which an objective counts for next to nothing are left out.
_LEAST_SHARE = 0.02


def build(
    model: Sequence[Posterior],
    values: Floats,
    target: Goal,
    feasible: Mask,
    pending: Floats,
    seed: int,
    draws: int | None = None,
    here: Here | None = None,
) -> Worth:
    """The acquisition function for several objectives.

    Args:
        model: Of the standardized metrics.
        values: Objectives of the known points, ``n x k``, as observed.
        target: What is sought.
        feasible: Which known points keep the outcome constraints, ``n`` booleans.
        pending: Points under way, ``p x w``.
        seed: Of the draws.
        draws: How many; what suits the number of objectives where None.
        here: Where known points would be under the present circumstances; None where these do not change.

    Returns:
        Noisy expected hypervolume improvement, or the improvement of a scalarization; the probability of feasibility
        where nothing is known to be feasible.
    """
    k = len(target.objectives)
    draws = _DRAWS.get(k, _FEW_DRAWS) if draws is None else draws
    drawn = drawn_of(model, pending, seed, draws)
    rows = [Combination(drawn, row) for row in target.constraints]
    limits = [(row, float(bound)) for row, bound in zip(rows, target.bounds, strict=True)]
    within = [Within(row, bound) for row, bound in limits]
    if not feasible.any():
        # Nothing to improve on: first find a point that is allowed at all.
        return Worth(within, "LogPF")
    objectives = [Combination(drawn, row) for row in target.objectives]
    x = None if here is None else here(drawn[0].x)
    known = np.stack([_means(objective, x) for objective in objectives], axis=-1)  # (n + p) x s x k
    allowed = np.ones(known.shape[:2], bool)
    for row, bound in limits:
        allowed &= _means(row, x) <= bound
    if x is None:
        # What was measured to be feasible is, for each draw; of what is under way the draw decides.
        allowed[: len(feasible)] = feasible[:, None]
        reached = values[feasible]
    else:
        reached = known.mean(1)[allowed.any(1) | ~allowed.any()]
    reference = reference_point(reached, target.thresholds)
    size = int(undominated(reached).sum())
    if _by_volume(k, size):
        fronts = [front_above(known[allowed[:, s], s], reference) for s in range(draws)]
        gain = VolumeGain(objectives, [beyond(front, reference) for front in fronts])
        return Worth([gain, *within], "LogNEHVI")
    direction = _direction(reached, reference, np.random.default_rng([seed, 11]))
    least = ((known - reference) / direction).min(2)  # (n + p) x s
    best = np.where(allowed | ~allowed.any(0), least, -np.inf).max(0)
    name = "LogNParEGO" if k > MOST_BY_VOLUME else f"LogNParEGO of a front of {size}"
    return Worth([LeastGain(objectives, reference, direction, best), *within], name)


def milliseconds(objectives: int, size: int) -> float:
    """About what a search takes longer than one for a single objective, at a front of so many points."""
    if not _by_volume(objectives, size):
        return _WITHOUT_MS
    return _LEAST_MS[objectives] + _IN_FRONT_MS[objectives] * size


def _by_volume(objectives: int, size: int) -> bool:
    return objectives <= MOST_BY_VOLUME and size <= _MOST_IN_FRONT[objectives]


def _means(combination: Combination, x: Floats | None) -> Floats:
    """Its means at the known points, or at ``n x w``: ``n x s``."""
    return combination.known if x is None else combination.at(x)[0]


def scalarized(y: Floats, target: Goal, reached: Floats, rng: np.random.Generator) -> Floats:
    """The least objective of draws of the metrics, each draw measured along a random direction of its own.

    Args:
        y: Draws at ``c`` points, ``c x s x m``.
        target: What is sought.
        reached: Objectives of known points, ``n x k``.
        rng: Where the directions come from.

    Returns:
        Array of shape ``c x s``.
    """
    reference = reference_point(reached, target.thresholds)
    directions = np.stack([_direction(reached, reference, rng) for _ in range(y.shape[1])])  # s x k
    return np.asarray(((target.values(y) - reference) / directions).min(-1))


def _direction(values: Floats, reference: Floats, rng: np.random.Generator) -> Floats:
    """A random direction up from the reference point, in units of what was reached: ``k``."""
    parts = np.abs(rng.standard_normal(len(reference)))
    parts = np.maximum(parts / math.sqrt(float(parts @ parts)), _LEAST_SHARE)
    size = values.max(0) - reference
    return parts * np.where(size > 0, size, 1.0)
