"""What came out: per setting a few numbers with their uncertainty, and how far to trust them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from random import Random

import msgspec

RESAMPLES = 2000
GOOD, POOR = 0.7, 0.3
"""R² from which a model's answers are worth something, and below which they are not."""
MUCH = 0.25
"""A share of simulated experiments outside the measured range that is worth a warning."""


class Estimate(msgspec.Struct, frozen=True):
    """A median over seeds and its 95 % bootstrap interval; None stands for "not reached"."""

    median: float | None
    low: float | None
    high: float | None

    def __str__(self) -> str:
        return f"{_shown(self.median)} [{_shown(self.low)}, {_shown(self.high)}]"


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One way to run the experiment, over all seeds.

    Attributes:
        method: The generator's method.
        parallelism: Trials at once.
        max_trials: New trials.
        hours: Virtual hours to finish; suggestions take no time in it.
        best: The best value that the model predicts at the conditions tried, in the objective's own sense.
        needed: New experiments until the best came within ``Report.within`` % of ``Report.target``.
        censored: Seeds that did not come that far.
        extrapolated: Share of simulated experiments outside the measured range, or where the model knows little.
        failed: Share of simulated experiments that failed.
        logs: The logs of its runs, where they were kept.
    """

    method: str
    parallelism: int
    max_trials: int
    hours: Estimate
    best: Estimate
    needed: Estimate
    censored: int
    extrapolated: float
    failed: float
    logs: tuple[str, ...] = ()


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """How well the model predicts trials that it has not seen.

    Attributes:
        trials: Measured trials.
        method: How they were left out.
        r2: Share of the variance that is predicted; negative where the mean would do better, None where none varies.
        residual_sd: Root mean square of the standardized residuals; 1 where the model knows what it does not know.
        wide: Share of them beyond 2; 0.05 is to be expected.
        spread: Standard deviation of the measured objective, in its own unit.
        noise: Standard deviation of a repeated measurement, in the same unit.
    """

    trials: int
    method: str
    r2: float | None
    residual_sd: float | None
    wide: float
    spread: float
    noise: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """How the experiment might have gone otherwise; see ``whatif``.

    Attributes:
        log_id: The log that it is a variation of.
        seq: The last event of it that was read.
        start: The event that variations begin from; 0 for the beginning.
        given: Trials known from the first, and ``left_out`` those that have no place in the present search space.
        objective: What is sought.
        target: The best value among the conditions tried in the log, as the model predicts it.
        within: How near to it counts as reached, in percent of it.
        seeds: Runs of each setting.
        settings: What came out.
        trust: How far the model is right.
    """

    log_id: str
    seq: int
    start: int
    given: int
    left_out: int
    objective: str
    target: float
    within: float
    seeds: int
    settings: tuple[Setting, ...]
    trust: Trust

    @property
    def cautions(self) -> tuple[str, ...]:
        """What to keep in mind, in sentences."""
        trust = self.trust
        r2 = "none of the variance (there is none)" if trust.r2 is None else f"R² {trust.r2:.2f}"
        word = "poor" if trust.r2 is None or trust.r2 < POOR else "fair" if trust.r2 < GOOD else "good"
        sd = "" if trust.residual_sd is None else f", residuals {trust.residual_sd:.1f} times as wide as expected"
        lines = [f"the model's fit to {trust.trials} trials is {word}: {r2} by {trust.method}{sd}"]
        for one in self.settings:
            if one.extrapolated >= MUCH:
                lines.append(
                    f"{one.method}, parallelism {one.parallelism}: {one.extrapolated:.0%} of the simulated experiments "
                    "lie where nothing was measured: there the model guesses"
                )
            if one.censored:
                lines.append(
                    f"{one.method}, parallelism {one.parallelism}: {one.censored} of {self.seeds} runs did not come "
                    f"within {self.within:g} % of {self.target:.4g}"
                )
        if self.left_out:
            lines.append(f"{self.left_out} earlier trials have no place in the present search space and were left out")
        if self.seeds < 5:
            lines.append(f"{self.seeds} seeds are few: the intervals are rough")
        return tuple(lines)


def estimate(values: Sequence[float]) -> Estimate:
    """The median and its 95 % bootstrap interval; infinity counts, and is shown as not reached."""
    draws = Random("bootstrap")  # noqa: S311  # no secret
    medians = sorted(statistics.median_low(draws.choices(values, k=len(values))) for _ in range(RESAMPLES))
    low, high = medians[int(0.025 * RESAMPLES)], medians[int(0.975 * RESAMPLES) - 1]
    return Estimate(*(one if math.isfinite(one) else None for one in (_median(values), low, high)))


def _median(values: Sequence[float]) -> float:
    below, above = statistics.median_low(values), statistics.median_high(values)
    return (below + above) / 2


def _shown(value: float | None) -> str:
    return "not reached" if value is None else f"{value:.4g}"
