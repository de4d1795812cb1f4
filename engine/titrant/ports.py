"""The ports a laboratory is connected through: what a runner and a metric may look like.

A runner has one of two shapes, both first class:

*Polled*, as in Ax (a class written for Ax's ``IRunner`` works unchanged)::

    class MyRunner(Runner):
        def run_trial(self, trial_index, parameterization): ...   # start it; return metadata
        def poll_trial(self, trial_index, trial_metadata): ...    # -> TrialStatus
        def stop_trial(self, trial_index, trial_metadata): ...    # optional
        def executed(self, trial_index, trial_metadata): ...      # optional: what was not carried out as planned

*Pushed*: one coroutine that awaits the instrument, no polling at all::

    class MyRunner(PushedRunner):
        async def run(self, attempt): ...                         # -> the data, or a Result

Methods may be sync (they run in a thread) or async.  Both shapes may add ``reattach``, ``safe_state`` and the
declarations below; every declaration left out is read as "no".  Four more are there for instruments behind a line:

- ``async __aenter__`` and ``__aexit__``: entered once before the first trial of a session, left on every way out.  What
  cannot be entered is told before any trial is made.  Metrics may have them too.
- ``check_space(space)``: raises ``ConfigurationError`` where trials of that search space cannot be carried out; asked
  before any trial is made, and by ``titrant check``.  It touches no instrument.
- ``probe()``: gives ``Finding``s for ``titrant doctor``; starts nothing on the instrument.
- ``settled(attempt)``: what became of an UNKNOWN attempt has been said, by a person or by policy, so that it is on no
  instrument any more; for runners that keep something for it until then.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

import msgspec

from titrant.model.trial import Attempt, Parameterization, TrialStatus
from titrant.runtime.calls import RetryPolicy
from titrant.runtime.threads import run_in_thread as run_in_thread  # noqa: PLC0414  # for adapters of blocking libraries


class Declarations:
    """What a runner may declare of itself; class or instance attributes.

    Attributes:
        name: Unique in the experiment; the class's name where empty.
        capacity: Trials it can carry out at once; None where only ``parallelism`` bounds it.
        honours_keys: Submitting again with the same ``attempt.key`` is safe and gives the same trial.
        can_report_status: ``reattach`` (or, for a running trial, ``poll_trial``) can say what became of an attempt
            after the engine restarted.
        rerun_safe: Carrying a trial out twice does no harm.
        absence_is_proof: When the instrument does not know an attempt, it certainly was not started.
        on_unknown: What becomes of a trial whose fate is unknown: ``"ask"`` a person, ``"abandon"`` it, or
            ``"rerun"`` it (only where ``rerun_safe``).
        call_deadline_s: Seconds that one call of any method but ``run`` may take.
        run_deadline_s: Seconds that ``run`` may take; None for the trial's time to live alone.
        min_seconds_between_polls: The instrument is never asked more often than this.
        retry: How flaky calls are made again.
        virtual_time: It waits with anyio alone and touches nothing real, so that it may run in virtual time.
    """

    name: str = ""
    capacity: int | None = None
    honours_keys: bool = False
    can_report_status: bool = False
    rerun_safe: bool = False
    absence_is_proof: bool = False
    on_unknown: Literal["ask", "abandon", "rerun"] = "ask"
    call_deadline_s: float = 300.0
    run_deadline_s: float | None = None
    min_seconds_between_polls: float = 0.02
    retry: RetryPolicy = RetryPolicy()
    virtual_time: bool = False


class Runner(Declarations):
    """A polled runner with Ax's methods; see the module's docstring."""

    can_report_status = True

    def run_trial(self, trial_index: int, parameterization: Parameterization) -> Any:
        """Start the trial and return metadata that identify it: a JSON-serializable mapping (None is read as {}).

        A parameter named ``attempt`` may be added and receives the ``Attempt`` with its idempotency key.

        Raises:
            SubmissionRefused: The trial certainly did not start; it is submitted again.
            OutcomeUnknown: The trial may have started; it becomes UNKNOWN.
            Exception: Read as "it did not start" and retried with the same key, unless the class of the exception
                leaves that open (``TimeoutError``, a connection lost in mid-call) and the runner neither honours
                keys nor is ``rerun_safe``: then the trial becomes UNKNOWN.
        """
        raise NotImplementedError(f"{type(self).__name__} has no run_trial")

    def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> TrialStatus:
        """Say where the trial stands.  It may be called at any time and as often as the engine likes."""
        raise NotImplementedError(f"{type(self).__name__} has no poll_trial")


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a pushed run ends with.

    Attributes:
        status: How it ended.
        data: Raw data in any form ``complete_trial`` accepts; None where metrics fetch them.  A metric that nobody
            asked for, or whose value is no number, is kept in a note; where none can be read the trial fails.
        reason: Why it failed.
        executed: Parameters that were carried out otherwise than planned, with their true values.
    """

    status: Literal["completed", "failed", "abandoned", "early_stopped"] = "completed"
    data: Any = None
    reason: str | None = None
    executed: Parameterization | None = None


class PushedRunner(Declarations):
    """A runner that awaits the instrument; see the module's docstring."""

    async def run(self, attempt: Attempt) -> Any:
        """Carry the attempt out and return its raw data, or a ``Result``.

        A parameter named ``report`` may be added: ``await report(data, progression)`` records data on the way.

        So may one named ``record``: ``await record({"remote_id": ...})`` returns once these metadata are in the log,
        and ``reattach`` finds them in ``attempt.metadata``.  Record what names a run on the instrument, then start it.
        Each record takes the place of the one before.  ``reattach`` may have both parameters as well, where a run that
        was found again has more to begin or to tell.

        Raises:
            SubmissionRefused: The trial certainly did not start; it is submitted again.
            OutcomeUnknown: The trial may still be running; it becomes UNKNOWN.
            Exception: The trial FAILED, unless the class of the exception leaves that open (``TimeoutError``, a
                connection lost in mid-call) and the runner is not ``rerun_safe``: where it honours keys ``run`` is
                then called again with the same key, elsewhere the trial becomes UNKNOWN.
        """
        raise NotImplementedError(f"{type(self).__name__} has no run")


Report = Callable[[Any, float | None], Awaitable[None]]
"""What a pushed run calls to record intermediate data: ``await report(data, progression)``."""

Record = Callable[[Mapping[str, Any]], Awaitable[None]]
"""What a pushed run calls before it starts: ``await record(metadata)`` returns once they are in the log."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that ``probe`` looked at.

    Attributes:
        level: ``"ok"``, ``"warn"`` (it works, with a reservation) or ``"fail"``.
        what: What was found.
        remedy: What to do about it; empty where there is nothing to do.
    """

    level: Literal["ok", "warn", "fail"]
    what: str
    remedy: str = ""


class FunctionRunner(PushedRunner):
    """A plain Python function as a runner: it dies with the process, so running it again does no harm.

    Args:
        function: Called with the parameterization (a dict); returns raw data.  Sync functions run in a thread.
        name: The runner's name; the function's where None.
        capacity: Calls at once; None where only ``parallelism`` bounds it.
        rerun_safe: Say False if the function does something to the world outside.
    """

    def __init__(
        self,
        function: Callable[[Parameterization], Any],
        *,
        name: str | None = None,
        capacity: int | None = None,
        rerun_safe: bool = True,
    ) -> None:
        self.function = function
        self.name = name or str(getattr(function, "__name__", type(function).__name__))
        self.capacity = capacity
        self.rerun_safe = rerun_safe
        self.on_unknown = "rerun" if rerun_safe else "ask"
        if inspect.iscoroutinefunction(function):
            self.run = self._run_async  # type: ignore[method-assign]
        else:
            self.run = self._run_sync  # type: ignore[method-assign]

    def _run_sync(self, attempt: Attempt) -> Any:
        return self.function(dict(attempt.parameters))

    async def _run_async(self, attempt: Attempt) -> Any:
        return await self.function(dict(attempt.parameters))


class Metric:
    """Fetches the value of one metric (as Ax's ``IMetric``).

    Attributes:
        name: The metric's name; it must match the objective, constraint or tracking metric it stands for.
        call_deadline_s: Seconds that one fetch may take.
        retry: How flaky fetches are made again.
    """

    call_deadline_s: float = 300.0
    retry: RetryPolicy = RetryPolicy()

    def __init__(self, name: str) -> None:
        self.name = name

    def fetch(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> Any:
        """The metric's value: ``(progression, mean)`` or ``(progression, (mean, sem))``; a bare number is accepted.

        Units are the metric's own; *trial_metadata* is what ``run_trial`` returned.
        """
        raise NotImplementedError(f"{type(self).__name__} has no fetch")
