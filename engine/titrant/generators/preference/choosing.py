"""Which finished trials to compare next, and how likely each of some points is the best of them."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from titrant.errors import GenerationError
from titrant.generators.axes import Floats
from titrant.generators.base import Examination
from titrant.generators.encoding import encoding_of
from titrant.generators.gp.asked import TooFewError
from titrant.generators.gp.build import normals
from titrant.generators.gp.data import collect
from titrant.generators.gp.fitted import NUMERICAL
from titrant.generators.gp.posterior import cholesky
from titrant.generators.preference.eubo import of_pairs
from titrant.generators.preference.known import NAME, NONE_YET, known
from titrant.generators.preference.utility import Utility
from titrant.model.insight import Pairing

# Trials of which all pairs are looked at: the most promising ones.
_MOST = 60
_DRAWS = 512
_SEED = 7


def pairing(request: Examination) -> Pairing:
    """The pair of finished trials whose comparison is worth most: of those compared least often, by EUBO.

    Nobody is asked the same twice while there is another pair; where there is none, the answer is given again, which
    says something where judges err.

    Raises:
        GenerationError: There are not two finished trials.
    """
    basis = request.basis
    encoding = encoding_of(basis.space, {})
    data = collect(encoding, (), basis.observed)
    if len(data) < 2:
        raise GenerationError(f"{len(data)} finished trials have a place in the search space: two can be compared")
    counts: dict[tuple[int, int], int] = {}
    for one in basis.comparisons:
        pair = min(one.better, one.worse), max(one.better, one.worse)
        counts[pair] = counts.get(pair, 0) + 1
    fallback, worth = "", np.zeros(len(data))
    with np.errstate(all="ignore"):
        try:
            found = known(encoding, basis.observed, basis.comparisons)
            mean, variance = found.utility.at(data.x)
            worth = mean + np.sqrt(variance)
        except (TooFewError, *NUMERICAL) as error:
            found, fallback = None, str(error) or type(error).__name__
        looked_at = sorted(np.argsort(-worth, kind="stable")[:_MOST].tolist())
        pairs = list(combinations(looked_at, 2))
        one, other = np.array(pairs, dtype=np.intp).T
        if found is None:
            # The most different ones first: they tell most of what matters.
            value = ((data.x[one] - data.x[other]) ** 2).sum(1)
        else:
            value = of_pairs(found.utility, data.x, one, other)
    asked = np.array([counts.get(_trials(data.trials, pair), 0) for pair in pairs])
    place = int(np.lexsort((-value, asked))[0])
    first, second = _trials(data.trials, pairs[place])
    if found is None:
        return Pairing(model="", trials=(first, second), expected=None, reason=fallback or NONE_YET)
    return Pairing(model=NAME, trials=(first, second), expected=float(value[place]))


def _trials(trials: tuple[int, ...], pair: tuple[int, int]) -> tuple[int, int]:
    one, other = trials[pair[0]], trials[pair[1]]
    return min(one, other), max(one, other)


def chances(utility: Utility, points: Floats) -> Floats:
    """How likely each of ``b x w`` has the greatest utility of them, from joint draws: ``b``."""
    if not len(points):
        return np.zeros(0)
    mean, covariance = utility.joint(points)
    root = cholesky(covariance, utility.hyper.outputscale)
    values = mean[:, None] + root @ normals(len(points), _SEED, _DRAWS)  # b x s
    best = np.bincount(values.argmax(0), minlength=len(points))
    return np.asarray(best / values.shape[1])
