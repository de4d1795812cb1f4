"""The generator's actor: turns what the experiment knows into requests for a worker process, and keeps it alive.

The worker fits models outside the event loop's process: a fit stalls no commit, and a worker that dies takes nothing
with it.  A killed worker is this actor's failure: its supervisor starts it anew and the supervisor asks again.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Protocol, TypeVar

import anyio
import msgspec

from titrant.actors.circumstances import read
from titrant.actors.mail import Do, Examine, Predict, Suggest, Suggested, Warm
from titrant.errors import ActorStopped, GenerationError, GenerationTimeout, WorkerDied
from titrant.generators import wire
from titrant.generators.base import PredictionReply, Reply, Request
from titrant.generators.dispatch import needs_torch
from titrant.generators.requests import (
    Fingerprint,
    fingerprint,
    method_of,
    prediction_request,
    suggestion_request,
)
from titrant.messages.commands import By, RecordGenerationFailure
from titrant.model.experiment import Node
from titrant.model.insight import Insight
from titrant.model.restrictions import Function
from titrant.rules.state import State
from titrant.runtime.clock import Clock
from titrant.runtime.crash_points import crash_point
from titrant.runtime.mailbox import Mailbox
from titrant.runtime.supervision import describe
from titrant.runtime.threads import run_in_thread

T = TypeVar("T")

SAME_WAY = ("sobol", "random", "latin_hypercube")
"""Nodes that find their points as Sobol does: where one of them fails, Sobol would too."""

GRACE_S = 5.0
"""What Sobol has at least where it stands in, even past the deadline: enough to start a worker on a busy machine."""


class Worker(Protocol):
    """A process (or an object in this one) that answers requests; ``call`` blocks and is made in a thread."""

    def start(self) -> None:
        """Begin; returns at once."""

    def call(self, message: Any) -> Any:
        """The answer to a request.

        Raises:
            WorkerDied: The process ended.
            GenerationError: It could not answer.
        """

    def kill(self) -> None:
        """End it now; a ``call`` under way raises ``WorkerDied``."""


class _Late(Exception):
    """The deadline passed: of a call under way, or (``busy``) while others had the worker."""

    def __init__(self, *, busy: bool) -> None:
        super().__init__(": its worker was busy with earlier requests" if busy else "")


class _Answered(msgspec.Struct, frozen=True):
    """A reply, and the request that it answers: not the one that was sent first where another node stood in."""

    request: Request
    fingerprint: Fingerprint
    reply: Reply


class GeneratorActor:
    """Two workers: a light one for designs, up at once, and one that fits models and loads torch if they need it.

    A third one starts with the first question about a model, so that no suggestion has to wait for the answer.

    A request has the strategy's deadline, from when somebody ordered it; the loop's own, from when it gets here.
    Waiting for others' requests and for a worker counts.  When it passes, the worker that is at it is ended (never one
    that is at another's), and Sobol stands in.  Sobol has what is left of the deadline, ``GRACE_S`` at least; when it
    takes longer too, there is no suggestion, and the answer says why.
    """

    name = "generator"

    def __init__(self, make_worker: Callable[[], Worker], *, supervisor: Mailbox[Any], clock: Clock) -> None:
        self.mailbox: Mailbox[Suggest | Predict | Examine | Warm] = Mailbox(self.name)
        self._make_worker = make_worker
        self._supervisor = supervisor
        self._clock = clock
        # By whether they make models; None for the one that is asked about them.
        self._workers: dict[bool | None, Worker] = {}
        self._turns: dict[bool | None, anyio.Lock] = {}
        self.context: Callable[[], Mapping[str, Any]] | None = None
        """Reads the circumstances of a run, where they change; called in a thread before each request of the loop."""
        # What models need, by whether torch is of it: which of both is loaded, or being loaded.
        self._ready: set[bool] = set()
        self._loading: set[bool] = set()

    async def run(self) -> None:
        """Answer requests until the mailbox is closed.

        Raises:
            WorkerDied: A worker process ended; this actor is started anew with others.
        """
        self._turns = {model: anyio.Lock() for model in (False, True, None)}
        self._ready.clear()
        self._loading.clear()
        try:
            async with anyio.create_task_group() as tasks:
                self._tasks = tasks
                while True:
                    try:
                        message = await self.mailbox.receive()
                    except ActorStopped:
                        break
                    tasks.start_soon(self._handle, message)
                tasks.cancel_scope.cancel()
        finally:
            for worker in self._workers.values():
                worker.kill()
            self._workers.clear()

    async def _handle(self, message: Suggest | Predict | Examine | Warm) -> None:
        match message:
            case Warm(model=model, torch=torch):
                self._worker(model=model)
                if model:
                    await self._load_model(torch=torch)
            case Suggest():
                await self._supervisor.send(await self._suggest(message))
            case Predict():
                await self._predict(message)
            case Examine():
                await self._examine(message)

    def _worker(self, *, model: bool | None) -> Worker:
        if model not in self._workers:
            self._workers[model] = self._make_worker()
            self._workers[model].start()
        return self._workers[model]

    async def _suggest(self, ask: Suggest) -> Suggested:
        began = self._clock.now()
        since = anyio.current_time() if ask.since is None else ask.since
        until = since + ask.state.strategy.deadline_seconds
        crash_point("generator.suggest.before")
        try:
            context = await read(ask, self.context, self._clock)
            if context is not None:
                ask = msgspec.structs.replace(ask, fixed={**ask.fixed, **context})
            answered = await self._node_or_stand_in(ask, until)
        except WorkerDied:
            raise
        except GenerationError as exc:
            return Suggested(ask=ask.ask, proposals=(), failure=describe(exc), seconds=self._seconds(began))
        reply = answered.reply
        for fallback in {proposal.fallback for proposal in reply.proposals if proposal.fallback} - {None}:
            await self._record_failure(ask.node, str(fallback))
        crash_point("generator.suggest.after")
        return Suggested(
            ask=ask.ask,
            proposals=reply.proposals,
            short_reason=reply.short_reason,
            seconds=self._seconds(began),
            versions=reply.versions,
            maker=reply.maker,
            request=answered.request,
            fingerprint=answered.fingerprint,
            context=context,
        )

    async def _node_or_stand_in(self, ask: Suggest, until: float) -> _Answered:
        """What the node suggests, or Sobol in its place.

        Raises:
            WorkerDied: A worker ended by itself.
            GenerationError: Neither suggests anything, or not in time.
        """
        model = ask.node == "bo"
        torch = needs_torch(method_of(ask.state, ask.strategy_node))
        deadline = ask.state.strategy.deadline_seconds
        if ask.instead:
            return await self._stand_in(ask, ask.instead, until)
        if anyio.current_time() >= until:
            reason = (
                f"earlier requests, or reading the context, left nothing of {deadline:g} s to ask node {ask.node!r}"
            )
            return await self._stand_in(ask, reason, until)
        if model and ask.in_haste and torch not in self._ready:
            self._tasks.start_soon(partial(self._load_model, torch=torch))
            return await self._stand_in(ask, "the model is still being loaded", until)
        try:
            answered = await self._ask(ask, ask.node, until, model=model)
        except _Late as late:
            reason = f"no suggestion from node {ask.node!r} within {deadline:g} s{late}"
        except WorkerDied:
            raise
        except GenerationError as exc:
            if ask.node in SAME_WAY:
                raise
            reason = describe(exc)
        else:
            self._ready |= {torch} if model else set()
            return answered
        return await self._stand_in(ask, reason, until)

    async def _ask(self, ask: Suggest, node: Node, until: float, *, model: bool) -> _Answered:
        """Have a node's suggestions made, and tell what exactly was asked; raises as ``_call`` does."""
        request = suggestion_request(
            ask.state,
            node=node,
            count=ask.count,
            fixed=ask.fixed,
            held=tuple(suggestion.parameters for suggestion in ask.held),
            start=max((suggestion.position for suggestion in ask.held), default=0),
            strategy_node=ask.strategy_node,
        )

        def answered(worker: Worker) -> _Answered:
            return _Answered(request, fingerprint(request), worker.call(request))

        return await self._call(answered, until, model=model)

    async def _call(self, question: Callable[[Worker], T], until: float, *, model: bool | None) -> T:
        """Ask a worker, and end it when the deadline passes: a fit that hangs cannot be asked to stop.

        Raises:
            _Late: The deadline passed; if that was before the worker's turn came, the worker goes on.
            WorkerDied: The worker ended.
        """
        async with self._turn(model, until):
            worker = self._worker(model=model)
            with anyio.CancelScope(deadline=until):
                found = await self._clock.outside(lambda: run_in_thread(question, worker))
                if self._clock.virtual and isinstance(found, _Answered) and found.reply.virtual_seconds:
                    await anyio.sleep(found.reply.virtual_seconds)
                return found
            # Not awaited: a program that a user's function has started may keep the dead worker's pipes open.
            self._tasks.start_soon(run_in_thread, worker.kill)
            self._workers.pop(model, None)
            if model:
                self._ready.clear()
        raise _Late(busy=False)

    @asynccontextmanager
    async def _turn(self, model: bool | None, until: float) -> AsyncIterator[None]:
        """Have a worker to oneself, after those who asked before.

        Raises:
            _Late: It was not free by *until*.
        """
        turn = self._turns[model]
        with anyio.CancelScope(deadline=until) as waiting:
            await turn.acquire()
        if waiting.cancelled_caught:
            raise _Late(busy=True)
        try:
            yield
        finally:
            turn.release()

    async def _load_model(self, *, torch: bool) -> None:
        """Have the model's worker load what models need; with torch it takes seconds."""
        if torch in self._loading | self._ready:
            return
        self._loading.add(torch)
        try:
            await self._call(lambda worker: worker.call(wire.Warm(torch)), math.inf, model=True)
            self._ready.add(torch)
        finally:
            self._loading.discard(torch)

    async def _stand_in(self, ask: Suggest, reason: str, until: float) -> _Answered:
        """Sobol in place of a node that was too slow; told in the log and in each suggestion.

        Raises:
            GenerationTimeout: Sobol was too slow as well.
        """
        now = anyio.current_time()
        until = max(until, now + GRACE_S)
        try:
            answered = await self._ask(ask, "sobol", until, model=False)
        except _Late as late:
            neither = f"{reason}; and none from Sobol in its place within {until - now:.3g} s more{late}"
            raise GenerationTimeout(f"{neither}. {_what_to_do(ask.state)}") from None
        told = tuple(msgspec.structs.replace(proposal, fallback=reason) for proposal in answered.reply.proposals)
        return msgspec.structs.replace(answered, reply=msgspec.structs.replace(answered.reply, proposals=told))

    async def _record_failure(self, node: str, reason: str) -> None:
        command = RecordGenerationFailure(node=node, reason=reason, fallback="sobol")
        await self._supervisor.send(Do(command=command, by=By(self.name)))

    async def _predict(self, ask: Predict) -> None:
        request = prediction_request(ask.state, ask.points)
        if request is None:
            ask.answer.fail(GenerationError("there is nothing to predict: configure the experiment and its objective"))
            return
        deadline = ask.state.strategy.deadline_seconds
        until = anyio.current_time() + deadline
        try:
            reply: PredictionReply = await self._call(lambda worker: worker.call(request), until, model=True)
        except _Late as late:
            ask.answer.fail(GenerationError(f"no prediction within {deadline:g} s{late}"))
        except GenerationError as exc:
            ask.answer.fail(exc)
            if isinstance(exc, WorkerDied):
                raise
        else:
            ask.answer.give(reply)

    async def _examine(self, ask: Examine) -> None:
        """Answer a question; a worker that dies of it is replaced with the next one, and nothing else notices."""
        until = anyio.current_time() + ask.deadline
        try:
            reply: Insight = await self._call(lambda worker: worker.call(ask.request), until, model=None)
        except _Late as late:
            ask.answer.fail(GenerationError(f"no answer within {ask.deadline:g} s{late}"))
        except GenerationError as exc:
            if isinstance(exc, WorkerDied) and (worker := self._workers.pop(None, None)) is not None:
                worker.kill()
            ask.answer.fail(exc)
        else:
            ask.answer.give(reply)

    def _seconds(self, began: int) -> float:
        return (self._clock.now() - began) / 1e6


def _what_to_do(state: State) -> str:
    """What probably makes Sobol slow, and what helps."""
    restrictions = () if state.experiment is None else state.experiment.space.restrictions or ()
    functions = [one.text for one in restrictions if isinstance(one, Function)]
    if not functions:
        return "The machine is busy, or points are hard to find in this space: raise suggestion_deadline_seconds"
    return (
        f"The constraint {', '.join(functions[:3])} is the likely cause, as each suggestion asks it about many points: "
        "time one call of it, then make it faster, write it as a formula, or raise suggestion_deadline_seconds"
    )
