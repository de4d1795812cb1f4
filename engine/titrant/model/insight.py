"""What a model of the results says of itself, of the parameters, and of the best trial: values with their intervals."""

from __future__ import annotations

import math

import msgspec

from titrant.model.trial import Parameterization

GOOD, POOR = 0.7, 0.3
"""R² from which a model's answers are worth something, and below which they are not."""
LITTLE, NOTHING = 0.01, 0.001
"""Shares of the observed range: gains below them are little, and next to nothing."""
CLEAR = 0.5
"""A probability from which a trial leads clearly enough."""
UNSURE = 0.1
"""One from which it is worth asking."""


class Estimate(msgspec.Struct, frozen=True):
    """A number and its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]"


class LeftOut(msgspec.Struct, frozen=True):
    """A trial, predicted by a model of the trials at other conditions.

    Attributes:
        trial: Its index.
        observed: What was measured, in the metric's unit.
        predicted: The mean that is predicted, in the same unit.
        sd: Standard deviation of a measurement there as the model sees it, noise included; in the same unit.
        standardized: How many such standard deviations the measurement lies above the prediction, on the scale on
            which the model takes outcomes to be normal.
    """

    trial: int
    observed: float
    predicted: float
    sd: float
    standardized: float


class Coverage(msgspec.Struct, frozen=True):
    """How many left-out measurements lie within the intervals that should hold a share ``level`` of them."""

    level: float
    observed: Estimate


class MetricFit(msgspec.Struct, frozen=True, kw_only=True):
    """How well one metric is predicted where a trial was left out.

    Attributes:
        metric: Its name.
        r2: Share of the variance that is predicted, bootstrap interval over the trials; negative where the mean would
            do better, None where nothing varies.
        rmse: Root mean squared error in the metric's unit, bootstrap interval over the trials.
        residual_mean, residual_sd: Mean and root mean square of the standardized residuals; near 0 and 1 where the
            model knows what it does not know.
        coverage: Of the 50, 80 and 95 % intervals, with Wilson intervals.
        left_out: The trials, in order of their index.
    """

    metric: str
    r2: Estimate | None
    rmse: Estimate
    residual_mean: float
    residual_sd: float
    coverage: tuple[Coverage, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def word(self) -> str:
        """``"good"``, ``"fair"`` or ``"poor"``."""
        return quality(None if self.r2 is None else self.r2.value)


class ModelFit(msgspec.Struct, frozen=True, kw_only=True, tag="fit"):
    """How well the model predicts trials that it has not seen.

    Attributes:
        model: Which model.
        metrics: Of the objectives, then of the outcome constraints.
    """

    model: str
    metrics: tuple[MetricFit, ...]


class SobolIndex(msgspec.Struct, frozen=True):
    """A parameter's share of the variance over the search space, between 0 and 1 but for the error of sampling.

    Attributes:
        parameter: Its name.
        first: By itself: what knowing it alone would explain.
        total: Together with all it interacts with: what would be left if all others were known.
    """

    parameter: str
    first: Estimate
    total: Estimate


class OutputImportance(msgspec.Struct, frozen=True, kw_only=True):
    """What one metric depends on.

    Attributes:
        output: The metric; or an objective of several metrics, weighted as it says.
        sd: Standard deviation of its predicted mean over the search space, in its unit.
        indices: The parameters, greatest total index first; all zero where the prediction is the same everywhere.
    """

    output: str
    sd: float
    indices: tuple[SobolIndex, ...]


class ParameterImportance(msgspec.Struct, frozen=True, kw_only=True, tag="importance"):
    """What the metrics depend on, as the model sees it.

    Attributes:
        model: Which model.
        samples: Base points of the sampling.
        ignored_constraints: Whether the space has constraints; indices are of independent parameters, so that the
            whole box was sampled, also where no trial may be made.
        outputs: The metrics, then objectives of several metrics.
    """

    model: str
    samples: int
    ignored_constraints: bool
    outputs: tuple[OutputImportance, ...]


class Contender(msgspec.Struct, frozen=True):
    """A trial that may be the best of those made.

    Attributes:
        trial: Its index; the first of its conditions.
        value: The objective's value that the model predicts, noise left out, in the objective's unit; 95 % interval.
        probability: That its conditions keep the outcome constraints and no others that do are better; with the error
            of sampling.
    """

    trial: int
    value: Estimate
    probability: Estimate


class Peak(msgspec.Struct, frozen=True):
    """What the model would settle on: the best expected value of all that the search space holds, tried or not.

    Attributes:
        at: The conditions.
        feasible: Whether they are expected to keep the outcome constraints.  Where none are, they are those that are
            expected to break them least.
        value: The objective's value that is predicted there, noise left out, in the objective's unit; 95 % interval.
        predicted: Metric name to (mean, SEM of the mean), in the metric's unit.
        trial: The trial of these conditions, the first where there are several; None where they were never tried.
    """

    at: Parameterization
    feasible: bool
    value: Estimate
    predicted: dict[str, tuple[float, float]]
    trial: int | None


class Optimality(msgspec.Struct, frozen=True, kw_only=True, tag="optimality"):
    """How likely the best trial is the best one, and what there is left to gain.

    Attributes:
        model: Which model.
        objective: As it was configured; values are in its unit and its own sense (of ``"-cost"``: minus the cost).
        incumbent: The best trial by the model's predictions, as ``get_best_parameterization`` has it.
        contenders: The likeliest ones, the incumbent among them, likeliest first.
        expected_improvement: What the best next trial is expected to gain over the best one so far, in the objective's
            unit, averaged over what noise may hide; with the error of that average.
        log_expected_improvement: Its natural logarithm, which goes on where the number itself is zero.
        relative: The expected improvement as a share of ``observed_range``; None where that is zero.
        observed_range: From the worst to the best observed value of the objective.
        at: Where that next trial would be.
        peak: Where the objective is expected to be best, tried or not; the incumbent is the best of what was tried.
        r2: How well left-out trials are predicted (``MetricFit.r2``): the worst of the metrics that vary.
    """

    model: str
    objective: str
    incumbent: Contender
    contenders: tuple[Contender, ...]
    expected_improvement: Estimate
    log_expected_improvement: float
    relative: float | None
    observed_range: float
    at: Parameterization
    peak: Peak
    r2: float | None

    @property
    def advice(self) -> str:
        """Whether to stop, in words."""
        if self.relative is None or quality(self.r2) == "poor":
            return _no_advice(self.r2)
        gain = f"the best next trial is expected to gain {self.expected_improvement.value:.3g}"
        share = (
            f"{self.relative:.2g} of the observed range" if self.relative >= 1e-4 else "next to nothing of the range"
        )
        told = f"{gain}, {share}"
        chance = self.incumbent.probability.value
        rivals = [one.trial for one in self.contenders if one.trial != self.incumbent.trial][:2]
        if self.relative >= LITTLE:
            return f"go on: {told}"
        if chance < CLEAR and rivals:
            names = " and ".join(str(one) for one in (self.incumbent.trial, *rivals)[-3:])
            return f"replicate trials {names} before you stop: {told}, but which is best is open ({chance:.0%})"
        word = "stop" if self.relative < NOTHING else "you may stop soon"
        return f"{word}: {told}; trial {self.incumbent.trial} is the best made with probability {chance:.0%}"


class FrontMember(msgspec.Struct, frozen=True):
    """A finished trial, and how likely no other one beats it in one objective without losing in another."""

    trial: int
    probability: Estimate


class FrontOptimality(msgspec.Struct, frozen=True, kw_only=True, tag="front_optimality"):
    """How sure the front of several objectives is, and what there is left to gain.

    Attributes:
        model: Which model.
        objectives: As they were configured.
        front: The trials that may be on the front of those made, likeliest first; what keeps the outcome constraints.
        expected_improvement: By how much the best next trial is expected to enlarge the hypervolume, in the product of
            the objectives' units, averaged over what noise may hide; with the error of that average.
        log_expected_improvement: Its natural logarithm, which goes on where the number itself is zero.
        hypervolume: That of the trials made, as the model sees them, from the point that suggestions measure it from.
        relative: The expected improvement as a share of ``hypervolume``; None where that is zero.
        at: Where that next trial would be.
        r2: How well left-out trials are predicted (``MetricFit.r2``): the worst of the metrics that vary.
    """

    model: str
    objectives: tuple[str, ...]
    front: tuple[FrontMember, ...]
    expected_improvement: Estimate
    log_expected_improvement: float
    hypervolume: float
    relative: float | None
    at: Parameterization
    r2: float | None

    @property
    def advice(self) -> str:
        """Whether to stop, in words."""
        if self.relative is None or quality(self.r2) == "poor":
            return _no_advice(self.r2)
        gain = f"the best next trial is expected to add {self.expected_improvement.value:.3g} to the hypervolume"
        told = f"{gain}, {self.relative:.2g} of it" if self.relative >= 1e-4 else f"{gain}, next to nothing of it"
        open_ = sum(CLEAR > one.probability.value >= UNSURE for one in self.front)
        if self.relative >= LITTLE:
            return f"go on: {told}"
        if open_ > len(self.front) / 2:
            return f"replicate trials of the front before you stop: {told}, and {open_} of them may not be on it"
        return f"{'stop' if self.relative < NOTHING else 'you may stop soon'}: {told}"


class Pairing(msgspec.Struct, frozen=True, kw_only=True, tag="pairing"):
    """Two finished trials whose comparison is worth most.

    Attributes:
        trials: Their indices, the lower one first.
        model: What is said by; empty where no model could say, and the most different conditions were taken.
        expected: EUBO of the two: the expected utility of the better one, on the scale of ``predict``, whose zero is
            arbitrary and which has no unit; None without a model.
        reason: Why no model could say; empty where one did.
    """

    trials: tuple[int, int]
    model: str
    expected: float | None
    reason: str = ""


Insight = ModelFit | ParameterImportance | Optimality | FrontOptimality | Pairing


def _no_advice(r2: float | None) -> str:
    told = "nothing varies" if r2 is None else f"R² {r2:.2f}"
    return f"no advice: the model predicts left-out trials poorly ({told}), so what it expects says little"


def quality(r2: float | None) -> str:
    """A word for a share of the variance."""
    if r2 is None or math.isnan(r2) or r2 < POOR:
        return "poor"
    return "fair" if r2 < GOOD else "good"
