"""Several suggestions to one request: each is the best that is left, and pending for the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.base import Proposal, Request
from titrant.generators.gp.asked import Asked
from titrant.generators.gp.search import Function, Search

Build = Callable[[Floats, int], tuple[Function, str]]
"""The function to maximize, given what is pending (``p x d``) and a seed, and the generator in words."""

Predict = Callable[[Floats], dict[str, tuple[float, float]]]
"""The prediction at one point, ``1 x d``: metric to mean and SEM."""

Otherwise = Callable[[Floats, int, float], tuple[Function, str] | None]
"""Given the same and the value that was found, what to maximize instead; None where that stands."""


def in_turn(
    request: Request, found: Asked, build: Build, predict: Predict, otherwise: Otherwise | None = None
) -> Iterator[Proposal]:
    """Suggestions one after the other; ends early where no new point is left."""
    pending, avoid = found.pending, set(found.avoid)
    for number in range(request.count):
        function, words = build(pending, found.seed + number)
        search = Search(found.domain, function)
        search.run(found.best, number)
        best = search.best(avoid, np.concatenate([found.data.x, pending]))
        if best is None:
            return
        if otherwise is not None and (other := otherwise(pending, found.seed + number, best[2])) is not None:
            second = Search(found.domain, other[0])
            second.run(found.best[:0], number)  # they are what it turns away from
            instead = second.best(avoid, np.concatenate([found.data.x, pending]))
            best, words = (best, words) if instead is None else (instead, other[1])
        z, parameters, value = best
        x = found.domain.to_model(z[None])
        pending = np.concatenate([pending, x])
        avoid.add(request.space.signature(parameters))
        yield Proposal(
            parameters=parameters,
            node="bo",
            generator=words,
            position=request.position,
            predicted=predict(x),
            acquisition_value=value,
        )
