"""The Bayesian optimization node for a preference: challengers for the trial that is liked best, in numpy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.base import PredictionReply, PredictionRequest, Proposal, Reply, Request
from titrant.generators.encoding import encoding_of
from titrant.generators.failures.weighed import weighing
from titrant.generators.gp import versions
from titrant.generators.gp.answering import answering
from titrant.generators.gp.asked import Asked, mixed, or_sobol, rows_of, to_avoid
from titrant.generators.gp.climb import Climber
from titrant.generators.gp.data import columns
from titrant.generators.gp.fitted import NUMERICAL
from titrant.generators.gp.goal import Goal
from titrant.generators.gp.here import here
from titrant.generators.gp.pooled import domain_of
from titrant.generators.gp.turns import in_turn
from titrant.generators.preference.choosing import chances
from titrant.generators.preference.eubo import eubo
from titrant.generators.preference.known import METRIC, NAME, Known, known
from titrant.model.objective import OptimizationConfig

# Compared points that the search looks around.
_BEST = 3
_NO_GOAL = Goal(np.zeros((1, 0)), np.zeros((0, 0)), np.zeros(0), np.zeros(1))


def suggest(request: Request) -> Reply:
    """Make ``request.count`` suggestions: each with what is liked best the pair of greatest expected utility.

    What is under way, and finished trials that nobody has compared yet, are options as well: a suggestion is made
    beside all of them.  Whatever fails leads to quasi-random points that say why in ``fallback``.

    Raises:
        GenerationError: No point keeps the constraints.
    """
    with np.errstate(all="ignore"):
        return or_sobol(request, _proposals, NUMERICAL, versions)


def _proposals(request: Request, _config: OptimizationConfig) -> Iterator[Proposal]:
    found = known(encoding_of(request.space, {}), request.observed, request.comparisons)
    asked = _asked(request, found)
    weighed = weighing(request, asked.domain.whole)
    circumstances = here(request, asked.domain.whole)
    utility = found.utility
    # Of several circumstances the best one under the present ones is what a suggestion is compared with.
    options = found.compared.x if circumstances is None else circumstances(found.compared.x)
    rival = options[int(utility.at(options)[0].argmax())]

    def built(pending: Floats, seed: int) -> tuple[Climber, str]:
        worth = weighed(eubo(utility, rival, np.concatenate([found.others, pending]), seed))
        return Climber(worth), f"{found.name} + {worth.name}"

    def predicted(x: Floats) -> dict[str, tuple[float, float]]:
        mean, variance = utility.at(x)
        return {METRIC: (float(mean[0]), float(np.sqrt(variance[0])))}

    return in_turn(request, asked, built, predicted)


def _asked(request: Request, found: Known) -> Asked:
    """Where to look, and what is under way."""
    seed = mixed(request.seed, len(request.observed), len(request.pending), len(request.comparisons))
    domain = domain_of(request.space, request.fixed, seed, len(found.data), dear=False)
    best = np.argsort(-found.utility.known, kind="stable")[:_BEST]
    return Asked(
        data=found.data,
        target=_NO_GOAL,
        domain=domain,
        pending=columns(domain.whole, request.pending),
        best=domain.held(found.compared.z[best]),
        avoid=to_avoid(request, domain),
        seed=seed,
    )


def predict(request: PredictionRequest) -> PredictionReply:
    """Predict the utility at ``request.points``, and how likely each of them is the best of them.

    Raises:
        GenerationError: Nobody has compared anything, a point has no place in the search space, or the numbers fail.
    """
    z = rows_of(request)
    encoding = encoding_of(request.space, {})
    with answering("prediction"):
        utility = known(encoding, request.observed, request.comparisons).utility
        x = encoding.to_model(z)
        mean, variance = utility.at(x)
        likely = chances(utility, x)
    told = zip(mean.tolist(), np.sqrt(variance).tolist(), strict=True)
    return PredictionReply(
        predictions=tuple({METRIC: (value, sd)} for value, sd in told),
        generator=NAME,
        chances=tuple(likely.tolist()),
    )
