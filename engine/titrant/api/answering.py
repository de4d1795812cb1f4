"""Answers: the best trial, the front, predictions, the summary."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from titrant.analysis import results
from titrant.analysis.table import Table
from titrant.api.base import OnEngine
from titrant.errors import CommandRefused, GenerationError
from titrant.model.trial import Parameterization

Prediction = dict[str, tuple[float, float | None]]
"""Metric name to (mean, SEM) in the metric's own unit."""


class Answering(OnEngine):
    """What is known so far; nothing here changes anything."""

    async def get_best_parameterization(
        self, use_model_predictions: bool = True
    ) -> tuple[Parameterization, Prediction, int, str]:
        """The best trial so far: conditions, metric values as (mean, SEM), trial index, arm name.

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
        trial, values = best.trial, dict(results.outcome(best.trial))
        if use_model_predictions and state.strategy.method != "random_search":
            candidates = results.eligible(state)
            try:
                reply = await self.engine.predict([one.parameters for one in candidates])
            except GenerationError:
                return dict(trial.parameters), values, trial.index, trial.arm_name
            optimization = results.configured(state)
            top = -float("inf")
            for one, predicted in zip(candidates, reply.predictions, strict=True):
                expected = {name: mean for name, (mean, _) in predicted.items()}
                if not results.feasible(state, expected) or not results.feasible(state, _means(results.outcome(one))):
                    continue
                utility = optimization.utilities(expected)[0]
                if utility > top:
                    top, trial, values = utility, one, dict(predicted)
        return dict(trial.parameters), values, trial.index, trial.arm_name

    async def get_pareto_frontier(self) -> list[tuple[Parameterization, Prediction, int, str]]:
        """The trials that no other beats in every objective, by what was observed."""
        return [
            (dict(trial.parameters), dict(results.outcome(trial)), trial.index, trial.arm_name)
            for trial in results.pareto_observed(self.state)
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


def _means(values: Mapping[str, tuple[float, float | None]]) -> dict[str, float]:
    return {name: mean for name, (mean, _) in values.items()}
