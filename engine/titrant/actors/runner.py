"""A runner's actor: carries attempts out on one instrument, polls it, stops trials, finds attempts again.

Every attempt is a task of its own, so that a slow call holds up only its trial.  What the runner's code raises is
translated here: into "never started", "failed" or "may have run".
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import anyio
import anyio.abc

from titrant.actors.instrument import Instrument
from titrant.actors.mail import Do, Reattach, Settled, StopTrial, Submit
from titrant.errors import ActorStopped, DeadlineExceeded, NeverSeen, OutcomeUnknown, RunnerError, SubmissionRefused
from titrant.messages import commands as c
from titrant.model.observation import Readings
from titrant.model.trial import Attempt, Parameterization
from titrant.ports import Result
from titrant.rules.state import State
from titrant.runtime.calls import retrying
from titrant.runtime.clock import Clock
from titrant.runtime.crash_points import crash_point
from titrant.runtime.diagnostics import Logger
from titrant.runtime.mailbox import Answer, Mailbox
from titrant.runtime.supervision import describe

log = Logger(__name__)

STOP_SECONDS = 30.0
"""How long the engine, when it is closed, waits for stops that are under way."""


class RunnerActor:
    """Holds one ``Instrument``; ``halted`` is the latch that no mailbox stands before."""

    def __init__(self, instrument: Instrument, *, supervisor: Mailbox[Do], clock: Clock) -> None:
        self.instrument = instrument
        self.name = f"runner:{instrument.spec.name}"
        self.mailbox: Mailbox[Submit | Reattach | StopTrial | Settled] = Mailbox(self.name, 65_536)
        self._supervisor = supervisor
        self._clock = clock
        self._under_way: dict[int, anyio.CancelScope] = {}
        self._stopping: set[anyio.CancelScope] = set()
        self._expected_s = 0.0

    async def run(self) -> None:
        """Take requests until the mailbox is closed; then the attempts' tasks end, the instruments go on."""
        async with anyio.create_task_group() as tasks:
            while True:
                try:
                    message = await self.mailbox.receive()
                except ActorStopped:
                    break
                match message:
                    case Submit(attempt=attempt):
                        tasks.start_soon(self._watched, attempt, self._carry_out, message)
                    case Reattach(attempt=attempt):
                        tasks.start_soon(self._watched, attempt, self._find_again, message)
                    case StopTrial():
                        tasks.start_soon(self._stop, message)
                    case Settled(attempt=attempt):
                        tasks.start_soon(self._settled, attempt)
            for scope in self._stopping:
                scope.deadline = anyio.current_time() + STOP_SECONDS
            tasks.cancel_scope.cancel()

    async def _watched(self, attempt: Attempt, work: Any, message: Submit | Reattach) -> None:
        """One attempt from submission to end, inside a scope that a stop can cancel."""
        with anyio.CancelScope() as scope:
            self._under_way[attempt.trial] = scope
            try:
                await work(message)
            finally:
                if self._under_way.get(attempt.trial) is scope:
                    del self._under_way[attempt.trial]

    # --- submitting -------------------------------------------------------------------------------------------------

    async def _carry_out(self, message: Submit | Reattach) -> None:
        attempt = message.attempt
        if self.instrument.halted:
            await self._report(attempt, c.ReportNeverStarted, reason="the experiment was halted before it started")
            return
        if self.instrument.pushed:
            await self._report(attempt, c.ReportRunning, metadata={})
            await self._await_run(attempt, message.ttl_seconds)
            return
        try:
            metadata = await self._submit(attempt)
        except OutcomeUnknown as exc:
            await self._report(attempt, c.ReportLost, reason=describe(exc))
        except Exception as exc:  # noqa: BLE001  # the runner is foreign code
            await self._report(attempt, c.ReportNeverStarted, reason=f"it could not be submitted: {describe(exc)}")
        else:
            crash_point("runner.submitted")
            await self._report(attempt, c.ReportRunning, metadata=metadata)
            await self._poll(attempt, metadata, message.poll_seconds)

    async def _submit(self, attempt: Attempt) -> dict[str, Any]:
        """Call ``run_trial``, again with the same key where that is safe.

        Raises:
            OutcomeUnknown: The trial may have started.
        """
        instrument = self.instrument

        async def once() -> dict[str, Any]:
            crash_point("runner.submit.before")
            try:
                return await instrument.submit(attempt)
            except RunnerError:
                raise
            except Exception as exc:
                if isinstance(exc, instrument.ambiguous) and not instrument.safe_to_repeat:
                    raise OutcomeUnknown(f"the submission broke off: {describe(exc)}") from exc
                raise

        async def failed(made: int, exc: Exception, delay: float) -> None:
            await self._report(attempt, c.ReportRetry, retry=made, reason=describe(exc), delay_seconds=delay)

        policy = instrument.submit_retry
        result: dict[str, Any] = await retrying(once, policy=policy, key=attempt.key, failed=failed)
        return result

    # --- polled and pushed runs -------------------------------------------------------------------------------------

    async def _poll(self, attempt: Attempt, metadata: dict[str, Any], poll_seconds: float) -> None:
        """Poll until the trial is over; every wait is bounded by 2 % of what the trial has lasted or should last."""
        instrument = self.instrument
        began = anyio.current_time()

        async def once() -> tuple[str, str | None]:
            return await instrument.poll(attempt.trial, metadata)

        while True:
            try:
                status, reason = await retrying(once, policy=instrument.read_retry, key=f"{attempt.key}/poll")
            except Exception as exc:  # noqa: BLE001  # the runner is foreign code
                await self._report(attempt, c.ReportLost, reason=f"it cannot be polled: {describe(exc)}")
                return
            elapsed = anyio.current_time() - began
            if status != "running":
                if status == "completed":
                    self._expected_s = elapsed if not self._expected_s else 0.8 * self._expected_s + 0.2 * elapsed
                executed = await self._executed(attempt, metadata)
                crash_point("runner.finished")
                await self._report(attempt, c.ReportFinished, status=status, reason=reason, executed=executed)
                return
            await anyio.sleep(instrument.poll_interval(poll_seconds, max(elapsed, self._expected_s)))

    async def _executed(self, attempt: Attempt, metadata: dict[str, Any]) -> Parameterization:
        """What a polled runner says it executed; where that fails a note says so, and the result is not lost."""

        async def once() -> Parameterization:
            return await self.instrument.executed(attempt.trial, metadata)

        try:
            told: Parameterization = await retrying(
                once, policy=self.instrument.read_retry, key=f"{attempt.key}/executed"
            )
        except Exception as exc:  # noqa: BLE001  # the runner is foreign code
            await self._send(c.AddNote(trial=attempt.trial, text=f"what was executed is not known: {describe(exc)}"))
            return {}
        return told

    async def _finished(self, attempt: Attempt, result: Result, told: Readings) -> None:
        """Report the end of a pushed run."""
        await self._keep_unread(attempt, told)
        if told.unread and not told.observations and result.status == "completed":
            # Of no use as it is, and no fault of the conditions: the failure rate stops a run of such trials.
            why = f"nothing of its data could be read: {told.unread}"
            await self._report(attempt, c.ReportFinished, status="failed", reason=why, informative=False)
            return
        executed: Parameterization = {}
        try:
            executed = self.instrument.read_executed(result.executed, attempt.trial)
        except RunnerError as exc:
            await self._send(c.AddNote(trial=attempt.trial, text=f"what was executed is not known: {exc}"))
        await self._report(
            attempt,
            c.ReportFinished,
            status=result.status,
            reason=result.reason,
            observations=told.observations,
            executed=executed,
        )

    async def _await_run(self, attempt: Attempt, ttl_seconds: float | None) -> None:
        """Await a pushed run; its deadline is the runner's own, the trial's time to live is the supervisor's."""
        crash_point("runner.submit.before")

        try:
            result = await self._run(attempt)
            told = self.instrument.read_data(result.data, None)
        except (OutcomeUnknown, DeadlineExceeded) as exc:
            await self._report(attempt, c.ReportLost, reason=describe(exc))
        except NeverSeen as exc:
            await self._never_seen(attempt, describe(exc))
        except Exception as exc:  # noqa: BLE001  # the runner is foreign code
            await self._report(attempt, c.ReportFinished, status="failed", reason=describe(exc))
        else:
            crash_point("runner.finished")
            await self._finished(attempt, result, told)

    async def _report_data(self, attempt: Attempt, data: Any, progression: float | None) -> None:
        told = self.instrument.read_data(data, progression)
        await self._keep_unread(attempt, told)
        if told.observations:
            await self._send(c.AttachData(trial=attempt.trial, observations=told.observations))

    async def _keep_unread(self, attempt: Attempt, told: Readings) -> None:
        """What cannot be read was measured all the same: a note keeps it."""
        if told.unread:
            await self._send(c.AddNote(trial=attempt.trial, text=f"not read of what was measured: {told.unread}"))

    async def _record(self, attempt: Attempt, metadata: Mapping[str, Any]) -> None:
        """Have metadata of a pushed run in the log; it returns once they are durable.

        Raises:
            SubmissionRefused: The trial is not to be carried out any more.
            RunnerError: The log cannot hold them.
        """
        kept = self.instrument.recorded(metadata, attempt.trial)
        answer: Answer[State] = Answer()
        running = c.ReportRunning(trial=attempt.trial, attempt=attempt.number, metadata=kept)
        await self._supervisor.send(Do(command=running, by=c.By(self.name), answer=answer))
        trial = (await answer.wait()).open.get(attempt.trial)
        crash_point("runner.recorded")
        wanted = trial is not None and trial.attempt == attempt.number and trial.metadata == kept
        if self.instrument.halted or not wanted or (trial is not None and trial.stop_requested):
            raise SubmissionRefused("the trial is not to be started any more")

    async def _run(self, attempt: Attempt) -> Result:
        """Await ``run``; it is called again after a refusal, and where keys are honoured after a line that broke.

        Raises:
            OutcomeUnknown: The trial may still be running.
        """
        instrument = self.instrument
        made = 0
        report, record = partial(self._report_data, attempt), partial(self._record, attempt)
        while True:
            try:
                return await instrument.run(attempt, report=report, record=record)
            except Exception as exc:
                refused = isinstance(exc, SubmissionRefused)
                if not refused and (isinstance(exc, RunnerError | DeadlineExceeded) or not self._broken_off(exc)):
                    raise
                made += 1
                again = (refused or instrument.spec.honours_keys) and not instrument.halted
                if not again or not instrument.submit_retry.again(made, exc):
                    if refused:
                        raise
                    raise OutcomeUnknown(f"the line to the instrument broke: {describe(exc)}") from exc
                delay = instrument.submit_retry.delay(made, attempt.key)
                await self._report(attempt, c.ReportRetry, retry=made, reason=describe(exc), delay_seconds=delay)
                await anyio.sleep(delay)

    def _broken_off(self, exc: Exception) -> bool:
        """Whether a run that raised *exc* may still be under way, and twice would do harm."""
        spec, broken = self.instrument.spec, isinstance(exc, self.instrument.ambiguous)
        return not spec.rerun_safe and (broken or (spec.honours_keys and isinstance(exc, OSError)))

    # --- after a restart --------------------------------------------------------------------------------------------

    async def _find_again(self, message: Submit | Reattach) -> None:
        """Ask the instrument what became of an attempt, and see it to its end."""
        attempt = message.attempt
        instrument = self.instrument
        crash_point("runner.reattach.before")
        if instrument.pushed and instrument.has_reattach:
            await self._report(attempt, c.ReportReattached)
            await self._await_reattached(attempt)
            return
        if attempt.metadata is not None and not instrument.has_reattach:
            await self._report(attempt, c.ReportReattached)
            await self._poll(attempt, attempt.metadata, message.poll_seconds)
            return
        if not instrument.has_reattach:  # nobody was asked, so nothing is proved
            reason = "the runner has no reattach method and cannot say what became of it"
            await self._report(attempt, c.ReportLost, reason=reason)
            return

        async def once() -> dict[str, Any]:
            return await instrument.reattach(attempt)

        try:
            metadata = await retrying(once, policy=instrument.submit_retry, key=f"{attempt.key}/reattach")
        except NeverSeen as exc:
            await self._never_seen(attempt, describe(exc))
        except Exception as exc:  # noqa: BLE001  # the runner is foreign code
            await self._report(attempt, c.ReportLost, reason=f"the instrument cannot be reached: {describe(exc)}")
        else:
            if attempt.metadata is None:
                await self._report(attempt, c.ReportRunning, metadata=metadata)
            else:
                await self._report(attempt, c.ReportReattached)
            await self._poll(attempt, metadata, message.poll_seconds)

    async def _await_reattached(self, attempt: Attempt) -> None:
        report, record = partial(self._report_data, attempt), partial(self._record, attempt)
        try:
            result = await self.instrument.rejoin(attempt, report=report, record=record)
            told = self.instrument.read_data(result.data, None)
        except NeverSeen as exc:
            await self._never_seen(attempt, describe(exc))
        except Exception as exc:  # noqa: BLE001  # the runner is foreign code
            await self._report(attempt, c.ReportLost, reason=describe(exc))
        else:
            await self._finished(attempt, result, told)

    async def _never_seen(self, attempt: Attempt, why: str) -> None:
        """The instrument does not know the attempt: proof that it never started, or no proof of anything."""
        if self.instrument.spec.absence_is_proof:
            await self._carry_out(Submit(attempt=attempt, poll_seconds=1.0))
        else:
            await self._report(attempt, c.ReportLost, reason=f"the instrument does not know it: {why}")

    # --- stopping ---------------------------------------------------------------------------------------------------

    async def _stop(self, message: StopTrial) -> None:
        """Stop on the instrument first, then stop watching; a stop that fails is said, never hidden.

        What was announced is done even if the engine is closed meanwhile.
        """
        attempt = message.attempt
        crash_point("runner.stop.before")
        said = "it was not stopped in time: it may still be running"
        with anyio.CancelScope(shield=True) as stopping:
            self._stopping.add(stopping)
            try:
                said = await self._stop_instrument(attempt)
                if message.lost:
                    await self._make_safe()
            finally:
                self._stopping.discard(stopping)
        scope = self._under_way.get(attempt.trial)
        if scope is not None:
            scope.cancel()
        crash_point("runner.stop.after")
        await self._report(attempt, c.ReportStopped, reason=said)

    async def _stop_instrument(self, attempt: Attempt) -> str:
        """What there is to say of it; empty when all went well."""
        try:
            if self.instrument.spec.can_stop:
                await self.instrument.stop(attempt)
            elif not self.instrument.pushed:
                return "the runner cannot stop it: it may still be running"
        except Exception as exc:  # noqa: BLE001  # the runner is foreign code
            return f"stopping failed: {describe(exc)}: it may still be running"
        return ""

    async def _make_safe(self) -> None:
        try:
            await self.instrument.safe_state()
        except Exception as exc:  # noqa: BLE001  # the runner is foreign code; the trial is a person's in any case
            log.error("safe_state.failed", runner=self.instrument.spec.name, reason=describe(exc))

    async def _settled(self, attempt: Attempt) -> None:
        try:
            await self.instrument.settled(attempt)
        except Exception as exc:  # noqa: BLE001  # the runner is foreign code; the trial is over in any case
            log.error("settled.failed", runner=self.instrument.spec.name, trial=attempt.trial, reason=describe(exc))

    # --- reporting --------------------------------------------------------------------------------------------------

    async def _report(self, attempt: Attempt, command: type, **fields: Any) -> None:
        await self._send(command(trial=attempt.trial, attempt=attempt.number, **fields))

    async def _send(self, command: c.Command) -> None:
        await self._supervisor.send(Do(command=command, by=c.By(self.name)))
