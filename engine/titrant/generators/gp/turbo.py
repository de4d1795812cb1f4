"""Suggestions from a trust region: the model and the search of ``region.py`` put together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from msgspec.structs import replace

from titrant.generators.axes import Floats
from titrant.generators.base import Proposal, Request
from titrant.generators.encoding import Mask
from titrant.generators.failures.weighed import weighing
from titrant.generators.gp import model
from titrant.generators.gp.asked import Asked, asked
from titrant.generators.gp.build import build
from titrant.generators.gp.climb import Climber
from titrant.generators.gp.data import picked
from titrant.generators.gp.fitted import fit, worths
from titrant.generators.gp.goal import Goal
from titrant.generators.gp.posterior import Posterior
from titrant.generators.gp.region import BoxedDomain, box, replayed, start
from titrant.generators.gp.turns import in_turn
from titrant.model.objective import OptimizationConfig


def proposals(request: Request, config: OptimizationConfig) -> Iterator[Proposal]:
    """Suggestions one after the other, as ``generator`` makes them."""
    found = asked(request, config)
    worth = worths(found.data, found.target)
    dimension = found.domain.free.dimension
    region = replayed(worth, dimension)
    data = picked(found.data, np.arange(region.begin, len(found.data)))
    if len(data) < start(dimension) and region.begin:
        yield from _begun(request, found)
        return
    fitted = fit(config, data, worth[region.begin :])
    aim, feasible = fitted.aim(found.target), found.target.feasible(fitted.data.y)
    centre = _best(fitted.posteriors, aim, feasible)
    hyper = fitted.posteriors[int(np.abs(found.target.objectives[0]).argmax())].hyper
    low, high = box(fitted.data.x[centre], region.side, hyper)
    domain = BoxedDomain(request.space, request.fixed, found.seed, fitted.data.z[centre], low, high)
    words = f"{fitted.name} in a box of side {region.side:.3g}"

    weighed = weighing(request, found.domain.whole)

    def built(pending: Floats, seed: int) -> tuple[Climber, str]:
        function = weighed(build(fitted.posteriors, aim, feasible, pending, seed))
        return Climber(function, (low, high)), f"{words} + {function.name}"

    def predicted(x: Floats) -> dict[str, tuple[float, float]]:
        return model.predict(fitted.posteriors, fitted.data, x, fitted.functions)[0]

    yield from in_turn(
        request, replace(found, domain=domain, best=domain.held(fitted.data.z[centre][None])), built, predicted
    )


def _begun(request: Request, found: Asked) -> Iterator[Proposal]:
    """Points all over the space, with which a box starts anew."""
    avoid = set(found.avoid)
    space, finite = request.space, found.domain.free.size is not None
    for number in range(request.count):
        for row in found.domain.scattered(64, number):
            parameters = found.domain.free.parameters(row)
            key = found.domain.free.key(parameters)
            if space.contains(parameters) and not (finite and key in avoid):
                avoid.add(key)
                yield Proposal(
                    parameters=parameters, node="bo", generator="Sobol, for a new box", position=request.position
                )
                break


def _best(model: tuple[Posterior, ...], target: Goal, feasible: Mask) -> int:
    """The place of the known point that the model thinks best; that breaks the constraints least, where all do."""
    known = np.stack([one.known[:, 0] for one in model], axis=1)
    if not feasible.any():
        return int(np.maximum(known @ target.constraints.T - target.bounds, 0.0).sum(1).argmin())
    return int(np.where(feasible, target.values(known)[:, 0], -np.inf).argmax())
