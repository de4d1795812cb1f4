"""Runners and metrics that behave, and some that do not."""

from __future__ import annotations

import threading
from typing import Any

import anyio

from titrant import Metric, PushedRunner, Runner, TrialStatus

# Virtual time: a polled trial lasts until its runner has been polled this often.


class Polled(Runner):
    """An instrument that is done at the second poll; counts its calls."""

    name = "polled"

    def __init__(self) -> None:
        self.started: list[int] = []
        self.polls: dict[int, int] = {}
        self.stopped: list[int] = []

    def run_trial(self, trial_index: int, parameterization: Any) -> dict[str, Any]:
        self.started.append(trial_index)
        return {"x": parameterization["x"]}

    def poll_trial(self, trial_index: int, trial_metadata: Any) -> TrialStatus:
        self.polls[trial_index] = self.polls.get(trial_index, 0) + 1
        return TrialStatus.COMPLETED if self.polls[trial_index] > 1 else TrialStatus.RUNNING


class Endless(Polled):
    """Never done by itself; can be stopped."""

    def poll_trial(self, trial_index: int, trial_metadata: Any) -> TrialStatus:
        return TrialStatus.RUNNING

    def stop_trial(self, trial_index: int, trial_metadata: Any) -> dict[str, Any]:
        self.stopped.append(trial_index)
        return {}


class Square(Metric):
    """y = x²."""

    def fetch(self, trial_index: int, trial_metadata: Any) -> Any:
        return 0, trial_metadata["x"] ** 2


class Takes(PushedRunner):
    """Takes some (virtual) seconds, then gives x²."""

    def __init__(self, seconds: float, name: str = "pushed", capacity: int | None = None) -> None:
        self.seconds = seconds
        self.name = name
        self.capacity = capacity
        self.under_way = 0
        self.most = 0

    async def run(self, attempt: Any) -> Any:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await anyio.sleep(self.seconds)
        finally:
            self.under_way -= 1
        return attempt.parameters["x"] ** 2


class Flaky:
    """Raises *error* the first *times* times it is passed."""

    def __init__(self, times: int, error: Exception) -> None:
        self.left = times
        self.error = error
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            if self.left:
                self.left -= 1
                raise self.error
