"""Answers: the best trial, the front, predictions, the summary."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from titrant.analysis import fronts, questions, results
from titrant.analysis.lacking import nothing_yet
from titrant.analysis.table import Table
from titrant.api.answers import BestTrial, Hypervolume, ParetoFrontier, Prediction
from titrant.api.base import OnEngine
from titrant.api.comparing import preferred
from titrant.errors import CommandRefused, ConfigurationError, GenerationError
from titrant.model.given import listed
from titrant.model.insight import FrontOptimality, ModelFit, Optimality, ParameterImportance
from titrant.model.trial import Parameterization, TrialStatus
from titrant.rules.state import State
from titrant.runtime.diagnostics import Logger

T = TypeVar("T", ModelFit, ParameterImportance, Optimality, FrontOptimality)

log = Logger(__name__)


class Answering(OnEngine):
    """What is known so far; nothing here changes anything."""

    async def get_best_parameterization(self, use_model_predictions: bool = True) -> BestTrial:
        """The best trial so far: conditions, metric values as (mean, SEM), trial index, arm name.

        Conditions are those carried out, where they were recorded to differ from the plan.  Where the search space was
        changed, trials that could not be made in the present one are passed over while there are others.  A trial and
        its replicates count as one, by their mean; the SEM is computed from them where none was told
        (``analysis.results.pooled``).  Where there are fidelities only trials at their targets count.  Where the
        model expects the best of all conditions, tried or not, ``optimality().peak`` tells.

        Where a preference is sought, it is the finished trial of the greatest mean utility, with ``probability`` that
        it is the best of them; without a model, the one that was preferred most often over those it was not.

        Args:
            use_model_predictions: Rank the trials by a model's predictions, which see through noise; by what was
                observed where False, or where no model can say.  The answer's ``source`` tells which it was, its
                ``reason`` why no model could, and a warning is logged then.

        Raises:
            CommandRefused: No trial with usable data keeps the constraints, or there are several objectives.
        """
        state = self.state
        if results.configured(state).is_preference:
            return await preferred(self.engine, state, use_model_predictions)
        best = results.best_observed(state)
        if best is None:
            raise CommandRefused(nothing_yet(state))
        predicted, reason = await self._predicted(state, use_model_predictions)
        if predicted:
            optimization = results.configured(state)
            recipe, values = max(predicted, key=lambda one: optimization.utilities(_means(one[1]))[0])
            return _answer(state, recipe, values)
        return BestTrial(
            results.conditions(state, best.trial),
            best.values,
            best.trial.index,
            best.trial.arm_name,
            source="observed",
            reason=_reason(state, reason),
        )

    async def get_pareto_frontier(self, use_model_predictions: bool = True) -> ParetoFrontier:
        """The trials that no other beats in every objective; each as ``get_best_parameterization`` has it.

        Trials that miss an objective's threshold are left out.  Replicates count as one, by their mean.

        Args:
            use_model_predictions: Compare a model's predictions; what was observed where False, or where no model can
                say: see ``source`` and ``reason`` of the answer.

        Raises:
            CommandRefused: There is no objective yet, or a preference is sought.
        """
        state = self.state
        questions.need_metrics(state, "a front")
        predicted, reason = await self._predicted(state, use_model_predictions)
        if predicted:
            front = results.undominated(state, [(recipe, _means(values)) for recipe, values in predicted])
            told = {recipe.trial.index: values for recipe, values in predicted}
            return ParetoFrontier(
                [_answer(state, recipe, told[recipe.trial.index]) for recipe in front],
                source="model",
                reason=_reason(state),
            )
        front = results.front_observed(state)
        reason = _reason(state, reason or ("" if front else nothing_yet(state)))
        return ParetoFrontier(
            [
                BestTrial(
                    results.conditions(state, recipe.trial),
                    recipe.values,
                    recipe.trial.index,
                    recipe.trial.arm_name,
                    source="observed",
                    reason=reason,
                )
                for recipe in front
            ],
            source="observed",
            reason=reason,
        )

    async def get_hypervolume(self, use_model_predictions: bool = True) -> Hypervolume:
        """How much of the trade-off between several objectives was won: the volume that the front dominates.

        It is measured from the objectives' thresholds; where one has none, from three tenths of the front's range below
        its worst value.

        Args:
            use_model_predictions: As ``get_pareto_frontier`` has it.

        Raises:
            CommandRefused: There is one objective or more than six, or no trial keeps constraints and thresholds.
        """
        front = await self.get_pareto_frontier(use_model_predictions)
        found = fronts.volume(self.state, [_means(values) for _, values, _, _ in front])
        return Hypervolume(
            value=found.value,
            reference=found.reference,
            inferred=found.inferred,
            source=front.source,
            reason=front.reason,
        )

    async def _predicted(self, state: State, wanted: bool) -> tuple[list[tuple[results.Recipe, Prediction]], str]:
        """What a model predicts of the trials that keep the constraints, as observed and as predicted.

        Returns:
            Recipes and predictions; none where no model is wanted, or none can say.  And why none can.
        """
        if not wanted or state.strategy.method == "random_search":
            return [], ""
        candidates = questions.candidates(state)
        if not candidates:
            return [], ""
        try:
            reply = await self.engine.predict([results.conditions(state, recipe.trial) for recipe in candidates])
        except GenerationError as exc:
            reason = str(exc)
        else:
            both = zip(candidates, reply.predictions, strict=True)
            kept: list[tuple[results.Recipe, Prediction]] = [
                (one, dict(values)) for one, values in both if results.feasible(state, _means(values))
            ]
            if kept:
                return kept, ""
            reason = "the model expects of no trial that it keeps the constraints"
        log.warning("measured values stand in for a model's predictions", reason=reason)
        return [], reason

    async def predict(self, points: Sequence[Parameterization]) -> list[Prediction]:
        """A model's prediction of every metric at *points*, as (mean, SEM of the mean) in the metric's own unit.

        Where a preference is sought it is one of ``"utility"``, which has no unit and no zero: a trial is preferred to
        another one with the probability ``Phi(difference / sqrt(2))``.  What past experiments gave counts, too.

        Raises:
            ConfigurationError: A point does not fit the search space, or it is one point and no list of them.
            GenerationError: There are too few data.
        """
        state = self.state
        if state.experiment is None:
            raise CommandRefused("there is no search space yet: call configure_experiment first")
        given = listed("points", points, "parameterizations")
        checked = [state.experiment.space.check(point) for point in given]
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
        ``Optimality.peak`` is what the model would settle on, tried or not; a trial there confirms it.
        ``Optimality.advice`` says in words whether to stop.

        Raises:
            CommandRefused: There is no objective yet, or several, or no trial with data that keeps the constraints.
            GenerationError: There are too few data, or a generator of one's own has no ``examine``.
        """
        return await self._examine("optimality", Optimality)

    async def front_optimality(self) -> FrontOptimality:
        """With several objectives: how likely each trial is on the front, and what the next one is expected to add.

        As ``optimality`` is for one: probabilities come from joint draws of the true values at all conditions that were
        tried and keep the outcome constraints, the expected hypervolume improvement from a search of the whole space.
        ``FrontOptimality.advice`` says in words whether to stop.

        Raises:
            CommandRefused: There is no objective yet, a preference is sought, or no trial has data.
            GenerationError: There is one objective or more than four, or too few data, or none that keep the
                constraints; or a generator of one's own has no ``examine``.
        """
        return await self._examine("front", FrontOptimality)

    async def _examine(self, question: questions.Question, kind: type[T]) -> T:
        answer = await self.engine.examine(questions.examination(self.state, question))
        assert isinstance(answer, kind), f"the answer to {question} is {answer}"
        return answer

    async def summarize(
        self, trial_indices: Iterable[int] | None = None, trial_statuses: Collection[str] | None = None
    ) -> Table:
        """One row a trial: status, reason, node, times, metrics, parameters; ``.to_pandas()`` gives a data frame.

        Args:
            trial_indices: Which trials; all where None.
            trial_statuses: Those in these statuses only, by their names: ``["COMPLETED", "FAILED"]``.

        Raises:
            ConfigurationError: There is no such status, or it is one thing and no list of them.
        """
        wanted = None if trial_indices is None else listed("trial_indices", trial_indices, "numbers")
        statuses = None if trial_statuses is None else listed("trial_statuses", trial_statuses, "texts")
        return results.summary(self.state, wanted, None if statuses is None else [_status(one) for one in statuses])


def _status(given: str | TrialStatus) -> str:
    """The name of a trial's status.

    Raises:
        ConfigurationError: There is none of that name.
    """
    name = given.name if isinstance(given, TrialStatus) else str(given).upper()
    if name not in TrialStatus.__members__:
        raise ConfigurationError(f"{given!r} is no status of a trial: there are {', '.join(TrialStatus.__members__)}")
    return name


def _means(values: Mapping[str, tuple[float, float | None]]) -> dict[str, float]:
    return {name: mean for name, (mean, _) in values.items()}


def _answer(state: State, recipe: results.Recipe, values: Prediction) -> BestTrial:
    trial = recipe.trial
    return BestTrial(
        results.conditions(state, trial), values, trial.index, trial.arm_name, source="model", reason=_reason(state)
    )


def _reason(state: State, *reasons: str) -> str:
    """What is to be said of an answer: why no model gave it, and which constraints did not count."""
    return "; ".join(filter(None, (*reasons, results.not_counted(state))))
