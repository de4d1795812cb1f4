"""Whether events follow from those before: the state machine of trials as a table, and five bytes a trial.

The rules decide; this is the second opinion of an auditor who has only the log.  It knows nothing of reasons, runners
or data and therefore forbids less than the rules do, but it forbids what no rule ever allowed: an end before a
beginning, a second life without a word, an attempt that was not announced.  A test holds it in step with the rules.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from enum import IntEnum, auto
from typing import Any

from titrant.messages import events as e
from titrant.messages.codec import TAGS
from titrant.messages.events import Event
from titrant.rules.running import attempt_key


class Stand(IntEnum):
    """Where a trial stands, as far as it matters to what may come next."""

    WAITING = 0  # in the queue
    HELD = auto()  # PROPOSED
    HELD_IN_HAND = auto()  # PROPOSED, and RUNNING in somebody's hands once approved
    REJECTED = auto()
    STALE = auto()
    IN_HAND = auto()  # RUNNING outside the closed loop
    SUBMITTING = auto()
    RUNNING = auto()
    AWAITING = auto()  # its run is done, data are on the way
    UNKNOWN = auto()
    SETTLED = auto()  # was UNKNOWN; the event after it says how it goes on
    COMPLETED = auto()
    FAILED = auto()
    ABANDONED = auto()
    EARLY_STOPPED = auto()
    VOIDED = auto()
    VOIDED_EARLY_STOPPED = auto()
    FAILED_IN_HAND = auto()  # FAILED outside the closed loop, where it is in hand again once retried


S = Stand
_ILLEGAL = 255


class Legality:
    """Follows a log event by event; memory grows by five bytes a trial, and by one a comparison."""

    def __init__(self, log_id: str | None = None) -> None:
        """Begin before event 1.

        Args:
            log_id: The log's own identity, which its sessions must name; None where it is not known.
        """
        self._log_id = log_id
        self._session = ""
        self._stands = bytearray()
        self._attempts = array("I")
        self._comparisons = bytearray()  # whether each was withdrawn
        self._switches = dict.fromkeys(("run", "pause", "halt", "space"), False)

    @property
    def trials(self) -> int:
        """How many trials there are so far."""
        return len(self._stands)

    def stand(self, trial: int) -> Stand:
        """Where a trial stands."""
        return Stand(self._stands[trial])

    def fault(self, event: Event) -> str | None:
        """Say what no rule ever allowed about *event*, or take it in and give None."""
        found = _MOVES.get(type(event))
        if found is None:
            other = _OTHERS.get(type(event))
            return None if other is None else other(self, event)
        moves, attempted = found
        trial: int = event.trial  # type: ignore[union-attr,assignment]  # those in the table have one
        stands = self._stands
        if not 0 <= trial < len(stands):
            return self._none(trial)
        was = stands[trial]
        now = moves[was]
        if now == _ILLEGAL:
            return f"{TAGS[type(event)]!r} cannot happen to trial {trial}, which is {_words(was)}"
        if attempted and event.attempt != self._attempts[trial]:  # type: ignore[union-attr]  # as the table says
            return f"{TAGS[type(event)]!r} is not of attempt {self._attempts[trial]}, the present one of trial {trial}"
        if now != was:
            stands[trial] = now
        return None

    def created(self, event: e.TrialCreated) -> str | None:
        """Indices are given in order, none twice."""
        if event.trial != len(self._stands):
            return f"trial {event.trial} was created when trial {len(self._stands)} was the next"
        if not self._switches["space"]:
            return f"trial {event.trial} was created before there was a search space"
        if event.replicate_of is not None and not 0 <= event.replicate_of < event.trial:
            return f"trial {event.trial} repeats trial {event.replicate_of}, which did not exist"
        self._stands.append(S.IN_HAND if event.asked else S.WAITING)
        self._attempts.append(0)
        return None

    def submitting(self, event: e.TrialSubmitting) -> str | None:
        """Attempts count up, each under the key that is made of it."""
        trial, attempt = event.trial, event.attempt
        if not 0 <= trial < len(self._stands):
            return self._none(trial)
        was, following = self._stands[trial], self._attempts[trial] + 1
        if was != S.WAITING:
            return f"trial {trial} was submitted, which is {_words(was)} and not waiting"
        if attempt != following:
            return f"trial {trial} was submitted as attempt {attempt} when {following} was the next"
        if event.key != attempt_key(self._session, trial, attempt):
            return f"attempt {attempt} of trial {trial} was submitted under a key that is not its own"
        self._stands[trial] = S.SUBMITTING
        self._attempts[trial] = attempt
        return None

    def resolved(self, event: e.TrialResolved) -> str | None:
        """What becomes of an UNKNOWN trial depends on what was said of it."""
        if not 0 <= event.trial < len(self._stands):
            return f"there is no trial {event.trial} yet: trials 0 to {len(self._stands) - 1} were created"
        if self._stands[event.trial] != S.UNKNOWN:
            return (
                f"trial {event.trial}, which is {_words(self._stands[event.trial])}, was resolved: it was not UNKNOWN"
            )
        self._stands[event.trial] = S.RUNNING if event.outcome == "running" else S.SETTLED
        return None

    def note(self, event: e.NoteAdded) -> str | None:
        """Words on a trial need one."""
        if event.trial is None or 0 <= event.trial < len(self._stands):
            return None
        return f"a note was added to trial {event.trial}, which did not exist"

    def comparison(self, event: e.ComparisonAttached) -> str | None:
        """Two different trials that were finished."""
        for trial in (event.better, event.worse):
            if not 0 <= trial < len(self._stands):
                return f"trial {trial} was compared, which did not exist"
            if self._stands[trial] not in _FINISHED:
                return f"trial {trial} was compared, which is {_words(self._stands[trial])} and not finished"
        if event.better == event.worse:
            return f"trial {event.better} was compared with itself"
        self._comparisons.append(0)
        return None

    def comparison_withdrawn(self, event: e.ComparisonWithdrawn) -> str | None:
        """One that stands."""
        number = event.comparison
        if not 0 <= number < len(self._comparisons):
            return f"comparison {number} was withdrawn, which did not exist"
        if self._comparisons[number]:
            return f"comparison {number} was withdrawn, and it was withdrawn already"
        self._comparisons[number] = 1
        return None

    def session(self, event: e.SessionOpened) -> str | None:
        """A log keeps the identity it was made with; keys are made of it."""
        known = self._session or self._log_id
        if known and event.log_id != known:
            return f"the session names the log {event.log_id!r}, and this is {known!r}"
        self._session = event.log_id
        return None

    def switch(self, name: str, words: str, *, must: bool | None, then: bool | None) -> str | None:
        """Something that is on or off: what must be the case, what is the case then, the words for where it is not."""
        if must is not None and self._switches[name] is not must:
            return words
        if then is not None:
            self._switches[name] = then
        return None

    def _none(self, trial: int) -> str:
        last = len(self._stands) - 1
        return f"there is no trial {trial} yet: " + (
            f"trials 0 to {last} were created" if last >= 0 else "none was made"
        )


def _words(stand: int) -> str:
    return Stand(stand).name.lower().replace("_", " ")


_OPEN = (S.SUBMITTING, S.RUNNING, S.SETTLED)
_FINISHED = (S.COMPLETED, S.EARLY_STOPPED)
_VOIDED = (S.VOIDED, S.VOIDED_EARLY_STOPPED)
_NOT_BEGUN = (S.WAITING, S.HELD, S.HELD_IN_HAND, S.REJECTED, S.STALE)


def _to(after: Stand, *before: Stand, **others: Stand) -> bytes:
    """Moves to one stand from several; ``others`` name a stand and where it goes instead."""
    return bytes(others.get(stand.name, after if stand in before else _ILLEGAL) for stand in Stand)


def _stay(stands: Iterable[Stand]) -> bytes:
    """What changes nothing, and where it may happen."""
    allowed = frozenset(stands)
    return bytes(stand if stand in allowed else _ILLEGAL for stand in Stand)


_MOVES: dict[type, tuple[bytes, bool]] = {
    # type: (the stand after each stand, whether it is of an attempt)
    e.TrialProposed: (_to(S.HELD, S.WAITING, IN_HAND=S.HELD_IN_HAND), False),
    e.TrialApproved: (_to(S.WAITING, S.HELD, HELD_IN_HAND=S.IN_HAND), False),
    e.TrialRejected: (_to(S.REJECTED, S.HELD, S.HELD_IN_HAND), False),
    e.TrialStale: (_to(S.STALE, S.WAITING, S.HELD, S.HELD_IN_HAND), False),
    e.TrialStaged: (_to(S.WAITING, S.IN_HAND), False),
    e.SubmissionRetried: (_stay((S.SUBMITTING, S.RUNNING, S.AWAITING, S.UNKNOWN)), True),
    e.TrialRunning: (_to(S.RUNNING, S.SUBMITTING, S.RUNNING), True),
    e.TrialReattached: (_to(S.RUNNING, S.SUBMITTING, S.RUNNING), True),
    e.TrialRunFinished: (_to(S.AWAITING, *_OPEN), True),
    e.DataAttached: (_stay(Stand), False),
    e.ParametersExecuted: (_stay(frozenset(Stand).difference(_NOT_BEGUN)), False),
    e.FetchFailed: (_stay(Stand), False),
    e.FetchRequested: (_stay((S.COMPLETED,)), False),
    e.TrialCompleted: (
        _to(S.COMPLETED, S.IN_HAND, S.AWAITING, S.SETTLED, S.COMPLETED, **{stand.name: stand for stand in _VOIDED}),
        False,
    ),
    e.TrialFailed: (_to(S.FAILED, *_OPEN, IN_HAND=S.FAILED_IN_HAND), False),
    e.TrialAbandoned: (_to(S.ABANDONED, S.IN_HAND, S.WAITING, S.HELD, S.HELD_IN_HAND, *_OPEN), False),
    e.TrialEarlyStopped: (_to(S.EARLY_STOPPED, S.IN_HAND, S.SUBMITTING, S.RUNNING), False),
    e.StopRequested: (_stay((S.SUBMITTING, S.RUNNING, S.UNKNOWN, S.FAILED, S.ABANDONED)), False),
    e.TrialLost: (_to(S.UNKNOWN, S.SUBMITTING, S.RUNNING), False),
    e.TrialRequeued: (_to(S.WAITING, S.FAILED, *_OPEN, FAILED_IN_HAND=S.IN_HAND), False),
    e.ResultVoided: (_to(S.VOIDED, S.COMPLETED, EARLY_STOPPED=S.VOIDED_EARLY_STOPPED), False),
    e.ResultUnvoided: (_to(S.COMPLETED, S.VOIDED, VOIDED_EARLY_STOPPED=S.EARLY_STOPPED), False),
    e.ResultCorrected: (_stay((*_FINISHED, *_VOIDED)), False),
}


def _switching(
    name: str, words: str = "", *, must: bool | None = None, then: bool | None = None
) -> Callable[[Legality, Any], str | None]:
    return lambda legality, _event: legality.switch(name, words, must=must, then=then)


_OTHERS: dict[type, Callable[[Legality, Any], str | None]] = {
    e.TrialCreated: Legality.created,
    e.TrialSubmitting: Legality.submitting,
    e.TrialResolved: Legality.resolved,
    e.SessionOpened: Legality.session,
    e.NoteAdded: Legality.note,
    e.ComparisonAttached: Legality.comparison,
    e.ComparisonWithdrawn: Legality.comparison_withdrawn,
    e.ExperimentConfigured: _switching("space", then=True),
    e.SpaceChanged: _switching("space", "a search space was changed before there was one", must=True),
    e.RunStarted: _switching("run", "a run began while another one was under way", must=False, then=True),
    e.RunEnded: _switching("run", "a run ended, and none was under way", must=True, then=False),
    e.FailureRateTripped: _switching("run", "a failure rate was tripped, and no run was under way", must=True),
    e.ExperimentPaused: _switching("pause", "it was paused, and it was paused already", must=False, then=True),
    e.ExperimentUnpaused: _switching("pause", "it was unpaused, and it was not paused", must=True, then=False),
    e.ExperimentHalted: _switching("halt", then=True),
    e.ExperimentReset: _switching("halt", "a halt was reset, and it was not halted", must=True, then=False),
}
