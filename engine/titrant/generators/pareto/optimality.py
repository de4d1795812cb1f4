"""How likely each trial is on the front, and what hypervolume the next one is expected to add."""

from __future__ import annotations

import math
from itertools import islice

import numpy as np

# Typed only where scipy-stubs is installed.
from scipy.special import ndtri  # type: ignore[import-untyped,unused-ignore]

from titrant.errors import GenerationError
from titrant.generators.axes import Floats
from titrant.generators.base import Examination
from titrant.generators.encoding import Mask
from titrant.generators.gp.asked import Asked, mixed
from titrant.generators.gp.climb import Climber
from titrant.generators.gp.fitted import Fitted
from titrant.generators.gp.joint import DRAWS, drawn, utilities
from titrant.generators.gp.leaving_out import fit_of, share
from titrant.generators.gp.logs import log_mean_exp
from titrant.generators.gp.optimality import unit_of
from titrant.generators.gp.search import Search
from titrant.generators.pareto.boxes import hypervolume, undominated
from titrant.generators.pareto.build import MOST_BY_VOLUME, build
from titrant.generators.pareto.reference import reference_point
from titrant.model.insight import Estimate, FrontMember, FrontOptimality
from titrant.model.objective import OptimizationConfig

# Draws that the gain is averaged over, other ones than the search climbed on, and points of the search compared by it.
_GAIN_DRAWS, _TOP = 64, 16
# Comparisons of two candidates in one draw and one objective, so that memory and time stay bounded.
_MOST_COMPARED, _CHUNK = 100_000_000, 2_000_000


def front_optimality_of(
    fitted: Fitted, found: Asked, config: OptimizationConfig, asked: Examination
) -> FrontOptimality:
    """Compare the candidates with each other, and with what the search space still holds.

    Raises:
        GenerationError: There are no candidates that the model knows a place of, nothing keeps the constraints, or
            there are so many objectives that hypervolume is not what suggestions go by.
    """
    k = len(config.objectives)
    if k > MOST_BY_VOLUME:
        raise GenerationError(
            f"with {k} objectives the gain in hypervolume is not computed, only up to {MOST_BY_VOLUME}: "
            "watch get_hypervolume() from trial to trial"
        )
    data, target = fitted.data, found.target
    values, feasible = target.values(data.y), target.feasible(data.y)
    if not feasible.any():
        raise GenerationError("no answer: no trial keeps the outcome constraints by itself")
    members = compared(found, fitted, config, asked)
    reference = reference_point(values[feasible], target.thresholds)
    unit = math.prod(unit_of(fitted, found, config, place) for place in range(k))
    reached = target.values(np.column_stack([one.mean(data.x) for one in fitted.posteriors]))[feasible]
    size = hypervolume(reached, reference) * unit

    places = np.flatnonzero(feasible)
    front = found.domain.held(data.z[places[undominated(values[places])]])
    nothing, aim = np.empty((0, data.x.shape[1])), fitted.aim(target)
    worth = build(fitted.posteriors, values, aim, feasible, nothing, mixed(found.seed, 1))
    search = Search(found.domain, Climber(worth))
    search.run(front, 0)
    inside = ((row, point) for row, point, _ in search.ranked() if asked.basis.space.contains(point))
    top = list(islice(inside, _TOP))
    if not top:
        raise GenerationError("no answer: the search found no point inside the search space")
    told = build(fitted.posteriors, values, aim, feasible, nothing, mixed(found.seed, 2), _GAIN_DRAWS)
    gains = told.of_draws(found.domain.to_model(np.array([row for row, _ in top])))
    best = int(log_mean_exp(gains).argmax())
    each = np.exp(gains[best]) * unit
    gain, error = float(each.mean()), float(ndtri(0.975)) * float(each.std(ddof=1)) / math.sqrt(len(each))
    known = [one.value for one in (metric.r2 for metric in fit_of(fitted, asked.basis.seed).metrics) if one is not None]
    return FrontOptimality(
        model=fitted.name,
        objectives=tuple(objective.text for objective in config.objectives),
        front=members,
        expected_improvement=Estimate(gain, max(0.0, gain - error), gain + error),
        log_expected_improvement=float(log_mean_exp(gains[best])) + math.log(unit),
        hypervolume=size,
        relative=gain / size if size > 0 else None,
        at=top[best][1],
        r2=min(known, default=None),
    )


def compared(found: Asked, fitted: Fitted, config: OptimizationConfig, asked: Examination) -> tuple[FrontMember, ...]:
    """How likely each candidate is on the front of them all, by joint draws of what they truly give; likeliest first.

    Raises:
        GenerationError: The model knows no place of any.
    """
    whole = found.domain.whole
    rows = [(one.trial, whole.numbers(one.parameters)) for one in asked.candidates]
    placed = [(trial, row) for trial, row in rows if row is not None]
    if not placed:
        raise GenerationError("no answer: no trial that keeps the outcome constraints has a place in the search space")
    x = whole.to_model(np.array([row for _, row in placed]))
    # The same conditions may have been tried as trials of their own: they are one candidate.
    _, begins, place = np.unique(x, axis=0, return_index=True, return_inverse=True)
    place, k = place.reshape(-1), len(config.objectives)
    count = int(np.clip(_MOST_COMPARED // (len(begins) ** 2 * k), 16, DRAWS))
    y = drawn(fitted, x[begins], count, asked.basis.seed)
    allowed = found.target.feasible(y.reshape(-1, y.shape[-1])).reshape(y.shape[:2])  # c x s
    worth = np.stack([utilities(fitted.data, one.terms, y) for one in config.objectives], axis=-1)  # c x s x k
    hits = _on_front(np.where(allowed[..., None], worth, -np.inf), allowed)
    chances = {trial: share(int(hits[place[i]]), count) for i, (trial, _) in enumerate(placed)}
    order = sorted(chances, key=lambda trial: (-chances[trial].value, trial))
    return tuple(FrontMember(trial, chances[trial]) for trial in order if chances[trial].value > 0)


def _on_front(worth: Floats, allowed: Mask) -> Floats:
    """In how many of the draws, ``c x s x k``, each candidate is allowed and undominated: ``c``."""
    c, draws, k = worth.shape
    hits = np.zeros(c)
    step = max(1, _CHUNK // (c * c * k))
    for start in range(0, draws, step):
        part = np.moveaxis(worth[:, start : start + step], 1, 0)  # s x c x k
        at_least = (part[:, :, None] >= part[:, None]).all(-1)  # by row, of column
        beaten = (at_least & ~np.swapaxes(at_least, 1, 2)).any(1)
        hits += (~beaten & allowed[:, start : start + step].T).sum(0)
    return hits
