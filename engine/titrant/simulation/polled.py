"""A simulated lab that is asked: the polled shape of a runner, with a memory that outlives the engine's connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio

from titrant.errors import MetricError, NeverSeen
from titrant.model.trial import Attempt, Parameterization, TrialStatus
from titrant.ports import Metric, Runner
from titrant.simulation.bench import Bench, Run


class SimulatedPolledLab(Bench, Runner):
    """As ``SimulatedLab``, but started, polled, stopped and asked for its data call by call.

    It remembers every attempt by its key as long as the object lives: submitting a key again gives the same attempt,
    and a client opened on the same log later finds its attempts again.  Data come from ``metrics``.
    """

    honours_keys = True
    can_report_status = True

    async def run_trial(
        self, trial_index: int, parameterization: Parameterization, attempt: Attempt | None = None
    ) -> dict[str, Any]:
        """Begin an attempt; the same key gives the same one."""
        if attempt is None:
            attempt = Attempt(trial=trial_index, parameters=dict(parameterization), key=f"trial {trial_index}")
        if attempt.key not in self.runs:
            self.begin(attempt)
        return {"run": attempt.key}

    async def poll_trial(  # type: ignore[override]  # a reason may come with the status
        self, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> TrialStatus | tuple[TrialStatus, str]:
        """Where the attempt stands."""
        run = self._run(trial_index, trial_metadata)
        if self.is_under_way(run):
            return TrialStatus.RUNNING
        if run.stopped.is_set():
            return TrialStatus.FAILED, "stopped on the instrument"
        if run.course.failure is not None:
            return TrialStatus.FAILED, run.course.failure
        return TrialStatus.COMPLETED

    async def stop_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> None:
        """Stop an attempt; stopping it twice does no harm."""
        self.end(self._run(trial_index, trial_metadata))

    async def reattach(self, attempt: Attempt) -> dict[str, Any]:
        """Find an attempt of an earlier connection again.

        Raises:
            NeverSeen: The lab does not know its key.
        """
        run = self._run(attempt.trial, {"run": attempt.key})
        # Where the virtual time it was begun in is over, and a new one began at 0, it takes its full time again.
        run.began = min(run.began, anyio.current_time())
        return {"run": attempt.key}

    def metrics(self, *names: str) -> list[SimulatedMetric]:
        """Metrics that fetch this lab's data; for an objective without names, give the objective's one metric."""
        return [SimulatedMetric(name, self) for name in names]

    def data(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> Any:
        """All raw data of an attempt that has ended."""
        run = self._run(trial_index, trial_metadata)
        return self.behaviour.measure(run.attempt, self.hours(run.due))

    def _run(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> Run:
        run = self.runs.get(trial_metadata["run"])
        if run is None:
            raise NeverSeen(f"{self.name} does not know this attempt of trial {trial_index}")
        return run


class SimulatedMetric(Metric):
    """Fetches one metric of a ``SimulatedPolledLab``."""

    def __init__(self, name: str, lab: SimulatedPolledLab) -> None:
        super().__init__(name)
        self._lab = lab

    async def fetch(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> tuple[None, Any]:
        """The metric's (mean, SEM), without a progression.

        Raises:
            MetricError: The lab measures no such metric.
        """
        data = self._lab.data(trial_index, trial_metadata)
        if not isinstance(data, Mapping):
            return None, data
        if self.name not in data:
            raise MetricError(f"{self._lab.name} measures {', '.join(map(repr, data))}, not {self.name!r}")
        return None, data[self.name]
