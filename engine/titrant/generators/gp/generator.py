"""The Bayesian optimization node for one objective: an exact Gaussian process in numpy, without torch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.base import PredictionReply, PredictionRequest, Proposal, Reply, Request
from titrant.generators.encoding import encoding_of
from titrant.generators.failures.weighed import weighing
from titrant.generators.gp import model, turbo, versions
from titrant.generators.gp.acquisition import Averaged
from titrant.generators.gp.answering import answering, need_finite
from titrant.generators.gp.asked import Asked, asked, data_of, mixed, or_sobol, rows_of
from titrant.generators.gp.bend import bent
from titrant.generators.gp.build import DRAWS, build
from titrant.generators.gp.climb import Climber
from titrant.generators.gp.elsewhere import SecondLook
from titrant.generators.gp.fitted import NUMERICAL, fit, worths
from titrant.generators.gp.here import Here, here
from titrant.generators.gp.paths import Draw
from titrant.generators.gp.plate import plate
from titrant.generators.gp.posterior import Posterior
from titrant.generators.gp.turns import in_turn
from titrant.model.objective import OptimizationConfig

# Of the hyperparameters, for the method "quality", and draws of what is under way and of noise for each of them.
_MODELS, _DRAWS_EACH = 8, 8
# Points that it looks at: each draw is a model of its own.
_MOST_AVERAGED = 400


def suggest(request: Request) -> Reply:
    """Make ``request.count`` suggestions, each the best given the data, what is pending and the ones before it.

    Whatever fails in the model leads to quasi-random points that say why in ``fallback``.

    Raises:
        GenerationError: There is nothing to optimize for, or no point keeps the constraints.
    """
    with np.errstate(all="ignore"):
        return or_sobol(request, _proposals, NUMERICAL, versions)


def _proposals(request: Request, config: OptimizationConfig) -> Iterator[Proposal]:
    if request.method == "turbo" and not request.space.candidates:  # a box would be between them
        return turbo.proposals(request, config)
    found = asked(request, config, partial=True)
    most = _MOST_AVERAGED if request.method == "quality" else None
    fitted = fit(config, found.data, worths(found.data, found.target), most)
    aim, feasible = fitted.aim(found.target), found.target.feasible(fitted.data.y)
    models: tuple[tuple[Posterior, ...], ...] = (fitted.posteriors,)
    name, draws = fitted.name, DRAWS
    if request.method == "quality":
        models = model.draws(bent(fitted.data, fitted.functions), fitted.posteriors, _MODELS, found.seed)
        name, draws = f"{name}, {_MODELS} draws of its hyperparameters", _DRAWS_EACH

    weighed = weighing(request, found.domain.whole)
    circumstances = here(request, found.domain.whole)

    def built(pending: Floats, seed: int) -> tuple[Climber, str]:
        if request.method == "thompson":
            draw = Draw(fitted.posteriors, aim, seed)
            return Climber(weighed(draw)), f"{name} + {draw.name}"
        parts = [
            build(one, aim, feasible, pending, mixed(seed, place) if place else seed, draws, circumstances)
            for place, one in enumerate(models)
        ]
        function = parts[0] if len(parts) == 1 else Averaged(parts)
        worth = weighed(function)
        return Climber(worth), f"{name} + {worth.name}"

    def predicted(x: Floats) -> dict[str, tuple[float, float]]:
        told = [model.predict(one, fitted.data, x, fitted.functions) for one in models]
        return told[0][0] if len(told) == 1 else model.averaged(told)[0]

    second = SecondLook(config, found.target, fitted) if _looks_twice(request, found, circumstances) else None

    def otherwise(pending: Floats, seed: int, value: float) -> tuple[Climber, str] | None:
        turn = len(request.observed) + len(pending)
        function = None if second is None else second(turn, value, pending, seed)
        return None if function is None else (Climber(weighed(function)), f"{fitted.name} + {function.name}")

    return in_turn(request, found, built, predicted, otherwise, plate(request, found, models, aim, weighed))


def _looks_twice(request: Request, found: Asked, circumstances: Here | None) -> bool:
    """Whether other hills are looked at: where there is one metric, and space between the points."""
    return (
        request.method != "thompson"
        and len(found.data.metrics) == 1
        and not len(found.target.bounds)
        and found.domain.free.size is None
        and circumstances is None
    )


def predict(request: PredictionRequest) -> PredictionReply:
    """Fit a model to ``request.observed`` and predict at ``request.points``.

    Raises:
        GenerationError: There are too few data, a point has no place in the search space, or the numbers fail.
    """
    z = rows_of(request)
    with answering("prediction"):
        data = data_of(request, request.optimization, partial=True)
        fitted = fit(request.optimization, data, data.y[:, 0])
        x = encoding_of(request.space, {}).to_model(z)
        predictions = model.predict(fitted.posteriors, fitted.data, x, fitted.functions)
    need_finite("prediction", predictions)
    return PredictionReply(predictions=tuple(predictions), generator=model.NAME)
