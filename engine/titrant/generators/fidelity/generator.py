"""The Bayesian optimization node of spaces with fidelities: conditions and fidelity are chosen together.

Two kinds of suggestions take turns by what was spent.  As long as less than ``AT_TARGET`` of all costs went into trials
at the target, the next one is there: where the improvement on the best trial at the target is expected to be largest.
Otherwise it goes where a trial tells most, per cost, of the greatest value at the target.  So every run has verified
answers, and where lower fidelities tell nothing only a part of the budget can be lost on them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import numpy as np
from msgspec.structs import replace

from titrant.errors import GenerationError
from titrant.generators.axes import Floats
from titrant.generators.base import PredictionReply, PredictionRequest, Proposal, Reply, Request
from titrant.generators.encoding import Mask, encoding_of
from titrant.generators.failures.weighed import weighing
from titrant.generators.fidelity.answerable import answerable
from titrant.generators.fidelity.cost import Costs, costs_of
from titrant.generators.fidelity.gain import Information, Pair
from titrant.generators.fidelity.level import Level
from titrant.generators.fidelity.model import FidelityFit, fit
from titrant.generators.gp import versions
from titrant.generators.gp.answering import answering, need_finite
from titrant.generators.gp.asked import Asked, asked, data_of, or_sobol, rows_of, to_avoid
from titrant.generators.gp.build import DRAWS, build, drawn_of
from titrant.generators.gp.climb import Climber, Sloped
from titrant.generators.gp.domain import Domain
from titrant.generators.gp.fitted import NUMERICAL, worths
from titrant.generators.gp.plate import plate as plate_of
from titrant.generators.gp.pooled import domain_of
from titrant.generators.gp.posterior import Posterior, cholesky
from titrant.generators.gp.search import Search
from titrant.generators.gp.turns import Best, filled, proposed
from titrant.generators.sampler import Key
from titrant.model.fidelity import told
from titrant.model.objective import OptimizationConfig

AT_TARGET = 1 / 2
"""The least share of all costs that is spent at the target."""

# A trial that costs more than this share of what it would at the target is made there.
_AS_DEAR = 0.8
# Points at the target among which the greatest value is drawn.
_SCATTERED, _AROUND = 192, 128
_BEST = 3
# Milliseconds that a search takes longer than without fidelities.
_BESIDES = 60.0


def suggest(request: Request) -> Reply:
    """Make ``request.count`` suggestions, each the best given the data, what is pending and the ones before it.

    Whatever fails in the model leads to quasi-random points at the target that say why in ``fallback``.

    Raises:
        GenerationError: There is nothing to optimize for, or no point keeps the constraints.
    """
    targets = Level(encoding_of(request.space, {})).values
    stood_back = replace(request, fixed={**targets, **request.fixed})
    with np.errstate(all="ignore"):
        reply = or_sobol(stood_back, lambda _, config: _proposals(request, config), NUMERICAL, versions)
    if reply.short_reason and all(stood_back.fixed[name] == value for name, value in targets.items()):
        return replace(reply, short_reason=_no_more(request, len(reply.proposals)))
    return reply


def _no_more(request: Request, made: int) -> str:
    """Why fewer suggestions were made than asked for: cheaper points may be left, but they can find nothing new."""
    what = "candidate" if request.space.candidates else "point"
    return (
        f"the target fidelity ({told(request.space)}) is used up: {made} of {request.count} suggestions made, "
        f"every other {what} there that keeps the constraints was tried or is under way"
    )


class _Known(msgspec.Struct, frozen=True):
    """What all suggestions of one request share."""

    found: Asked
    model: FidelityFit
    costs: Costs
    target: Domain | None
    best: Floats
    feasible: Mask
    noise: float


def _proposals(request: Request, config: OptimizationConfig) -> Iterator[Proposal]:
    known = _known(request, config)
    found, level, fitted = known.found, known.model.level, known.model.fitted
    weighed = weighing(request, found.domain.whole)
    plate = plate_of(request, found, (fitted.posteriors,), fitted.aim(found.target), weighed, besides=_BESIDES)
    pending, avoid = found.pending, set(found.avoid)
    if known.target is not None:  # where there may be finitely many, though there is no end of fidelities
        avoid |= to_avoid(request, known.target)
    answers: tuple[list[Floats], list[Floats]] = ([], [])  # at the target: good points, and those looked at
    number = 0
    while number < request.count:
        if plate is not None and number >= plate.searched and known.target is not None and answers[1]:
            at = replace(found, domain=known.target)
            words = f"{fitted.name} + {plate.name} at the target"
            for well in filled(at, plate, request.count - number, (pending, avoid), answers):
                row = known.target.to_model(well[0][None])
                yield proposed(request, well, words, known.model.predict(row)[0])
                pending = np.concatenate([pending, row])
                number += 1
            plate = None  # were there too few, the rest is searched for after all
            continue
        seed = found.seed + number
        x = np.concatenate([found.data.x, pending])
        domain = known.target if _due(known, x) and known.target is not None else found.domain
        function, best, looked_at = _searched(known, domain, (pending, avoid, x), (seed, number), weighed)
        if domain is not known.target and known.target is not None and (best is None or _as_dear(known, best[0])):
            # For that cost it may as well be an answer.
            domain = known.target
            function, best, looked_at = _searched(known, domain, (pending, avoid, x), (seed, number), weighed)
        if best is None:
            return
        row = domain.to_model(best[0][None])
        pending = np.concatenate([pending, row])
        avoid.add(domain.free.key(best[1]))
        if domain is known.target:
            answers[0].append(best[0][None])
            answers[1].append(looked_at)
        words = f"{fitted.name} + {function.name}" + (" at the target" if level.reached(row)[0] else "")
        number += 1
        yield proposed(request, best, words, known.model.predict(row)[0])


def _searched(
    known: _Known,
    domain: Domain,
    where: tuple[Floats, set[Key], Floats],
    turn: tuple[int, int],
    weighed: Callable[[Sloped], Sloped],
) -> tuple[Sloped, Best | None, Floats]:
    """What was maximized in a domain, the best new point there, and the rows that were looked at, ``n x f``.

    Args:
        known: What all suggestions share.
        domain: Where to look.
        where: What is pending, ``p x w``; what must not be suggested in a finite space; and in any other, ``n x w``.
        turn: A seed, and the number of the suggestion in its request.
        weighed: Puts the chance of success into it.
    """
    pending, avoid, tried = where
    seed, number = turn
    function = weighed(_function(known, pending, seed, there=domain is known.target))
    search = Search(domain, Climber(function))
    search.run(domain.held(known.best), number)
    return function, search.best(avoid, tried), search.looked_at


def _as_dear(known: _Known, z: Floats) -> bool:
    """Whether a point, ``f``, costs nearly as much as at the target, and is not there."""
    x = known.found.domain.to_model(z[None])
    level, costs = known.model.level, known.costs
    return not level.reached(x)[0] and bool(costs.logs(x)[0] > costs.logs(level.moved(x))[0] + np.log(_AS_DEAR))


def _known(request: Request, config: OptimizationConfig) -> _Known:
    found = asked(request, config, partial=True)
    whole = found.domain.whole
    level = Level(whole)
    model = fit(config, found.data, worths(found.data, found.target), level)
    data = model.fitted.data
    try:
        held = {**level.values, **request.fixed}
        target = domain_of(request.space, held, found.seed, len(data)) if held != request.fixed else found.domain
    except GenerationError:  # candidates or constraints leave no point there
        target = None
    if any(request.fixed.get(name, value) != value for name, value in level.values.items()):
        target = None  # somebody wants it elsewhere
    weights = found.target.objectives[0]
    order = np.argsort(-worths(data, found.target), kind="stable")
    reached = level.reached(data.x[order])
    top = np.unique(np.concatenate([order[:_BEST], order[reached][:_BEST]]))
    return _Known(
        found=found,
        model=model,
        costs=costs_of(request, whole),
        target=target,
        best=data.z[top],
        feasible=found.target.feasible(data.y) & level.reached(data.x),
        noise=sum(
            float(weight) ** 2 * _noise(one) for weight, one in zip(weights, model.fitted.posteriors, strict=True)
        ),
    )


def _noise(posterior: Posterior) -> float:
    """The variance of a measurement: as inferred, or the usual one of those known."""
    return float(np.median(posterior.noise)) if posterior.hyper.noise is None else posterior.hyper.noise


def _due(known: _Known, x: Floats) -> bool:
    """Whether a trial at the target is due, after points ``n x w``."""
    costs = np.exp(known.costs.logs(x))
    return bool(costs[known.model.level.reached(x)].sum() < AT_TARGET * costs.sum())


def _function(known: _Known, pending: Floats, seed: int, *, there: bool) -> Sloped:
    """What is to be maximized.

    Args:
        known: What all suggestions share.
        pending: Points under way, ``p x w``.
        seed: Of the draws.
        there: Whether it is a trial at the target.
    """
    found, posteriors, level = known.found, known.model.fitted.posteriors, known.model.level
    if there and (known.feasible.any() or len(found.target.bounds)):
        return build(posteriors, found.target, known.feasible, pending, seed)
    drawn = drawn_of(posteriors, pending, seed)
    objective = Pair(drawn, found.target.objectives[0], level)
    constraints = [
        (Pair(drawn, row, level), float(bound))
        for row, bound in zip(found.target.constraints, found.target.bounds, strict=True)
    ]
    greatest = _greatest(known, drawn, seed)
    function = Information(objective, greatest, known.noise, known.costs, constraints)
    return answerable(function, found.domain.whole, level)


def _greatest(known: _Known, drawn: list[Posterior], seed: int) -> Floats:
    """Draws of the objective's greatest value at the target, one for each draw of what is known, ``s``."""
    found, level = known.found, known.model.level
    domain = known.found.domain if known.target is None else known.target
    spread = [domain.scattered(_SCATTERED, 0), domain.around(domain.held(known.best), _AROUND)]
    x = level.moved(np.concatenate([domain.to_model(np.concatenate(spread)), known.model.fitted.data.x]))
    x = np.unique(x, axis=0)
    rng = np.random.default_rng([seed, 11])
    total: Floats | float = 0.0
    for one, weight in zip(drawn, found.target.objectives[0], strict=True):
        if weight:
            mean, _ = one.at(x)
            _, covariance = one.joint(x)
            root = cholesky(covariance, one.hyper.outputscale)
            total = total + weight * (mean + root @ rng.standard_normal((len(x), DRAWS)))
    worth = np.asarray(total)
    allowed = np.ones(worth.shape, bool)
    for row, bound in zip(found.target.constraints, found.target.bounds, strict=True):
        values = np.sum([weight * one.at(x)[0] for one, weight in zip(drawn, row, strict=True)], axis=0)
        allowed &= values <= bound
    allowed |= ~allowed.any(0)
    return np.asarray(np.where(allowed, worth, -np.inf).max(0))


def predict(request: PredictionRequest) -> PredictionReply:
    """Fit a model to ``request.observed`` and predict at ``request.points``, each at its own fidelity.

    Raises:
        GenerationError: There are too few data, a point has no place in the search space, or the numbers fail.
    """
    z = rows_of(request)
    with answering("prediction"):
        whole = encoding_of(request.space, {})
        data = data_of(request, request.optimization, partial=True)
        model = fit(request.optimization, data, data.y[:, 0], Level(whole))
        predictions = model.predict(whole.to_model(z))
    need_finite("prediction", predictions)
    return PredictionReply(predictions=tuple(predictions), generator=model.fitted.name)
