"""Every error titrant raises, as one tree.

::

    TitrantError
    ├── ConfigurationError (ValueError)     bad input, named before anything is committed
    │   ├── SearchSpaceError                a parameter, constraint or the whole space is ill-defined or empty
    │   ├── ObjectiveError                  an objective or outcome constraint cannot be read
    │   ├── ParameterizationError           values do not fit the search space
    │   ├── ObservationError                raw data cannot be read as observations
    │   └── DefinitionError                 an experiment file cannot be used; all its faults are named
    ├── CommandRefused                      the experiment's state does not allow it; says why
    │   ├── TrialNotFound (KeyError)        no trial has that index
    │   └── ApprovalRequired                every trial that was asked for awaits a person's approval
    ├── ClientClosed (RuntimeError)         a client was used after it was closed
    ├── FailureRateExceeded                 too many trials failed; the run was drained first
    ├── LogError
    │   ├── LogExists / LogMissing          the path holds a log already / holds none
    │   ├── NotALog                         the file is something else
    │   ├── LogTooNew                       written by a newer titrant
    │   ├── LogInUse                        another process holds it, or another client in this one
    │   ├── Fenced                          a newer writer took over; this one may write no more
    │   ├── VersionConflict                 the log moved on since the caller looked
    │   ├── IdempotencyConflict             the key was used for something else
    │   ├── EventRejected                   an event that would not be readable again
    │   ├── LogCorrupt                      the chain, the order or an event is broken
    │   ├── LogUnavailable                  the storage failed; nothing more is acknowledged
    │   ├── EngineUnreachable               no engine of that log takes requests here; nothing was asked of it
    │   └── NoReply (TimeoutError)          an engine was asked and did not answer: the act may have been done
    ├── GenerationError
    │   ├── GenerationTimeout (TimeoutError) no suggestion within the deadline
    │   ├── WorkerDied                      the generator's process ended
    │   └── SearchSpaceExhausted            a finite space has no new point left
    ├── RunnerError
    │   ├── SubmissionRefused               the instrument said no before it began: safe to submit again
    │   ├── OutcomeUnknown                  the trial may have run
    │   └── NeverSeen                       the instrument does not know this attempt
    ├── MetricError                         a metric's answer cannot be read
    ├── ExportError                         an export cannot be written or read
    │   └── ExportCorrupt                   an export is not what its manifest or its chain says
    └── ActorError
        ├── ActorStopped                    the mailbox has no reader any more
        ├── MailboxFull                     a bounded mailbox has no room
        └── DeadlineExceeded (TimeoutError) an answer did not come in time
"""

from __future__ import annotations

from typing import Any


class TitrantError(Exception):
    """The base of every error raised by titrant."""


class ConfigurationError(TitrantError, ValueError):
    """Bad input, named before anything is committed."""


class SearchSpaceError(ConfigurationError):
    """A parameter, a constraint or the whole search space is ill-defined or empty."""


class ObjectiveError(ConfigurationError):
    """An objective or outcome constraint cannot be read."""


class ParameterizationError(ConfigurationError):
    """Values do not fit the search space."""


class ObservationError(ConfigurationError):
    """Raw data cannot be read as observations."""


class DefinitionError(ConfigurationError):
    """An experiment file cannot be used.

    Attributes:
        file: Its path.
        problems: All its faults, each with its place (``titrant.definition.problems.Problem``).
    """

    def __init__(self, file: str, problems: tuple[Any, ...]) -> None:
        self.file, self.problems = file, problems
        if len(problems) == 1:
            super().__init__(f"{file}: {problems[0]}")
        else:
            listed = "".join(f"\n  {problem}" for problem in problems)
            super().__init__(f"{file} has {len(problems)} faults:{listed}")


class CommandRefused(TitrantError):
    """The experiment's present state does not allow a command; the message says why and what to do."""


class TrialNotFound(CommandRefused, KeyError):
    """No trial has that index."""

    def __init__(self, trial: int, count: int) -> None:
        self.trial = trial
        have = f"trials 0 to {count - 1} exist" if count else "there are no trials yet"
        hint = "" if isinstance(trial, int) else f"; give its number, not a {type(trial).__name__}"
        super().__init__(f"there is no trial {trial!r}: {have}{hint}")

    def __str__(self) -> str:
        return str(self.args[0])


class ApprovalRequired(CommandRefused):
    """Trials were made, and each awaits a person's approval before it may be carried out.

    Attributes:
        trials: Index to why it awaits approval, in words.
    """

    def __init__(self, trials: dict[int, str]) -> None:
        self.trials = dict(trials)
        listed = "; ".join(f"trial {index} awaits approval ({rule})" for index, rule in list(trials.items())[:10])
        more = f"; and {len(trials) - 10} more" if len(trials) > 10 else ""
        super().__init__(f"{listed}{more}: once approved they are RUNNING in your hands")


class ClientClosed(TitrantError, RuntimeError):
    """A client was used after it was closed."""

    def __init__(self, path: str | None) -> None:
        self.path = path
        again = (
            "make another one: what was in memory is gone"
            if path is None
            else f"open it again with Client.open({path!r})"
        )
        super().__init__(f"this client is closed: {again}")


class FailureRateExceeded(TitrantError):
    """More trials failed than tolerated; nothing new was started and what ran was finished first."""

    def __init__(self, failed: int, total: int, tolerated: float, reasons: tuple[tuple[int, str], ...]) -> None:
        self.failed, self.total, self.tolerated, self.reasons = failed, total, tolerated, reasons
        listed = "; ".join(f"trial {index}: {reason}" for index, reason in reasons[:10])
        more = f"; and {len(reasons) - 10} more" if len(reasons) > 10 else ""
        super().__init__(
            f"{failed} of {total} trials failed, more than the tolerated rate {tolerated:g}: {listed}{more}. "
            "Mend the cause, or raise tolerated_trial_failure_rate, and call run_trials again"
        )


class LogError(TitrantError):
    """The base of what can go wrong with the event log."""


class LogExists(LogError):
    """The path holds a log already."""


class LogMissing(LogError):
    """The path holds no log."""


class NotALog(LogError):
    """The file is something else than an event log."""


class LogTooNew(LogError):
    """The log was written by a newer titrant."""


class LogInUse(LogError):
    """Another process holds the log's lease, or another client in this one."""

    def __init__(self, path: str, owner: str, *, here: bool = False) -> None:
        self.path, self.owner = path, owner
        super().__init__(
            f"the log {path} is open in this process: close that client first"
            if here
            else f"the log {path} is held by {owner}: stop that process, or open the log read-only"
        )


class Fenced(LogError):
    """A newer writer took the log over; this one may write no more."""


class VersionConflict(LogError):
    """The log moved on since the caller looked."""

    def __init__(self, *, expected: int, actual: int) -> None:
        self.expected, self.actual = expected, actual
        super().__init__(f"the log is at sequence number {actual}, not {expected}: read it again and decide again")


class IdempotencyConflict(LogError):
    """An idempotency key was used before, for other events."""

    def __init__(self, key: str, seq: int) -> None:
        self.key, self.seq = key, seq
        super().__init__(f"the key {key!r} was used at sequence number {seq} for something else: use a new key")


class EventRejected(LogError):
    """An event that could not be read again as it was written; nothing was stored."""


class LogCorrupt(LogError):
    """The chain, the order or an event of the log is broken."""

    def __init__(self, seq: int, what: str) -> None:
        self.seq, self.what = seq, what
        super().__init__(f"event {seq}: {what}")


class LogUnavailable(LogError):
    """The storage failed; nothing more is acknowledged until the log is opened again."""


class EngineUnreachable(LogError):
    """No engine of that log takes requests here; nothing was asked of it."""


class NoReply(LogError, TimeoutError):
    """An engine was asked and did not answer: what was asked may have been done, so look before asking again."""


class GenerationError(TitrantError):
    """No suggestion could be made."""


class GenerationTimeout(GenerationError, TimeoutError):
    """No suggestion came within the deadline."""


class WorkerDied(GenerationError):
    """The generator's worker process ended."""


class SearchSpaceExhausted(GenerationError):
    """A finite search space has no new point left."""


class RunnerError(TitrantError):
    """The base of what a runner may say of a submission."""


class SubmissionRefused(RunnerError):
    """Raise it from a runner when the trial certainly did not start: it is safe to submit again."""


class OutcomeUnknown(RunnerError):
    """Raise it from a runner when the trial may have run: it is never submitted again by itself."""


class NeverSeen(RunnerError):
    """Raise it from ``reattach`` when the instrument does not know the attempt."""


class MetricError(TitrantError):
    """A metric's answer cannot be read."""


class ExportError(TitrantError):
    """An export cannot be written or read; the message says where and why."""


class ExportCorrupt(ExportError):
    """An export is not what its manifest or its chain says; the message names the first fault."""


class ActorError(TitrantError):
    """The base of what can go wrong between actors."""


class ActorStopped(ActorError):
    """The mailbox has no reader any more."""


class MailboxFull(ActorError):
    """A bounded mailbox has no room; the message was counted as a dead letter."""


class DeadlineExceeded(ActorError, TimeoutError):
    """An answer did not come in time."""
