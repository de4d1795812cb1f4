"""How likely the best trial is the best one, and what the next one is expected to gain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

import numpy as np

# Typed only where scipy-stubs is installed.
from scipy.special import ndtri  # type: ignore[import-untyped,unused-ignore]

from titrant.errors import GenerationError
from titrant.generators.axes import Floats
from titrant.generators.base import Examination, Request
from titrant.generators.gp import model
from titrant.generators.gp.acquisition import log_gain
from titrant.generators.gp.asked import Asked, mixed
from titrant.generators.gp.bend import Bend
from titrant.generators.gp.build import build
from titrant.generators.gp.climb import Climber
from titrant.generators.gp.fitted import Fitted
from titrant.generators.gp.joint import DRAWS, drawn, utilities
from titrant.generators.gp.leaving_out import fit_of, share
from titrant.generators.gp.logs import log_mean_exp, log_probability
from titrant.generators.gp.peak import peak_of
from titrant.generators.gp.search import Search
from titrant.model.insight import Contender, Estimate, Optimality
from titrant.model.objective import OptimizationConfig
from titrant.model.trial import Parameterization

# Numbers drawn for each metric, so that memory stays bounded.
_MOST_DRAWN = 8_000_000
# Draws that the gain is averaged over, other ones than the search climbed on: there the greatest mean flatters.
_GAIN_DRAWS = 256
# Points of the search whose gain is told apart in the objective's own unit.
_TOP = 32
_CONTENDERS = 5
# Nodes and weights on [0, 1]: the integrand falls off smoothly.
_NODES, _WEIGHTS = (0.5 * part for part in np.polynomial.legendre.leggauss(64))
_NODES = _NODES + 0.5


def optimality_of(fitted: Fitted, found: Asked, config: OptimizationConfig, asked: Examination) -> Optimality:
    """Compare the candidates with each other, and with what the search space still holds.

    Raises:
        GenerationError: There are no candidates that the model knows a place of.
    """
    incumbent, contenders = compared(fitted, found, config, asked)
    log_gains, at = gained(fitted, found, asked.basis)
    unit = unit_of(fitted, found, config)
    greatest = float(log_gains.max())
    gains = np.exp(log_gains - greatest)
    log_mean = float(log_mean_exp(log_gains)) + float(np.log(unit))
    error = float(ndtri(0.975)) * float(gains.std(ddof=1)) / float(np.sqrt(len(gains)))
    size = float(np.exp(greatest)) * unit
    gain = size * float(gains.mean())
    worths = found.target.values(fitted.data.y)[:, 0] * unit
    spread = float(worths.max() - worths.min())
    fits = [one.r2 for one in fit_of(fitted, asked.basis.seed).metrics]
    known = [one.value for one in fits if one is not None]
    return Optimality(
        model=fitted.name,
        objective=config.text,
        incumbent=incumbent,
        contenders=contenders,
        expected_improvement=Estimate(gain, max(0.0, gain - size * error), gain + size * error),
        log_expected_improvement=log_mean,
        relative=gain / spread if spread > 0 else None,
        observed_range=spread,
        at=at,
        peak=peak_of(fitted, found, config, asked),
        r2=min(known, default=None),
    )


# --- the candidates among themselves --------------------------------------------------------------------------------


def compared(
    fitted: Fitted, found: Asked, config: OptimizationConfig, asked: Examination
) -> tuple[Contender, tuple[Contender, ...]]:
    """The incumbent, and the likeliest candidates, by joint draws of what they truly give."""
    data, whole = fitted.data, found.domain.whole
    rows = [(one, whole.numbers(one.parameters)) for one in asked.candidates]
    placed = [(one, row) for one, row in rows if row is not None]
    if not placed:
        raise GenerationError("no answer: no trial that keeps the outcome constraints has a place in the search space")
    x = whole.to_model(np.array([row for _, row in placed]))
    # The same conditions may have been tried as trials of their own: they are one candidate.
    _, begins, place = np.unique(x, axis=0, return_index=True, return_inverse=True)
    place = place.reshape(-1)
    (objective,) = config.objectives
    count = min(DRAWS, _MOST_DRAWN // len(begins))
    y = drawn(fitted, x[begins], count, asked.basis.seed)
    utility = utilities(data, objective.terms, y)
    allowed = found.target.feasible(y.reshape(-1, y.shape[-1])).reshape(y.shape[:2])
    worth = np.where(allowed, utility, -np.inf)
    winners = np.where(allowed.any(0), worth.argmax(0), -1)
    counts = np.bincount(winners[winners >= 0], minlength=len(begins))
    predicted = [
        {name: mean for name, (mean, _) in one.items()}
        for one in model.predict(fitted.posteriors, data, x, fitted.functions)
    ]
    leader = _incumbent([one.trial for one, _ in placed], predicted, config, asked.leader)

    def contender(i: int) -> Contender:
        value = objective.utility(predicted[i])
        low, high = np.quantile(utility[place[i]], [0.025, 0.975])
        return Contender(
            placed[i][0].trial, Estimate(value, float(low), float(high)), share(int(counts[place[i]]), count)
        )

    order = [int(np.flatnonzero(place == c)[0]) for c in np.argsort(-counts, kind="stable")[:_CONTENDERS] if counts[c]]
    shown = [leader if place[i] == place[leader] else i for i in order]
    shown = shown if leader in shown else [*shown[: _CONTENDERS - 1], leader]
    return contender(leader), tuple(contender(i) for i in shown)


def _incumbent(
    trials: Sequence[int], predicted: Sequence[dict[str, float]], config: OptimizationConfig, leader: int
) -> int:
    """The place of the best predicted candidate that keeps the constraints; of the best observed if none does."""
    allowed = [i for i, means in enumerate(predicted) if config.feasible(means)]
    if not allowed:
        return trials.index(leader) if leader in trials else 0
    return max(allowed, key=lambda i: config.utilities(predicted[i])[0])


# --- what is left ---------------------------------------------------------------------------------------------------


def gained(fitted: Fitted, found: Asked, basis: Request) -> tuple[Floats, Parameterization]:
    """The logarithm of what the best next trial is expected to gain, in each of some draws, and its conditions.

    Gains are in units of the standardized objective, without its bend. What is under way counts as not known yet.

    Raises:
        GenerationError: Nothing is known to improve on.
    """
    feasible = found.target.feasible(fitted.data.y)
    if fitted.answers is not None:
        feasible = feasible & fitted.answers
    if not feasible.any():
        raise GenerationError("no answer: no trial keeps the outcome constraints by itself")
    aim, nothing = fitted.aim(found.target), np.empty((0, fitted.data.x.shape[1]))
    search = Search(found.domain, Climber(build(fitted.posteriors, aim, feasible, nothing, mixed(found.seed, 1))))
    search.run(found.best, 0)
    told = build(fitted.posteriors, aim, feasible, nothing, mixed(found.seed, 2), _GAIN_DRAWS)
    inside = ((row, parameters) for row, parameters, _ in search.ranked() if basis.space.contains(parameters))
    top = list(islice(inside, _TOP))
    if not top:
        raise GenerationError("no answer: the search found no point inside the search space")
    gains = told.of_draws(found.domain.to_model(np.array([row for row, _ in top])), gain_of(fitted, found))
    best = int(log_mean_exp(gains).argmax())
    return gains[best], top[best][1]


def gain_of(fitted: Fitted, found: Asked) -> Callable[[Floats, Floats, Floats], Floats]:
    """The logarithm of the expected gain without the bend (see ``acquisition.log_gain``)."""
    weights = found.target.objectives[0]
    j = int(np.abs(weights).argmax())
    function = fitted.functions[j]
    return log_gain if function.power == 1.0 else straight_gain(function, float(np.sign(weights[j])))


def straight_gain(function: Bend, sign: float) -> Callable[[Floats, Floats, Floats], Floats]:
    """The logarithm of what a bent metric is expected to gain without its bend.

    The expectation of a positive part is the integral of the probability to exceed, here over the bent scale:
    ``integral of g'(best + r) P(t > best + r) dr`` from 0 on, with ``g`` the function that undoes the bend.

    Args:
        function: How it was bent.
        sign: 1 where it is to be large, -1 where it is to be small.
    """

    def gain(mean: Floats, sd: Floats, best: Floats) -> Floats:
        over = (mean - best) / sd[:, None]  # b x s
        # Beyond this the integrand is a negligible share of what it is at its beginning.
        reach = np.minimum(np.maximum(over, 0.0) + 8.0, 40.0 / np.maximum(1.0, -over))
        steps = reach[..., None] * _NODES  # b x s x nodes, in standard deviations
        bent = best[None, :, None] + sd[:, None, None] * steps
        slope = function.slope(function.undone(sign * bent))
        heights = log_probability(over[..., None] - steps) - np.log(slope)
        top = heights.max(-1, keepdims=True)
        return np.asarray(np.log(np.exp(heights - top) @ _WEIGHTS) + top[..., 0] + np.log(reach * sd[:, None]))

    return gain


def unit_of(fitted: Fitted, found: Asked, config: OptimizationConfig, place: int = 0) -> float:
    """A standardized objective's unit, in its own."""
    weights = found.target.objectives[place]
    j = int(np.abs(weights).argmax())
    own = sum(weight for name, weight in config.objectives[place].terms if name == fitted.data.metrics[j])
    return abs(own * float(fitted.data.scale[j]) / float(weights[j]))
