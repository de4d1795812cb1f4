"""Where a trial spent its time, from its making to its end, and how often it was submitted."""

from __future__ import annotations

import msgspec

from titrant.log.base import Record
from titrant.messages import events as e
from titrant.model.trial import Trial, TrialStatus

ORDER = ("waiting for approval", "in the queue", "being submitted", "running", "fetching data", "unknown", "in hand")


class Stage(msgspec.Struct, frozen=True):
    """One of ``ORDER``, and how long the trial was in it altogether, in seconds."""

    name: str
    seconds: float


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """A submission of the trial; times are microseconds since 1970 UTC, None where it did not come to that."""

    number: int
    runner: str
    key: str
    submitted_at: int
    started_at: int | None = None
    ended_at: int | None = None
    retries: int = 0


Attempts = tuple[Attempt, ...]


class Timeline:
    """Takes the events of one trial, each with the trial after it."""

    def __init__(self, trial: int) -> None:
        self.trial = trial
        self._stage: str | None = None
        self._since = 0
        self._spent: dict[str, int] = {}
        self._attempts: list[Attempt] = []

    def take(self, record: Record, trial: Trial) -> None:
        """Note an event."""
        now = _stage(trial)
        if now != self._stage:
            self._leave(record.recorded_at)
            self._stage, self._since = now, record.recorded_at
        self._note(record)

    def stages(self, end: int) -> tuple[Stage, ...]:
        """How long it was in each stage until *end* (microseconds since 1970 UTC); those it was never in left out."""
        spent = dict(self._spent)
        if self._stage is not None:
            spent[self._stage] = spent.get(self._stage, 0) + max(0, end - self._since)
        return tuple(Stage(name, spent[name] / 1e6) for name in ORDER if name in spent)

    def attempts(self) -> Attempts:
        """Its submissions, in order."""
        return tuple(self._attempts)

    def _leave(self, at: int) -> None:
        if self._stage is not None:
            self._spent[self._stage] = self._spent.get(self._stage, 0) + at - self._since

    def _note(self, record: Record) -> None:
        event, at = record.event, record.recorded_at
        match event:
            case e.TrialSubmitting():
                self._attempts.append(
                    Attempt(number=event.attempt, runner=event.runner, key=event.key, submitted_at=at)
                )
            case e.SubmissionRetried():
                self._change(retries=event.retry)
            case e.TrialRunning() | e.TrialReattached():
                self._change(started_at=at, keep=True)
            case (
                e.TrialRunFinished() | e.TrialFailed() | e.TrialRequeued() | e.TrialAbandoned() | e.TrialEarlyStopped()
            ):
                self._change(ended_at=at, keep=True)
            case _:
                pass

    def _change(self, *, keep: bool = False, **to: int) -> None:
        """Change the last attempt; with *keep* only what is not known yet."""
        if self._attempts:
            last = self._attempts[-1]
            new = {name: value for name, value in to.items() if not (keep and getattr(last, name) is not None)}
            self._attempts[-1] = msgspec.structs.replace(last, **new)


def _stage(trial: Trial) -> str | None:
    """Where the trial is; None where it is over."""
    match trial.status:
        case TrialStatus.PROPOSED:
            return "waiting for approval"
        case TrialStatus.CANDIDATE | TrialStatus.APPROVED | TrialStatus.STAGED:
            return "in the queue"
        case TrialStatus.SUBMITTING:
            return "being submitted"
        case TrialStatus.UNKNOWN:
            return "unknown"
        case TrialStatus.RUNNING:
            return "in hand" if trial.asked else "fetching data" if trial.run_done else "running"
        case _:
            return None
