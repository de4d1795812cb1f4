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
from titrant.actors.asking import Asking
from titrant.actors.effects import Delivery, Effects, undelivered, unreadable
from titrant.actors.mail import Do, Written
from titrant.actors.refusals import refusal, told
from titrant.errors import (
    ActorError,
    ActorStopped,
    CommandRefused,
    ConfigurationError,
    EventRejected,
    LogError,
    LogUnavailable,
)
from titrant.log.base import Append, Draft, Record, Stored
from titrant.messages import commands as c
from titrant.messages.codec import SCHEMAS, encode_checked
from titrant.messages.events import Event
from titrant.messages.misfits import misfit
from titrant.rules.decide import step
from titrant.rules.state import State
from titrant.runtime.alarm import Alarm
from titrant.runtime.clock import Clock
from titrant.runtime.crash_points import crash_point
from titrant.runtime.diagnostics import Logger
from titrant.runtime.mailbox import Answer, Mailbox

log = Logger(__name__)


REFUSED = (CommandRefused, ConfigurationError, EventRejected)
"""What a decision may be refused with; nothing has changed then."""

TOLD = ("trial", "runner", "attempt", "metric", "missing", "outcome", "name", "reason", "parameters")
"""The fields of an event that its line of diagnostics shows."""


class _Undecided(Exception):
    """A rule failed on a command.  Deciding is pure, so nothing has changed; it is an error of titrant's own."""


class _Ticket(msgspec.Struct):
    """A decision on its way to the disk, and what follows once it is there."""

    drafts: tuple[Draft, ...]
    state: State
    release: list[Delivery]
    then: Callable[[State], None] | None


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
        self.decided_seq = seq
        self._last_at = 0
        self._clock = clock
        self._writer = writer
        self._publish = publish
        self._epoch = epoch
        self._tickets: deque[_Ticket] = deque()
        self._waiters: list[Answer[State]] = []
        self.asking = Asking(self, generator, virtual=clock.virtual)
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
                    self.asking.suggested(message)
                case mail.AskTrials():
                    self.asking.order(message)
                case mail.AwaitRun(answer=answer):
                    self._waiters.append(answer)
                    self._tell_waiters()
                case mail.Connect():
                    self.effects.connect(self.state, message.runners, message.metrics)
                    message.answer.give(None)
                case mail.Wake():
                    pass  # what follows is asking's
                case mail.GeneratorLost(reason=reason):
                    self.asking.lose_generator(reason)
                case _:
                    raise ActorError(f"the supervisor cannot read a {type(message).__name__}")
            self.asking.go_on()

    # --- deciding ---------------------------------------------------------------------------------------------------

    def _do(self, message: Do) -> None:
        crash_point("supervisor.decide")
        command, answer = message.command, message.answer
        try:
            self.decide(command, message.by, None if answer is None else answer.give, message.key, message.observed_at)
        except (CommandRefused, ConfigurationError) as exc:
            self.refused(refusal(command, exc), message.by, exc, answer)
        except EventRejected as exc:
            if answer is not None and (wrong := misfit(command)):
                named = ConfigurationError(wrong)
                self.refused(refusal(command, named), message.by, named, answer)
                return
            if answer is not None:
                answer.fail(exc)
                return
            log.error("command.refused", command=type(command).__name__, by=message.by.actor, why=str(exc))
            instead = unreadable(command, str(exc))
            if instead is not None:
                self.decide(instead, message.by)
        except _Undecided as exc:
            if answer is None:
                raise
            # What somebody asks must not end a run that others watch over.
            log.error("command.undecided", command=type(command).__name__, by=message.by.actor, why=str(exc))
            answer.fail(CommandRefused(f"titrant failed to decide this, and nothing has changed: {exc}"))

    def refused(self, attempt: c.RecordRefusal, by: c.By, error: Exception, answer: Answer[Any] | None) -> None:
        """Tell who asked, once the attempt is in the log where a person or an agent made it."""

        def tell(_state: State) -> None:
            if answer is not None:
                answer.fail(error)

        if answer is None:
            log.error("command.refused", command=attempt.command, by=by.actor, why=attempt.why)
        if told(by.actor):
            try:
                self.decide(attempt, by, tell)
            except REFUSED as exc:  # the refusal itself matters more than its record
                log.error("refusal.not_recorded", command=attempt.command, by=by.actor, why=str(exc))
            else:
                return
        tell(self.state)

    def decide(
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
        if isinstance(command, c.Personal):  # whatever was claimed
            command = msgspec.structs.replace(command, actor=by.actor, role=by.role)
        if isinstance(command, c.StartRun):
            command = msgspec.structs.replace(command, alive=self.effects.alive())
        elif isinstance(command, c.RecordRestart):
            command = msgspec.structs.replace(command, alive=self.effects.alive_elsewhere(before, command.name))
        events, after = _decided(before, command, at)
        self.state = after
        release = self.effects.of(command, events, before, after)
        self.asking.noticed(command, events, at)
        if not events:
            self._queue(_Ticket((), after, release, then))
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
                correlation=by.correlation,
                key=key if position == 0 else None,
            )
            for position, event in enumerate(events)
        )
        self._tickets.append(_Ticket(drafts, after, release, then))
        self.decided_seq += len(drafts)
        number = self.decided_seq

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

    def once_durable(self, then: Callable[[State], None]) -> None:
        """Do something as soon as all that is decided by now is durable."""
        self._queue(_Ticket((), self.state, [], then))

    def now(self) -> int:
        """Microseconds since 1970 UTC."""
        return self._clock.now()

    def wake(self, seconds: float) -> None:
        """Look again in so many seconds at what the free slots wait for."""
        self.alarm.set(seconds, mail.Wake())

    def _queue(self, ticket: _Ticket) -> None:
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
        if log.wanted:
            _tell(ticket.drafts, first)
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


def _decided(state: State, command: c.Command, at: int) -> tuple[tuple[Event, ...], State]:
    """What follows from a command, all of it fit for the log, and the state after it.

    Raises:
        CommandRefused: The state does not allow it.
        ConfigurationError: Its values make no sense.
        EventRejected: One of them is not of its field's type, or the log could not give back again what follows.
        _Undecided: A rule failed.
    """
    try:
        events, after = step(state, command, at)
        for event in events:  # what the log could not give back again is refused before anything depends on it
            encode_checked(event)
    except REFUSED:
        raise
    except Exception as exc:
        if wrong := misfit(command):
            raise EventRejected(wrong) from exc
        raise _Undecided(f"{type(command).__name__}: {type(exc).__name__}: {exc}") from exc
    return events, after


def _tell(drafts: tuple[Draft, ...], first: int) -> None:
    """Each durable event as a line of diagnostics, for programs that configured structlog."""
    for seq, draft in enumerate(drafts, start=first):
        event = draft.event
        fields = {name: getattr(event, name) for name in TOLD if getattr(event, name, None) not in (None, "", ())}
        log.info(str(type(event).__struct_config__.tag), seq=seq, by=draft.actor, **fields)


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
