"""The Bayesian optimization node for several objectives: exact Gaussian processes in numpy, without torch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from msgspec.structs import replace

from titrant.generators.axes import Floats
from titrant.generators.base import Proposal, Reply, Request
from titrant.generators.failures.weighed import weighing
from titrant.generators.gp import model, versions
from titrant.generators.gp.acquisition import Averaged
from titrant.generators.gp.asked import asked, mixed, or_sobol
from titrant.generators.gp.bend import bent
from titrant.generators.gp.climb import Climber
from titrant.generators.gp.fitted import NUMERICAL, fit
from titrant.generators.gp.here import here
from titrant.generators.gp.plate import plate
from titrant.generators.gp.posterior import Posterior
from titrant.generators.gp.turns import in_turn
from titrant.generators.pareto.boxes import undominated
from titrant.generators.pareto.build import build, milliseconds, scalarized
from titrant.model.objective import OptimizationConfig

# Of the hyperparameters, for the method "quality", and draws of what is under way and of noise for each of them; and
# points that they are made of at most.
_MODELS, _DRAWS_EACH, _MOST_AVERAGED = 4, 4, 400


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
    most = _MOST_AVERAGED if request.method == "quality" else None
    fitted = fit(config, found.data, target.worths(found.data.y), most)
    aim = fitted.aim(target)
    values, feasible = target.values(fitted.data.y), target.feasible(fitted.data.y)
    # The search looks around the front, not only where the sum of the objectives is good.
    places = np.flatnonzero(feasible) if feasible.any() else np.arange(len(values))
    front = places[undominated(values[places])]
    found = replace(found, best=found.domain.held(fitted.data.z[front]))

    weighed = weighing(request, found.domain.whole)
    circumstances = here(request, found.domain.whole)

    models: tuple[tuple[Posterior, ...], ...] = (fitted.posteriors,)
    name, draws = fitted.name, None
    if request.method == "quality":
        models = model.draws(bent(fitted.data, fitted.functions), fitted.posteriors, _MODELS, found.seed)
        name, draws = f"{name}, {_MODELS} draws of its hyperparameters", _DRAWS_EACH

    def built(pending: Floats, seed: int) -> tuple[Climber, str]:
        parts = [
            build(one, values, aim, feasible, pending, mixed(seed, place) if place else seed, draws, circumstances)
            for place, one in enumerate(models)
        ]
        worth = weighed(parts[0] if len(parts) == 1 else Averaged(parts))
        return Climber(worth), f"{name} + {worth.name}"

    def predicted(x: Floats) -> dict[str, tuple[float, float]]:
        told = [model.predict(one, fitted.data, x, fitted.functions) for one in models]
        return told[0][0] if len(told) == 1 else model.averaged(told)[0]

    def along(y: Floats, rng: np.random.Generator) -> Floats:
        """What draws of the metrics, ``c x s x m``, are worth in a random direction each: ``c x s``."""
        return scalarized(y, aim, values[feasible] if feasible.any() else values, rng)

    besides = milliseconds(len(aim.objectives), len(front))
    return in_turn(request, found, built, predicted, plate=plate(request, found, models, aim, weighed, along, besides))
