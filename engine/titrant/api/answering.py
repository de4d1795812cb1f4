"""Answers: the best trial, the front, predictions, the summary."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from titrant.analysis import results
from titrant.analysis.table import Table
from titrant.api.base import OnEngine
from titrant.errors import CommandRefused, GenerationError
from titrant.model.trial import Parameterization
from titrant.rules.changing import project

Prediction = dict[str, tuple[float, float | None]]
"""Metric name to (mean, SEM) in the metric's own unit."""


class Answering(OnEngine):
    """What is known so far; nothing here changes anything."""

    async def get_best_parameterization(
        self, use_model_predictions: bool = True
    ) -> tuple[Parameterization, Prediction, int, str]:
        """The best trial so far: conditions, metric values as (mean, SEM), trial index, arm name.

        Conditions are those carried out, where they were recorded to differ from the plan.  Where the search space was
        changed, trials that could not be made in the present one are passed over while there are others.  A trial and
        its replicates count as one, by their mean; the SEM is computed from them where none was told
        (``analysis.results.pooled``).

        Args:
            use_model_predictions: Rank the trials by a model's predictions, which see through noise; by what was
                observed where False, or where there are too few data for a model.

        Raises:
            CommandRefused: No trial with usable data keeps the constraints, or there are several objectives.
        """
        state = self.state
        best = results.best_observed(state)
        if best is None:
            raise CommandRefused("there is no finished trial that has data and keeps the outcome constraints yet")
        trial, values = best.trial, dict(best.values)
        if use_model_predictions and state.strategy.method != "random_search":
            candidates = [
                recipe
                for recipe in results.recipes(state)
                if results.feasible(state, results.recipe_means(recipe)) and project(state, recipe.trial) is not None
            ]
            try:
                reply = await self.engine.predict([results.conditions(state, recipe.trial) for recipe in candidates])
            except GenerationError:
                return results.conditions(state, trial), values, trial.index, trial.arm_name
            optimization = results.configured(state)
            top = -float("inf")
            for recipe, predicted in zip(candidates, reply.predictions, strict=True):
                expected = {name: mean for name, (mean, _) in predicted.items()}
                utility = optimization.utilities(expected)[0]
                if results.feasible(state, expected) and utility > top:
                    top, trial, values = utility, recipe.trial, dict(predicted)
        return results.conditions(state, trial), values, trial.index, trial.arm_name

    async def get_pareto_frontier(self) -> list[tuple[Parameterization, Prediction, int, str]]:
        """The trials that no other beats in every objective, by what was observed; replicates count as one."""
        state = self.state
        return [
            (results.conditions(state, recipe.trial), dict(recipe.values), recipe.trial.index, recipe.trial.arm_name)
            for recipe in results.front_observed(state)
        ]

    async def predict(self, points: Sequence[Parameterization]) -> list[Prediction]:
        """A model's prediction of every metric at *points*, as (mean, SEM of the mean) in the metric's own unit.

        Raises:
            GenerationError: There are too few data.
        """
        state = self.state
        if state.experiment is None:
            raise CommandRefused("there is no search space yet: call configure_experiment first")
        checked = [state.experiment.space.check(point) for point in points]
        reply = await self.engine.predict(checked)
        return [dict(prediction) for prediction in reply.predictions]

    async def summarize(
        self, trial_indices: Iterable[int] | None = None, trial_statuses: Collection[str] | None = None
    ) -> Table:
        """One row a trial: status, reason, node, times, metrics, parameters; ``.to_pandas()`` gives a data frame."""
        return results.summary(self.state, trial_indices, trial_statuses)
