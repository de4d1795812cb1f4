"""Trials and observations as tables: one row each, what was planned beside what was carried out."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from titrant.analysis.marks import saw_withdrawn
from titrant.log.group import Row
from titrant.messages.events import DataAttached, Event, ResultCorrected
from titrant.model.observation import by_metric
from titrant.model.trial import Parameterization, Trial
from titrant.rules.conditions import planned
from titrant.rules.state import State

Values = tuple[Any, ...]

OBSERVATIONS = (
    *("seq", "recorded_at", "trial", "metric", "mean", "sem", "progression", "status", "arm", "act", "actor"),
)
"""The columns of the observations, every one that was ever recorded; ``act`` is ``attached`` or ``corrected``."""

_FIXED = (
    *("trial", "arm_name", "status", "origin", "replicate_of", "node", "runner", "attempts", "created_at"),
    *("submitted_at", "started_at", "ended_at", "seconds", "reason", "missing", "saw_withdrawn"),
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Trials:
    """The trials of a state as a table.

    Attributes:
        columns: The names: fixed ones, then ``planned.X`` and where it differed ``executed.X`` of each parameter, and
            ``X.mean`` and ``X.sem`` of each metric.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._marks = saw_withdrawn(state)
        trials = list(_trials(state))
        self._planned = list(dict.fromkeys(name for trial in trials for name in planned(state, trial)))
        executed = {name for trial in trials for name in trial.executed or ()}
        self._executed = [name for name in self._planned if name in executed]
        self._executed += sorted(executed.difference(self._planned))
        self._metrics = list(dict.fromkeys(one.metric for trial in trials for one in trial.observations))
        self.columns = (
            *_FIXED,
            *(f"planned.{name}" for name in self._planned),
            *(f"executed.{name}" for name in self._executed),
            *(f"{name}.{what}" for name in self._metrics for what in ("mean", "sem")),
        )

    def __iter__(self) -> Iterator[Values]:
        return map(self._row, _trials(self._state))

    def row(self, index: int) -> Values:
        """The row of one trial."""
        return self._row(self._state.trial(index))

    def _row(self, trial: Trial) -> Values:
        plan = planned(self._state, trial)
        done: Parameterization = trial.executed or {}
        observed = by_metric(trial.observations)
        values = [observed.get(name) for name in self._metrics]
        saw = self._marks.get(trial.index, ())
        return (
            *(trial.index, trial.arm_name, trial.status.name, trial.origin, trial.replicate_of, trial.node or None),
            *(trial.runner, trial.attempt, when(trial.created_at), when(trial.submitted_at), when(trial.started_at)),
            *(when(trial.ended_at), seconds(trial), trial.reason, " ".join(trial.missing) or None),
            " ".join(map(str, saw)) or None,
            *(plan.get(name) for name in self._planned),
            *(done.get(name) for name in self._executed),
            *(number for one in values for number in ((None, None) if one is None else (one.mean, one.sem))),
        )


def observations_in(row: Row, event: Event) -> Iterator[Values]:
    """The rows of the observations' table that an event adds."""
    if not isinstance(event, DataAttached | ResultCorrected):
        return
    act = "attached" if isinstance(event, DataAttached) else "corrected"
    for one in event.observations:
        what = (one.metric, one.mean, one.sem, one.progression, one.status, one.arm)
        yield (row[0], when(row[5]), event.trial, *what, act, row[7])


def csv_lines(rows: Sequence[Values]) -> bytes:
    """Rows as CSV (RFC 4180, UTF-8, line ends as on Unix)."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue().encode("utf-8", "surrogatepass")


def when(at: int | None) -> str | None:
    """A time, microseconds since 1970 UTC, as ISO 8601."""
    if at is None:
        return None
    try:
        return (_EPOCH + timedelta(microseconds=at)).isoformat(timespec="microseconds").replace("+00:00", "Z")
    except OverflowError:
        return str(at)


def seconds(trial: Trial) -> float | None:
    """How long a trial took on its runner."""
    if trial.ended_at is None or trial.started_at is None or trial.asked:
        return None
    return (trial.ended_at - trial.started_at) / 1e6


def _trials(state: State) -> Iterator[Trial]:
    return (state.trial(index) for index in range(state.next_index))
