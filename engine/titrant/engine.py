"""The composition root: opens a log, folds it, and runs the actors on it until it is closed."""

from __future__ import annotations

import itertools
import operator
import os
import platform
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any, Self, SupportsIndex, TypeVar

import anyio
import anyio.abc

from titrant import mint
from titrant.actors import mail
from titrant.actors.generator import GeneratorActor, Worker
from titrant.actors.holding import Holdings
from titrant.actors.log_writer import LogWriter
from titrant.actors.mail import Do
from titrant.actors.supervisor import Supervisor
from titrant.errors import ConfigurationError, LogError, LogExists, LogMissing, LogUnavailable, TitrantError
from titrant.generators.base import Examination, PredictionReply
from titrant.generators.process import WorkerProcess
from titrant.hub import Hub
from titrant.lab import Lab
from titrant.log.base import EventLog
from titrant.log.memory import MemoryLog
from titrant.log.snapshots import load_state, pack
from titrant.messages import commands as c
from titrant.model.insight import Insight
from titrant.model.observation import Observation, Readings, observations, readings
from titrant.model.trial import Parameterization
from titrant.rules.state import State
from titrant.runtime.clock import Clock, clock_of_running_loop
from titrant.runtime.diagnostics import Logger
from titrant.runtime.mailbox import Answer, Mailbox
from titrant.runtime.supervision import Child, Intensity, describe, supervise
from titrant.runtime.threads import run_in_thread

T = TypeVar("T")
log = Logger(__name__)


class Engine:
    """One experiment at work.

    Args:
        path: Where the log is; None keeps it in memory.
        create: True to begin a new log at *path*, False to go on with the one there.
        seed: Seed of a new experiment; drawn where None.
        make_worker: Makes the generator's workers; worker processes where None.
        intensity: When a failing actor is given up.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        create: bool = True,
        seed: int | None = None,
        make_worker: Callable[[], Worker] | None = None,
        intensity: Intensity = Intensity(),
    ) -> None:
        self.path = path
        self._create = create
        self._seed = seed
        self._make_worker = make_worker or WorkerProcess
        self._intensity = intensity
        self._failure: BaseException | None = None
        self._waiting: set[Answer[Any]] = set()
        self._correlations = itertools.count(1)
        self.hub = Hub()

    async def __aenter__(self) -> Self:
        self.clock: Clock = clock_of_running_loop()
        self.log = await self._open_log()
        try:
            state, seq, last = load_state(self.log)
            self._snapshot_seq = seq
            self.clock = clock_of_running_loop(not_before=last)
            self._build(state, seq)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self.log.close()
            raise
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        self.lab = Lab(self, supervisor=self.supervisor.mailbox, holdings=Holdings(self._tasks))
        self._tasks.start_soon(self._run_actors)
        try:
            await self.do(self._session())
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def _open_log(self) -> EventLog:
        now = self.clock.now()
        log_id = mint.log_id(self._seed if self.clock.virtual else None)
        if self.path is None:
            return MemoryLog(log_id=log_id, now=now, engine=_version())
        from titrant.log.scanning import scan  # noqa: PLC0415  # sqlite3 and aiosqlite only where there is a file
        from titrant.log.sqlite import SqliteLog  # noqa: PLC0415

        # The first event holds the seed.  A log without one, whose maker was killed, is as good as not made.
        if self._create:
            try:
                return await SqliteLog.create(
                    self.path, log_id=log_id, now=now, engine=_version(), outside=self.clock.outside
                )
            except LogExists:
                if next(scan(self.path), None) is not None:
                    raise
        opened = await SqliteLog.open(self.path, now=now, outside=self.clock.outside)
        if opened.head.seq == 0 and not self._create:
            await opened.close()
            raise LogMissing(f"the log at {self.path} has no event yet: make it again, without open")
        return opened

    def _build(self, state: State, seq: int) -> None:
        self.writer = LogWriter(self.log)
        generator_box: Mailbox[Any] = Mailbox("generator")
        self.supervisor = Supervisor(
            state,
            seq=seq,
            clock=self.clock,
            writer=self.writer.mailbox,
            generator=generator_box,
            publish=self.hub.publish,
            epoch=self.log.epoch,
        )
        self.generator = GeneratorActor(self._make_worker, supervisor=self.supervisor.mailbox, clock=self.clock)
        self.generator.mailbox = generator_box

    def _session(self) -> c.OpenSession:
        """Who works on the log from now on; in virtual time nothing of this machine gets into the log."""
        seed = mint.seed() if self._seed is None else self._seed
        if self.clock.virtual:
            return c.OpenSession(engine=_version(), log_id=self.log.log_id, seed=seed)
        return c.OpenSession(
            engine=_version(),
            log_id=self.log.log_id,
            seed=seed,
            host=socket.gethostname(),
            pid=os.getpid(),
            timezone=time.strftime("%z"),
            versions={"python": platform.python_version(), "platform": platform.platform()},
        )

    # --- running the actors -----------------------------------------------------------------------------------------

    async def _run_actors(self) -> None:
        """The log writer and the supervisor stop everything when they fail; the others are started anew."""
        try:
            async with anyio.create_task_group() as self._actors:
                self._actors.start_soon(self.writer.run)
                self._actors.start_soon(self.supervisor.run)
                self._actors.start_soon(self.supervisor.alarm.run)
                self.watch(self.generator, self._generator_failed)
        except BaseExceptionGroup as group:
            lasting = group.split(anyio.get_cancelled_exc_class())[1]
            if lasting is None:
                raise
            self._fail(lasting)
        finally:
            self._fail(None)
            self.lab.leave()  # only now: an actor that ends may still be stopping a trial

    def _fail(self, error: BaseException | None) -> None:
        """Nothing can be decided any more: everyone who waits is told."""
        if self._failure is None:
            cause = _first(error) if error is not None else None
            if isinstance(cause, LogError):
                self._failure = cause
            elif cause is not None:
                self._failure = TitrantError(f"the engine stopped: {describe(cause)}")
                self._failure.__cause__ = cause
            else:
                self._failure = LogUnavailable("the engine is closed")
            if cause is not None:
                log.error("engine.stopped", reason=describe(cause), exc_info=cause)
        for answer in list(self._waiting):
            answer.fail(self._failure)
        self.hub.close(self._failure)

    def watch(self, child: Child, escalate: Callable[[str, str], Awaitable[None]]) -> None:
        """Run an actor, start it anew when it fails, and say when it is given up."""

        async def watched() -> None:
            await supervise(child, intensity=self._intensity, restarted=self._restarted, escalate=escalate)

        self._actors.start_soon(watched)

    async def _restarted(self, name: str, reason: str, restarts: int) -> None:
        await self.do(c.RecordRestart(name=name, reason=reason, restarts=restarts))
        if name == self.generator.name:
            self.supervisor.asking.ask_again()

    async def _generator_failed(self, _name: str, reason: str) -> None:
        await self.supervisor.mailbox.send(mail.GeneratorLost(reason=reason))

    # --- what the client does ---------------------------------------------------------------------------------------

    async def do(self, command: c.Command, by: c.By = c.By(), *, key: str | None = None) -> State:
        """Have a command decided; returns the state once its events are durable.

        Raises:
            CommandRefused: The state does not allow it.
            ConfigurationError: Its values make no sense.
            LogError: The log failed; nothing more is decided.
        """
        answer: Answer[State] = Answer()
        return await self.ask(answer, Do(command=command, by=by, answer=answer, key=key))

    async def ask(self, answer: Answer[T], message: Any, mailbox: Mailbox[Any] | None = None) -> T:
        """Send a question and await its answer, or the engine's failure."""
        if self._failure is not None:
            raise self._failure
        self._waiting.add(answer)
        try:
            await (self.supervisor.mailbox if mailbox is None else mailbox).send(message)
            return await answer.wait()
        finally:
            self._waiting.discard(answer)

    def correlation(self) -> str:
        """A name for a call of several commands, used once in this log."""
        return f"{self.log.epoch}.{next(self._correlations)}"

    @property
    def state(self) -> State:
        """The newest durable state."""
        return self.supervisor.durable

    async def ask_trials(self, count: int, fixed: Parameterization, by: c.By) -> tuple[int, ...]:
        """Make trials for somebody outside the loop.

        Raises:
            ConfigurationError: *count* is no whole number of 0 or more.
        """
        if not isinstance(count, SupportsIndex) or operator.index(count) < 0:
            raise ConfigurationError(f"the number of trials is {count!r}: ask for a whole number of them, 0 or more")
        count = operator.index(count)
        answer: Answer[tuple[int, ...]] = Answer()
        order = mail.AskTrials(count=count, since=anyio.current_time(), fixed=fixed, answer=answer, by=by)
        return await self.ask(answer, order)

    async def await_run(self) -> State:
        """Wait until no run is under way."""
        answer: Answer[State] = Answer()
        return await self.ask(answer, mail.AwaitRun(answer=answer))

    async def predict(self, points: Sequence[Parameterization]) -> PredictionReply:
        """Predict the metrics at *points*."""
        answer: Answer[PredictionReply] = Answer()
        message = mail.Predict(state=self.state, points=tuple(points), answer=answer)
        return await self.ask(answer, message, self.generator.mailbox)

    async def examine(self, request: Examination) -> Insight:
        """Answer a question about the model."""
        answer: Answer[Insight] = Answer()
        message = mail.Examine(request=request, deadline=self.state.strategy.deadline_seconds, answer=answer)
        return await self.ask(answer, message, self.generator.mailbox)

    def warm(self, *, model: bool) -> None:
        """Let the generator get ready in the background."""
        self.generator.mailbox.tell(mail.Warm(model=model))

    def read_data(self, data: Any, progression: float | None) -> tuple[Observation, ...]:
        """Raw data as observations of this experiment's metrics; nothing for None.

        Raises:
            ObservationError: They cannot be read.
        """
        if data is None:
            return ()
        objective, known = self._metrics()
        return observations(data, objective=objective, known=known, progression=progression)

    def read_result(self, data: Any, progression: float | None) -> Readings:
        """What an instrument told, as far as it can be read; nothing for None."""
        if data is None:
            return Readings()
        objective, known = self._metrics()
        return readings(data, objective=objective, known=known, progression=progression)

    def _metrics(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The metrics of the objectives, and all that may be told."""
        state = self.supervisor.state
        needed = state.optimization.metric_names if state.optimization else ()
        objective = state.optimization.objective_metrics if state.optimization else ()
        return objective, (*needed, *state.tracking, *state.metrics)

    # --- the end ----------------------------------------------------------------------------------------------------

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the log go: what runs goes on by itself and is found again at the next opening."""
        with anyio.CancelScope(shield=True):
            if self._failure is None:
                await self._say_goodbye()
        self._tasks.cancel_scope.cancel()
        await self._tasks.__aexit__(None, None, None)
        with anyio.CancelScope(shield=True):
            await self.log.close()

    async def _say_goodbye(self) -> None:
        self.lab.close()
        self.generator.mailbox.close()
        try:
            state = await self.do(c.CloseSession())
            if self.supervisor.durable_seq - self._snapshot_seq >= SNAPSHOT_EVERY:
                packed = await self.clock.outside(lambda: run_in_thread(pack, state))
                await self.log.save_snapshot(self.supervisor.durable_seq, packed)
        except TitrantError as exc:  # the log is as good as it was: what is durable stays, nothing was promised beyond
            log.warning("engine.closed_badly", reason=describe(exc))


SNAPSHOT_EVERY = 1_000
"""Events after which closing the log keeps a snapshot, so that opening it again reads only the tail."""


def _version() -> str:
    return f"titrant {metadata.version('titrant')}"


def _first(error: BaseException) -> BaseException:
    """The first exception inside a group; a log failure before all others."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    found = [_first(inner) for inner in error.exceptions]
    return next((inner for inner in found if isinstance(inner, LogError)), found[0])
