"""What is sought: objectives to be made better, outcome constraints to be kept."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from titrant.errors import ObjectiveError
from titrant.model.expressions import Terms, parse_linears, parse_relation
from titrant.model.given import listed

BASELINE = "baseline"
"""The name that stands, in an outcome constraint, for the same metric's value in the baseline trial."""

_NO_BOUNDS = ("inf", "infinity", "nan")
"""Words that mean a number where others are, and would be read as the name of a metric here."""


class Objective(msgspec.Struct, frozen=True):
    """A linear combination of metrics, to be maximized: ``"-cost"`` is ``(("cost", -1.0),)``.

    One without terms is what somebody prefers: nothing is measured of it, and trials are compared (``PREFERENCE``).
    """

    text: str
    terms: tuple[tuple[str, float], ...]

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The metrics in it."""
        return tuple(name for name, _ in self.terms)

    @property
    def minimizes(self) -> bool:
        """True if it is one metric alone, the smaller the better."""
        return len(self.terms) == 1 and self.terms[0][1] < 0

    def utility(self, means: Mapping[str, float]) -> float:
        """Its value, the greater the better.

        Raises:
            ObjectiveError: One of its metrics has no value.
        """
        return _combined(self.text, self.terms, means)


class OutcomeConstraint(msgspec.Struct, frozen=True):
    """``sum(weight * metric) relation bound``; with ``relative`` the bound is a multiple of the baseline's value."""

    text: str
    terms: tuple[tuple[str, float], ...]
    relation: Literal["<=", ">="]
    bound: float
    relative: bool = False

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The metrics in it."""
        return tuple(name for name, _ in self.terms)

    def limit(self, baseline: Mapping[str, float] | None = None) -> float:
        """The bound in the metrics' own units.

        Raises:
            ObjectiveError: It is relative, and the baseline's value is unknown.
        """
        if not self.relative:
            return self.bound
        if baseline is None:
            raise ObjectiveError(f"constraint {self.text!r} needs the baseline's data: attach a baseline and its data")
        return self.bound * _combined(self.text, self.terms, baseline)

    def is_met(self, means: Mapping[str, float], baseline: Mapping[str, float] | None = None) -> bool:
        """True if ``means`` keep the bound; False also where one of the metrics is missing or NaN.

        Raises:
            ObjectiveError: It is relative, and the baseline's value is unknown.
        """
        limit = self.limit(baseline)
        if any(name not in means for name in self.metric_names):
            return False
        value = _combined(self.text, self.terms, means)
        return value <= limit if self.relation == "<=" else value >= limit


class OptimizationConfig(msgspec.Struct, frozen=True):
    """One objective or several, and the outcome constraints."""

    text: str
    objectives: tuple[Objective, ...]
    constraints: tuple[OutcomeConstraint, ...] = ()

    @property
    def objective_metrics(self) -> tuple[str, ...]:
        """The metrics of the objectives, each once, in their order."""
        return tuple(dict.fromkeys(name for objective in self.objectives for name in objective.metric_names))

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The metrics of the objectives, then of the constraints, each once."""
        constrained = (name for constraint in self.constraints for name in constraint.metric_names)
        return tuple(dict.fromkeys((*self.objective_metrics, *constrained)))

    def require_measured(self, parameters: Collection[str]) -> None:
        """Make sure that no metric in it is called as one of the search space's parameters.

        Raises:
            ObjectiveError: One is.
        """
        for objective in self.objectives:
            require_measured("objective", objective.text, objective.metric_names, parameters)
        for constraint in self.constraints:
            require_measured("outcome constraint", constraint.text, constraint.metric_names, parameters)

    @property
    def is_preference(self) -> bool:
        """True if trials are compared by somebody instead of measured."""
        return not self.objectives[0].terms

    @property
    def is_multi_objective(self) -> bool:
        """True if there are trade-offs to be made instead of one best trial."""
        return len(self.objectives) > 1

    @property
    def thresholds(self) -> tuple[OutcomeConstraint | None, ...]:
        """For each of several objectives the constraint that says where it begins to be of interest, or None.

        That is one on the objective itself, from its bad side: ``"yield >= 0.6"`` where ``yield`` is to be large.  Of
        two the later counts.
        """
        found: list[OutcomeConstraint | None] = [None] * len(self.objectives)
        for constraint in self.constraints:
            place = self._bounded(constraint)
            if place is not None:
                found[place] = constraint
        return tuple(found)

    @property
    def outcome_constraints(self) -> tuple[OutcomeConstraint, ...]:
        """The constraints that are no thresholds of objectives."""
        return tuple(constraint for constraint in self.constraints if self._bounded(constraint) is None)

    def reference(self, baseline: Mapping[str, float] | None = None) -> tuple[float | None, ...]:
        """The thresholds as values of the objectives, the greater the better; None where there is none.

        Args:
            baseline: The baseline trial's values; a threshold relative to one that is unknown counts as none.
        """
        return tuple(
            None if threshold is None else _reached(objective, threshold, baseline)
            for objective, threshold in zip(self.objectives, self.thresholds, strict=True)
        )

    def _bounded(self, constraint: OutcomeConstraint) -> int | None:
        """Which of several objectives a constraint bounds from its bad side, if any."""
        if not self.is_multi_objective:
            return None
        better = 1.0 if constraint.relation == ">=" else -1.0
        for place, objective in enumerate(self.objectives):
            if _proportional(objective.terms, constraint.terms) and better * _factor(objective, constraint) > 0:
                return place
        return None

    def utilities(self, means: Mapping[str, float]) -> tuple[float, ...]:
        """The value of each objective, the greater the better.

        Raises:
            ObjectiveError: A metric of an objective has no value.
        """
        return tuple(objective.utility(means) for objective in self.objectives)

    def feasible(self, means: Mapping[str, float], baseline: Mapping[str, float] | None = None) -> bool:
        """True if all outcome constraints are kept; False also where a metric in one is missing.

        Args:
            means: Metric name to value.
            baseline: The same of the baseline trial.

        Raises:
            ObjectiveError: A constraint is relative, and the baseline's value is unknown.
        """
        return all(constraint.is_met(means, baseline) for constraint in self.constraints)


PREFERENCE = OptimizationConfig("preference", (Objective("preference", ()),))
"""What is sought where somebody says which of two trials is better."""


def optimization_config(
    objective: str,
    outcome_constraints: Sequence[str] | None = None,
    objective_thresholds: Sequence[str] | None = None,
) -> OptimizationConfig:
    """Read objectives and outcome constraints, in Ax's words.

    Args:
        objective: ``"yield"`` (maximized), ``"-cost"`` (minimized), ``"a + 2*b"``, or several: ``"yield, -cost"``.
        outcome_constraints: ``"impurity <= 0.05"``, ``"a + b >= 0.3"``, or relative to the baseline:
            ``"qps >= 0.95*baseline"``.  One that bounds one of several objectives from its bad side is its threshold,
            as in Ax.
        objective_thresholds: The same, of which each must be such a threshold: ``"yield >= 0.6"``.

    Raises:
        ObjectiveError: A text is not linear, has no metric in it, or says the same twice; or what is to be a threshold
            bounds no objective.
    """
    if not isinstance(objective, str):
        raise ObjectiveError(
            f'the objective is {objective!r}: give a text, such as "yield"; commas set several apart: "yield, -cost"'
        )
    constrained = listed("outcome_constraints", outcome_constraints or (), "texts", ObjectiveError)
    thresholds = listed("objective_thresholds", objective_thresholds or (), "texts", ObjectiveError)
    constraints = tuple(parse_outcome_constraint(text) for text in (*constrained, *thresholds))
    for index, constraint in enumerate(constraints):
        if any(msgspec.structs.replace(other, text=constraint.text) == constraint for other in constraints[:index]):
            raise ObjectiveError(f"outcome constraint {constraint.text!r} stands twice: remove one")
    config = OptimizationConfig(objective.strip(), parse_objectives(objective), constraints)
    for constraint in constraints[len(constrained) :]:
        if constraint in config.outcome_constraints:
            raise ObjectiveError(
                f"objective threshold {constraint.text!r} says of none of several objectives "
                f"({objective.strip()}) from where on it counts: write it as an outcome constraint, or bound an "
                'objective from its bad side, such as "yield >= 0.6" where yield is to be large'
            )
    return config


def parse_objectives(text: str) -> tuple[Objective, ...]:
    """Read one objective or several, set apart by commas; added constants move no optimum and are left out.

    Raises:
        ObjectiveError: As ``optimization_config``.
    """
    objectives = tuple(Objective(part, terms) for part, terms in parse_linears(text, error=ObjectiveError))
    for index, objective in enumerate(objectives):
        _require_metrics("objective", objective.text, objective.terms)
        if BASELINE in objective.metric_names:
            raise ObjectiveError(f"objective {objective.text!r} names the baseline: use it in outcome constraints only")
        for other in objectives[:index]:
            if _proportional(other.terms, objective.terms):
                raise ObjectiveError(
                    f"objectives {other.text!r} and {objective.text!r} are the same but for a factor: remove one"
                )
    return objectives


def parse_outcome_constraint(text: str) -> OutcomeConstraint:
    """Read one outcome constraint.

    A relative constraint is on one metric and is kept with the weight 1: ``"-a >= -1.1*baseline"`` is
    ``"a <= 1.1*baseline"``.  The bound is that multiple of the baseline's value, whatever its sign.

    Raises:
        ObjectiveError: As ``optimization_config``.
    """
    terms, relation, bound = parse_relation(text, error=ObjectiveError)
    text = text.strip()
    if relation == "==":
        raise ObjectiveError(f"outcome constraint {text!r} is an equality, which no measurement meets: use <= or >=")
    weights = dict(terms)
    baseline = weights.pop(BASELINE, None)
    terms = tuple(weights.items())
    _require_metrics("outcome constraint", text, terms)
    # Read from texts only: a log keeps the terms, so that one which has such a name is folded as it was.
    if endless := [name for name in weights if name.lower() in _NO_BOUNDS]:
        raise ObjectiveError(
            f"outcome constraint {text!r}: {endless[0]!r} is no bound: give a finite one, or leave the constraint out"
        )
    if baseline is None:
        return OutcomeConstraint(text, terms, relation, bound)
    if baseline == 0 or bound != 0 or len(terms) != 1:
        raise ObjectiveError(
            f"outcome constraint {text!r}: only a multiple of the baseline can bound, and only one metric: "
            'write it as "metric >= 0.95*baseline"'
        )
    ((name, weight),) = terms
    if weight < 0:
        relation = ">=" if relation == "<=" else "<="
    return OutcomeConstraint(text, ((name, 1.0),), relation, -baseline / weight, relative=True)


def require_measured(what: str, text: str, metrics: Iterable[str], parameters: Collection[str]) -> None:
    """Make sure that what is sought, or bounds it, is measured: a parameter of that name would never have data.

    Args:
        what: ``"objective"`` or ``"outcome constraint"``.
        text: Its text.
        metrics: The metrics that it names.
        parameters: The search space's parameters.

    Raises:
        ObjectiveError: A metric is called as a parameter is.
    """
    for name in metrics:
        if name in parameters:
            bound = what == "outcome constraint"
            remedy = "put it among the parameter constraints" if bound else "name what is measured"
            raise ObjectiveError(f"{what} {text!r} names {name!r}, which is a parameter and no metric: {remedy}")


def _require_metrics(what: str, text: str, terms: Terms) -> None:
    if not terms:
        raise ObjectiveError(f"{what} {text!r} has no metric in it: name at least one")
    for name, weight in terms:
        if weight == 0:
            raise ObjectiveError(
                f"{what} {text!r} gives {name!r} the weight 0: leave it out, or give it another weight"
            )


def _proportional(one: Terms, other: Terms) -> bool:
    """True if the two differ by a factor of either sign."""
    weights, others = dict(one), dict(other)
    if weights.keys() != others.keys():
        return False
    ratios = [others[name] / weight for name, weight in weights.items()]
    return all(math.isclose(ratio, ratios[0]) for ratio in ratios)


def _factor(objective: Objective, constraint: OutcomeConstraint) -> float:
    """What the terms of an objective must be multiplied by to give those of a constraint that is proportional to it."""
    name, weight = objective.terms[0]
    return dict(constraint.terms)[name] / weight


def _reached(objective: Objective, threshold: OutcomeConstraint, baseline: Mapping[str, float] | None) -> float | None:
    """An objective's value where it just reaches its threshold; None where the baseline it refers to is unknown."""
    if threshold.relative and (baseline is None or any(name not in baseline for name in threshold.metric_names)):
        return None
    return threshold.limit(baseline) / _factor(objective, threshold)


def _combined(text: str, terms: Iterable[tuple[str, float]], means: Mapping[str, float]) -> float:
    terms = tuple(terms)
    if missing := [name for name, _ in terms if name not in means]:
        raise ObjectiveError(f"{text!r} needs a value of {', '.join(map(repr, missing))}: attach data of it first")
    return math.fsum(weight * means[name] for name, weight in terms)
