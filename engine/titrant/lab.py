"""The runners and metrics of a session: put to work, watched, connected, and brought into safety."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

import anyio

from titrant.actors import mail
from titrant.actors.holding import Holdings
from titrant.actors.instrument import Instrument
from titrant.actors.metric import MetricActor
from titrant.actors.runner import RunnerActor
from titrant.errors import ActorError, LogError
from titrant.messages import commands as c
from titrant.model.observation import Readings
from titrant.model.space import SearchSpace
from titrant.ports import Metric
from titrant.rules.state import State
from titrant.runtime.clock import Clock
from titrant.runtime.diagnostics import Logger
from titrant.runtime.mailbox import Answer, Mailbox
from titrant.runtime.supervision import Child, describe

T = TypeVar("T")
log = Logger(__name__)

HALT_DEADLINE_S = 30.0
"""How long ``safe_state`` of one runner may take before a halt counts it as failed."""


class Office(Protocol):
    """What the lab needs of the engine around it."""

    clock: Clock

    @property
    def state(self) -> State:
        """The newest durable state."""

    async def do(self, command: c.Command, by: c.By = ...) -> State:
        """Have a command decided."""

    async def ask(self, answer: Answer[T], message: Any) -> T:
        """Send the supervisor a question and await its answer."""

    def watch(self, child: Child, escalate: Callable[[str, str], Awaitable[None]]) -> None:
        """Run an actor, start it anew when it fails, and say when it is given up."""

    def read_result(self, data: Any, progression: float | None) -> Readings:
        """What an instrument told, as far as it can be read."""


class Lab:
    """Everything that trials are carried out and measured with.

    Args:
        office: The engine.
        supervisor: Where actors report.
        holdings: What keeps runners and metrics entered.
    """

    def __init__(self, office: Office, *, supervisor: Mailbox[Any], holdings: Holdings) -> None:
        self._office = office
        self._supervisor = supervisor
        self._holdings = holdings
        self.instruments: dict[str, Instrument] = {}
        self._runner_boxes: dict[str, Mailbox[Any]] = {}
        self._metric_boxes: dict[str, Mailbox[Any]] = {}
        self._metrics: tuple[Metric, ...] = ()

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The metrics that can be fetched in this session."""
        return tuple(self._metric_boxes)

    async def use_runners(self, runners: Sequence[Any], by: c.By) -> None:
        """Put these runners in the place of those before."""
        office = self._office
        instruments = [Instrument(runner, clock=office.clock, read_data=office.read_result) for runner in runners]
        if office.state.experiment is not None:
            for instrument in instruments:
                instrument.check_space(office.state.experiment.space)
        await office.do(c.ConfigureRunners(runners=tuple(instrument.spec for instrument in instruments)), by)
        for box in self._runner_boxes.values():
            box.close()
        self.instruments = {instrument.spec.name: instrument for instrument in instruments}
        self._runner_boxes = {}
        for name, instrument in self.instruments.items():
            instrument.halted = office.state.halted is not None
            actor = RunnerActor(instrument, supervisor=self._supervisor, clock=office.clock)
            self._runner_boxes[name] = actor.mailbox
            office.watch(actor, self._runner_failed)
        await self._connect()

    async def use_metrics(self, metrics: Sequence[Metric], by: c.By) -> None:
        """Put these metrics in the place of those before."""
        office = self._office
        await office.do(c.ConfigureMetrics(names=tuple(metric.name for metric in metrics)), by)
        for box in self._metric_boxes.values():
            box.close()
        self._metric_boxes = {}
        self._metrics = tuple(metrics)
        for metric in metrics:
            actor = MetricActor(metric, supervisor=self._supervisor, clock=office.clock)
            self._metric_boxes[metric.name] = actor.mailbox
            office.watch(actor, self._metric_failed)
        await self._connect()

    def check_space(self, space: SearchSpace) -> None:
        """Ask every runner whether it can carry out trials of *space*.

        Raises:
            ConfigurationError: One cannot; it says why.
        """
        for instrument in self.instruments.values():
            instrument.check_space(space)

    async def make_ready(self) -> None:
        """Check the space with the runners, and enter runners and metrics that are context managers.

        Raises:
            TitrantError: A runner cannot carry out such trials, or something cannot be connected; nothing was begun.
        """
        if self._office.state.experiment is not None:
            self.check_space(self._office.state.experiment.space)
        runners = {f"runner {name!r}": instrument.runner for name, instrument in self.instruments.items()}
        await self._holdings.enter(runners | {f"metric {metric.name!r}": metric for metric in self._metrics})

    async def safe_states(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Bring every instrument into a safe state, all at once; names of those that did and that failed to."""
        reached: list[str] = []
        failed: list[str] = []

        async def one(name: str, instrument: Instrument) -> None:
            try:
                with anyio.fail_after(HALT_DEADLINE_S):
                    if await instrument.safe_state():
                        reached.append(name)
            except Exception as exc:  # noqa: BLE001  # the runner is foreign code, and the others must go on
                failed.append(name)
                log.error("safe_state.failed", runner=name, reason=describe(exc))

        async with anyio.create_task_group() as tasks:
            for name, instrument in self.instruments.items():
                tasks.start_soon(one, name, instrument)
        return tuple(sorted(reached)), tuple(sorted(failed))

    async def halt(self, by: c.By) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Safe state everywhere, past mailboxes and log; latched first, recorded afterwards."""
        for instrument in self.instruments.values():
            instrument.halted = True
        reached, failed = await self.safe_states()
        try:
            with anyio.fail_after(HALT_DEADLINE_S):
                await self._office.do(c.RecordHalt(reached=reached, failed=failed), by)
        except (TimeoutError, LogError) as exc:
            log.error("halt.not_recorded", reason=describe(exc))
        return reached, failed

    def release_halt(self) -> None:
        """Let runners be used again, after the reset is in the log."""
        for instrument in self.instruments.values():
            instrument.halted = False

    def close(self) -> None:
        """Send nothing to runners and metrics any more; what runs goes on by itself."""
        for box in (*self._runner_boxes.values(), *self._metric_boxes.values()):
            box.close()

    def leave(self) -> None:
        """Leave what was entered: once no actor can be stopping a trial any more."""
        self._holdings.leave()

    async def _connect(self) -> None:
        answer: Answer[None] = Answer()
        message = mail.Connect(runners=self._runner_boxes, metrics=self._metric_boxes, answer=answer)
        await self._office.ask(answer, message)
        await self._holdings.keep([*(one.runner for one in self.instruments.values()), *self._metrics])

    async def _runner_failed(self, name: str, reason: str) -> None:
        runner = name.removeprefix("runner:")
        self._runner_boxes[runner].close(ActorError(reason))
        await self._office.do(c.QuarantineRunner(name=runner, reason=reason, lost=True))

    async def _metric_failed(self, name: str, reason: str) -> None:
        self._metric_boxes[name.removeprefix("metric:")].close(ActorError(reason))
        log.error("metric.given_up", metric=name, reason=reason)
