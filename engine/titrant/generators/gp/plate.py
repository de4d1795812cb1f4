"""The rest of a plate: of many suggestions to one request only the first are searched for one by one.

A search that has to see all wells before it costs the more the more there are, and several objectives, averaged models
or constraints that points must be mended for make it cost as much again. So the other wells are shared out by Thompson
sampling over the points that the first searches looked at: each goes where another joint draw of the metrics is best.
A draw of the truth has what is under way in it, so nothing has to be imagined for the wells before.

Source: J. M. Hernández-Lobato et al., "Parallel and Distributed Thompson Sampling for Large-scale Accelerated
Exploration of Chemical Space", ICML 2017.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.base import Request
from titrant.generators.gp.asked import Asked
from titrant.generators.gp.climb import Sloped
from titrant.generators.gp.domain import Domain
from titrant.generators.gp.goal import Goal
from titrant.generators.gp.joint import joint_draws
from titrant.generators.gp.paths import least_broken
from titrant.generators.gp.posterior import Posterior
from titrant.generators.sampler import Key

# More suggestions of one request than this are a plate.
_PLATE = 24
# What searching for all wells may take, in milliseconds of one of our cores. It is estimated and never measured: the
# same request must give the same suggestions on any day.
_ALLOWED = 2500.0
# Of one search, measured with 6 parameters: by metric, and more for 1000 known points, by their square; for each of
# several models; where points have to be mended or looked up.
_SEARCH, _KNOWN, _MODEL, _MENDED = 16.0, 370.0, 17.0, 90.0
# Points that the others are chosen from, whose joint draws cost their number cubed; and of them near the best ones.
_POOL, _AROUND = 1000, 512

Value = Callable[[Floats, np.random.Generator], Floats]
"""What draws of the metrics are worth without the constraints: ``c x s x m`` to ``c x s``."""


class Plate:
    """Where the wells of a plate go that are not searched for.

    Attributes:
        searched: How many of a request's suggestions are searched for.
        name: What finds the others, in words.
    """

    name = "Thompson among searched points"

    def __init__(
        self,
        searched: int,
        models: Sequence[Sequence[Posterior]],
        aim: Goal,
        value: Value,
        weighed: Callable[[Sloped], Sloped],
    ) -> None:
        """Take what is known.

        Args:
            searched: How many of a request's suggestions are searched for.
            models: Of the metrics; they take turns.
            aim: What is sought, in the models' units.
            value: What draws are worth where the constraints hold.
            weighed: What the chance of success puts on an acquisition function.
        """
        self.searched = searched
        self._models, self._aim, self._value = tuple(models), aim, value
        self._weight = weighed(_Level())

    def pool(self, domain: Domain, good: Floats, looked_at: Floats, avoid: Set[Key]) -> Floats:
        """The points to choose from: good ones, ``g x f``, what is near them, and what was looked at, ``n x f``.

        Args:
            domain: Where to look.
            good: Good points.
            looked_at: Those that searches looked at.
            avoid: Keys of what is not new in a finite space.

        Returns:
            Numbers, ``c x f``.
        """
        rows = np.unique(np.concatenate([good, looked_at, domain.around(good, _AROUND)]), axis=0)
        if domain.free.size is not None:
            rows = rows[[domain.free.key(domain.free.parameters(row)) not in avoid for row in rows]]
        if len(rows) <= _POOL:
            return np.asarray(rows)
        return np.asarray(rows[np.sort(domain.rng.choice(len(rows), size=_POOL, replace=False))])

    def worths(self, x: Floats, count: int, seed: int) -> Floats:
        """What each of ``count`` draws says that points ``c x w`` are worth: ``count x c``."""
        found = np.empty((count, len(x)))
        for place, model in enumerate(self._models):
            rng = np.random.default_rng([seed, 13, place])
            mine = range(place, count, len(self._models))
            y = np.stack([joint_draws(one, x, len(mine), rng) for one in model], axis=-1)  # c x s x m
            found[mine] = least_broken(y, self._aim, self._value(y, rng)).T
        return found + self._weight.values(x)


def plate(
    request: Request,
    found: Asked,
    models: Sequence[Sequence[Posterior]],
    aim: Goal,
    weighed: Callable[[Sloped], Sloped],
    value: Value | None = None,
    besides: float = 0.0,
) -> Plate | None:
    """How a plate is filled; None where all of a request is searched for.

    Args:
        request: What is asked.
        found: What it means.
        models: Of the metrics.
        aim: What is sought, in the models' units.
        weighed: What the chance of success puts on an acquisition function.
        value: What draws are worth where the constraints hold; that of the one objective where None.
        besides: Milliseconds that a search takes longer than with an ordinary model.
    """
    if request.count <= _PLATE:
        return None
    each = besides + _milliseconds(found.domain, models)
    searched = max(1, int(_ALLOWED / each))
    if searched >= request.count:
        return None
    return Plate(searched, models, aim, value or (lambda y, _: y @ aim.objectives[0]), weighed)


def _milliseconds(domain: Domain, models: Sequence[Sequence[Posterior]]) -> float:
    """About what one search takes."""
    free, first = domain.free, models[0]
    mended = domain.sampler.mends or free.supports is not None or free.nonlinear is not None or free.space.candidates
    each = len(first) * (_SEARCH + _KNOWN * (len(first[0].x) / 1000.0) ** 2)
    several = len(models) * len(first) * _MODEL if len(models) > 1 else 0.0
    return each + several + _MENDED * bool(mended)


class _Level:
    """Worth the same everywhere (``climb.Sloped``): what a weight is put on that is wanted alone."""

    name = ""

    def values(self, points: Floats) -> Floats:
        """``b x w`` to ``b``."""
        return np.zeros(len(points))

    def value_and_slope(self, point: Floats) -> tuple[float, Floats]:
        """The value at ``w``, and its gradient, ``w``."""
        return 0.0, np.zeros(len(point))
