"""The Bayesian optimization node for several objectives: exact Gaussian processes in numpy, without torch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from msgspec.structs import replace

from titrant.generators.axes import Floats
from titrant.generators.base import Proposal, Reply, Request
from titrant.generators.failures.weighed import weighing
from titrant.generators.gp import model, versions
from titrant.generators.gp.asked import asked, or_sobol
from titrant.generators.gp.climb import Climber
from titrant.generators.gp.fitted import NUMERICAL, fit
from titrant.generators.gp.turns import in_turn
from titrant.generators.pareto.boxes import undominated
from titrant.generators.pareto.build import build
from titrant.model.objective import OptimizationConfig


def suggest(request: Request) -> Reply:
    """Make ``request.count`` suggestions, each the best given the data, what is pending and the ones before it.

    Whatever fails in the model leads to quasi-random points that say why in ``fallback``.

    Raises:
        GenerationError: There is nothing to optimize for, or no point keeps the constraints.
    """
    with np.errstate(all="ignore"):
        return or_sobol(request, _proposals, NUMERICAL, versions)


def _proposals(request: Request, config: OptimizationConfig) -> Iterator[Proposal]:
    found = asked(request, config, partial=True)
    target = found.target
    fitted = fit(config, found.data, target.worths(found.data.y))
    values, feasible = target.values(fitted.data.y), target.feasible(fitted.data.y)
    # The search looks around the front, not only where the sum of the objectives is good.
    places = np.flatnonzero(feasible) if feasible.any() else np.arange(len(values))
    front = places[undominated(values[places])]
    found = replace(found, best=found.domain.held(fitted.data.z[front]))

    weighed = weighing(request, found.domain.whole)

    def built(pending: Floats, seed: int) -> tuple[Climber, str]:
        function = build(fitted.posteriors, values, target, feasible, pending, seed)
        worth = weighed(function)
        return Climber(worth), f"{fitted.name} + {worth.name}"

    def predicted(x: Floats) -> dict[str, tuple[float, float]]:
        return model.predict(fitted.posteriors, fitted.data, x, fitted.functions)[0]

    return in_turn(request, found, built, predicted)
