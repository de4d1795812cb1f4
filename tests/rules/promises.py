"""What the rules promise in every state they can reach, whoever asked for what; each broken promise is an assertion."""

from __future__ import annotations

from collections import Counter
from random import Random

from titrant.errors import CommandRefused, ConfigurationError
from titrant.log.snapshots import pack, unpack
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.messages.codec import decode, encode_checked
from titrant.messages.commands import Command
from titrant.messages.events import Event
from titrant.model.trial import Trial, TrialStatus
from titrant.rules import approving, changing, course
from titrant.rules.decide import decide, step
from titrant.rules.evolve import evolve
from titrant.rules.running import advance, wanted
from titrant.rules.state import USELESS, State

from . import plausible
from .world import NOON


class Watched:
    """An experiment of which every step is held against the promises.

    Attributes:
        state: The live state.
        replayed: What reading the log would give.
        seen: What was reached: event types, outcomes of runs, trial states, refusals.
    """

    def __init__(self) -> None:
        self.state = self.replayed = State()
        self.at = NOON
        self.keys: set[str] = set()
        self.seen: Counter[str] = Counter()

    def do(self, command: Command, pause: int = 1) -> None:
        """Carry a command out."""
        before = self.state
        copy = unpack(pack(before))
        assert copy == before, "a snapshot gives the same state"
        self.at += pause
        events = self._decided(before, command)
        assert before == copy, "a decision changes nothing"
        for event in events:
            self._told(event, command)
        assert self.replayed == self.state, "reading the log gives the live state"
        check_state(self.state)
        check_step(before, self.state, events)

    def _decided(self, before: State, command: Command) -> tuple[Event, ...]:
        try:
            events, self.state = step(before, command, self.at)
        except (CommandRefused, ConfigurationError) as exc:
            refusal = str(exc)
        else:
            assert step(before, command, self.at) == (events, self.state), "the same again gives the same"
            decided = decide(before, command, self.at)
            assert events[: len(decided)] == decided, "what follows by itself comes after what was decided"
            return events
        assert refusal.strip(), "a refusal says why"
        self.seen["refused"] += 1
        return ()

    def _told(self, event: Event, command: Command) -> None:
        before = self.replayed
        self.replayed = evolve(before, decode(*encode_checked(event)), self.at)
        self.seen[type(event).__name__] += 1
        match event:
            case e.TrialSubmitting():
                check_submission(self.replayed, event)
                assert event.key not in self.keys, "a key is used for one attempt"
                self.keys.add(event.key)
            case e.TrialRequeued(trial=index):
                spec = before.runner(before.trial(index).runner)
                word = isinstance(command, c.Retry) or (isinstance(command, c.Resolve) and command.outcome == "rerun")
                assert word or (spec is not None and spec.rerun_safe), "only what is safe is carried out again"
            case e.TrialApproved(trial=index):
                self.seen["approved in hand" if before.trial(index).asked else "approved for the loop"] += 1
                check_decision(before.trial(index), command)
            case e.TrialRejected(trial=index):
                check_decision(before.trial(index), command)
            case e.RunEnded(outcome=outcome):
                self.seen[outcome] += 1
            case _:
                pass

    def end(self) -> None:
        """Every run ends once nothing is kept secret from it."""
        for _ in range(200):
            if self.state.run is None:
                break
            self.do(plausible.ending(self.state))
        assert self.state.run is None, "a run ends"
        self.seen.update(trial.status.name for trial in self.state.trials())


def check_state(state: State) -> None:
    """The parts of the state agree with each other."""
    trials = state.open
    closed = state.closed
    assert sorted([*trials, *closed]) == list(range(state.next_index)), "indices are consecutive, each trial is once"
    assert all(trial.status.is_open for trial in trials.values())
    assert all(trial.status.is_terminal for trial in closed.values())
    slots = Counter(trial.runner for trial in trials.values() if course.holds_slot(trial))
    assert {name: count for name, count in state.busy.items() if count} == slots
    loop = {index for index, trial in trials.items() if not trial.asked and trial.status is not TrialStatus.UNKNOWN}
    assert state.in_loop == len(loop)
    waiting = {index for index in loop if trials[index].status in approving.WAITING}
    assert sorted(state.queue) == sorted(waiting)
    assert all(fresh(trials[index]) for index in waiting), "nothing of an earlier attempt clings to the next"
    awaiting = {index for index, trial in trials.items() if trial.status is TrialStatus.PROPOSED}
    assert sorted(state.proposed) == sorted(awaiting)
    assert state.proposed_in_loop == len(awaiting & loop)
    assert all(bool(trial.rule) == (index in awaiting) for index, trial in trials.items())
    assert all(fresh(trials[index]) for index in awaiting), "nothing is done with what awaits approval"
    space = None if state.experiment is None else state.experiment.space
    new = [trial for trial in trials.values() if trial.status is TrialStatus.CANDIDATE]
    assert all(space and space.contains(trial.parameters) for trial in new), "what waits fits the search space"
    check_sight(state)
    assert sorted(state.unknown) == sorted(i for i, trial in trials.items() if trial.status is TrialStatus.UNKNOWN)
    ended = Counter(trial.status for trial in closed.values())
    assert {status: count for status, count in zip(TrialStatus, state.counts, strict=True) if count} == ended
    useful = [trial for trial in state.trials() if trial.origin != "suggested" and trial.status not in USELESS]
    assert state.attached == len(useful)
    assert state.replicates == sum(trial.replicate_of is not None for trial in useful)
    assert all(trial.awaiting for trial in trials.values() if trial.run_done), "what is over awaits something, or ends"
    assert advance(state) == (), "whatever follows by itself has followed"
    check_run(state)


def check_sight(state: State) -> None:
    """Every trial is seen from the present space or left out, and a model's space has room for the present one."""
    if state.experiment is None:
        return
    space, held = changing.sight(state)
    assert space.names == state.experiment.space.names
    assert all(space.parameter(name).check(value) == value for name, value in held.items())
    for trial in state.trials():
        place = changing.project(state, trial)
        if place is not None and state.space_changes:
            assert tuple(place) == space.names


def check_decision(trial: Trial, command: Command) -> None:
    """Only a person decides, one who is named where somebody is, and nobody approves their own then."""
    assert isinstance(command, c.Approve | c.Reject)
    assert command.actor.startswith("user:")
    names = {command.actor, f"role:{command.role}"}
    assert not trial.approvers or names.intersection(trial.approvers)
    assert not (isinstance(command, c.Approve) and trial.approvers and command.actor == trial.proposer)


def fresh(trial: Trial) -> bool:
    """Nothing is left of an earlier attempt but its number."""
    left = (trial.runner, trial.key, trial.metadata, trial.submitted_at, trial.started_at, trial.stop_requested)
    return not any(left) and not trial.run_done and not trial.awaiting


def check_run(state: State) -> None:
    """A run is responsible for what it says, and something keeps it going."""
    run = state.run
    if run is None:
        return
    assert run.taken == run.ended + state.in_loop
    assert len(run.failures) <= run.ended
    assert run.created <= run.options.max_trials
    assert state.halted is None
    under_way = state.in_loop - len(state.queue) - state.proposed_in_loop
    room = sum(run.options.parallelism if spec.capacity is None else spec.capacity for spec in state.runners)
    assert wanted(state) + state.proposed_in_loop + len(state.queue) <= max(
        room, state.proposed_in_loop + len(state.queue)
    ), "no more is proposed than could run"
    waits = state.paused is not None or wanted(state) or state.proposed_in_loop
    assert under_way or waits, "a run waits for something that can come"


def check_submission(state: State, event: e.TrialSubmitting) -> None:
    """No runner is given more than it can hold, none that is quarantined anything."""
    run, spec = state.run, state.runner(event.runner)
    assert run is not None
    assert spec is not None
    assert event.runner not in state.quarantined
    assert (state.busy.get(event.runner) or 0) <= (run.options.parallelism if spec.capacity is None else spec.capacity)
    assert state.slots_in_use <= run.options.parallelism
    assert (state.paused, state.halted, run.draining) == (None, None, None)
    trial = state.trial(event.trial)
    assert approving.required(state, trial) is None, "what needs approval has it"
    assert state.experiment is not None
    assert state.experiment.space.contains(trial.parameters), "what is submitted fits the search space of now"


def check_step(before: State, after: State, events: tuple[Event, ...]) -> None:
    """Nothing that is over begins again, and nothing recorded is forgotten but what a person corrects."""
    corrected = {event.trial for event in events if isinstance(event, e.ResultCorrected)}
    requeued = {event.trial for event in events if isinstance(event, e.TrialRequeued)}
    for index, trial in before.closed.items():
        now = after.trial(index).status
        again = index in requeued and trial.status is TrialStatus.FAILED
        assert again or now is trial.status or {now, trial.status} in WITHDRAWN, "only what failed begins again"
    for index in range(before.next_index):
        seen = before.trial(index).observations
        if index not in corrected:
            assert after.trial(index).observations[: len(seen)] == seen, "an observation stays"
        check_marks(after.trial(index), after)
    assert after.position >= before.position
    assert after.results >= before.results


WITHDRAWN = (
    {TrialStatus.COMPLETED, TrialStatus.VOIDED},
    {TrialStatus.EARLY_STOPPED, TrialStatus.VOIDED},
)


def check_marks(trial: Trial, state: State) -> None:
    """When a withdrawn value could be seen lies in the past, and a trial is withdrawn from what it was."""
    assert all(0 <= first <= end <= state.results for first, end in (*trial.withdrawn, *trial.absent))
    assert trial.result <= state.results
    voided = trial.status is TrialStatus.VOIDED
    assert (trial.voided_from in (TrialStatus.COMPLETED, TrialStatus.EARLY_STOPPED)) == voided
    assert trial.withdrawn or not voided


def live(draw: Random, steps: int) -> Watched:
    """An experiment from its beginning through *steps* commands, then to the end of its run."""
    watched = Watched()
    for _ in range(steps):
        watched.do(plausible.command(watched.state, draw), pause=draw.randint(0, 2))
    watched.end()
    return watched
