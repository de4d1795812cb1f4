"""A user's runner behind one face: Ax's polled shape or the pushed one, sync or async, under deadlines."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

import msgspec

from titrant.errors import ConfigurationError, NeverSeen, OutcomeUnknown, RunnerError, TitrantError
from titrant.model.experiment import RunnerSpec
from titrant.model.expressions import plain
from titrant.model.observation import Readings
from titrant.model.space import SearchSpace
from titrant.model.trial import Attempt, Parameterization
from titrant.ports import Declarations, PushedRunner, Record, Report, Result, Runner
from titrant.runtime.calls import RetryPolicy, call
from titrant.runtime.clock import Clock

_STATUSES = {
    "CANDIDATE": "running",
    "STAGED": "running",
    "DISPATCHED": "running",
    "SUBMITTING": "running",
    "RUNNING": "running",
    "COMPLETED": "completed",
    "EARLY_STOPPED": "completed",
    "FAILED": "failed",
    "ABANDONED": "abandoned",
    "STALE": "abandoned",
}

AMBIGUOUS = (TimeoutError, ConnectionResetError, ConnectionAbortedError, BrokenPipeError, EOFError, OutcomeUnknown)
"""Exceptions that leave open whether a submission reached the instrument."""


class Instrument:
    """One runner, with what it declares read once; methods that are missing are known to be missing.

    Args:
        runner: The user's object.
        clock: The engine's clock.
        read_data: Reads what the instrument tells, as far as it can (it knows the objective's metrics).

    Raises:
        ConfigurationError: The object has neither shape.
    """

    def __init__(self, runner: Any, *, clock: Clock, read_data: Callable[[Any, float | None], Readings]) -> None:
        self.runner = runner
        self.halted = False
        self.ambiguous = AMBIGUOUS
        self._clock = clock
        self.read_data = read_data
        self.pushed = _defined(runner, "run") and not _defined(runner, "run_trial")
        if not self.pushed:
            lacking = [name for name in ("run_trial", "poll_trial") if not _defined(runner, name)]
            if lacking:
                raise ConfigurationError(
                    f"{type(runner).__name__} is no runner: it lacks {' and '.join(lacking)} (or one coroutine "
                    "run(attempt)); see titrant.Runner and titrant.PushedRunner"
                )
        self.has_reattach = _defined(runner, "reattach")
        self.spec = self._declared()
        self._call_deadline: float = self._get("call_deadline_s")
        self._run_deadline: float | None = self._get("run_deadline_s")
        self._floor: float = self._get("min_seconds_between_polls")
        self.read_retry: RetryPolicy = self._get("retry")
        never = (*self.read_retry.never, OutcomeUnknown, NeverSeen)  # answers: asking again would change nothing
        self.submit_retry = msgspec.structs.replace(self.read_retry, never=never)

    def _get(self, name: str) -> Any:
        return getattr(self.runner, name, getattr(Declarations, name))

    def _declared(self) -> RunnerSpec:
        runner = self.runner
        capacity = self._get("capacity")
        # A polled runner can be asked about a running trial by its metadata, as Ax does after a restart.
        status = getattr(runner, "can_report_status", not self.pushed)
        return RunnerSpec(
            name=self._get("name") or type(runner).__name__,
            capacity=capacity() if callable(capacity) else capacity,
            honours_keys=self._get("honours_keys"),
            can_report_status=bool(status) and (self.has_reattach or not self.pushed),
            rerun_safe=self._get("rerun_safe"),
            can_stop=_defined(runner, "stop_trial") or _defined(runner, "stop"),
            absence_is_proof=self._get("absence_is_proof"),
            on_unknown=self._get("on_unknown"),
        )

    @property
    def safe_to_repeat(self) -> bool:
        """Whether submitting again cannot make the trial run twice with harm."""
        return self.spec.honours_keys or self.spec.rerun_safe

    def poll_interval(self, configured: float, lasted: float) -> float:
        """Seconds until the next poll: as configured, but never more than 2 % of *lasted* late, never below the floor.

        Args:
            configured: ``initial_seconds_between_polls``.
            lasted: Seconds the trial has lasted or is expected to last, whichever is more.
        """
        return max(min(configured, 0.02 * lasted), min(self._floor, max(configured, 0.005)))

    async def submit(self, attempt: Attempt) -> dict[str, Any]:
        """Call ``run_trial`` and check its metadata."""
        method = self.runner.run_trial
        extra = {"attempt": attempt} if "attempt" in inspect.signature(method).parameters else {}
        metadata = await self._call(
            method, attempt.trial, dict(attempt.parameters), what=f"run_trial of trial {attempt.trial}", **extra
        )
        return self._metadata(metadata, "run_trial", attempt.trial)

    async def poll(self, trial: int, metadata: Mapping[str, Any]) -> tuple[str, str | None]:
        """Call ``poll_trial``; ``("running" | "completed" | "failed" | "abandoned", reason)``.

        Raises:
            RunnerError: The answer is no trial status.
        """
        answer = await self._call(self.runner.poll_trial, trial, dict(metadata), what=f"poll_trial of trial {trial}")
        status, reason = answer if isinstance(answer, tuple) and len(answer) == 2 else (answer, None)
        name = status.name if isinstance(status, Enum) else str(status).upper()
        if name not in _STATUSES:
            raise RunnerError(
                f"poll_trial of runner {self.spec.name!r} returned {answer!r} for trial {trial}: "
                "return a TrialStatus such as TrialStatus.RUNNING or TrialStatus.COMPLETED"
            )
        return _STATUSES[name], reason

    async def executed(self, trial: int, metadata: Mapping[str, Any]) -> Parameterization:
        """Ask a polled runner that can say it what was not carried out as planned.

        Raises:
            RunnerError: The answer is no mapping of names to values.
        """
        if not _defined(self.runner, "executed"):
            return {}
        answer = await self._call(self.runner.executed, trial, dict(metadata), what=f"executed of trial {trial}")
        return self.read_executed(answer, trial)

    def read_executed(self, answer: Any, trial: int) -> Parameterization:
        """What a runner says it executed, as plain values.

        Raises:
            RunnerError: It is no mapping of names to values.
        """
        values = {name: plain(value) for name, value in answer.items()} if isinstance(answer, Mapping) else answer
        if values is None:
            return {}
        if not isinstance(values, dict) or not all(
            isinstance(name, str) and isinstance(value, bool | int | float | str) for name, value in values.items()
        ):
            raise RunnerError(
                f"runner {self.spec.name!r} says that {answer!r} was executed in trial {trial}: "
                "give a dict of parameter names and values (or None where all was carried out as planned)"
            )
        return values

    def check_space(self, space: SearchSpace) -> None:
        """Let a runner that can tell say whether it can carry out trials of *space*.

        Raises:
            ConfigurationError: It cannot, and why.
        """
        if not _defined(self.runner, "check_space"):
            return
        try:
            self.runner.check_space(space)
        except TitrantError:
            raise
        except Exception as exc:
            raise ConfigurationError(f"runner {self.spec.name!r} cannot check the search space: {exc!r}") from exc

    async def run(self, attempt: Attempt, *, report: Report, record: Record) -> Result:
        """Await a pushed run, giving it what its signature asks for."""
        what = f"run of trial {attempt.trial} on {self.spec.name!r}"
        return await self._awaited(self.runner.run, attempt, what, report=report, record=record)

    async def rejoin(self, attempt: Attempt, *, report: Report, record: Record) -> Result:
        """Await a pushed run that an earlier process began, giving ``reattach`` what its signature asks for."""
        what = f"reattach of trial {attempt.trial} on {self.spec.name!r}"
        return await self._awaited(self.runner.reattach, attempt, what, report=report, record=record)

    async def _awaited(self, method: Callable[..., Any], attempt: Attempt, what: str, **offered: Any) -> Result:
        asked = inspect.signature(method).parameters
        extra = {name: value for name, value in offered.items() if name in asked}
        deadline = self._run_deadline
        return _result(await call(method, attempt, clock=self._clock, deadline_s=deadline, what=what, **extra))

    async def reattach(self, attempt: Attempt) -> dict[str, Any]:
        """Ask a polled runner for the metadata of an attempt.

        Raises:
            NeverSeen: The instrument does not know it.
        """
        metadata = await self._call(self.runner.reattach, attempt, what=f"reattach of trial {attempt.trial}")
        return self._metadata(metadata, "reattach", attempt.trial)

    async def stop(self, attempt: Attempt) -> None:
        """Stop an attempt."""
        if _defined(self.runner, "stop_trial"):
            metadata = dict(attempt.metadata or {})
            await self._call(self.runner.stop_trial, attempt.trial, metadata, what=f"stop of trial {attempt.trial}")
        else:
            await self._call(self.runner.stop, attempt, what=f"stop of trial {attempt.trial}")

    async def settled(self, attempt: Attempt) -> None:
        """Tell a runner that wants to know that an attempt of which it knew nothing is over."""
        if _defined(self.runner, "settled"):
            await self._call(self.runner.settled, attempt, what=f"settled of trial {attempt.trial}")

    async def safe_state(self) -> bool:
        """Bring the instrument into a safe state; False if the runner has no way to."""
        if not _defined(self.runner, "safe_state"):
            return False
        await self._call(self.runner.safe_state, what=f"safe_state of {self.spec.name!r}")
        return True

    async def _call(self, function: Callable[..., Any], *args: Any, what: str, **kwargs: Any) -> Any:
        return await call(function, *args, clock=self._clock, deadline_s=self._call_deadline, what=what, **kwargs)

    def recorded(self, metadata: Any, trial: int) -> dict[str, Any]:
        """What a pushed run wants recorded before it starts, as the log will give it back.

        Raises:
            RunnerError: The log cannot hold it.
        """
        try:
            return self._metadata(metadata, "record", trial)
        except OutcomeUnknown as exc:  # nothing was started
            raise RunnerError(str(exc)) from exc

    def _metadata(self, metadata: Any, method: str, trial: int) -> dict[str, Any]:
        """Metadata must be a JSON mapping, since the log keeps it; the trial has started, so nothing is thrown away."""
        if metadata is None:
            return {}
        if not isinstance(metadata, Mapping):
            raise OutcomeUnknown(
                f"{method} of runner {self.spec.name!r} returned {type(metadata).__name__} for trial {trial}: "
                "return a dict of JSON values that identifies the trial (or nothing)"
            )
        try:
            decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(dict(metadata)))
        except (TypeError, ValueError, msgspec.MsgspecError) as exc:
            raise OutcomeUnknown(
                f"{method} of runner {self.spec.name!r} gave metadata that JSON cannot hold for trial {trial}: {exc}"
            ) from exc
        return decoded


_LEFT_OPEN = (Runner.run_trial, Runner.poll_trial, PushedRunner.run)


def _defined(runner: Any, name: str) -> bool:
    """Whether the user wrote the method: the bodies that titrant's and Ax's base classes leave open do not count."""
    method = getattr(runner, name, None)
    function = getattr(method, "__func__", method)
    module = getattr(function, "__module__", "") or ""
    return callable(function) and function not in _LEFT_OPEN and not module.startswith("ax.")


def _result(value: Any) -> Result:
    return value if isinstance(value, Result) else Result(data=value)
