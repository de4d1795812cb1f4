"""The Bayesian optimization node where something is known of related problems, from the first trial on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from msgspec.structs import replace

from titrant.errors import GenerationError
from titrant.generators.axes import Floats
from titrant.generators.base import PredictionReply, PredictionRequest, Proposal, Reply, Request, Sample
from titrant.generators.encoding import encoding_of
from titrant.generators.failures.weighed import weighing
from titrant.generators.gp import generator as gp
from titrant.generators.gp import model, versions
from titrant.generators.gp.answering import answering, need_finite
from titrant.generators.gp.asked import Asked, mixed, or_sobol, rows_of, to_avoid
from titrant.generators.gp.bend import Bend, bends, bent
from titrant.generators.gp.climb import Climber
from titrant.generators.gp.data import Data, columns, thinned
from titrant.generators.gp.fitted import NUMERICAL
from titrant.generators.gp.goal import goal
from titrant.generators.gp.here import here
from titrant.generators.gp.pooled import domain_of
from titrant.generators.gp.turns import in_turn
from titrant.generators.pareto import generator as pareto
from titrant.generators.transfer import weights
from titrant.generators.transfer.own import own_data
from titrant.generators.transfer.prior import Belief
from titrant.generators.transfer.process import Informed
from titrant.generators.transfer.samples import parted
from titrant.generators.transfer.source import Source, known_from
from titrant.generators.transfer.worth import build
from titrant.model.objective import OptimizationConfig
from titrant.model.space import SearchSpace

# Own trials that the model is conditioned on at most, the best and some of the others.
_MOST_POINTS = 500
# From so many on they say themselves how outcomes are to be bent.
_BENT_FROM = 20
# Good places of the sources that the search looks around, and the own ones.
_ANCHORS, _BEST = 8, 3
# With so many own trials the past is set aside where it makes them less probable than they are without it.
_ENOUGH = 5
# Sources that are told of in a suggestion.
_NAMED = 3


def suggest(request: Request) -> Reply:
    """Make ``request.count`` suggestions, each the best given the past, the data, and what is pending.

    Whatever fails in the model leads to quasi-random points that say why in ``fallback``.

    Raises:
        GenerationError: There is nothing to optimize for, or no point keeps the constraints.
    """
    own, samples = parted(request)
    if request.optimization is None:
        raise GenerationError("Bayesian optimization needs an objective: configure the optimization first")
    with np.errstate(all="ignore"):
        try:
            sources = _sources(own.space, request.optimization, samples)
        except NUMERICAL:
            sources = []
        if not sources:
            return usual(own)
        return or_sobol(own, lambda asked, config: _proposals(asked, config, sources), NUMERICAL, versions)


def predict(request: PredictionRequest) -> PredictionReply:
    """Fit the model that suggestions are made from, and predict at ``request.points``; it needs no own trials.

    Raises:
        GenerationError: A point has no place in the search space, or the numbers fail.
    """
    config, z = request.optimization, rows_of(request)
    with answering("prediction"):
        sources = _sources(request.space, config, request.past)
        fitted = _learned(request, config, sources) if sources else None
        if fitted is None:
            return gp.predict(request)
        x = encoding_of(request.space, {}).to_model(z)
        predictions = model.predict(fitted.posteriors, fitted.data, x, fitted.functions)
    need_finite("prediction", predictions)
    return PredictionReply(predictions=tuple(predictions), generator=_name(fitted))


def usual(request: Request) -> Reply:
    """What is suggested where nothing is known of related problems."""
    several = request.optimization is not None and request.optimization.is_multi_objective
    return pareto.suggest(request) if several else gp.suggest(request)


def _sources(space: SearchSpace, config: OptimizationConfig, samples: Sequence[Sample]) -> list[Source]:
    found = [known_from(space, config, sample) for sample in samples if sample.points]
    return [one for one in found if any(process is not None for process in one.posteriors)]


class _Model(msgspec.Struct, frozen=True):
    """The processes of all metrics, the data they know, the weights of the sources, and what these gain at most."""

    data: Data
    functions: tuple[Bend, ...]
    posteriors: tuple[Informed, ...]
    weights: tuple[dict[str, float], ...]
    gain: float


def _fit(config: OptimizationConfig, data: Data, sources: Sequence[Source]) -> _Model:
    functions = bends(config, data) if data.whole.sum() >= _BENT_FROM else sources[0].functions
    curved = bent(data, functions)
    posteriors, told, gains = [], [], []
    for j in range(len(data.metrics)):
        of_metric = [(one.name, Belief(process)) for one in sources if (process := one.posteriors[j]) is not None]
        hyper, weighted, gain = weights.fit(*curved.known(j), [belief for _, belief in of_metric])
        noise = weights.USUAL_NOISE if hyper.noise is None else hyper.noise
        posteriors.append(Informed(curved.x, *curved.filled(j, noise), hyper, weighted))
        gains.append(gain)
        told.append({name: float(w) for (name, _), w in zip(of_metric, weighted.weights, strict=True)})
    return _Model(data, functions, tuple(posteriors), tuple(told), max(gains))


def _learned(
    request: Request | PredictionRequest, config: OptimizationConfig, sources: Sequence[Source]
) -> _Model | None:
    """The model of the own data and the past; None where the past is unlike the present."""
    data = own_data(request, config, sources)
    target = goal(config, data)
    data = thinned(data, np.where(data.whole, target.worths(np.nan_to_num(data.y)), -np.inf), _MOST_POINTS)
    fitted = _fit(config, data, sources)
    return None if fitted.gain < 0.0 and data.whole.sum() >= _ENOUGH else fitted


def _proposals(request: Request, config: OptimizationConfig, sources: Sequence[Source]) -> Iterator[Proposal]:
    fitted = _learned(request, config, sources)
    if fitted is None:
        yield from _alone(request)
        return
    data = fitted.data
    found = _asked(request, data, sources, config)
    anchors = found.domain.to_model(found.best)
    weighed, circumstances = weighing(request, found.domain.whole), here(request, found.domain.whole)
    name = _name(fitted)

    def built(pending: Floats, seed: int) -> tuple[Climber, str]:
        worth = weighed(build(fitted.posteriors, found.target, data, anchors, pending, seed, circumstances))
        return Climber(worth), f"{name} + {worth.name}"

    def predicted(x: Floats) -> dict[str, tuple[float, float]]:
        return model.predict(fitted.posteriors, data, x, fitted.functions)[0]

    yield from in_turn(request, found, built, predicted)


def _alone(request: Request) -> Iterator[Proposal]:
    """What is suggested without the past, which is unlike the present."""
    reply = usual(request)
    for one in reply.proposals:
        yield replace(one, generator=f"{one.generator}, the past set aside")


def _asked(request: Request, data: Data, sources: Sequence[Source], config: OptimizationConfig) -> Asked:
    """What the request means, the sources' good places among those to look around."""
    target = goal(config, data)
    seed = mixed(request.seed, len(request.observed), len(request.pending))
    domain = domain_of(request.space, request.fixed, seed, len(data), dear=True)
    whole = np.flatnonzero(data.whole)
    order = np.lexsort((-target.values(data.y[whole]).sum(1), ~target.feasible(data.y[whole])))[:_BEST]
    share = max(1, _ANCHORS // len(sources))
    good = np.concatenate([data.z[whole[order]], *(one.data.z[list(one.order[:share])] for one in sources)])
    held = domain.held(good)
    return Asked(
        data=data,
        target=target,
        domain=domain,
        pending=columns(domain.whole, request.pending),
        best=held if len(held) else domain.scattered(64, 0),
        avoid=to_avoid(request, domain),
        seed=seed,
    )


def _name(fitted: _Model) -> str:
    return f"transfer GP ({_told(fitted.weights[0])})"


def _told(counted: dict[str, float]) -> str:
    """``"0.83 of 'site Basel'"``: what counts most first."""
    ranked = sorted(counted.items(), key=lambda one: (-abs(one[1]), one[0]))
    words = ", ".join(f"{weight:.2f} of {name!r}" for name, weight in ranked[:_NAMED])
    return words + (f" and {len(ranked) - _NAMED} more" if len(ranked) > _NAMED else "") if words else "nothing told"
