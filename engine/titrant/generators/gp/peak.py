"""What the model would settle on: the greatest expected value in the whole search space, tried or not.

It is the maximizer of the posterior mean, what P. Frazier, "A Tutorial on Bayesian Optimization", arXiv:1807.02811,
section 4.2, would return after the last measurement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from titrant.errors import GenerationError
from titrant.generators.axes import Floats
from titrant.generators.base import Examination
from titrant.generators.gp import model
from titrant.generators.gp.acquisition import Combination
from titrant.generators.gp.asked import Asked
from titrant.generators.gp.climb import Climber
from titrant.generators.gp.fitted import Fitted
from titrant.generators.gp.goal import Goal
from titrant.generators.gp.joint import DRAWS, drawn, utilities
from titrant.generators.gp.posterior import Posterior
from titrant.generators.gp.search import Search
from titrant.model.insight import Estimate, Peak
from titrant.model.objective import OptimizationConfig
from titrant.model.space import SearchSpace
from titrant.model.trial import Parameterization

# Of the augmented Lagrangian: what a broken constraint costs in each round, and after how many rounds it is kept.
_STEEPNESS = 100.0
_ROUNDS = 6
# Standard deviations by which a constraint may be expected to be broken, that a search may end on its bound.
_TOLERANCE = 1e-4


class Mean:
    """The expected objective as an augmented Lagrangian of the constraints, in the units of the processes.

    Attributes:
        multipliers: Of the constraints, ``c``; none but zeros where no bound is in the way.
    """

    name = "posterior mean"

    def __init__(self, posteriors: Sequence[Posterior], target: Goal) -> None:
        """Take the processes, ``m``, and what is sought of them; one objective."""
        self._objective = Combination(posteriors, target.objectives[0])
        self._constraints = [Combination(posteriors, row) for row in target.constraints]
        self._bounds = target.bounds
        self.multipliers = np.zeros(len(target.bounds))

    def told(self, points: Floats) -> tuple[Floats, Floats]:
        """Expected objectives, ``b``, and by how much each constraint is expected to be broken, ``b x c``."""
        over = [one.at(points)[0].mean(1) for one in self._constraints]
        broken = np.array(over).reshape(len(over), len(points)).T - self._bounds
        return self._objective.at(points)[0].mean(1), broken

    def values(self, points: Floats) -> Floats:
        """``b x w`` to ``b``."""
        value, broken = self.told(points)
        pressed = np.maximum(self.multipliers + _STEEPNESS * broken, 0.0)
        return np.asarray(value - (pressed**2 - self.multipliers**2).sum(1) / (2.0 * _STEEPNESS))

    def value_and_slope(self, point: Floats) -> tuple[float, Floats]:
        """The value at ``w``, and its gradient, ``w``."""
        slope = self._objective.slope(point)[2].mean(0)
        for one, bound, multiplier in zip(self._constraints, self._bounds, self.multipliers, strict=True):
            mean, _, rise, _ = one.slope(point)
            slope = slope - max(multiplier + _STEEPNESS * (float(mean.mean()) - bound), 0.0) * rise.mean(0)
        return float(self.values(point[None])[0]), slope

    def press(self, point: Floats) -> bool:
        """Raise the multipliers by what is broken at ``w``; whether anything is."""
        broken = self.told(point[None])[1][0]
        self.multipliers = np.maximum(self.multipliers + _STEEPNESS * broken, 0.0)
        return bool((broken > _TOLERANCE).any())


def peak_of(fitted: Fitted, found: Asked, config: OptimizationConfig, asked: Examination) -> Peak:
    """The conditions of the greatest expected value, of those that are expected to keep the constraints.

    Where no conditions are expected to keep them, those that break them least.

    Raises:
        GenerationError: The search found no point inside the search space.
    """
    whole, mean = found.domain.whole, Mean(fitted.posteriors, fitted.aim(found.target))
    met = list(_searched(mean, found, asked.basis.space))  # in a model's columns, whatever is held fixed
    # Under other circumstances a trial says nothing of what to settle on here.
    fits = [one for one in asked.candidates if asked.basis.fixed.items() <= one.parameters.items()]
    rows = [(row, one.parameters) for one in fits if (row := whole.numbers(one.parameters)) is not None]
    met += [(whole.to_model(row[None])[0], parameters) for row, parameters in rows]
    if not met:
        raise GenerationError("no answer: the search found no point inside the search space")
    x = np.array([point for point, _ in met])
    values, broken = mean.told(x)
    worst = np.maximum(broken.max(1, initial=0.0) - _TOLERANCE, 0.0)
    best = int(np.lexsort((-values, worst))[0])
    at = met[best][1]
    (objective,) = config.objectives
    (predicted,) = model.predict(fitted.posteriors, fitted.data, x[best : best + 1], fitted.functions)
    draws = utilities(fitted.data, objective.terms, drawn(fitted, x[best : best + 1], DRAWS, asked.basis.seed))
    low, high = np.quantile(draws, [0.025, 0.975])
    value = objective.utility({name: told for name, (told, _) in predicted.items()})
    same = [one.trial for one in asked.candidates if one.parameters == at]
    kept = bool(worst[best] <= 0.0)
    return Peak(at, kept, Estimate(value, float(low), float(high)), predicted, min(same, default=None))


def _searched(mean: Mean, found: Asked, space: SearchSpace) -> Iterator[tuple[Floats, Parameterization]]:
    """The best of each round of the search; constraints that one breaks weigh more in the next."""
    starts = found.best
    for number in range(_ROUNDS):
        search = Search(found.domain, Climber(mean))
        search.run(starts, number)
        best = next((one for one in search.ranked() if space.contains(one[1])), None)
        if best is None:
            return
        starts = best[0][None]
        point = found.domain.to_model(starts)[0]
        yield point, best[1]
        if not mean.press(point):
            return
