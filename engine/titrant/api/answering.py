"""Answers: the best trial, the front, predictions, the summary."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TypeVar

from titrant.analysis import questions, results
from titrant.analysis.table import Table
from titrant.api.base import OnEngine
from titrant.errors import CommandRefused, GenerationError
from titrant.model.insight import ModelFit, Optimality, ParameterImportance
from titrant.model.trial import Parameterization

T = TypeVar("T", ModelFit, ParameterImportance, Optimality)

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
            candidates = questions.candidates(state)
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

    async def model_fit(self) -> ModelFit:
        """How well the model predicts trials that it has not seen: each is left out, with its replicates.

        For every metric R², the root mean squared error in the metric's own unit, standardized residuals, and how many
        of the results lie within the 50, 80 and 95 % intervals, all with 95 % intervals.  Hyperparameters stay those of
        all the data, so that nothing is fitted anew.  ``MetricFit.word`` puts R² into a word.

        Raises:
            CommandRefused: There is no search space or no objective yet.
            GenerationError: There are too few data, or a generator of one's own has no ``examine``.
        """
        return await self._examine("fit", ModelFit)

    async def parameter_importance(self) -> ParameterImportance:
        """What the metrics depend on: Sobol's first-order and total indices of the model's mean.

        Shares of the variance over the search space, without a unit, each parameter's values equally likely (on a
        logarithmic scale where it has one).  The 95 % intervals tell the error of sampling the model, by bootstrap; how
        far the model is right tells ``model_fit``.  Constraints are left aside, and the answer says so.

        Raises:
            CommandRefused: There is no search space or no objective yet.
            GenerationError: There are too few data, or no parameter is free; or a generator of one's own has no
                ``examine``.
        """
        return await self._examine("importance", ParameterImportance)

    async def optimality(self) -> Optimality:
        """How likely the best trial is the best of those made, and what the next one is expected to gain.

        The incumbent is the trial of ``get_best_parameterization()`` with a model.  Probabilities come from joint draws
        of the true values at all conditions that were tried and keep the outcome constraints as observed, the expected
        improvement from a search of the whole space, in the objective's own unit and as a share of the observed range.
        ``Optimality.advice`` says in words whether to stop.

        Raises:
            CommandRefused: There is no objective yet, or several, or no trial with data that keeps the constraints.
            GenerationError: There are too few data, or a generator of one's own has no ``examine``.
        """
        return await self._examine("optimality", Optimality)

    async def _examine(self, question: questions.Question, kind: type[T]) -> T:
        answer = await self.engine.examine(questions.examination(self.state, question))
        assert isinstance(answer, kind), f"the answer to {question} is {answer}"
        return answer

    async def summarize(
        self, trial_indices: Iterable[int] | None = None, trial_statuses: Collection[str] | None = None
    ) -> Table:
        """One row a trial: status, reason, node, times, metrics, parameters; ``.to_pandas()`` gives a data frame."""
        return results.summary(self.state, trial_indices, trial_statuses)
