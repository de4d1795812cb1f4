"""The pace: how long trials take on each runner, how quickly they end, and so when the run will be over."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from statistics import median

from titrant.progress.picture import Lane
from titrant.rules.state import RunState, State

REMEMBERED = 31
"""Trials that an estimate looks back on: enough for a median, few enough to follow a change."""

ENDS_NEEDED = 5
"""Ends in a run before their pace is trusted."""


class Pace:
    """Learns from trials that end; all estimates are rough."""

    def __init__(self) -> None:
        self._durations: dict[str, deque[float]] = {}
        self._ends: deque[int] = deque(maxlen=REMEMBERED)

    def begin(self, at: int) -> None:
        """A run begins: the pace of an earlier one is forgotten, durations are not."""
        self._ends.clear()
        self._ends.append(at)

    def lasted(self, runner: str, seconds: float) -> None:
        """A trial took that long on that runner."""
        self._durations.setdefault(runner, deque(maxlen=REMEMBERED)).append(seconds)

    def ended(self, at: int) -> None:
        """A trial is over, at *at* microseconds since 1970 UTC."""
        self._ends.append(at)

    def expected(self, runner: str | None = None) -> float | None:
        """Seconds a trial takes on that runner, or on any."""
        if runner is not None:
            known = self._durations.get(runner)
            return median(known) if known else None
        known_all = [seconds for durations in self._durations.values() for seconds in durations]
        return median(known_all) if known_all else None

    def left(self, state: State, run: RunState, lanes: Sequence[Lane], now: int) -> float | None:
        """Seconds until the run is over: by durations and slots, or by the pace of late where that is slower.

        None while no trial has ended, and while the loop waits for a person.
        """
        typical = self.expected()
        if typical is None or state.paused is not None or state.halted is not None:
            return None
        busy = [lane for lane in lanes if lane.doing in ("running", "submitting", "stopping")]
        remaining = [max(0.0, (lane.expected_s or typical) - lane.elapsed_s) for lane in busy]
        longest = max(remaining, default=0.0)
        if run.draining is not None:
            return longest
        to_start = len(state.queue) + (0 if run.exhausted is not None else run.options.max_trials - run.created)
        slots = max(1, min(run.options.parallelism, _places(state, run)))
        by_work = max(longest, (sum(remaining) + to_start * typical) / slots)
        if len(self._ends) <= ENDS_NEEDED:
            return by_work
        each = (self._ends[-1] - self._ends[0]) / 1e6 / (len(self._ends) - 1)
        by_pace = each * (to_start + len(busy)) - (now - self._ends[-1]) / 1e6
        return max(by_work, by_pace, 0.0)


def _places(state: State, run: RunState) -> int:
    """Slots of the runners that are in use."""
    return sum(
        run.options.parallelism if spec.capacity is None else spec.capacity
        for spec in state.runners
        if spec.name not in state.quarantined
    )
