"""Effects: which message to which actor follows from an event once it is durable, and which trials are in hand."""

from __future__ import annotations

from typing import Any

from titrant.actors import mail
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.messages.events import Event
from titrant.model.trial import Attempt, Trial, TrialStatus
from titrant.rules.recovery import plan
from titrant.rules.state import State
from titrant.runtime.alarm import Alarm
from titrant.runtime.clock import Clock
from titrant.runtime.mailbox import Mailbox

Delivery = tuple[Mailbox[Any] | None, mail.Mail]
"""A message and where it goes; None where the runner or metric is not connected."""


FIND_SECONDS = 10.0
"""How long a trial whose time to live ran out unwatched has to be found again before it is stopped."""


class Effects:
    """Knows the mailboxes, and the trials that actors of this process carry out (``alive``)."""

    def __init__(self, *, clock: Clock, alarm: Alarm) -> None:
        self._clock = clock
        self._alarm = alarm
        self._runners: dict[str, Mailbox[Any]] = {}
        self._metrics: dict[str, Mailbox[Any]] = {}
        self._alive: set[int] = set()
        self._poll_seconds = 1.0

    def connect(self, state: State, runners: dict[str, Mailbox[Any]], metrics: dict[str, Mailbox[Any]]) -> None:
        """Use these mailboxes from now on; trials of actors that are gone are taken up again by the next run."""
        gone = {name for name, box in self._runners.items() if runners.get(name) is not box}
        silent = {name for name, box in self._metrics.items() if metrics.get(name) is not box}
        for index in sorted(self._alive):
            trial = state.open.get(index)
            if trial is None or silent.intersection(trial.awaiting) or (trial.runner in gone and not trial.run_done):
                self._alive.discard(index)
        self._runners, self._metrics = dict(runners), dict(metrics)

    def alive(self) -> frozenset[int]:
        """Trials that need no recovery: an actor of this process carries them out."""
        return frozenset(self._alive)

    def alive_elsewhere(self, state: State, actor: str) -> frozenset[int]:
        """Trials not touched by the failure of *actor*."""
        return frozenset(
            index for index, trial in state.open.items() if trial.run_done or f"runner:{trial.runner}" != actor
        )

    def of(self, command: c.Command, events: tuple[Event, ...], before: State, after: State) -> list[Delivery]:
        """The messages that follow from *events*; timers are set on the way."""
        found: list[Delivery] = []
        for event in events:
            match event:
                case e.RunStarted(options=options):
                    self._poll_seconds = options.initial_seconds_between_polls
                    if options.timeout_seconds is not None and after.run is not None:
                        expire = c.ExpireRun(run=after.run.started_at)
                        self._alarm.set(options.timeout_seconds, mail.Do(command=expire))
                case e.TrialSubmitting(trial=index):
                    self._alive.add(index)
                    found.append(self._submit(after, index))
                case e.TrialRunFinished(trial=index, awaiting=metrics) | e.FetchRequested(trial=index, metrics=metrics):
                    self._alive.add(index)
                    found.extend(self._fetches(after.trial(index), metrics))
                case e.StopRequested(trial=index, reason=reason):
                    found.append(self._stop(after.trial(index), reason))
                case e.TrialResolved(trial=index, outcome="running") if isinstance(command, c.Resolve):
                    found.extend(self._take_up(after, after.trial(index), reattach=True))
                case e.TrialResolved(trial=index, outcome=outcome) if outcome != "running":
                    lost = before.trial(index)
                    found.append((self._runners.get(lost.runner or ""), mail.Settled(attempt=_attempt(lost))))
                case (
                    e.TrialCompleted(trial=index)
                    | e.TrialFailed(trial=index)
                    | e.TrialAbandoned(trial=index)
                    | e.TrialEarlyStopped(trial=index)
                    | e.TrialRequeued(trial=index)
                ):
                    self._alive.discard(index)
                case _:
                    pass
        found.extend(self._recovered(command, after))
        return found

    def _recovered(self, command: c.Command, state: State) -> list[Delivery]:
        """What can be settled only by asking an instrument: at the start of a run, and when an actor was restarted."""
        if isinstance(command, c.StartRun):
            alive = self._alive
        elif isinstance(command, c.RecordRestart):
            if command.name.startswith("metric:"):
                name = command.name.removeprefix("metric:")
                waiting = [state.open[index] for index in sorted(state.open) if name in state.open[index].awaiting]
                return [delivery for trial in waiting for delivery in self._fetches(trial, (name,))]
            alive = set(command.alive)
        else:
            return []
        left = [state.open[index] for index in sorted(state.open) if index not in alive]
        return [delivery for trial in left for delivery in self._take_up(state, trial)]

    def _take_up(self, state: State, trial: Trial, *, reattach: bool = False) -> list[Delivery]:
        what = "reattach" if reattach else plan(trial, state.runner(trial.runner))
        if what not in ("fetch", "resubmit", "reattach"):
            return []
        self._alive.add(trial.index)
        if what == "fetch":
            return self._fetches(trial, trial.awaiting)
        if trial.stop_requested:  # whether the runner was told is not known: it is told again
            return [self._stop(trial, trial.reason or "")]
        if what == "resubmit":
            return [self._submit(state, trial.index)]
        ttl = self._ttl(state, trial)
        message = mail.Reattach(attempt=_attempt(trial), poll_seconds=self._poll_seconds, ttl_seconds=ttl)
        return [(self._runners.get(trial.runner or ""), message)]

    def _submit(self, state: State, index: int) -> Delivery:
        trial = state.trial(index)
        ttl = self._ttl(state, trial)
        message = mail.Submit(attempt=_attempt(trial), poll_seconds=self._poll_seconds, ttl_seconds=ttl)
        return (self._runners.get(trial.runner or ""), message)

    def _stop(self, trial: Trial, reason: str) -> Delivery:
        lost = trial.status not in (TrialStatus.SUBMITTING, TrialStatus.RUNNING)
        return (
            self._runners.get(trial.runner or ""),
            mail.StopTrial(attempt=_attempt(trial), reason=reason, lost=lost),
        )

    def _ttl(self, state: State, trial: Trial) -> float | None:
        """Seconds the trial has left to live; an alarm is set for them.

        One that is found again is asked first whether it has ended: it may have, in time, while nobody looked.
        """
        ttl = None if state.run is None else state.run.options.trial_ttl_seconds
        if ttl is None:
            return None
        began = trial.started_at or trial.submitted_at or self._clock.now()
        left = max(min(ttl, FIND_SECONDS), ttl - (self._clock.now() - began) / 1e6)
        self._alarm.set(left, mail.Do(command=c.ExpireTrial(trial=trial.index, attempt=trial.attempt)))
        return left

    def _fetches(self, trial: Trial, metrics: tuple[str, ...]) -> list[Delivery]:
        metadata = dict(trial.metadata or {})
        key = trial.key or f"trial {trial.index}"
        return [
            (self._metrics.get(name), mail.Fetch(trial=trial.index, metric=name, metadata=metadata, key=key))
            for name in metrics
        ]


def undelivered(message: mail.Mail, why: str) -> c.Command | None:
    """What a message that reached nobody means: certainly not started, or lost from sight."""
    match message:
        case mail.Submit(attempt=a):
            return c.ReportNeverStarted(trial=a.trial, attempt=a.number, reason=why)
        case mail.Reattach(attempt=a):
            return c.ReportLost(trial=a.trial, attempt=a.number, reason=why)
        case mail.StopTrial(attempt=a):
            return c.ReportStopped(trial=a.trial, attempt=a.number, reason=f"{why}: it may still be running")
        case mail.Fetch(trial=index, metric=name):
            return c.RecordFetchFailure(trial=index, metric=name, reason=why)
        case _:
            return None


def unreadable(command: c.Command, why: str) -> c.Command | None:
    """What a report means whose content no log can hold (half a megabyte of metadata, text that is no text)."""
    match command:
        case c.ReportRunning(trial=index, attempt=attempt) | c.ReportFinished(trial=index, attempt=attempt):
            return c.ReportLost(trial=index, attempt=attempt, reason=f"what the runner said cannot be kept: {why}")
        case c.RecordFetch(trial=index, metric=name):
            return c.RecordFetchFailure(trial=index, metric=name, reason=f"it cannot be kept: {why}")
        case _:
            return None


def _attempt(trial: Trial) -> Attempt:
    return Attempt(
        trial=trial.index,
        parameters=trial.parameters,
        key=trial.key or "",
        number=trial.attempt,
        metadata=trial.metadata,
        started_at=trial.started_at,
    )
