"""The supervisor: decides every command, and lets nothing happen outside before its intent is durable.

It never waits for the disk: a decision is folded into the state at once and goes to the log writer; replies, messages
to other actors and published events follow when the writer says it is stored, in order.  That is safe because a log
that fails stops everything: a state that ran ahead of the disk is then lost together with the process.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from titrant.actors import mail
from titrant.actors.effects import Delivery, Effects, undelivered
from titrant.actors.mail import Do, Written
from titrant.errors import (
    ActorError,
    ActorStopped,
    CommandRefused,
    ConfigurationError,
    GenerationError,
    LogError,
    LogUnavailable,
)
from titrant.log.base import Append, Draft, Record, Stored
from titrant.messages import commands as c
from titrant.messages.codec import SCHEMAS
from titrant.messages.events import Event
from titrant.model.trial import Suggestion
from titrant.rules.decide import step
from titrant.rules.running import wanted
from titrant.rules.state import State
from titrant.rules.strategy import next_node
from titrant.runtime.alarm import Alarm
from titrant.runtime.clock import Clock
from titrant.runtime.crash_points import crash_point
from titrant.runtime.diagnostics import Logger
from titrant.runtime.mailbox import Answer, Mailbox

log = Logger(__name__)


class _Ticket(msgspec.Struct):
    """A decision on its way to the disk, and what follows once it is there."""

    drafts: tuple[Draft, ...]
    state: State
    release: list[Delivery]
    then: Callable[[State], None] | None


class _Ask(msgspec.Struct):
    """A request for suggestions: the closed loop's (``order`` None) or somebody's; ``ahead`` of any free slot."""

    number: int
    count: int
    node: str
    data_seq: int
    pending: tuple[int, ...]
    order: mail.AskTrials | None = None
    made: tuple[int, ...] = ()
    ahead: bool = False


class Supervisor:
    """Holds the state; everything that changes passes through here."""

    name = "supervisor"

    def __init__(
        self,
        state: State,
        *,
        seq: int,
        clock: Clock,
        writer: Mailbox[mail.Write],
        generator: Mailbox[Any],
        publish: Callable[[Record, State], None],
        epoch: int,
    ) -> None:
        self.mailbox: Mailbox[Any] = Mailbox(self.name, 65_536)
        self.state = state
        self.durable = state
        self.durable_seq = seq
        self._decided_seq = seq
        self._last_at = 0
        self._clock = clock
        self._writer = writer
        self._generator = generator
        self._publish = publish
        self._epoch = epoch
        self._tickets: deque[_Ticket] = deque()
        self._ask: _Ask | None = None
        self._asks = 0
        self._orders: deque[tuple[mail.AskTrials, tuple[int, ...]]] = deque()
        self._waiters: list[Answer[State]] = []
        self._generator_lost: str | None = None
        self.alarm = Alarm(self.mailbox.send)
        self.effects = Effects(clock=clock, alarm=self.alarm)

    async def run(self) -> None:
        """Work until cancelled.

        Raises:
            LogError: The log refused or failed; everything must stop.
        """
        while True:
            message = await self.mailbox.receive()
            match message:
                case Do():
                    self._do(message)
                case Written():
                    self._written(message)
                case mail.Suggested():
                    self._suggested(message)
                case mail.AskTrials():
                    self._orders.append((message, ()))
                case mail.AwaitRun(answer=answer):
                    self._waiters.append(answer)
                    self._tell_waiters()
                case mail.Connect():
                    self.effects.connect(message.runners, message.metrics)
                    self._generator_lost = None
                    message.answer.give(None)
                case mail.GeneratorLost(reason=reason):
                    self._lose_generator(reason)
            self._ask_for_more()

    # --- deciding ---------------------------------------------------------------------------------------------------

    def _do(self, message: Do) -> None:
        crash_point("supervisor.decide")
        try:
            then = None if message.answer is None else message.answer.give
            self._decide(message.command, message.by, then, message.key, message.observed_at)
        except (CommandRefused, ConfigurationError) as exc:
            if message.answer is not None:
                message.answer.fail(exc)
            else:
                log.error("command.refused", command=type(message.command).__name__, by=message.by.actor, why=str(exc))

    def _decide(
        self,
        command: c.Command,
        by: c.By,
        then: Callable[[State], None] | None = None,
        key: str | None = None,
        observed_at: int | None = None,
    ) -> tuple[Event, ...]:
        """Decide, fold, and hand the events to the writer; what follows waits for its word."""
        at = self._last_at = max(self._clock.now(), self._last_at)
        before = self.state
        if isinstance(command, c.StartRun):
            command = msgspec.structs.replace(command, alive=self.effects.alive())
        elif isinstance(command, c.RecordRestart):
            command = msgspec.structs.replace(command, alive=self.effects.alive_elsewhere(before, command.name))
        events, after = step(before, command, at)
        self.state = after
        release = self.effects.of(command, events, before, after)
        if not events:
            self._after_all(_Ticket((), after, release, then))
            return ()
        drafts = tuple(
            Draft(
                event=event,
                recorded_at=at,
                observed_at=observed_at,
                actor=by.actor,
                role=by.role,
                reason=by.reason,
                trial=getattr(event, "trial", None),
                key=key if position == 0 else None,
            )
            for position, event in enumerate(events)
        )
        self._tickets.append(_Ticket(drafts, after, release, then))
        self._decided_seq += len(drafts)
        number = self._decided_seq

        async def done(outcome: Any) -> None:
            await self.mailbox.send(Written(ticket=number, outcome=outcome))

        self._writer.tell(mail.Write(request=Append(drafts=drafts, expected=number - len(drafts)), done=done))
        return events

    def _written(self, message: Written) -> None:
        """The writer's word: release what waited for it, in order."""
        if not isinstance(message.outcome, Stored):
            error = message.outcome if isinstance(message.outcome, LogError) else LogUnavailable(str(message.outcome))
            raise error
        ticket = self._tickets.popleft()
        crash_point("supervisor.durable")
        self._release(ticket, message.outcome.first)
        self._release_ready()

    def _after_all(self, ticket: _Ticket) -> None:
        """Release a decision without events as soon as all those before it are durable."""
        self._tickets.append(ticket)
        if len(self._tickets) == 1:
            self._release_ready()

    def _release_ready(self) -> None:
        """Release decisions without events: they wait only for those before them."""
        while self._tickets and not self._tickets[0].drafts:
            self._release(self._tickets.popleft(), 0)

    def _release(self, ticket: _Ticket, first: int) -> None:
        self.durable = ticket.state
        for seq, draft in enumerate(ticket.drafts, start=first):
            self.durable_seq = seq
            self._publish(_record(seq, draft, self._epoch), ticket.state)
        for mailbox, message in ticket.release:
            crash_point(f"supervisor.effect:{type(message).__name__}")
            self._deliver(mailbox, message)
        if ticket.then is not None:
            ticket.then(ticket.state)
        self._tell_waiters()

    def _deliver(self, mailbox: Mailbox[Any] | None, message: mail.Mail) -> None:
        """Hand a message over; one that reaches nobody becomes a finding of its own."""
        try:
            if mailbox is None:
                raise ActorStopped("no runner or metric of that name is connected")
            mailbox.tell(message)
        except ActorError as exc:
            command = undelivered(message, str(exc))
            if command is not None:
                self.mailbox.tell(Do(command=command))

    def _tell_waiters(self) -> None:
        if self.durable.run is None and self.state.run is None:
            waiters, self._waiters = self._waiters, []
            for answer in waiters:
                answer.give(self.durable)

    # --- suggestions ------------------------------------------------------------------------------------------------

    def _ask_for_more(self) -> None:
        """Ask the generator for what the loop can use or somebody ordered.

        One request at a time, so that no two requests take the same points of the sequence.
        """
        if self._ask is not None:
            return
        order: mail.AskTrials | None = None
        made: tuple[int, ...] = ()
        count = wanted(self.state)
        if self._orders:
            order, made = self._orders.popleft()
            count = order.count - len(made)
        if count <= 0:
            if order is not None:
                self._give(order, made)
            return
        if self.state.experiment is None:
            assert order is not None
            order.answer.fail(CommandRefused("there is no search space yet: call configure_experiment first"))
            return
        if self._generator_lost is not None:
            self._without_generator(order)
            return
        node, count = next_node(self.state, count)
        self._asks += 1
        self._ask = _Ask(
            number=self._asks,
            count=count,
            node=node,
            data_seq=self._decided_seq,
            pending=tuple(sorted(self.state.open)) if node == "bo" else (),
            order=order,
            made=made,
        )
        fixed = {} if order is None else order.fixed
        self._generator.tell(mail.Suggest(ask=self._asks, state=self.state, count=count, node=node, fixed=fixed))

    def ask_again(self) -> None:
        """The generator was started anew: what it was asked and never answered is asked again."""
        ask = self._ask
        if ask is not None:
            fixed = {} if ask.order is None else ask.order.fixed
            self._generator.tell(
                mail.Suggest(ask=ask.number, state=self.state, count=ask.count, node=ask.node, fixed=fixed)
            )

    def _suggested(self, message: mail.Suggested) -> None:
        ask = self._ask
        if ask is None or message.ask != ask.number:
            return  # an answer to a request that was given up
        self._ask = None
        by = c.By("generator")
        suggestions = tuple(
            Suggestion(
                parameters=proposal.parameters,
                node=proposal.node,
                generator=proposal.generator,
                position=proposal.position,
                seed=self.state.seed if self.state.strategy.seed is None else self.state.strategy.seed,
                data_seq=ask.data_seq,
                pending=ask.pending,
                predicted=proposal.predicted,
                acquisition_value=proposal.acquisition_value,
                fallback=proposal.fallback,
                seconds=message.seconds,
                versions=message.versions if position == 0 else {},
            )
            for position, proposal in enumerate(message.proposals)
        )
        first = self.state.next_index
        if suggestions:
            self._decide(c.AddTrials(suggestions=suggestions, asked=ask.order is not None), ask_by(ask, by))
        made = (*ask.made, *range(first, self.state.next_index)) if ask.order is not None else ()
        if message.failure is not None or len(suggestions) < ask.count:
            reason = message.failure or message.short_reason or f"node {ask.node!r} made fewer suggestions than asked"
            self._ran_short(ask, made, reason)
        elif ask.order is not None:
            self._orders.appendleft((ask.order, made))

    def _ran_short(self, ask: _Ask, made: tuple[int, ...], reason: str) -> None:
        """No further suggestion can be had: the loop finishes what runs, an order gets what there is."""
        if ask.order is None:
            self._decide(c.ExhaustRun(reason=reason), c.By("generator"))
        elif made:
            self._give(ask.order, made)
        else:
            ask.order.answer.fail(GenerationError(reason))

    def _give(self, order: mail.AskTrials, made: tuple[int, ...]) -> None:
        """Answer an order once its trials are durable."""
        self._after_all(_Ticket((), self.state, [], lambda _state: order.answer.give(made)))

    def _lose_generator(self, reason: str) -> None:
        self._generator_lost = reason
        ask, self._ask = self._ask, None
        if ask is not None:
            self._ran_short(ask, ask.made, f"the generator failed too often: {reason}")

    def _without_generator(self, order: mail.AskTrials | None) -> None:
        reason = f"the generator failed too often: {self._generator_lost}"
        if order is not None:
            order.answer.fail(GenerationError(reason))
        else:
            self._decide(c.ExhaustRun(reason=reason), c.By("engine"))


def ask_by(ask: _Ask, default: c.By) -> c.By:
    """Who a trial is made for: the one who ordered it, or the generator for the loop."""
    return default if ask.order is None else ask.order.by


def _record(seq: int, draft: Draft, epoch: int) -> Record:
    """The record as subscribers see it; its hash is read from the log by those who need it."""
    tag = str(type(draft.event).__struct_config__.tag)
    return Record(
        seq=seq,
        event=draft.event,
        schema=SCHEMAS[tag],
        recorded_at=draft.recorded_at,
        observed_at=draft.observed_at,
        actor=draft.actor,
        role=draft.role,
        reason=draft.reason,
        trial=draft.trial,
        cause=draft.cause,
        correlation=draft.correlation,
        key=draft.key,
        epoch=epoch,
        hash=b"",
    )
