"""What a related problem is known to be: a Gaussian process for each metric, fitted to its own data alone."""

from __future__ import annotations

from functools import lru_cache

import msgspec
import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.base import Sample
from titrant.generators.encoding import encoding_of
from titrant.generators.gp import model
from titrant.generators.gp.bend import Bend, bends, bent
from titrant.generators.gp.data import Data, collect, thinned
from titrant.generators.gp.goal import goal
from titrant.generators.gp.posterior import Posterior
from titrant.model.objective import OptimizationConfig
from titrant.model.space import SearchSpace

# Points of one source that its process is conditioned on: half of them the best, the others spread over the rest.
_MOST_POINTS = 400
# With fewer nothing can be said of a metric.
_LEAST_POINTS = 3


class Source(msgspec.Struct, frozen=True):
    """One related problem.

    Attributes:
        name: What it is called.
        data: Its points, standardized by themselves; ``x`` is ``n x w``, ``y`` is ``n x m``.
        functions: How each metric was bent, ``m``.
        posteriors: A process for each metric, in bent units; None where it has too few data of it.
        order: Places of its points, the most promising first, ``n``.
    """

    name: str
    data: Data
    functions: tuple[Bend, ...]
    posteriors: tuple[Posterior | None, ...]
    order: tuple[int, ...]


def known_from(space: SearchSpace, config: OptimizationConfig, sample: Sample) -> Source:
    """The source that a sample makes; kept for the next request, which has the same past.

    Raises:
        FloatingPointError: The numbers fail.
    """
    # As bytes: 1, 1.0 and True are equal as keys, and different as values.
    return _fitted(msgspec.msgpack.encode((space, config, sample)))


@lru_cache(maxsize=32)
def _fitted(key: bytes) -> Source:
    space, config, sample = msgspec.msgpack.decode(key, type=tuple[SearchSpace, OptimizationConfig, Sample])
    everything = collect(encoding_of(space, {}), config.metric_names, sample.points, partial=True)
    target = goal(config, everything)
    worth = np.where(everything.whole, target.worths(np.nan_to_num(everything.y)), -np.inf)
    data = thinned(everything, worth, _MOST_POINTS)
    functions = bends(config, data)
    curved = bent(data, functions)
    posteriors = tuple(_process(curved, j) for j in range(len(data.metrics)))
    value: Floats = np.where(data.whole, target.worths(np.nan_to_num(data.y)), -np.inf)
    order = np.argsort(-value, kind="stable").tolist()
    return Source(sample.name, data, functions, posteriors, tuple(order))


def _process(data: Data, j: int) -> Posterior | None:
    """The process of metric ``j`` at the points that have it."""
    x, y, variance = data.known(j)
    if len(x) < _LEAST_POINTS:
        return None
    alone = Data(
        z=x, x=x, y=y[:, None], variance=(variance,), shift=np.zeros(1), scale=np.ones(1), metrics=(data.metrics[j],)
    )
    return model.fit(alone)[0]
