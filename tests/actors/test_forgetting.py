"""What was made of results that count no more is thrown away, and asked for again."""

from __future__ import annotations

from typing import Any

import pytest
from tests.rules.world import LAB, SETUP, Y1, after, finished, fold, start, suggested

from titrant.actors import mail
from titrant.actors.asking import Asking
from titrant.generators.base import Proposal
from titrant.generators.requests import fingerprint, suggestion_request
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.model.experiment import GenerationStrategy
from titrant.rules.decide import step
from titrant.rules.state import State
from titrant.runtime.mailbox import Answer, Mailbox

pytestmark = pytest.mark.anyio

SHORT = GenerationStrategy(initialization_budget=1, min_observed=1, initialize_with_center=False)


class Decider:
    """A supervisor without a log."""

    decided_seq = 0

    def __init__(self, state: State) -> None:
        self.state = state
        self.generator: Mailbox[Any] = Mailbox("generator")
        self.asking = Asking(self, self.generator, virtual=False)

    def decide(self, command: c.Command, by: c.By = c.By()) -> tuple[e.Event, ...]:
        events, self.state = step(self.state, command, 0)
        self.asking.noticed(command, events, 0)
        return events

    def refused(self, *_: Any) -> None:
        raise AssertionError("nothing is refused here")

    def once_durable(self, then: Any) -> None:
        then(self.state)

    async def asked(self) -> mail.Suggest:
        """What the generator is asked next."""
        self.asking.go_on()
        while not isinstance(message := await self.generator.receive(), mail.Suggest):
            pass
        return message

    def answer(self, ask: mail.Suggest, x: float) -> None:
        request = suggestion_request(ask.state, node=ask.node, count=ask.count, fixed=ask.fixed)
        proposal = Proposal(parameters={"x": x}, node="bo", generator="test")
        self.asking.suggested(
            mail.Suggested(ask=ask.ask, proposals=(proposal,), request=request, fingerprint=fingerprint(request))
        )


@pytest.fixture
def busy() -> Decider:
    """Two trials are done, a third runs in the only slot, and the model is next."""
    state = fold(*SETUP, e.StrategyConfigured(strategy=SHORT), e.RunnersConfigured(runners=(LAB,)))
    decider = Decider(after(state, start(max_trials=9)))
    for index in range(3):
        decider.decide(suggested())
        decider.decide(c.ReportRunning(trial=index, attempt=1))
        if index < 2:
            decider.decide(finished(index, Y1))
    return decider


WITHDRAWING = [
    c.VoidResult(trial=0, reason="spilled"),
    c.CorrectResult(trial=0, observations=(Y1, Y1), reason="misread"),
    c.RecordExecuted(trial=0, parameters={"x": 0.9}),
]


@pytest.mark.parametrize("command", WITHDRAWING, ids=lambda command: type(command).__name__)
async def test_suggestions_made_ahead_are_thrown_away(busy: Decider, command: c.Command):
    busy.answer(await busy.asked(), 0.1)
    busy.decide(command)

    again = await busy.asked()

    assert again.held == ()
    assert again.state.results == busy.state.results


@pytest.mark.parametrize("command", WITHDRAWING, ids=lambda command: type(command).__name__)
async def test_a_request_under_way_is_made_again_and_its_answer_ignored(busy: Decider, command: c.Command):
    first = await busy.asked()
    busy.decide(command)
    second = await busy.asked()
    busy.answer(first, 0.1)
    busy.answer(second, 0.2)

    busy.decide(finished(2, Y1))
    busy.asking.go_on()

    assert busy.state.trial(3).parameters == {"x": 0.2}


async def test_an_order_under_way_is_asked_for_again(busy: Decider):
    order = mail.AskTrials(count=1, since=0.0, answer=Answer())
    busy.asking.order(order)
    first = await busy.asked()
    busy.decide(WITHDRAWING[0])
    second = await busy.asked()
    busy.answer(first, 0.1)
    busy.answer(second, 0.2)
    busy.asking.go_on()

    assert second.state.trial(0).status.name == "VOIDED"
    (index,) = await order.answer.wait()
    assert busy.state.trial(index).parameters == {"x": 0.2}


async def test_an_ordinary_result_throws_nothing_away(busy: Decider):
    busy.answer(await busy.asked(), 0.1)
    busy.decide(finished(2, Y1))
    busy.asking.go_on()

    assert busy.state.trial(3).parameters == {"x": 0.1}


async def test_what_a_running_trial_executed_throws_nothing_away(busy: Decider):
    busy.answer(await busy.asked(), 0.1)
    busy.decide(c.RecordExecuted(trial=2, parameters={"x": 0.9}))
    busy.decide(finished(2, Y1))
    busy.asking.go_on()

    assert busy.state.trial(3).parameters == {"x": 0.1}
