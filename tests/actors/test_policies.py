"""What a free slot takes: a suggestion that has seen the newest results, or one that is ready."""

from __future__ import annotations

from typing import Any

import pytest
from tests.rules.world import LAB, SETUP, Y1, after, finished, fold, start, suggested

from titrant.actors import mail
from titrant.actors.asking import Asking
from titrant.actors.stock import Pace, policy_of
from titrant.generators.base import Proposal
from titrant.generators.requests import fingerprint, suggestion_request
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.model.experiment import GenerationStrategy, RunOptions
from titrant.model.strategy import Policy
from titrant.model.trial import Suggestion, Trial
from titrant.rules.decide import step
from titrant.rules.state import State

SECOND = 1_000_000


class Generator:
    """Keeps what it is asked."""

    def __init__(self) -> None:
        self.asked: list[mail.Suggest] = []

    def tell(self, message: Any) -> None:
        if isinstance(message, mail.Suggest):
            self.asked.append(message)


class Bench:
    """A supervisor without a log, whose clock is turned by hand; two slots, and the model is next."""

    def __init__(self, policy: Policy, *, metrics: tuple[str, ...] = (), wait_s: float = 10.0) -> None:
        strategy = GenerationStrategy(
            initialization_budget=1, min_observed=1, initialize_with_center=False, policy=policy, wait_seconds=wait_s
        )
        state = fold(*SETUP, e.StrategyConfigured(strategy=strategy), e.RunnersConfigured(runners=(LAB,)))
        if metrics:
            state = fold(e.MetricsConfigured(names=metrics), state=state)
        self.at, self.decided_seq = 0, 0
        self.state: State = after(state, start(max_trials=20, parallelism=2))
        self.generator = Generator()
        self.alarms: list[float] = []
        self.suggestions: dict[int, Suggestion] = {}
        self.asking = Asking(self, self.generator, virtual=False)  # type: ignore[arg-type]
        # Trial 0 gave a result; 1 and 2 run.
        self.decide(suggested(1))
        self.end(0)
        if metrics:
            self.decide(c.RecordFetch(trial=0, metric="y", observations=(Y1,)))
        self.decide(suggested(2))
        for index in (1, 2):
            self.decide(c.ReportRunning(trial=index, attempt=1))

    def decide(self, command: c.Command, by: c.By = c.By()) -> tuple[e.Event, ...]:
        events, self.state = step(self.state, command, self.at)
        self.asking.noticed(command, events, self.at)
        for event in events:
            if isinstance(event, e.TrialCreated):
                self.suggestions[event.trial] = event.suggestion
        return events

    def refused(self, *_: Any) -> None:
        raise AssertionError("nothing is refused here")

    def once_durable(self, then: Any) -> None:
        then(self.state)

    def now(self) -> int:
        return self.at

    def wake(self, seconds: float) -> None:
        self.alarms.append(seconds)

    def end(self, index: int) -> None:
        """A trial's run is over; its data come with it where no metric fetches them."""
        self.decide(c.ReportRunning(trial=index, attempt=1))
        self.decide(finished(index) if self.state.metrics else finished(index, Y1))

    def asked(self) -> mail.Suggest | None:
        """What the generator is asked now."""
        self.generator.asked.clear()
        self.asking.go_on()
        return self.generator.asked[-1] if self.generator.asked else None

    def answer(self, ask: mail.Suggest | None, x: float, seconds: float = 0.3) -> None:
        """The generator's answer; what it is asked next is in ``generator.asked``."""
        assert ask is not None
        self.generator.asked.clear()
        request = suggestion_request(ask.state, node=ask.node, count=ask.count, fixed=ask.fixed)
        made = tuple(Proposal(parameters={"x": x + 0.01 * i}, node="bo", generator="t") for i in range(ask.count))
        self.asking.suggested(
            mail.Suggested(
                ask=ask.ask, proposals=made, request=request, fingerprint=fingerprint(request), seconds=seconds
            )
        )
        self.asking.go_on()

    def made(self) -> dict[int, float]:
        """Trials of the model: index to x."""
        return {index: one.parameters["x"] for index, one in self.suggestions.items() if one.node == "bo"}


# --- fresh ----------------------------------------------------------------------------------------------------------


def test_fresh_makes_nothing_ahead():
    assert Bench("fresh").asked() is None


def test_fresh_asks_once_the_result_is_there_and_the_suggestion_has_seen_it():
    bench = Bench("fresh")
    bench.end(1)
    bench.answer(bench.asked(), 0.1)

    assert bench.made() == {3: 0.1}
    assert (bench.suggestions[3].results, bench.suggestions[3].unseen, bench.suggestions[3].ahead) == (2, 0, False)


def test_fresh_waits_for_data_that_are_on_their_way():
    bench = Bench("fresh", metrics=("y",))
    bench.end(1)
    assert bench.asked() is None
    assert bench.alarms == [10.0]

    bench.decide(c.RecordFetch(trial=1, metric="y", observations=(Y1,)))
    assert bench.asked().state.results == 2


def test_fresh_waits_no_longer_than_it_may():
    bench = Bench("fresh", metrics=("y",))
    bench.end(1)
    bench.asked()
    bench.at += 10 * SECOND

    assert bench.asked().state.results == 1
    assert bench.alarms == [10.0]


def test_fresh_asks_again_where_results_came_in_meanwhile():
    bench = Bench("fresh")
    bench.end(1)
    ask = bench.asked()
    bench.end(2)
    bench.answer(ask, 0.1)

    assert bench.made() == {}
    (again,) = bench.generator.asked
    assert (again.state.results, again.count, again.held) == (3, 2, ())
    bench.answer(again, 0.2)
    assert bench.made() == {3: 0.2, 4: pytest.approx(0.21)}
    assert [bench.suggestions[index].unseen for index in (3, 4)] == [0, 0]


def test_fresh_takes_what_it_has_when_asking_again_would_take_too_long():
    bench = Bench("fresh", wait_s=1.0)
    bench.end(1)
    ask = bench.asked()
    bench.end(2)
    bench.at += 9 * SECOND // 10
    bench.answer(ask, 0.1)

    assert bench.made() == {3: 0.1}
    assert bench.suggestions[3].unseen == 1


def test_what_was_made_stands_in_when_asking_again_takes_too_long_after_all():
    bench = Bench("fresh", wait_s=2.0)
    bench.end(1)
    ask = bench.asked()
    bench.end(2)
    bench.answer(ask, 0.1)
    (again,) = bench.generator.asked
    bench.at += 2 * SECOND
    instead = bench.asked()

    assert bench.made() == {3: 0.1}
    assert bench.suggestions[3].unseen == 1
    bench.answer(again, 0.11)  # near the one that was taken
    bench.answer(instead, 0.9)
    assert bench.made() == {3: 0.1, 4: 0.9}


def test_fresh_keeps_one_to_stand_in_where_none_can_be_made_in_time():
    bench = Bench("fresh", wait_s=0.1)
    ask = bench.asked()
    assert ask.count == 1
    bench.answer(ask, 0.1)
    bench.end(1)
    bench.asked()
    assert bench.made() == {}

    bench.at += SECOND // 10
    bench.asked()
    assert (bench.made(), bench.suggestions[3].ahead, bench.suggestions[3].unseen) == ({3: 0.1}, True, 1)


# --- ready ----------------------------------------------------------------------------------------------------------


def test_ready_takes_what_was_made_ahead_and_says_what_it_had_not_seen():
    bench = Bench("ready")
    bench.answer(bench.asked(), 0.1)
    bench.end(1)
    bench.asked()

    assert bench.made() == {3: 0.1}
    assert (bench.suggestions[3].ahead, bench.suggestions[3].unseen) == (True, 1)


def test_ready_serves_a_slot_also_while_more_is_made():
    bench = Bench("ready")
    bench.answer(bench.asked(), 0.1, seconds=60.0)
    assert len(bench.generator.asked) == 1  # a second one, which keeps away from the first
    assert [one.parameters for one in bench.generator.asked[0].held] == [{"x": 0.1}]
    bench.end(1)
    bench.asking.go_on()

    assert bench.made() == {3: 0.1}


def test_ready_makes_anew_what_has_not_seen_the_newest_results():
    bench = Bench("ready")
    for x in (0.1, 0.2):
        bench.answer(bench.asked() if x == 0.1 else bench.generator.asked[-1], x)
    bench.end(1)  # takes the first
    refill = bench.asked()
    assert [one.parameters for one in refill.held] == [{"x": 0.2}]
    bench.answer(refill, 0.3)
    (anew,) = bench.generator.asked
    assert [one.parameters for one in anew.held] == [{"x": 0.3}]
    bench.answer(anew, 0.4)
    bench.end(2)
    bench.asked()

    assert bench.made() == {3: 0.1, 4: 0.3}
    assert bench.suggestions[4].unseen == 1


def test_what_was_to_replace_a_suggestion_that_has_been_used_is_thrown_away():
    bench = Bench("ready")
    for x in (0.1, 0.2):
        bench.answer(bench.asked() if x == 0.1 else bench.generator.asked[-1], x)
    bench.end(1)
    bench.answer(bench.asked(), 0.3)
    (anew,) = bench.generator.asked  # in the place of 0.2
    bench.end(2)
    bench.asking.go_on()
    assert bench.made() == {3: 0.1, 4: 0.2}
    bench.answer(anew, 0.21)
    bench.decide(c.ReportRunning(trial=3, attempt=1))
    bench.end(3)
    bench.asked()

    assert bench.made()[5] == 0.3


def test_what_no_model_made_is_made_anew_once_and_not_for_ever():
    bench = Bench("ready")
    ask = bench.asked()
    for _ in range(9):
        bench.generator.asked.clear()
        request = suggestion_request(ask.state, node="sobol", count=1, fixed={})
        made = (Proposal(parameters={"x": 0.5}, node="sobol", generator="t", fallback="it failed"),)
        bench.asking.suggested(
            mail.Suggested(ask=ask.ask, proposals=made, request=request, fingerprint=fingerprint(request), seconds=0.1)
        )
        bench.asking.go_on()
        if not bench.generator.asked:
            break
        ask = bench.generator.asked[-1]

    assert bench.generator.asked == []


# --- auto -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "generation_s", "trial_s", "wait_s", "depth"),
    [
        ("auto", 0.3, 3600.0, 30.0, 0),
        ("auto", 0.3, 1.0, 30.0, 3),
        ("ready", 0.3, 3600.0, 30.0, 2),
        ("ready", 0.0, 3600.0, 30.0, 1),  # virtual time
        ("fresh", 0.3, 1.0, 30.0, 0),
        ("fresh", 40.0, 1.0, 30.0, 1),
    ],
)
def test_how_many_are_held_depends_on_the_policy(policy, generation_s, trial_s, wait_s, depth):
    pace = Pace(generation_s)
    pace.ran(Trial(0, {}, submitted_at=0), round(trial_s * SECOND))

    assert pace.depth(4, policy, wait_s) == depth


def test_a_model_that_cannot_keep_up_is_asked_for_all_that_is_missing_at_once():
    bench = Bench("ready")
    bench.at += SECOND // 2  # trials of half a second, and a suggestion is taken to cost a third
    bench.end(1)
    bench.end(2)
    ask = bench.asked()
    assert ask.count == 2  # for the free slots
    bench.answer(ask, 0.1)

    assert [one.count for one in bench.generator.asked] == [2]


@pytest.mark.parametrize(("trial_s", "renews"), [(3.0, False), (4.0, True)])
def test_auto_makes_suggestions_anew_only_where_there_is_time(trial_s, renews):
    pace = Pace(0.3)
    pace.ran(Trial(0, {}, submitted_at=0), round(trial_s * SECOND))

    assert pace.may_renew(4, "auto") is renews


def test_a_run_may_have_a_policy_of_its_own():
    state = Bench("fresh").state
    assert policy_of(state) == "fresh"

    run = RunOptions(max_trials=5, policy="ready")
    assert policy_of(fold(e.RunEnded(outcome="drained"), e.RunStarted(options=run), state=state)) == "ready"


def test_a_slot_that_is_free_later_waits_from_then_on():
    bench = Bench("fresh", metrics=("y",))
    bench.end(1)
    bench.asked()
    bench.decide(c.RecordFetch(trial=1, metric="y", observations=(Y1,)))
    bench.answer(bench.asked(), 0.1)
    bench.at += 60 * SECOND
    bench.end(2)

    assert bench.asked() is None  # its own wait has just begun
    assert bench.alarms == [10.0, 10.0]
