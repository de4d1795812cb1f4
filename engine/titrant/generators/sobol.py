"""The Sobol node: quasi-random points that fill the search space evenly and keep its constraints."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import numpy as np

from titrant.generators.base import Proposal, Reply, Request
from titrant.generators.sampler import Key, Sampler, sampler_of
from titrant.model.trial import Parameterization

_GENERATORS = {
    "box": "scrambled Sobol sequence",
    "simplex": "scrambled Sobol sequence on the simplex",
    "shares": "scrambled Sobol sequence on the simplex, between the bounds",
    "polytope": "hit-and-run inside the constraints",
    "search": "local search inside the constraints, which hardly any point keeps",
    "supports": "random sets of components, scrambled Sobol sequences on them",
    "list": "list of what the constraints leave, in random order",
    "pool": "candidates next to a scrambled Sobol sequence",
}


def suggest(request: Request, fallback: str | None = None) -> Reply:
    """Make ``request.count`` quasi-random suggestions, going on at ``request.position``.

    Args:
        request: What is asked.
        fallback: Why another node than planned makes them, if so.

    Returns:
        As many as asked for, or fewer with a reason where a finite space is used up.

    Raises:
        GenerationError: What is held fixed does not fit the space, or nothing that keeps the constraints was found.
    """
    sampler = sampler_of(request.space, request.fixed, request.seed)
    return drawn(request, sampler, "sobol", _GENERATORS[sampler.method], fallback)


def drawn(request: Request, sampler: Sampler, node: str, generator: str, fallback: str | None = None) -> Reply:
    """The next ``request.count`` points of a sampler, as proposals of a node."""
    points = islice(sampler.draw(request.position, avoided(request, sampler.encoding.key)), request.count)
    proposals = tuple(
        Proposal(
            parameters=parameters,
            node=node,
            generator=generator,
            position=position,
            fallback=fallback,
        )
        for _, parameters, position in points
    )
    return Reply(proposals=proposals, short_reason=short_reason(request, len(proposals)), versions=versions())


def avoided(request: Request, key: Callable[[Parameterization], Key]) -> frozenset[Key]:
    """Keys of what was tried or is under way."""
    points = [*request.taken, *(point.parameters for point in request.pending)]
    return frozenset(map(key, points))


def short_reason(request: Request, made: int) -> str | None:
    """Why fewer suggestions were made than asked for; None where they were not."""
    if made >= request.count:
        return None
    if request.space.candidates:
        return f"the candidates are used up: {made} of {request.count} suggestions made, every other was tried already"
    return (
        f"the search space is used up: {made} of {request.count} suggestions made, "
        "every other point that keeps the constraints was tried or is under way"
    )


def versions() -> dict[str, str]:
    """Versions of what the points are made with."""
    return {"numpy": np.__version__}
