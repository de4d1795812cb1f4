"""The places of a simulated instrument: which attempts are on it, and the time that has passed for it."""

from __future__ import annotations

import math

import anyio
import msgspec

from titrant.errors import SubmissionRefused
from titrant.model.trial import Attempt
from titrant.ports import Declarations
from titrant.simulation.behaviour import Behaviour, Course, Duration, Objective, PerMetric

SECONDS_PER_HOUR = 3600.0


class Run(msgspec.Struct):
    """One attempt on the instrument; times are seconds of the event loop's clock.

    Attributes:
        attempt: What was asked.
        course: What happens to it.
        began: When it began.
        stopped: Set when it is stopped.
    """

    attempt: Attempt
    course: Course
    began: float
    stopped: anyio.Event

    @property
    def due(self) -> float:
        """When it ends by itself; infinite where it hangs."""
        return self.began + self.course.seconds


class Bench(Declarations):
    """What both shapes of simulated labs have in common; see ``SimulatedLab``."""

    virtual_time = True

    def __init__(
        self,
        objective: Objective,
        *,
        name: str = "simulated lab",
        capacity: int | None = None,
        seed: int = 0,
        duration_s: Duration = 1.0,
        noise_sd: PerMetric = 0.0,
        sem_known: bool = True,
        failure_probability: float = 0.0,
        hang_probability: float = 0.0,
        drift_per_hour: PerMetric = 0.0,
    ) -> None:
        self.name = name
        self.capacity = capacity
        self.behaviour = Behaviour(
            objective=objective,
            seed=seed,
            duration_s=duration_s,
            noise_sd=noise_sd,
            sem_known=sem_known,
            failure_probability=failure_probability,
            hang_probability=hang_probability,
            drift_per_hour=drift_per_hour,
        )
        self.runs: dict[str, Run] = {}
        self._began: float | None = None

    async def safe_state(self) -> None:
        """Stop everything at once; safe to call twice, and while a trial runs."""
        for run in self.runs.values():
            self.end(run)

    def begin(self, attempt: Attempt) -> Run:
        """Put an attempt on the instrument.

        Raises:
            SubmissionRefused: There is no room.
        """
        now = anyio.current_time()
        self._began = now if self._began is None else min(self._began, now)
        if self.capacity is not None and sum(map(self.is_under_way, self.runs.values())) >= self.capacity:
            raise SubmissionRefused(f"{self.name} is full: it has {self.capacity} places")
        run = Run(attempt, self.behaviour.course(attempt), now, anyio.Event())
        self.runs[attempt.key] = run
        return run

    def end(self, run: Run) -> None:
        """Stop an attempt; one that has ended stays as it ended."""
        if self.is_under_way(run):
            run.stopped.set()

    def is_under_way(self, run: Run) -> bool:
        """Whether the attempt takes up a place now."""
        return not run.stopped.is_set() and anyio.current_time() < run.due

    def hours(self, at: float) -> float:
        """Hours from the lab's first attempt to *at*, for the drift."""
        began = at if self._began is None or not math.isfinite(at) else self._began
        return max(0.0, at - began) / SECONDS_PER_HOUR
