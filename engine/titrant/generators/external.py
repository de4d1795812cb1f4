"""What generators from outside need: wishes become suggestions that fit the space, with Sobol where they do not."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from msgspec.structs import replace

from titrant.errors import ConfigurationError
from titrant.generators import nonlinear, sobol
from titrant.generators.base import Proposal, Reply, Request
from titrant.generators.encoding import Encoding, encoding_of
from titrant.generators.pool import PoolSampler
from titrant.generators.repair import repair
from titrant.generators.sampler import Key
from titrant.model.trial import Parameterization


def settled(request: Request, wishes: Iterable[Parameterization], called: str, versions: dict[str, str]) -> Reply:
    """A reply of the points nearest to *wishes* that keep bounds, steps, constraints and what is held fixed.

    Args:
        request: What was asked.
        wishes: Parameterizations, the best first; only as many are taken as were asked for.  Held parameters may be
            missing.
        called: What the suggestions say made them.
        versions: What the wishes may depend on, package by package.

    Returns:
        Suggestions for the wishes that are new; Sobol points, which say so, for the rest.

    Raises:
        GenerationError: What is held fixed does not fit the space, or nothing keeps the constraints.
    """
    encoding = encoding_of(request.space, request.fixed)
    versions = {**versions, **nonlinear.versions(request.space)}
    tried = {*sobol.avoided(request, encoding.key), *(encoding.key(point.parameters) for point in request.observed)}
    proposals: list[Proposal] = []
    for number, wish in enumerate(wishes):
        if len(proposals) == request.count:
            break
        if request.space.candidates:
            parameters = _candidate(encoding, wish, tried, request.seed)
        else:
            parameters = _nearest(encoding, wish, np.random.default_rng([request.seed, 7, number]))
        if parameters is None or (key := encoding.key(parameters)) in tried:
            continue
        tried.add(key)
        proposals.append(Proposal(parameters=parameters, node="bo", generator=called, position=request.position))
    made = tuple(proposal.parameters for proposal in proposals)
    if len(made) == request.count:
        return Reply(proposals=tuple(proposals), versions=versions)
    known = tuple(point.parameters for point in request.observed)
    rest = sobol.suggest(
        replace(request, count=request.count - len(made), taken=(*request.taken, *known, *made)),
        fallback=f"{called} wished for nothing new that keeps the constraints",
    )
    return replace(rest, proposals=(*proposals, *rest.proposals), versions=versions)


def _nearest(encoding: Encoding, wish: Parameterization, rng: np.random.Generator) -> Parameterization | None:
    """The allowed point next to a wish; None where there is none."""
    space = encoding.space
    try:
        z = encoding.numbers(space.round(wish | encoding.fixed))
    except ConfigurationError:
        return None
    mended = None if z is None else repair(encoding, z, rng)
    if mended is None or not space.contains(found := encoding.parameters(mended)):
        return None
    return found


def _candidate(encoding: Encoding, wish: Parameterization, tried: set[Key], seed: int) -> Parameterization | None:
    """The candidate next to a wish that was not tried; None where there is none."""
    try:
        z = encoding.numbers(encoding.space.round(wish | encoding.fixed))
    except ConfigurationError:
        return None
    return None if z is None else PoolSampler(encoding, seed).nearest(z, tried)
