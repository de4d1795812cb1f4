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


def in_turn(request: Request, found: Asked, build: Build, predict: Predict) -> Iterator[Proposal]:
    """Suggestions one after the other; ends early where no new point is left."""
    pending, avoid = found.pending, set(found.avoid)
    for number in range(request.count):
        function, words = build(pending, found.seed + number)
        search = Search(found.domain, function)
        search.run(found.best, number)
        best = search.best(avoid, np.concatenate([found.data.x, pending]))
        if best is None:
            return
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
