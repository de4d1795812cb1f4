"""The grid node: the points of a full factorial design in random order, each of them once."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from titrant.errors import ConfigurationError, GenerationError
from titrant.generators import sobol
from titrant.generators.base import Design, Proposal, Reply, Request
from titrant.generators.nonlinear import functions_allow
from titrant.model.factorial import factorial, flaw
from titrant.model.trial import Parameterization


def suggest(request: Request) -> Reply:
    """Make ``request.count`` suggestions of the points that were not tried, in an order of the seed's.

    Returns:
        Where the grid is used up, fewer with a reason; or Sobol points for the rest where something follows the grid.

    Raises:
        GenerationError: What is held fixed does not fit the space, the grid is too large, or no point of it keeps the
            constraints.
    """
    design = request.design or Design()
    points = _points(request, design)
    order = np.random.default_rng([request.seed, 6]).permutation(len(points))
    tried = sobol.avoided(request, request.space.signature)
    left = [points[k] for k in order if request.space.signature(points[k]) not in tried]
    proposals = tuple(
        Proposal(
            parameters=parameters,
            node="grid",
            generator=f"full factorial design of {len(points)}",
            position=request.position + place,
        )
        for place, parameters in enumerate(left[: request.count], start=1)
    )
    reply = Reply(proposals=proposals, versions=sobol.versions())
    if len(proposals) == request.count:
        return reply
    reason = f"the grid is used up: each of its {len(points)} points was tried or is under way"
    if design.last:
        return replace(reply, short_reason=reason)
    rest = sobol.suggest(
        replace(
            request,
            count=request.count - len(proposals),
            position=request.position + len(proposals),
            taken=(*request.taken, *(proposal.parameters for proposal in proposals)),
        ),
        fallback=reason,
    )
    return replace(rest, proposals=(*proposals, *rest.proposals))


def _points(request: Request, design: Design) -> tuple[Parameterization, ...]:
    try:
        points = factorial(request.space, design.levels, request.fixed)
        points = tuple(point for point in points if functions_allow(request.space, point))
    except ConfigurationError as error:
        raise GenerationError(f"what is held fixed does not fit the search space: {error}") from error
    if not points:  # the space has changed since the strategy was given, or what is held fixed leaves none
        raise GenerationError(flaw(request.space, design.levels) or "what is held fixed leaves no point of the grid")
    return points
