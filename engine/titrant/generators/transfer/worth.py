"""What a point is worth where the past has its say: as anywhere, but for the first trials, which nothing precedes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace

from titrant.generators.axes import Floats
from titrant.generators.gp import build as usual
from titrant.generators.gp.acquisition import Acquisition, Combination
from titrant.generators.gp.climb import Sloped
from titrant.generators.gp.data import Data
from titrant.generators.gp.goal import Goal
from titrant.generators.gp.here import Here
from titrant.generators.gp.posterior import Posterior
from titrant.generators.pareto import build as several

# A front needs two points to be measured by.
_LEAST_OF_FRONT = 2


def build(
    model: Sequence[Posterior],
    target: Goal,
    data: Data,
    anchors: Floats,
    pending: Floats,
    seed: int,
    here: Here | None,
) -> Sloped:
    """The acquisition function.

    Args:
        model: Of the standardized metrics.
        target: What is sought.
        data: The own data, ``n`` points.
        anchors: Good places of the sources and own ones, ``a x w``.
        pending: Points under way, ``p x w``.
        seed: Of the draws.
        here: Where known points would be under the present circumstances; None where these do not change.

    Returns:
        As usual once something is known here to keep the constraints.  Before, the expected improvement over what the
        anchors, or what is under way, are expected to give, and with several objectives over a weighted sum of them.
    """
    feasible = target.feasible(data.y)
    if len(target.objectives) > 1 and feasible.sum() >= _LEAST_OF_FRONT:
        return several.build(model, target.values(data.y), target, feasible, pending, seed, None, here)
    if len(target.objectives) > 1:
        shares = np.random.default_rng([seed, 13]).dirichlet(np.ones(len(target.objectives)))
        target = replace(target, objectives=shares[None] @ target.objectives, thresholds=np.full(1, np.nan))
    if feasible.any():
        return usual.build(model, target, feasible, pending, seed, here=here)
    drawn = usual.drawn_of(model, pending, seed)
    constraints = [
        (Combination(drawn, row), float(bound)) for row, bound in zip(target.constraints, target.bounds, strict=True)
    ]
    objective = Combination(drawn, target.objectives[0])
    best = np.concatenate([objective.at(anchors)[0], objective.known[len(data) :]]).max(0)  # s
    return Acquisition((objective, best), constraints, "LogNEI")
