"""How a simulated instrument behaves: what comes out of an attempt, after what time, and what goes wrong.

Everything by chance is drawn from (seed, trial, attempt, what) alone: neither the order in which trials run, nor the
instrument that gets them, nor what else is switched on has any influence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import msgspec

from titrant.errors import ConfigurationError
from titrant.model.trial import Attempt, Parameterization

Objective = Callable[[Parameterization], float | Mapping[str, float]]
"""Conditions to the true value of the objective's metric, or of several metrics by name."""

Duration = float | Callable[[Parameterization, Random], float]
"""Seconds, or how to draw them for some conditions."""

PerMetric = float | Mapping[str, float]
"""A number for every metric, or one for each that is named."""


FAILURE = "simulated failure"
"""Why an attempt fails by chance."""


class Lognormal(msgspec.Struct, frozen=True):
    """Durations that are never negative and now and then long.

    Attributes:
        median_s: Half of them are shorter, in seconds.
        spread: Standard deviation of their logarithm; 0.25 is about a quarter up or down.
    """

    median_s: float
    spread: float = 0.25

    def __call__(self, _parameters: Parameterization, draws: Random) -> float:
        """Draw a duration in seconds."""
        return self.median_s * math.exp(draws.normalvariate(0.0, self.spread))


class Course(msgspec.Struct, frozen=True):
    """What is going to happen to an attempt.

    Attributes:
        seconds: Until it ends; infinite where it hangs.
        failure: Why it fails, or None.
    """

    seconds: float
    failure: str | None = None


class Behaviour(msgspec.Struct, frozen=True, kw_only=True):
    """See ``SimulatedLab`` for the attributes."""

    objective: Objective
    seed: int = 0
    duration_s: Duration = 1.0
    noise_sd: PerMetric = 0.0
    sem_known: bool = True
    failure_probability: float = 0.0
    hang_probability: float = 0.0
    drift_per_hour: PerMetric = 0.0

    def __post_init__(self) -> None:
        for name in ("failure_probability", "hang_probability"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigurationError(f"{name} is {getattr(self, name)!r}: a probability is between 0 and 1")

    def course(self, attempt: Attempt) -> Course:
        """How long the attempt takes, and whether it fails (part of the way) or hangs."""
        if self._draws(attempt, "hang").random() < self.hang_probability:
            return Course(math.inf)
        draws = self._draws(attempt, "duration")
        drawn = self.duration_s(dict(attempt.parameters), draws) if callable(self.duration_s) else self.duration_s
        seconds = max(0.0, float(drawn))
        draws = self._draws(attempt, "failure")
        if draws.random() < self.failure_probability:
            return Course(seconds * draws.random(), FAILURE)
        return Course(seconds)

    def measure(self, attempt: Attempt, hours: float) -> Any:
        """The attempt's raw data, *hours* after the lab's clock began, in a form ``complete_trial`` accepts."""
        truth = self.objective(dict(attempt.parameters))
        if isinstance(truth, Mapping):
            return {name: self._measured(attempt, name, value, hours) for name, value in truth.items()}
        return self._measured(attempt, "", truth, hours)

    def _measured(self, attempt: Attempt, metric: str, truth: float, hours: float) -> tuple[float, float | None]:
        sd = _of(self.noise_sd, metric)
        error = self._draws(attempt, f"noise/{metric}").normalvariate(0.0, sd) if sd else 0.0
        drift = _of(self.drift_per_hour, metric) * hours
        return float(truth) + error + drift, sd if self.sem_known else None

    def _draws(self, attempt: Attempt, what: str) -> Random:
        # Seeding by text is the same in every version of Python; hash() of it is not even in two processes.
        return Random(f"{self.seed}/{attempt.trial}/{attempt.number}/{what}")  # noqa: S311  # a simulation


def _of(values: PerMetric, metric: str) -> float:
    return values.get(metric, 0.0) if isinstance(values, Mapping) else values
