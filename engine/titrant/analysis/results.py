"""Answers read off the state: the best trial, the Pareto front, the summary; observed values, no model."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from titrant.analysis.marks import saw_withdrawn
from titrant.analysis.table import Row, Table
from titrant.errors import CommandRefused
from titrant.generators.requests import tasks
from titrant.model.comparison import counting, tallies
from titrant.model.fidelity import at_target, cost_of
from titrant.model.objective import OptimizationConfig, OutcomeConstraint
from titrant.model.observation import by_metric, means
from titrant.model.space import ParameterConfig, RangeParameterConfig
from titrant.model.trial import Parameterization, ParameterValue, Trial, TrialStatus
from titrant.rules.changing import is_inside, project
from titrant.rules.conditions import carried_out
from titrant.rules.replicating import recipe as recipe_of
from titrant.rules.state import State
from titrant.rules.withdrawing import baseline_means

Outcome = dict[str, tuple[float, float | None]]
"""Metric name to (mean, SEM) in the metric's own unit; SEM None where unknown."""


class Recipe(msgspec.Struct, frozen=True):
    """Conditions that were carried out once or more, and what they gave.

    Attributes:
        trial: The first finished trial of them.
        values: Metric name to (mean, SEM) over all finished trials of them; see ``pooled``.
        trials: Indices of these trials.
    """

    trial: Trial
    values: Outcome
    trials: tuple[int, ...]


class Best(msgspec.Struct, frozen=True):
    """The best recipe so far, by what was observed; ``trial`` is the first finished one of it."""

    trial: Trial
    utility: float
    values: Outcome


_SAME_RECIPE = 0.01
"""Of a parameter's range: what replicates may differ by in what was executed."""

HEAD = (
    "trial_index",
    "arm_name",
    "trial_status",
    "failure_reason",
    "generation_node",
    "replicate_of",
    "runner",
    "executed",
    "saw_withdrawn",
    "seconds",
    "trial_cost",
)
"""The columns of a summary that stand before metrics and parameters."""
COMPARED = ("won", "compared")
"""And those that follow where trials were compared: how often one was preferred, ties counting half, of how often."""


def configured(state: State) -> OptimizationConfig:
    """The optimization configuration.

    Raises:
        CommandRefused: There is none yet.
    """
    if state.optimization is None:
        raise CommandRefused("there is no objective yet: call configure_optimization first")
    return state.optimization


def eligible(state: State) -> list[Trial]:
    """Finished trials with a usable value of every objective, in order of their index; not those withdrawn.

    Where there are fidelities, those at their targets only: what a cheaper trial gave is no answer.  Where the search
    space was changed, those that could be made in the present one; all, while there is none of these.
    """
    needed = configured(state).objective_metrics
    ended = (TrialStatus.COMPLETED, TrialStatus.EARLY_STOPPED)
    found = [
        trial
        for trial in sorted(state.closed.values(), key=lambda trial: trial.index)
        if trial.status in ended and all(metric in means(trial.observations) for metric in needed)
        if reached(state, trial) and of_target_task(state, trial)
    ]
    return [trial for trial in found if is_inside(state, trial)] or found


def conditions(state: State, trial: Trial) -> Parameterization:
    """What was carried out, in the parameters of the present search space as far as they can be told."""
    return project(state, trial) or carried_out(state, trial)


def reached(state: State, trial: Trial) -> bool:
    """Whether a trial was carried out at the target of every fidelity; True where there are none."""
    space = None if state.experiment is None else state.experiment.space
    return space is None or not space.having("fidelity") or at_target(space, conditions(state, trial))


def of_target_task(state: State, trial: Trial) -> bool:
    """Whether a trial is of the tasks for which the best is sought; True where there are none."""
    wanted = {} if state.experiment is None else tasks(state.experiment.space)
    if not wanted:
        return True
    where = conditions(state, trial)  # what was carried out elsewhere than planned is of the task it was carried out at
    return all(where.get(name) == value for name, value in wanted.items())


def feasible(state: State, values: Mapping[str, float]) -> bool:
    """Whether *values* keep the outcome constraints; relative ones count as kept while the baseline has no data."""
    baseline = baseline_means(state)
    left = left_open(state)
    return all(one in left or one.is_met(values, baseline) for one in configured(state).constraints)


def left_open(state: State) -> tuple[OutcomeConstraint, ...]:
    """The outcome constraints that nothing can be said of, as what they refer to in the baseline is not known."""
    known = baseline_means(state) or {}
    return tuple(
        one
        for one in configured(state).constraints
        if one.relative and not all(name in known for name in one.metric_names)
    )


def not_counted(state: State) -> str:
    """What is to be said of an answer that some constraints don't count for yet; empty where all do."""
    texts = ", ".join(one.text for one in left_open(state))
    return f"{texts}: counts as kept, as the baseline has no data yet (attach_baseline)" if texts else ""


def best_observed(state: State) -> Best | None:
    """The trial with the best observed objective among those that keep the constraints; None where there is none.

    Raises:
        CommandRefused: There are several objectives: then there is a front, not a best.
    """
    optimization = configured(state)
    if optimization.is_multi_objective:
        raise CommandRefused("with several objectives there is no single best: call get_pareto_frontier")
    if optimization.is_preference:
        return _preferred(state)
    best: Best | None = None
    for recipe in recipes(state):
        values = recipe_means(recipe)
        utility = optimization.utilities(values)[0]
        if feasible(state, values) and (best is None or utility > best.utility):
            best = Best(recipe.trial, utility, recipe.values)
    return best


def _preferred(state: State) -> Best | None:
    """The recipe that was preferred most often over those it was not; of equals the first."""
    won = preferences(state)
    best: Best | None = None
    for recipe in recipes(state):
        found = [won[index] for index in recipe.trials if index in won]
        wins, compared = sum(wins for wins, _ in found), sum(compared for _, compared in found)
        utility = 2.0 * wins - compared
        if compared and (best is None or utility > best.utility):
            best = Best(recipe.trial, utility, {"won": (wins / compared, None)})
    return best


def preferences(state: State) -> dict[int, tuple[float, int]]:
    """For each trial that was compared: how often it was preferred, ties counting half, and how often compared."""
    return tallies(counting(state.comparisons, (trial.index for trial in eligible(state)))) if state.comparisons else {}


def front_observed(state: State) -> list[Recipe]:
    """Recipes that keep the constraints and that no other recipe beats in every objective."""
    told = [(recipe, recipe_means(recipe)) for recipe in recipes(state)]
    return undominated(state, [(recipe, values) for recipe, values in told if feasible(state, values)])


def undominated(state: State, told: Sequence[tuple[Recipe, Mapping[str, float]]]) -> list[Recipe]:
    """Of recipes, each with values of the metrics, those that no other beats in every objective."""
    optimization = configured(state)
    candidates = [(recipe, optimization.utilities(values)) for recipe, values in told]
    return [
        recipe for recipe, utilities in candidates if not any(_dominates(other, utilities) for _, other in candidates)
    ]


def pareto_observed(state: State) -> list[Trial]:
    """The first finished trial of each recipe of the front."""
    return [recipe.trial for recipe in front_observed(state)]


def recipes(state: State) -> list[Recipe]:
    """The recipes that have results, in order of their first: a trial and its replicates are one (see ``repeated``)."""
    groups: dict[int, list[Trial]] = {}
    for trial in eligible(state):
        groups.setdefault(repeated(state, trial), []).append(trial)
    return [Recipe(group[0], pooled(group), tuple(trial.index for trial in group)) for group in groups.values()]


def repeated(state: State, trial: Trial) -> int:
    """The trial whose recipe it carried out once more; itself where it is none's replicate.

    A replicate carried out elsewhere than the trial it repeats, by another choice or by more than a hundredth of a
    parameter's range, stands for itself: a mean of both would be of no recipe.
    """
    first = recipe_of(trial)
    if first == trial.index or state.experiment is None:
        return first
    original = state.trial(first)
    if not (trial.executed or original.executed):
        return first
    here, there = conditions(state, trial), conditions(state, original)
    same = here.keys() == there.keys() and all(
        _alike(one, here[one.name], there[one.name]) for one in state.experiment.space.parameters if one.name in here
    )
    return first if same else trial.index


def _alike(parameter: ParameterConfig, one: ParameterValue, other: ParameterValue) -> bool:
    if not isinstance(parameter, RangeParameterConfig) or isinstance(one, str) or isinstance(other, str):
        return one == other
    low, high = (float(end) for end in parameter.bounds)
    if parameter.scaling == "log" and min(one, other) > 0:
        return abs(math.log(one / other)) <= _SAME_RECIPE * math.log(high / low)
    return abs(one - other) <= _SAME_RECIPE * (high - low)


def recipe_means(recipe: Recipe) -> dict[str, float]:
    """The means alone."""
    return {name: mean for name, (mean, _) in recipe.values.items()}


def pooled(trials: Sequence[Trial]) -> Outcome:
    """What replicates gave together: of each metric the mean over those *n* trials that have it, every trial alike.

    Its SEM is ``sqrt(sum(sem_i**2)) / n`` where each of them was told with an SEM; otherwise ``s / sqrt(n)`` with ``s``
    the standard deviation between the trials (``n - 1`` degrees of freedom), and unknown for a single one.
    """
    if len(trials) == 1:
        return outcome(trials[0])
    told: dict[str, list[tuple[float, float | None]]] = {}
    for trial in trials:
        for name, value in outcome(trial).items():
            told.setdefault(name, []).append(value)
    return {name: (math.fsum(mean for mean, _ in values) / len(values), _sem(values)) for name, values in told.items()}


def _sem(values: Sequence[tuple[float, float | None]]) -> float | None:
    sems = [sem for _, sem in values if sem is not None]
    count = len(values)
    if len(sems) == count:
        return math.sqrt(math.fsum(sem**2 for sem in sems)) / count
    return statistics.stdev([mean for mean, _ in values]) / math.sqrt(count) if count > 1 else None


def outcome(trial: Trial) -> Outcome:
    """What was observed of a trial."""
    return {name: (one.mean, one.sem) for name, one in by_metric(trial.observations).items() if one.mean is not None}


def summary(
    state: State, trial_indices: Iterable[int] | None = None, trial_statuses: Collection[str] | None = None
) -> Table:
    """One row a trial, with Ax's columns, the reason of every failure and the times; empty columns left out.

    Parameters are the plan; ``executed`` tells what was carried out otherwise, ``saw_withdrawn`` from which trials'
    withdrawn results a suggestion was made.  A withdrawn result itself is not shown.
    """
    wanted = None if trial_indices is None else set(trial_indices)
    statuses = None if trial_statuses is None else {TrialStatus[status.upper()] for status in trial_statuses}
    saw = saw_withdrawn(state)
    won = {} if state.optimization is None else preferences(state)
    rows: list[Row] = []
    metrics: dict[str, None] = {}
    for trial in state.trials():
        if (wanted is not None and trial.index not in wanted) or (
            statuses is not None and trial.status not in statuses
        ):
            continue
        observed = {} if trial.status is TrialStatus.VOIDED else by_metric(trial.observations)
        metrics.update(dict.fromkeys(observed))
        rows.append(
            {
                "trial_index": trial.index,
                "arm_name": trial.arm_name,
                "trial_status": trial.status.name,
                "failure_reason": trial.reason,
                "generation_node": trial.strategy_node or trial.node or None,
                "replicate_of": trial.replicate_of,
                "runner": trial.runner,
                "executed": _executed(trial),
                "saw_withdrawn": ", ".join(map(str, saw.get(trial.index, ()))),
                "seconds": _seconds(trial),
                "trial_cost": _cost(state, trial),
                **({} if trial.index not in won else dict(zip(COMPARED, won[trial.index], strict=True))),
                **{name: one.mean for name, one in observed.items()},
                **trial.parameters,
            }
        )
    parameters: dict[str, Parameterization | None] = {}
    for row in rows:
        parameters.update(dict.fromkeys(state.trial(row["trial_index"]).parameters))
    return Table((*HEAD, *(COMPARED if won else ()), *metrics, *parameters), rows).without_empty_columns()


def _executed(trial: Trial) -> str:
    """``"x=0.52, solvent=THF"``: what was carried out otherwise than planned."""
    executed = trial.executed or {}
    other = {name: value for name, value in executed.items() if trial.parameters.get(name) != value}
    return ", ".join(f"{name}={value}" for name, value in other.items())


def _cost(state: State, trial: Trial) -> float | None:
    """What a trial is taken to cost by its fidelities; None where there are none, or a metric measures it."""
    space, cost = None if state.experiment is None else state.experiment.space, state.strategy.cost
    if space is None or not space.having("fidelity") or isinstance(cost, str):
        return None
    return cost_of(space, cost, conditions(state, trial))


def _seconds(trial: Trial) -> float | None:
    if trial.ended_at is None or trial.started_at is None or trial.asked:
        return None
    return (trial.ended_at - trial.started_at) / 1e6


def _dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return all(a >= b for a, b in zip(one, other, strict=True)) and one != other
