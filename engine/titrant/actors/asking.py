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
from titrant.actors.asked import Ask, used
from titrant.actors.refusals import attempt
from titrant.actors.stock import Pace, Patience, Stock, data_on_the_way, policy_of
from titrant.errors import CommandRefused, ConfigurationError, GenerationError
from titrant.generators.dispatch import needs_torch
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.messages.events import Event
from titrant.model.space import SearchSpace
from titrant.model.trial import Suggestion
from titrant.rules.running import wanted
from titrant.rules.state import State
from titrant.rules.strategy import choose, model_due, place
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

    def now(self) -> int:
        """Microseconds since 1970 UTC."""

    def wake(self, seconds: float) -> None:
        """Have ``go_on`` called in so many seconds."""


DISOWNING = (e.ResultVoided, e.ResultCorrected, e.ParametersExecuted)
"""What happens to a finished trial that makes suggestions worthless that had seen it."""

FIRST_GUESS_S = 0.3
"""What a suggestion of a model is taken to cost, in seconds, before the first one was measured."""


class Asking:
    """Knows what was asked of the generator, and by whom."""

    def __init__(self, supervisor: Decider, generator: Mailbox[Any], *, virtual: bool) -> None:
        self._supervisor = supervisor
        self._generator = generator
        self._ask: Ask | None = None
        self._asks = 0
        self._orders: deque[tuple[mail.AskTrials, tuple[int, ...]]] = deque()
        self._generator_lost: str | None = None
        self.circumstances_change = False
        """Whether the context is read for each suggestion, so that none can be made ahead."""
        self._stock = Stock()
        self._pace = Pace(0.0 if virtual else FIRST_GUESS_S)
        self._model_due = False
        self._patience = Patience()
        self._dry_at = -1  # how many trials there were when a sequence had no more points
        self._renewed = (0, 0)  # at which count of results suggestions made ahead were made anew, and how many

    def order(self, order: mail.AskTrials) -> None:
        """Somebody outside the loop wants trials."""
        self._orders.append((order, ()))

    def noticed(self, command: c.Command, events: tuple[Event, ...], at: int) -> None:
        """Notice what decides when suggestions must be made."""
        state = self._supervisor.state
        for event in events:
            if isinstance(event, e.TrialRunFinished):
                self._pace.ran(state.trial(event.trial), at)
            elif isinstance(event, e.SpaceChanged | e.StrategyConfigured | e.RunStarted):
                self._forget(designs=True)  # a run has a context of its own
            elif isinstance(event, e.OptimizationConfigured | e.PastLearned) or (
                isinstance(event, DISOWNING) and event.trial in state.closed
            ):
                self._forget()
        if isinstance(command, c.StartRun):
            self._model_due = model_due(state, state.next_index + command.options.max_trials)

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
        """Give free slots what was made ahead, and ask the generator for what the loop can use or somebody ordered.

        One request at a time, so that no two requests take the same points of the sequence.
        """
        self._serve()
        if self._patience.tried and not wanted(self._supervisor.state):
            self._patience.end()
        if self._ask is not None:
            return
        if self._orders:
            order, made = self._orders.popleft()
            self._fill(order, made)
            return
        state = self._supervisor.state
        if (count := wanted(state)) and not self._waits_for_data(state):
            self._request(count)
            return
        if self._model_due:  # only now: loading it would take the processor from the first suggestions
            self._model_due = False
            torch = needs_torch(state.strategy.method)
            self._generator.tell(mail.Warm(model=True, torch=torch))
        if missing := self._worth_preparing(state) or self._worth_drawing(state):
            self._request(missing, ahead=True)
        elif (old := self._worth_renewing(state)) is not None:
            self._request(1, ahead=True, in_place_of=old)

    def _serve(self) -> None:
        """Give free slots what was made ahead, also while more is being made."""
        state = self._supervisor.state
        count = wanted(state) if len(self._stock) else 0
        if not count:
            return
        fresh = policy_of(state) == "fresh" and not self._late(state)
        if fresh and data_on_the_way(state):
            return
        node = place(state).name if state.strategy.nodes else ""
        ready = self._stock.take(state, count, state.results if fresh else 0, node)
        if not ready:
            return
        ask = self._ask
        if ask is not None and ask.order is None and not ask.ahead:
            self._ask = None  # it was to be fresher than these, and would be near them
        self._supervisor.decide(c.AddTrials(suggestions=used(ready, state)), c.By("generator"))

    def _waits_for_data(self, state: State) -> bool:
        """Whether the free slots wait for results that are on their way."""
        now, wait_s = self._supervisor.now(), state.strategy.wait_seconds
        self._patience.begin(now)
        if policy_of(state) != "fresh" or not place(state).is_model:
            return False
        left = self._patience.left(now, wait_s)
        if left > 0 and self._patience.first():
            self._supervisor.wake(left)
        return left > 0 and data_on_the_way(state)

    def _late(self, state: State, needed_s: float = 0.0) -> bool:
        """Whether the free slots have waited long enough, or would have if something took *needed_s* more."""
        return self._patience.left(self._supervisor.now(), state.strategy.wait_seconds) <= needed_s

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
        self,
        count: int,
        *,
        order: mail.AskTrials | None = None,
        made: tuple[int, ...] = (),
        ahead: bool = False,
        in_place_of: Suggestion | None = None,
    ) -> None:
        state = self._supervisor.state
        choice, fresh = choose(state, count, ahead=ahead), policy_of(state) == "fresh"
        self._asks += 1
        if in_place_of is not None:
            seen, times = self._renewed
            self._renewed = (state.results, times + 1 if seen == state.results else 1)
        # What stands in for a fresh suggestion is not kept away from: it is thrown away once there is one.
        spare = fresh and order is None and not ahead
        ask = Ask(
            number=self._asks,
            count=choice.count,
            node=choice.node.generator,
            state=state,
            data_seq=self._supervisor.decided_seq,
            order=order,
            made=made,
            ahead=ahead,
            held=() if spare else tuple(one for one in self._stock.held() if one is not in_place_of),
            in_haste=order is None and not ahead and not fresh and self._pace.in_haste,
            strategy_node=choice.node.name if state.strategy.nodes else "",
            instead=choice.instead,
            in_place_of=in_place_of,
        )
        if order is None and state.experiment is not None and (why := state.experiment.space.no_context(ask.fixed)):
            self._ran_short(ask, made, why)  # a context parameter that came in mid-run
            return
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
        elif ask.count == 1:
            self._pace.drawn(message.seconds)
        suggestions = ask.suggestions(message)
        if ask.in_place_of is not None:
            self._stock.renew(ask.in_place_of, ask.state, suggestions)
            return
        if ask.ahead and suggestions:
            self._stock.keep(ask.state, suggestions)
            return  # the next step takes it if a slot has freed meanwhile
        if ask.ahead and ask.node == "sobol":
            self._dry_at = self._supervisor.state.next_index
            return  # a trial that fails may leave a point; if none does, the slot that wants one is told
        state = self._supervisor.state
        if ask.order is None and policy_of(state) == "fresh":
            self._stock.clear()
            if suggestions and self._overtaken(ask, state):
                self._stock.keep(ask.state, suggestions)
                return  # the next step asks again; if that takes too long, these stand in
        first = state.next_index
        if suggestions:
            by = c.By("generator") if ask.order is None else ask.order.by
            more = c.AddTrials(suggestions=used(suggestions, state), asked=ask.order is not None)
            self._supervisor.decide(more, by)
        made = (*ask.made, *range(first, self._supervisor.state.next_index)) if ask.order is not None else ()
        if message.failure is not None or len(suggestions) < ask.count:
            reason = message.failure or message.short_reason or f"node {ask.node!r} made fewer suggestions than asked"
            self._ran_short(ask, made, reason)
        elif ask.order is not None:
            self._orders.appendleft((ask.order, made))

    def _overtaken(self, ask: Ask, state: State) -> bool:
        """Whether results came in that a model has not seen, and there is time to ask it once more."""
        late = self._late(state, self._pace.generation_s)
        return ask.node == "bo" and bool(wanted(state)) and state.results > ask.state.results and not late

    def _ran_short(self, ask: Ask, made: tuple[int, ...], reason: str) -> None:
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

    def _worth_preparing(self, state: State) -> int:
        """How many suggestions to make ahead now, as they save slots from idling: the model is slow beside the trials.

        One after the other, so that each sees as much as it can; all that are missing where the model cannot keep up.
        """
        run, left = state.run, self._left(state)
        if run is None or not left:
            return 0
        depth = self._pace.depth(run.options.parallelism, policy_of(state), state.strategy.wait_seconds)
        missing = max(0, min(left, depth - len(self._stock)))
        if not missing or not self._model_next(state):
            return 0
        return missing if self._pace.lags(run.options.parallelism) else min(missing, 1)

    def _worth_drawing(self, state: State) -> int:
        """How many points to draw ahead now of a sequence that the strategy never leaves, and no result changes."""
        run = state.run
        if run is None or len(self._stock) or policy_of(state) == "fresh" or self._dry_at == state.next_index:
            return 0
        worth = self._pace.worth_drawing(run.options.parallelism, state.strategy.deadline_seconds)
        count = min(self._left(state), worth)
        if not count:
            return 0
        node = place(state)
        return 0 if node.generator != "sobol" or node.transition_criteria else count

    def _left(self, state: State) -> int:
        """How many more trials of the run suggestions can be made ahead for."""
        run = state.run
        if run is None or run.draining is not None or run.exhausted is not None or self._generator_lost is not None:
            return 0
        if self.circumstances_change or state.paused is not None:
            return 0
        return max(0, run.options.max_trials - run.created - len(self._stock))

    def _worth_renewing(self, state: State) -> Suggestion | None:
        """The suggestion made ahead that is to be made anew, since results came in; None where there is no time."""
        run, seen, policy = state.run, self._renewed, policy_of(state)
        if run is None or not len(self._stock) or self._generator_lost is not None or policy == "fresh":
            return None
        if seen[0] == state.results and seen[1] >= len(self._stock):
            return None  # no model made them
        if state.paused is not None or not self._model_next(state):
            return None
        return self._stock.stale(state.results) if self._pace.may_renew(run.options.parallelism, policy) else None

    def _model_next(self, state: State) -> bool:
        choice = choose(state, 1, ahead=True)
        return choice.node.is_model and not choice.instead

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
    if why := space.no_context(fixed):
        raise ConfigurationError(why)
    return msgspec.structs.replace(order, fixed=fixed)
