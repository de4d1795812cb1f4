"""Answers read off the state: the best trial, the Pareto front, the summary; observed values, no model."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from titrant.analysis.table import Row, Table
from titrant.errors import CommandRefused, ObjectiveError
from titrant.model.objective import OptimizationConfig
from titrant.model.observation import by_metric, means
from titrant.model.trial import Parameterization, Trial, TrialStatus
from titrant.rules.state import State

Outcome = dict[str, tuple[float, float | None]]
"""Metric name to (mean, SEM) in the metric's own unit; SEM None where unknown."""


class Best(msgspec.Struct, frozen=True):
    """The best trial so far, by what was observed."""

    trial: Trial
    utility: float


def configured(state: State) -> OptimizationConfig:
    """The optimization configuration.

    Raises:
        CommandRefused: There is none yet.
    """
    if state.optimization is None:
        raise CommandRefused("there is no objective yet: call configure_optimization first")
    return state.optimization


def eligible(state: State) -> list[Trial]:
    """Finished trials with a usable value of every objective, in order of their index."""
    needed = configured(state).objective_metrics
    ended = (TrialStatus.COMPLETED, TrialStatus.EARLY_STOPPED)
    return [
        trial
        for trial in sorted(state.closed.values(), key=lambda trial: trial.index)
        if trial.status in ended and all(metric in means(trial.observations) for metric in needed)
    ]


def feasible(state: State, values: Mapping[str, float]) -> bool:
    """Whether *values* keep the outcome constraints; relative ones count as kept while the baseline has no data."""
    try:
        return configured(state).feasible(values, baseline_means(state))
    except ObjectiveError:
        return True


def baseline_means(state: State) -> dict[str, float] | None:
    """The observed means of the baseline trial, or None."""
    return None if state.baseline is None else means(state.trial(state.baseline).observations)


def best_observed(state: State) -> Best | None:
    """The trial with the best observed objective among those that keep the constraints; None where there is none.

    Raises:
        CommandRefused: There are several objectives: then there is a front, not a best.
    """
    optimization = configured(state)
    if optimization.is_multi_objective:
        raise CommandRefused("with several objectives there is no single best: call get_pareto_frontier")
    best: Best | None = None
    for trial in eligible(state):
        values = means(trial.observations)
        utility = optimization.utilities(values)[0]
        if feasible(state, values) and (best is None or utility > best.utility):
            best = Best(trial, utility)
    return best


def pareto_observed(state: State) -> list[Trial]:
    """Trials that keep the constraints and that no other trial beats in every objective."""
    optimization = configured(state)
    candidates = [
        (trial, optimization.utilities(values))
        for trial in eligible(state)
        if feasible(state, values := means(trial.observations))
    ]
    return [
        trial for trial, utilities in candidates if not any(_dominates(other, utilities) for _, other in candidates)
    ]


def outcome(trial: Trial) -> Outcome:
    """What was observed of a trial."""
    return {name: (one.mean, one.sem) for name, one in by_metric(trial.observations).items() if one.mean is not None}


def summary(
    state: State, trial_indices: Iterable[int] | None = None, trial_statuses: Collection[str] | None = None
) -> Table:
    """One row a trial, with Ax's columns, the reason of every failure and the times; empty columns left out."""
    wanted = None if trial_indices is None else set(trial_indices)
    statuses = None if trial_statuses is None else {TrialStatus[status.upper()] for status in trial_statuses}
    rows: list[Row] = []
    metrics: dict[str, None] = {}
    for trial in state.trials():
        if (wanted is not None and trial.index not in wanted) or (
            statuses is not None and trial.status not in statuses
        ):
            continue
        observed = by_metric(trial.observations)
        metrics.update(dict.fromkeys(observed))
        rows.append(
            {
                "trial_index": trial.index,
                "arm_name": trial.arm_name,
                "trial_status": trial.status.name,
                "failure_reason": trial.reason,
                "generation_node": trial.node or None,
                "runner": trial.runner,
                "seconds": _seconds(trial),
                **{name: one.mean for name, one in observed.items()},
                **trial.parameters,
            }
        )
    parameters: dict[str, Parameterization | None] = {}
    for row in rows:
        parameters.update(dict.fromkeys(state.trial(row["trial_index"]).parameters))
    head = ("trial_index", "arm_name", "trial_status", "failure_reason", "generation_node", "runner", "seconds")
    return Table((*head, *metrics, *parameters), rows).without_empty_columns()


def _seconds(trial: Trial) -> float | None:
    if trial.ended_at is None or trial.started_at is None or trial.asked:
        return None
    return (trial.ended_at - trial.started_at) / 1e6


def _dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return all(a >= b for a, b in zip(one, other, strict=True)) and one != other
