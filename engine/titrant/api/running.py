"""The closed loop: starting it, stopping it, looking on."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, Literal

import anyio
import msgspec

from titrant.api.base import OnEngine, by
from titrant.api.circumstances import Context, begun
from titrant.errors import CommandRefused, FailureRateExceeded, TitrantError
from titrant.log.base import Record
from titrant.messages import commands as c
from titrant.model.experiment import RunOptions
from titrant.model.strategy import Policy
from titrant.rules.running import waiting_for
from titrant.rules.state import State


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """How a call of ``run_trials`` ended.

    Attributes:
        outcome: ``"finished"``, ``"timeout"``, ``"drained"``, ``"stopped"``, ``"halted"``, ``"exhausted"`` (no new
            trial could be made) or ``"stuck"`` (a person must act first).
        reason: The same in a sentence; empty when all went as asked.
        trials_created: New trials of this call.
        failures: Index and reason of the trials that failed or were abandoned.
    """

    outcome: str
    reason: str
    trials_created: int
    failures: tuple[tuple[int, str], ...]


class Running(OnEngine):
    """Trials that runners carry out."""

    async def run_trials(
        self,
        max_trials: int,
        parallelism: int = 1,
        tolerated_trial_failure_rate: float = 0.5,
        initial_seconds_between_polls: float = 1,
        timeout_seconds: float | None = None,
        trial_ttl_seconds: float | None = None,
        min_failed_trials_for_failure_rate_check: int = 5,
        progress: bool | None = None,
        policy: Policy | None = None,
        context: Context | None = None,
    ) -> RunReport:
        """Run a closed loop until *max_trials* new trials are over.

        Trials that were asked for and left, and trials an earlier process left running, are seen to their end as well.

        Args:
            max_trials: New trials of this call.
            parallelism: Trials under way at once, over all runners.
            tolerated_trial_failure_rate: Share of failed trials above which the loop drains and raises.
            initial_seconds_between_polls: How often polled runners are asked; never so seldom that a trial's end is
                noticed more than 2 % of its duration late.
            timeout_seconds: The call returns after this time; trials that run go on and are recorded.
            trial_ttl_seconds: A trial that runs longer is stopped and FAILED.
            min_failed_trials_for_failure_rate_check: Failures before the rate is looked at.
            progress: True shows a live view (plain lines where there is no terminal), False shows nothing; None
                shows it in a terminal only.
            policy: What free slots take in this run (see ``configure_generation_strategy``); as the strategy says
                where None.
            context: What the context parameters are during the run, or a function that reads them before each
                suggestion (called in a thread; where it fails, the run makes no further trials and says why).

        Raises:
            FailureRateExceeded: Too many trials failed; what ran was finished first.
            CommandRefused: Something is not configured, or the experiment is halted.
            ConfigurationError: A runner cannot carry out trials of this search space; nothing was begun.
            RunnerError: A runner or metric cannot be connected; nothing was begun.
            LogError: The log failed; nothing new was started from then on.
        """
        options = RunOptions(
            max_trials=max_trials,
            parallelism=parallelism,
            tolerated_trial_failure_rate=tolerated_trial_failure_rate,
            min_failed_trials_for_failure_rate_check=min_failed_trials_for_failure_rate_check,
            initial_seconds_between_polls=float(initial_seconds_between_polls),
            timeout_seconds=timeout_seconds,
            trial_ttl_seconds=trial_ttl_seconds,
            policy=policy,
            context=await begun(self.engine, self.state, context),
        )
        self._check_ready()
        await self.engine.lab.make_ready()
        failure: TitrantError | None = None
        async with anyio.create_task_group() as tasks:
            if progress or (progress is None and sys.stderr.isatty()):
                from titrant.progress import follow  # noqa: PLC0415  # rich, only where somebody looks

                await tasks.start(follow, self.engine)
            try:
                await self.engine.do(c.StartRun(options=options), by())
                state = await self.engine.await_run()
            except TitrantError as exc:  # kept, or the task group would wrap it
                failure = exc
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure
        return _report(state)

    async def resume(self, progress: bool | None = None, context: Context | None = None) -> RunReport:
        """Finish the run that was interrupted, with its own options and the trials it had left to make.

        Args:
            progress: As in ``run_trials``.
            context: The same; where None, what it was when the run began.
        """
        last = self.state.last_run
        if last is None:
            raise CommandRefused("there is no earlier run to resume: call run_trials")
        options = last.options
        return await self.run_trials(
            max_trials=max(0, options.max_trials - last.created),
            parallelism=options.parallelism,
            tolerated_trial_failure_rate=options.tolerated_trial_failure_rate,
            initial_seconds_between_polls=options.initial_seconds_between_polls,
            timeout_seconds=options.timeout_seconds,
            trial_ttl_seconds=options.trial_ttl_seconds,
            policy=options.policy,
            context=context or options.context,
            min_failed_trials_for_failure_rate_check=options.min_failed_trials_for_failure_rate_check,
            progress=progress,
        )

    def _check_ready(self) -> None:
        """Every metric that is needed must come from somewhere: a metric that fetches it, or a pushed runner."""
        state = self.state
        unconnected = [spec.name for spec in state.runners if spec.name not in self.engine.lab.instruments]
        if unconnected:
            raise CommandRefused(
                f"runner {unconnected[0]!r} is in the log but not connected: call configure_runner "
                "(and configure_metrics) after opening a log"
            )
        silent = [name for name in state.metrics if name not in self.engine.lab.metric_names]
        if silent:
            raise CommandRefused(f"metric {silent[0]!r} is in the log but not connected: call configure_metrics")
        pushed = any(instrument.pushed for instrument in self.engine.lab.instruments.values())
        if state.optimization is not None and not pushed:
            missing = [name for name in state.optimization.metric_names if name not in state.metrics]
            if missing and self.engine.lab.instruments:
                raise CommandRefused(
                    f"no metric fetches {', '.join(map(repr, missing))}, which the objective needs: give "
                    f"configure_metrics a metric of that name (it has {', '.join(map(repr, state.metrics)) or 'none'})"
                )

    async def pause(self, reason: str = "", actor: str | None = None) -> None:
        """Start no new trials; what runs goes on."""
        await self.engine.do(c.Pause(), by(actor, reason))

    async def unpause(self, reason: str = "", actor: str | None = None) -> None:
        """Start new trials again."""
        await self.engine.do(c.Unpause(), by(actor, reason))

    async def drain(self, reason: str = "", actor: str | None = None) -> None:
        """Finish what runs, start nothing new; ``run_trials`` then returns."""
        await self.engine.do(c.Drain(), by(actor, reason))

    async def stop(self, reason: str = "", actor: str | None = None) -> None:
        """Stop what runs, then bring every instrument that can into its safe state; ``run_trials`` returns."""
        await self.engine.do(c.Stop(), by(actor, reason))
        await self.engine.await_run()
        await self.engine.lab.safe_states()

    async def halt(self, reason: str = "", actor: str | None = None) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Safe state everywhere at once, past queues and log; latched until ``reset``.  Not an emergency stop.

        Returns:
            Names of the runners that reached their safe state, and of those that failed to.
        """
        return await self.engine.lab.halt(by(actor, reason))

    async def reset(self, reason: str, actor: str | None = None) -> None:
        """Release the latch of a halt; starts nothing."""
        if not reason.strip():
            refusal = CommandRefused("reset needs a reason: say how you know that the lab is safe")
            await self.refused("Reset", {}, by(actor), refusal)
            raise refusal
        await self.engine.do(c.Reset(), by(actor, reason))
        self.engine.lab.release_halt()

    async def resolve(
        self,
        trial_index: int,
        outcome: Literal["running", "completed", "failed", "abandoned", "rerun"],
        reason: str,
        raw_data: Any = None,
        actor: str | None = None,
    ) -> None:
        """Say what became of an UNKNOWN trial; the reason says how you know."""
        data = await self.observed("Resolve", by(actor, reason), trial_index, raw_data)
        if outcome == "running":  # its runner is asked what became of it
            await self.engine.lab.make_ready()
        command = c.Resolve(trial=trial_index, outcome=outcome, reason=reason, observations=data)
        await self.engine.do(command, by(actor, reason))

    async def restore_runner(self, name: str, reason: str = "", actor: str | None = None) -> None:
        """Use a quarantined runner again."""
        await self.engine.do(c.RestoreRunner(name=name), by(actor, reason))

    async def subscribe(self) -> AsyncIterator[Record]:
        """Yield every event as soon as it is durable, until the client is closed."""
        async with aclosing(self.engine.hub.listen()) as published:
            async for record, _state in published:
                yield record

    async def waiting_for(self) -> str:
        """What the closed loop waits for, as a sentence."""
        return waiting_for(self.state)


def _report(state: State) -> RunReport:
    last = state.last_run
    assert last is not None
    if last.outcome == "failure_rate":
        raise FailureRateExceeded(
            len(last.failures), max(last.taken, 1), last.options.tolerated_trial_failure_rate, last.failures
        )
    return RunReport(outcome=last.outcome, reason=last.reason, trials_created=last.created, failures=last.failures)
