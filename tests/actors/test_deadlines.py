"""A suggestion within the deadline, with a reason where it fell back; and where none can be had in time, the reason."""

from __future__ import annotations

import threading
from contextlib import asynccontextmanager

import anyio
import pytest
from tests.rules.world import SETUP, fold

from titrant import AsyncClient, Client, RangeParameterConfig
from titrant.actors import generator as module
from titrant.actors import mail
from titrant.actors.generator import GRACE_S, GeneratorActor
from titrant.errors import GenerationError, WorkerDied
from titrant.generators import wire
from titrant.generators.base import PredictionReply, PredictionRequest, Proposal, Reply, Request
from titrant.generators.process import WorkerProcess
from titrant.log.scanning import scan
from titrant.messages import events as e
from titrant.model.experiment import Experiment, GenerationStrategy
from titrant.model.space import search_space
from titrant.runtime.clock import RealClock, clock_of_running_loop
from titrant.runtime.mailbox import Answer, Mailbox
from titrant.runtime.virtual_loop import VirtualTimeLoop

pytestmark = pytest.mark.anyio

X = [RangeParameterConfig("x", (0.0, 1.0))]


@pytest.fixture
def anyio_backend():
    return "asyncio", {"loop_factory": VirtualTimeLoop}


def proposed(request, seconds=0.0):
    made = Proposal(parameters={"x": 0.5}, node=request.node, generator="scripted", position=1)
    return Reply(proposals=(made,), virtual_seconds=seconds)


class Scripted:
    """A worker whose answers take as many virtual seconds as its lab says."""

    def __init__(self, lab):
        self.lab = lab
        self.killed = threading.Event()

    def start(self):
        self.lab.workers.append(self)

    def kill(self):
        self.killed.set()

    def call(self, message):
        self.lab.asked.append(message)
        match message:
            case Request():
                takes = self.lab.takes[message.node].pop(0)
                if isinstance(takes, Exception):
                    raise takes
                return proposed(message, takes)
            case PredictionRequest():
                return PredictionReply(predictions=(), generator="scripted")
            case wire.Warm():
                return wire.Warmed()


class Hangs(Scripted):
    """A worker that never answers, whatever it is asked, and ends when it is killed."""

    def call(self, message):
        self.killed.wait()
        raise WorkerDied("killed")


class Holds(Hangs):
    """One whose end is held up, as by a program that the user's function has started."""

    def kill(self):
        self.lab.released.wait()
        super().kill()


class Lab:
    """A generator's actor, and what it says to its supervisor and when."""

    def __init__(self, kind=Scripted, clock=None, **takes):
        self.takes, self.workers, self.asked = takes, [], []
        self.released = threading.Event()
        self.supervisor = Mailbox("supervisor")
        clock = clock or clock_of_running_loop()
        self.actor = GeneratorActor(lambda: kind(self), supervisor=self.supervisor, clock=clock)

    @asynccontextmanager
    async def open(self):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.actor.run)
            try:
                yield self
            finally:
                self.released.set()
                tasks.cancel_scope.cancel()

    def ask(self, node, deadline=5.0, *, number=1, state=None, **more):
        state = state or lab_state(deadline)
        self.actor.mailbox.tell(mail.Suggest(ask=number, state=state, count=1, node=node, **more))

    async def suggested(self):
        """The next answer, and the (virtual) second it came in."""
        while not isinstance(message := await self.supervisor.receive(), mail.Suggested):
            pass
        return message, anyio.current_time()


def lab_state(deadline, *events):
    return fold(*SETUP, *events, e.StrategyConfigured(strategy=GenerationStrategy(deadline_seconds=deadline)))


NOTHING_LEFT = "earlier requests, or reading the context, left nothing of 5 s to ask node 'bo'"


def fallbacks(answer):
    return [one.fallback for one in answer.proposals]


# --- one deadline for all of it -------------------------------------------------------------------------------------


async def test_sobol_stands_in_for_a_node_that_takes_longer_than_the_deadline():
    async with Lab(bo=[60.0], sobol=[0.0]).open() as lab:
        lab.ask("bo")
        answer, at = await lab.suggested()

        assert (fallbacks(answer), at) == (["no suggestion from node 'bo' within 5 s"], 5.0)
        assert [worker.killed.wait(10) for worker in lab.workers[:1]] == [True]
        assert not lab.workers[1].killed.is_set()


@pytest.mark.parametrize("node", ["sobol", "random", "latin_hypercube", "centre", "grid", "bo"])
async def test_where_sobol_takes_too_long_as_well_the_ask_ends_and_says_why(node):
    takes = {"sobol": [3600.0, 3600.0], node: [3600.0, 3600.0]}
    async with Lab(**takes).open() as lab:
        lab.ask(node)
        answer, at = await lab.suggested()

        assert at == 5.0 + GRACE_S
        assert answer.proposals == ()
        assert answer.failure == (
            f"GenerationTimeout: no suggestion from node '{node}' within 5 s; and none from Sobol in its place within "
            "5 s more. The machine is busy, or points are hard to find in this space: raise suggestion_deadline_seconds"
        )
        assert all(worker.killed.wait(10) for worker in lab.workers)


async def test_the_ask_after_one_that_failed_is_answered_by_a_new_worker():
    async with Lab(sobol=[3600.0, 3600.0, 1.0]).open() as lab:
        lab.ask("sobol")
        assert (await lab.suggested())[0].failure
        lab.ask("sobol")
        answer, _ = await lab.suggested()

        assert (answer.failure, fallbacks(answer), len(lab.workers)) == (None, [None], 3)


async def test_a_constraint_function_is_named_as_the_likely_cause():
    space = search_space(X, ["tests.actors.hanging:for_ever"])
    state = lab_state(5.0, e.ExperimentConfigured(experiment=Experiment(space=space)))
    async with Lab(sobol=[3600.0, 3600.0]).open() as lab:
        lab.ask("sobol", state=state)
        answer, _ = await lab.suggested()

        assert "The constraint tests.actors.hanging:for_ever is the likely cause" in answer.failure
        assert "time one call of it" in answer.failure


async def test_sobol_has_what_a_node_that_failed_early_left_of_the_deadline():
    async with Lab(bo=[GenerationError("singular")], sobol=[60.0]).open() as lab:
        lab.ask("bo", 120.0)
        answer, at = await lab.suggested()

        assert (fallbacks(answer), at) == (["GenerationError: singular"], 60.0)


@pytest.mark.parametrize("more", [{"instead": "it pauses"}, {"in_haste": True}])
async def test_sobol_that_was_asked_at_once_in_a_nodes_place_has_a_deadline_too(more):
    async with Lab(sobol=[3600.0]).open() as lab:
        lab.ask("bo", 20.0, **more)
        answer, at = await lab.suggested()

        assert at == 20.0
        assert "none from Sobol in its place within 20 s more" in answer.failure


async def test_what_sobol_cannot_do_in_a_late_nodes_place_is_told_and_fails_no_actor():
    async with Lab(bo=[60.0], sobol=[GenerationError("no point found")]).open() as lab:
        lab.ask("bo")
        answer, at = await lab.suggested()

        assert (answer.failure, at) == ("GenerationError: no point found", 5.0)


async def test_reading_the_context_counts(monkeypatch):
    async def slowly(*_):
        await anyio.sleep(7.0)

    monkeypatch.setattr(module, "read", slowly)
    async with Lab(sobol=[1.0]).open() as lab:
        lab.ask("bo")
        answer, at = await lab.suggested()

        assert at == 8.0
        assert fallbacks(answer) == [NOTHING_LEFT]


async def test_an_old_log_with_a_deadline_of_nothing_still_gets_suggestions():
    async with Lab(sobol=[1.0]).open() as lab:
        lab.ask("sobol", 0.0)
        answer, at = await lab.suggested()

        assert (len(answer.proposals), answer.failure, at) == (1, None, 1.0)


@pytest.mark.parametrize(("since", "reason"), [(96.0, "no suggestion from node 'bo' within 5 s"), (90.0, NOTHING_LEFT)])
async def test_the_time_since_it_was_ordered_counts(since, reason):
    async with Lab(bo=[60.0], sobol=[0.0]).open() as lab:
        await anyio.sleep(100.0)
        lab.ask("bo", since=since)
        answer, at = await lab.suggested()

        assert (fallbacks(answer), at) == ([reason], max(since + 5.0, 100.0))


# --- waiting for a worker -------------------------------------------------------------------------------------------


async def test_waiting_for_a_busy_worker_counts_and_ends_no_call_of_another_ask():
    async with Lab(bo=[8.0], sobol=[0.0]).open() as lab:
        lab.ask("bo", 10.0, number=1)
        lab.ask("bo", 5.0, number=2)
        hasty, early = await lab.suggested()
        patient, late = await lab.suggested()

        reason = "no suggestion from node 'bo' within 5 s: its worker was busy with earlier requests"
        assert (hasty.ask, early, fallbacks(hasty)) == (2, 5.0, [reason])
        assert (patient.ask, late, fallbacks(patient)) == (1, 8.0, [None])
        assert not any(worker.killed.is_set() for worker in lab.workers)


async def test_a_call_has_only_what_waiting_has_left_of_the_deadline():
    async with Lab(bo=[8.0, 4.0, 1.0], sobol=[0.0]).open() as lab:
        for number in (1, 2, 3):
            lab.ask("bo", 10.0 if number < 3 else 20.0, number=number)
        answers = [await lab.suggested() for _ in range(3)]

        assert [(answer.ask, at) for answer, at in answers] == [(1, 8.0), (2, 10.0), (3, 11.0)]
        assert [fallbacks(answer) for answer, _ in answers] == [
            [None],
            ["no suggestion from node 'bo' within 10 s"],
            [None],
        ]


async def test_a_stand_in_that_never_has_its_turn_says_so_and_lets_the_other_finish():
    async with Lab(sobol=[60.0]).open() as lab:
        lab.ask("sobol", 100.0, number=1)
        lab.ask("sobol", 5.0, number=2)
        failed, at = await lab.suggested()
        made, late = await lab.suggested()

        assert (failed.ask, at, failed.proposals) == (2, 5.0 + GRACE_S, ())
        assert "within 5 s more: its worker was busy with earlier requests." in failed.failure
        assert (made.ask, late, fallbacks(made)) == (1, 60.0, [None])


async def test_loading_a_model_holds_nobody_up_past_the_deadline(monkeypatch):
    """It has no deadline of its own."""
    loading = anyio.Event()

    async def held(function, *args):
        value = function(*args)
        if isinstance(value, wire.Warmed):
            await loading.wait()
        return value

    monkeypatch.setattr(module, "run_in_thread", held)
    async with Lab(clock=RealClock(), bo=[0.0], sobol=[0.0]).open() as lab:
        lab.actor.mailbox.tell(mail.Warm(model=True))
        lab.ask("bo")
        answer, at = await lab.suggested()
        assert (at, fallbacks(answer)[0].endswith("its worker was busy with earlier requests")) == (5.0, True)

        loading.set()
        lab.ask("bo")
        assert fallbacks((await lab.suggested())[0]) == [None]
        assert not any(worker.killed.is_set() for worker in lab.workers)


async def test_a_prediction_waits_no_longer_than_the_deadline_for_a_suggestion_and_does_not_end_it():
    async with Lab(bo=[8.0]).open() as lab:
        early, later = Answer(), Answer()
        lab.ask("bo", 10.0)
        lab.actor.mailbox.tell(mail.Predict(state=lab_state(5.0), points=(), answer=early))
        with pytest.raises(GenerationError, match="no prediction within 5 s: its worker was busy"):
            await early.wait()
        assert fallbacks((await lab.suggested())[0]) == [None]

        lab.actor.mailbox.tell(mail.Predict(state=lab_state(5.0), points=(), answer=later))
        assert await later.wait() == PredictionReply(predictions=(), generator="scripted")
        assert len(lab.workers) == 1


# --- workers that hang ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Hangs, Holds])
async def test_a_worker_that_never_answers_is_killed_and_holds_nobody_up(kind):
    # Time that passes while it computes, as on the machine's clock, but without anybody waiting for it.
    async with Lab(kind, RealClock()).open() as lab:
        lab.ask("sobol")
        answer, at = await lab.suggested()

        assert (answer.proposals, at) == ((), 5.0 + GRACE_S)
        lab.released.set()
        assert [worker.killed.wait(10) for worker in lab.workers] == [True, True]


# --- who asked ------------------------------------------------------------------------------------------------------


class Slow:
    """A generator whose designs take an hour."""

    def suggest(self, request):
        return proposed(request, 0.0 if request.node == "centre" else 3600.0)


def test_who_asks_gets_an_error_with_the_cause_and_may_ask_again():
    with Client(random_seed=1, virtual_time=True, generator=Slow()) as client:
        client.configure_experiment(X)
        client.configure_generation_strategy(suggestion_deadline_seconds=5.0)
        assert len(client.get_next_trials(1)) == 1

        for _ in range(2):
            with pytest.raises(GenerationError, match="'sobol' within 5 s; and none from Sobol in its place within 5"):
                client.get_next_trials(1)

        assert client.state.next_index == 1


class Slows:
    """A generator whose calls take so many seconds, one after the other."""

    def __init__(self, *seconds):
        self.seconds = list(seconds)

    def suggest(self, request):
        return proposed(request, self.seconds.pop(0))


async def test_who_orders_while_others_wait_is_answered_by_the_deadline_too(tmp_path):
    answered, path = [], tmp_path / "busy.titrant"
    async with AsyncClient(path, random_seed=1, generator=Slows(4.0, 4.0, 0.0, 0.0)) as client:
        await client.configure_experiment(X)
        await client.configure_generation_strategy(suggestion_deadline_seconds=5.0)

        async def order():
            (index,) = await client.get_next_trials(1)
            answered.append((index, anyio.current_time()))

        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(order)
    stood_in = [event.suggestion.fallback for _, _, event in scan(path) if isinstance(event, e.TrialCreated)]

    assert answered == [(0, 4.0), (1, 5.0), (2, 5.0)]
    assert stood_in == [None, "no suggestion from node 'sobol' within 5 s", NOTHING_LEFT.replace("bo", "sobol")]


def test_a_run_that_gets_no_suggestion_in_time_finishes_what_runs_and_ends_with_the_cause():
    with Client(random_seed=1, virtual_time=True, generator=Slow()) as client:
        client.configure_experiment(X)
        client.configure_optimization("-y")
        client.configure_generation_strategy(suggestion_deadline_seconds=5.0)
        client.configure_runner(lambda at: {"y": at["x"]})
        report = client.run_trials(max_trials=4, parallelism=2)

        assert (report.outcome, report.trials_created) == ("exhausted", 1)
        assert "no suggestion from node 'sobol' within 5 s" in report.reason
        assert [trial.status.name for trial in client.state.trials()] == ["COMPLETED"]


def test_a_constraint_function_that_never_ends_holds_up_neither_who_asks_nor_the_end(monkeypatch):
    monkeypatch.setattr("titrant.engine.WorkerProcess", WorkerProcess)
    monkeypatch.setattr(module, "GRACE_S", 0.1)
    with Client(random_seed=1, control=False) as client:
        client.configure_experiment(X, ["tests.actors.hanging:for_ever"])
        client.configure_generation_strategy(suggestion_deadline_seconds=0.1)
        with pytest.raises(GenerationError, match=r"tests\.actors\.hanging:for_ever is the likely cause"):
            client.get_next_trials(1)
