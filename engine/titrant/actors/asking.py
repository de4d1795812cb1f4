"""Asking for suggestions: when, for whom and for how many; the part of the supervisor that keeps the slots filled.

What it remembers (a request under way, orders, a suggestion made ahead) is not in the log on purpose: after a crash the
same is asked again, and a suggestion counts only once it is a trial.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from titrant.actors import mail
from titrant.actors.refusals import attempt
from titrant.actors.stock import Pace, Stock
from titrant.errors import CommandRefused, ConfigurationError, GenerationError
from titrant.generators.dispatch import needs_torch
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.messages.events import Event
from titrant.model.experiment import Node
from titrant.model.space import SearchSpace
from titrant.model.trial import Parameterization, Suggestion
from titrant.rules.running import wanted
from titrant.rules.state import State
from titrant.rules.strategy import budget, next_node
from titrant.runtime.mailbox import Answer, Mailbox


class Decider(Protocol):
    """What asking needs of the supervisor."""

    state: State
    decided_seq: int

    def decide(self, command: c.Command, by: c.By) -> tuple[Event, ...]:
        """Decide a command and make its events durable."""

    def refused(self, attempt: c.RecordRefusal, by: c.By, error: Exception, answer: Answer[Any] | None) -> None:
        """Tell who asked, once a person's or an agent's attempt is recorded."""

    def once_durable(self, then: Callable[[State], None]) -> None:
        """Do something as soon as all that is decided by now is durable."""


class _Ask(msgspec.Struct):
    """A request for suggestions: the closed loop's (``order`` None) or somebody's; ``ahead`` of any free slot."""

    number: int
    count: int
    node: Node
    state: State
    data_seq: int
    order: mail.AskTrials | None = None
    made: tuple[int, ...] = ()
    ahead: bool = False
    held: tuple[Suggestion, ...] = ()
    in_haste: bool = False

    @property
    def fixed(self) -> Parameterization:
        """What whoever ordered it wants held at a value."""
        return {} if self.order is None else self.order.fixed

    def message(self) -> mail.Suggest:
        """The request as the generator gets it."""
        return mail.Suggest(
            ask=self.number,
            state=self.state,
            count=self.count,
            node=self.node,
            fixed=self.fixed,
            held=self.held,
            in_haste=self.in_haste,
        )

    def suggestions(self, answer: mail.Suggested) -> tuple[Suggestion, ...]:
        """The answer's proposals, each with what it was made from."""
        request, made_from = answer.request, answer.fingerprint
        if request is None or made_from is None:
            return ()
        return tuple(
            Suggestion(
                parameters=proposal.parameters,
                node=proposal.node,
                generator=proposal.generator,
                position=proposal.position,
                seed=request.seed,
                data_seq=self.data_seq,
                pending=tuple(point.trial for point in request.pending if point.trial >= 0),
                predicted=proposal.predicted,
                acquisition_value=proposal.acquisition_value,
                fallback=proposal.fallback,
                seconds=answer.seconds,
                versions=answer.versions if place == 0 else {},
                request=made_from.digest,
                count=request.count,
                place=place,
                fixed=self.fixed,
                held=tuple(suggestion.parameters for suggestion in self.held),
                results=self.state.results if request.observed else 0,
                asked_of=request.node if request.node != proposal.node else "",
                start=request.position if self.held else 0,
                parts=made_from.parts if place == 0 else {},
                maker=answer.maker,
            )
            for place, proposal in enumerate(answer.proposals)
        )


DISOWNING = (e.ResultVoided, e.ResultCorrected, e.ParametersExecuted)
"""What happens to a finished trial that makes suggestions worthless that had seen it."""

FIRST_GUESS_S = 0.3
"""What a suggestion of a model is taken to cost, in seconds, before the first one was measured."""


class Asking:
    """Knows what was asked of the generator, and by whom."""

    def __init__(self, supervisor: Decider, generator: Mailbox[Any], *, virtual: bool) -> None:
        self._supervisor = supervisor
        self._generator = generator
        self._ask: _Ask | None = None
        self._asks = 0
        self._orders: deque[tuple[mail.AskTrials, tuple[int, ...]]] = deque()
        self._generator_lost: str | None = None
        self._stock = Stock()
        self._pace = Pace(0.0 if virtual else FIRST_GUESS_S)
        self._model_due = False

    def order(self, order: mail.AskTrials) -> None:
        """Somebody outside the loop wants trials."""
        self._orders.append((order, ()))

    def noticed(self, command: c.Command, events: tuple[Event, ...], at: int) -> None:
        """Notice what decides when suggestions must be made."""
        state = self._supervisor.state
        for event in events:
            if isinstance(event, e.TrialRunFinished):
                self._pace.ran(state.trial(event.trial), at)
            elif isinstance(event, e.SpaceChanged | e.StrategyConfigured):
                self._forget(designs=True)
            elif isinstance(event, e.OptimizationConfigured) or (
                isinstance(event, DISOWNING) and event.trial in state.closed
            ):
                self._forget()
        if isinstance(command, c.StartRun) and state.strategy.method != "random_search":
            total = state.next_index + command.options.max_trials
            self._model_due = total > budget(state)

    def _forget(self, *, designs: bool = False) -> None:
        """What models had learned from, or what was asked of them, counts no more: throw it away, and ask again.

        Args:
            designs: Whether the points of a design are none of this experiment any more either.
        """
        self._stock.clear()
        ask = self._ask
        if ask is not None and (designs or ask.node == "bo"):
            self._ask = None  # its answer will be to a request that was given up
            if ask.order is not None:
                self._orders.appendleft((ask.order, ask.made))

    def go_on(self) -> None:
        """Ask the generator for what the loop can use or somebody ordered.

        One request at a time, so that no two requests take the same points of the sequence.
        """
        if self._ask is not None:
            return
        if self._orders:
            order, made = self._orders.popleft()
            self._fill(order, made)
            return
        state = self._supervisor.state
        if (count := wanted(state)) and (ready := self._stock.take(state, count)):
            self._supervisor.decide(c.AddTrials(suggestions=ready), c.By("generator"))
            state = self._supervisor.state
        if count := wanted(state):
            self._request(count)
            return
        if self._model_due:  # only now: loading it would take the processor from the first suggestions
            self._model_due = False
            torch = needs_torch(state.strategy.method)
            self._generator.tell(mail.Warm(model=True, torch=torch))
        if self._worth_preparing(state):
            self._request(1, ahead=True)

    def _fill(self, order: mail.AskTrials, made: tuple[int, ...]) -> None:
        """Make the rest of what somebody ordered."""
        if len(made) >= order.count:
            self._give(order, made)
            self.go_on()
        elif self._supervisor.state.experiment is None:
            self._refuse(order, CommandRefused("there is no search space yet: call configure_experiment first"))
        else:
            try:
                order = _readable(order, self._supervisor.state.experiment.space)
            except ConfigurationError as exc:
                self._refuse(order, GenerationError(f"what is held fixed does not fit the search space: {exc}"))
                self.go_on()
                return
            self._request(order.count - len(made), order=order, made=made)

    def _refuse(self, order: mail.AskTrials, error: Exception) -> None:
        arguments = {"count": order.count, "fixed": order.fixed}
        self._supervisor.refused(attempt("AskTrials", arguments, error), order.by, error, order.answer)

    def _request(
        self, count: int, *, order: mail.AskTrials | None = None, made: tuple[int, ...] = (), ahead: bool = False
    ) -> None:
        node, count = next_node(self._supervisor.state, count)
        self._asks += 1
        ask = _Ask(
            number=self._asks,
            count=count,
            node=node,
            state=self._supervisor.state,
            data_seq=self._supervisor.decided_seq,
            order=order,
            made=made,
            ahead=ahead,
            held=self._stock.held(),
            in_haste=order is None and not ahead and self._pace.in_haste,
        )
        if self._generator_lost is not None:
            self._ran_short(ask, made, f"the generator failed too often: {self._generator_lost}")
            return
        self._ask = ask
        self._generator.tell(ask.message())

    def ask_again(self) -> None:
        """The generator was started anew: what it was asked and never answered is asked again."""
        if self._ask is not None:
            self._generator.tell(self._ask.message())

    def suggested(self, message: mail.Suggested) -> None:
        """The generator answered: make trials of it, or keep it for the next free slot."""
        ask = self._ask
        if ask is None or message.ask != ask.number:
            return  # an answer to a request that was given up
        self._ask = None
        if ask.node == "bo":
            self._pace.generated(message.seconds / max(1, len(message.proposals)))
        suggestions = ask.suggestions(message)
        if ask.ahead and suggestions:
            self._stock.keep(ask.state, suggestions)
            return  # the next step takes it if a slot has freed meanwhile
        first = self._supervisor.state.next_index
        if suggestions:
            by = c.By("generator") if ask.order is None else ask.order.by
            self._supervisor.decide(c.AddTrials(suggestions=suggestions, asked=ask.order is not None), by)
        made = (*ask.made, *range(first, self._supervisor.state.next_index)) if ask.order is not None else ()
        if message.failure is not None or len(suggestions) < ask.count:
            reason = message.failure or message.short_reason or f"node {ask.node!r} made fewer suggestions than asked"
            self._ran_short(ask, made, reason)
        elif ask.order is not None:
            self._orders.appendleft((ask.order, made))

    def _ran_short(self, ask: _Ask, made: tuple[int, ...], reason: str) -> None:
        """No further suggestion can be had: the loop finishes what runs, an order gets what there is."""
        if ask.order is None:
            self._supervisor.decide(c.ExhaustRun(reason=reason), c.By("generator"))
        elif made:
            self._give(ask.order, made)
        else:
            ask.order.answer.fail(GenerationError(reason))

    def _give(self, order: mail.AskTrials, made: tuple[int, ...]) -> None:
        """Answer an order once its trials are durable."""
        self._supervisor.once_durable(lambda _state: order.answer.give(made))

    def _worth_preparing(self, state: State) -> bool:
        """Whether a suggestion made ahead saves a slot from idling: the model is slow beside the trials."""
        run = state.run
        if run is None or run.draining is not None or run.exhausted is not None or self._generator_lost is not None:
            return False
        left = run.options.max_trials - run.created - len(self._stock)
        if state.paused is not None or left <= 0 or next_node(state, 1)[0] != "bo":
            return False
        return len(self._stock) < self._pace.depth(run.options.parallelism)

    def lose_generator(self, reason: str) -> None:
        """The generator is gone for good: whoever waits for a suggestion is told."""
        self._generator_lost = reason
        ask, self._ask = self._ask, None
        if ask is not None:
            self._ran_short(ask, ask.made, f"the generator failed too often: {reason}")


def _readable(order: mail.AskTrials, space: SearchSpace) -> mail.AskTrials:
    """The order with what is held fixed in the values of the space: what the log could not hold stops here.

    Raises:
        ConfigurationError: It does not fit the space.
    """
    fixed = {name: space.parameter(name).check(value) for name, value in order.fixed.items()}
    return msgspec.structs.replace(order, fixed=fixed)
