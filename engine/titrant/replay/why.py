"""Why a trial was made, what it was made from, and what became of it: every fact, from the log alone."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec

from titrant.analysis.marks import saw_withdrawn
from titrant.errors import TrialNotFound
from titrant.generators.requests import observed
from titrant.log.base import Record
from titrant.log.scanning import scan
from titrant.messages import events as e
from titrant.model.observation import by_metric
from titrant.model.trial import Parameterization, Suggestion, Trial
from titrant.replay.acts import Act, act, is_act
from titrant.replay.diff import leading
from titrant.replay.moment import When, history, sequence_number
from titrant.replay.stages import Attempts, Stage, Timeline
from titrant.rules.state import State


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What was known when the suggestion was asked for.

    Attributes:
        seq: The last event then.
        at: When it was recorded, microseconds since 1970 UTC.
        trials: Trials whose data the model was fitted to; none for a design, which looks at no data.
        best: What led then; None where nothing did.
        pending: Trials under way that were taken into account.
        held: Suggestions that were ready then and not yet trials.
        withdrawn_since: Trials among those seen whose value was withdrawn or corrected since.
    """

    seq: int
    at: int
    trials: tuple[int, ...]
    best: dict[str, Any] | None
    pending: tuple[int, ...]
    held: tuple[Parameterization, ...]
    withdrawn_since: tuple[int, ...]


class Staleness(msgspec.Struct, frozen=True, kw_only=True):
    """What had happened since, when the trial was made and when it was submitted (None where it was not).

    Its own making is not counted.
    """

    events_to_creation: int
    events_to_submission: int | None
    results_to_creation: tuple[int, ...]
    results_to_submission: tuple[int, ...] | None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A metric, predicted and measured, in its own unit; ``sems`` is how far apart, in units of both SEMs together."""

    metric: str
    predicted: float | None = None
    predicted_sem: float | None = None
    measured: float | None = None
    measured_sem: float | None = None
    sems: float | None = None


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """All there is to say of a trial; its words are in ``replay.telling``.

    Attributes:
        trial: Its index.
        arm_name: Its name.
        status: Where it stands now.
        reason: Why it failed, or the like.
        parameters: What was to be carried out.
        executed: What was, where that is known to differ.
        origin: ``"suggested"``, ``"attached"``, ``"baseline"`` or ``"replicate"``.
        replicate_of: The trial whose conditions it repeats.
        seq: The event that made it.
        at: When, microseconds since 1970 UTC.
        proposed_by: Who brought it in: ``"generator"`` for the closed loop.
        suggestion: What was recorded of how it was made; None where nobody suggested it.
        versions: What had a part in that, for the whole request.
        seen: What was known then.
        staleness: What had happened since.
        outcomes: Metric by metric, what was predicted and what came out.
        stages: How long it spent where.
        attempts: Its submissions.
        acts: What people and agents did about it.
    """

    trial: int
    arm_name: str
    status: str
    reason: str | None
    parameters: Parameterization
    executed: Parameterization | None
    origin: str
    replicate_of: int | None
    seq: int
    at: int
    proposed_by: str
    suggestion: Suggestion | None
    versions: dict[str, str]
    seen: Seen | None
    staleness: Staleness | None
    outcomes: tuple[Outcome, ...]
    stages: tuple[Stage, ...]
    attempts: Attempts
    acts: tuple[Act, ...]


def why(path: str | Path, trial: int, until: When = None) -> Account:
    """Account for a trial.

    Args:
        path: The log.
        trial: The trial's index.
        until: The moment from which to look back; the end of the log where None.

    Raises:
        TrialNotFound: There is no such trial (yet).
        ConfigurationError: *until* cannot be read, or lies outside the log.
        LogError: The log is missing, damaged, or too new.
    """
    last = sequence_number(path, until)
    made, versions = _made(path, trial, last)
    reader = _Reader(trial, None if made is None else made.data_seq)
    state, end = State(), 0
    for record, after in history(path, last):
        reader.take(record, state, after)
        state, end = after, record.recorded_at
    return reader.account(state, end, versions)


def _made(path: str | Path, trial: int, until: int | None) -> tuple[Suggestion | None, dict[str, str]]:
    """How a trial was suggested, and what had a part in its request: the first answer to a request says that."""
    first: Suggestion | None = None
    for _, _, event in scan(path, 0, until, verify=False):
        if not isinstance(event, e.TrialCreated):
            continue
        one = event.suggestion
        if one is not None and one.versions:
            first = one
        if event.trial == trial:
            shared = (
                one is not None and first is not None and (first.request, first.data_seq) == (one.request, one.data_seq)
            )
            return one, first.versions if shared and first is not None else {}
    return None, {}


class _Reader:
    """Notes what concerns a trial, event by event."""

    def __init__(self, trial: int, data_seq: int | None) -> None:
        self._trial = trial
        self._data_seq = data_seq
        self._then: tuple[int, State] | None = (0, State()) if data_seq == 0 else None
        self._created: tuple[Record, e.TrialCreated] | None = None
        self._submitted: int | None = None
        self._results: list[tuple[int, int]] = []  # sequence number and trial, of results after what was seen
        self._acts: list[Act] = []
        self._timeline = Timeline(trial)

    def take(self, record: Record, before: State, after: State) -> None:
        """Note an event."""
        event = record.event
        if record.seq == self._data_seq:
            self._then = (record.recorded_at, after)
        elif self._then is not None and self._submitted is None and after.results != before.results:
            self._results.append((record.seq, -1 if record.trial is None else record.trial))
        if record.trial != self._trial:
            return
        if isinstance(event, e.TrialCreated):
            self._created = (record, event)
        elif isinstance(event, e.TrialSubmitting) and self._submitted is None:
            self._submitted = record.seq
        self._timeline.take(record, after.trial(self._trial))
        if is_act(record):
            self._acts.append(act(record, before, after))

    def account(self, state: State, end: int, versions: dict[str, str]) -> Account:
        """All of it.

        Raises:
            TrialNotFound: There is no such trial.
        """
        if self._created is None:
            raise TrialNotFound(self._trial, state.next_index)
        record, event = self._created
        trial, suggestion = state.trial(self._trial), event.suggestion
        return Account(
            trial=trial.index,
            arm_name=trial.arm_name,
            status=trial.status.name,
            reason=trial.reason,
            parameters=trial.parameters,
            executed=trial.executed,
            origin=trial.origin,
            replicate_of=trial.replicate_of,
            seq=record.seq,
            at=record.recorded_at,
            proposed_by=record.actor,
            suggestion=suggestion,
            versions=versions,
            seen=None if suggestion is None else self._seen(suggestion, state),
            staleness=None if suggestion is None else self._staleness(suggestion, record.seq),
            outcomes=_outcomes(trial, suggestion),
            stages=self._timeline.stages(end),
            attempts=self._timeline.attempts(),
            acts=tuple(self._acts),
        )

    def _seen(self, suggestion: Suggestion, state: State) -> Seen:
        at, then = self._then or (0, State())
        model = (suggestion.asked_of or suggestion.node) == "bo"
        return Seen(
            seq=suggestion.data_seq,
            at=at,
            trials=tuple(point.trial for point in observed(then)) if model else (),
            best=leading(then),
            pending=suggestion.pending,
            held=suggestion.held,
            withdrawn_since=saw_withdrawn(state).get(self._trial, ()),
        )

    def _staleness(self, suggestion: Suggestion, created: int) -> Staleness:
        submitted = self._submitted
        return Staleness(
            events_to_creation=created - 1 - suggestion.data_seq,
            events_to_submission=None if submitted is None else submitted - 2 - suggestion.data_seq,
            results_to_creation=self._results_before(created),
            results_to_submission=None if submitted is None else self._results_before(submitted),
        )

    def _results_before(self, seq: int) -> tuple[int, ...]:
        return tuple(dict.fromkeys(trial for at, trial in self._results if at < seq and trial >= 0))


def _outcomes(trial: Trial, suggestion: Suggestion | None) -> tuple[Outcome, ...]:
    predicted = {} if suggestion is None else suggestion.predicted
    measured = by_metric(trial.observations)
    return tuple(
        _outcome(name, predicted.get(name), measured[name].mean if name in measured else None, _sem(measured, name))
        for name in dict.fromkeys((*predicted, *measured))
    )


def _sem(measured: dict[str, Any], name: str) -> float | None:
    return measured[name].sem if name in measured else None


def _outcome(name: str, predicted: tuple[float, float] | None, mean: float | None, sem: float | None) -> Outcome:
    if predicted is None:
        return Outcome(metric=name, measured=mean, measured_sem=sem)
    spread = math.hypot(predicted[1], sem or 0.0)
    return Outcome(
        metric=name,
        predicted=predicted[0],
        predicted_sem=predicted[1],
        measured=mean,
        measured_sem=sem,
        sems=None if mean is None or not spread else (mean - predicted[0]) / spread,
    )
