"""The best so far, kept up trial by trial: an event costs the same after ten trials and after ten thousand."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from titrant.analysis import results
from titrant.errors import ObjectiveError
from titrant.model.observation import means
from titrant.model.trial import Trial, TrialStatus
from titrant.rules.changing import is_inside
from titrant.rules.state import State

ENDED = (TrialStatus.COMPLETED, TrialStatus.EARLY_STOPPED)


class Point(msgspec.Struct, frozen=True):
    """A recipe's objectives, the greater the better, and whether it may be the best.

    It may where it keeps the outcome constraints, fits the space, and is at the target of every fidelity and task.

    A recipe is a trial and its replicates: ``trial`` is the first finished one, ``values`` are the means over all.
    """

    trial: int
    utilities: tuple[float, ...]
    feasible: bool
    values: dict[str, float]


class Leaderboard:
    """Who leads.

    Attributes:
        trace: The recipes with data, in the order in which the first trial of each ended.
        front: Those that keep the constraints and that no other beats: the best one, or with several objectives the
            Pareto front.
    """

    def __init__(self, state: State) -> None:
        self.trace: list[Point] = []
        self.front: list[Point] = []
        self._place: dict[int, int] = {}
        self._of: dict[int, set[int]] = {}
        self.rebuild(state)

    def rebuild(self, state: State) -> None:
        """Begin again from all trials: the objective, the space or the baseline changed, or a result was withdrawn."""
        self.trace, self.front, self._place, self._of = [], [], {}, {}
        if state.optimization is None:
            return
        for trial in sorted(state.closed.values(), key=lambda trial: (trial.ended_at or 0, trial.index)):
            self._add(trial, state)

    def consider(self, trial: Trial, state: State) -> bool:
        """Take a finished trial in, or its late data; returns whether it leads."""
        if state.optimization is None or trial.status not in ENDED:
            return False
        if trial.index == state.baseline:
            self.rebuild(state)
        else:
            self._add(trial, state)
        return any(point.trial in self._of.get(results.repeated(state, trial), ()) for point in self.front)

    def _add(self, trial: Trial, state: State) -> None:
        if trial.status not in ENDED:
            return
        root = results.repeated(state, trial)
        point = self._point(root, trial, state)
        place = self._place.get(root)
        if point is None:
            return
        if place is None:
            self._place[root] = len(self.trace)
            self.trace.append(point)
        else:
            before, self.trace[place] = self.trace[place], point
            if before in self.front:
                self.front = []
                for one in self.trace:
                    self._compare(one)
                return
        self._compare(point)

    def _point(self, root: int, trial: Trial, state: State) -> Point | None:
        """The recipe with *trial* in it; None while a value is missing."""
        if _utilities(means(trial.observations), state) is None:
            return None
        trials = self._of.setdefault(root, set())
        trials.add(trial.index)
        values = {
            name: mean for name, (mean, _) in results.pooled([state.trial(index) for index in sorted(trials)]).items()
        }
        utilities = _utilities(values, state)
        first = state.trial(min(trials))
        sought = results.reached(state, first) and results.of_target_task(state, first)
        feasible = results.feasible(state, values) and is_inside(state, first) and sought
        return None if utilities is None else Point(min(trials), utilities, feasible, values)

    def _compare(self, point: Point) -> None:
        """Let the point into the front if nothing there beats it; of equals the first stays."""
        if not point.feasible or any(_beats(other.utilities, point.utilities) for other in self.front):
            return
        self.front = [one for one in self.front if not _beats(point.utilities, one.utilities)]
        if len(point.utilities) > 1 or not self.front:
            self.front.append(point)


def _utilities(values: Mapping[str, float], state: State) -> tuple[float, ...] | None:
    optimization = results.configured(state)
    if optimization.is_preference:  # nothing is measured that a course could be drawn of
        return None
    try:
        return optimization.utilities(values)
    except ObjectiveError:  # a value is missing
        return None


def _beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return all(a >= b for a, b in zip(one, other, strict=True)) and one != other
