"""A simulated lab that is awaited: the pushed shape of a runner."""

from __future__ import annotations

import anyio

from titrant.model.trial import Attempt
from titrant.ports import PushedRunner, Result
from titrant.simulation.bench import Bench


class SimulatedLab(Bench, PushedRunner):
    """Carries trials out by formula, in virtual time (``Client(virtual_time=True)``) or in real time.

    Args:
        objective: Conditions to the true value, or to a mapping of metric names to true values, in their own units.
        name: The runner's name.
        capacity: Trials at once; None where only ``parallelism`` bounds it.  One too many fails.
        seed: Seed of everything by chance here; draws depend on it, the trial and the attempt, and on nothing else.
        duration_s: Seconds a trial takes, or a function of (parameterization, random.Random), such as ``Lognormal``.
        noise_sd: Standard deviation of the measurement, for all metrics or by name, in the metric's own unit.
        sem_known: Whether the lab reports its noise as the standard error of the mean, or none.
        failure_probability: Share of attempts that fail, somewhere on their way.
        hang_probability: Share of attempts that never end: give ``run_trials`` a ``trial_ttl_seconds`` then.
        drift_per_hour: What is added to each measurement per hour since the first trial, in the metric's own unit.

    Raises:
        ConfigurationError: A probability is none.
    """

    rerun_safe = True  # nothing is used up

    async def run(self, attempt: Attempt) -> Result:
        """Wait as long as the attempt takes, and give what it measured."""
        run = self.begin(attempt)
        try:
            with anyio.move_on_after(run.course.seconds):
                await run.stopped.wait()
                return Result(status="failed", reason="stopped on the instrument")
            if run.course.failure is not None:
                return Result(status="failed", reason=run.course.failure)
            return Result(data=self.behaviour.measure(attempt, self.hours(anyio.current_time())))
        finally:
            self.runs.pop(attempt.key, None)

    async def stop(self, attempt: Attempt) -> None:
        """Stop an attempt; one that is not there is stopped already."""
        run = self.runs.get(attempt.key)
        if run is not None:
            self.end(run)
