"""What becomes at resume of a trial that was left open: every row of the table, every answer, every moment.

The log of the process that died is written as the rules would have written it; then the production client opens it in
virtual time, on an instrument that answers as the case says.
"""

import anyio
import pytest

from titrant import Client, FunctionRunner, Metric, PushedRunner, RangeParameterConfig, Runner, TrialStatus
from titrant.errors import NeverSeen
from titrant.log.base import Append, Draft
from titrant.log.replay import read_log
from titrant.log.sqlite import SqliteLog
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.model.experiment import Experiment, GenerationStrategy, RunOptions
from titrant.model.objective import optimization_config
from titrant.model.space import search_space
from titrant.model.trial import Suggestion
from titrant.rules.decide import step
from titrant.rules.state import State

COMPLETED, UNKNOWN, FAILED = TrialStatus.COMPLETED, TrialStatus.UNKNOWN, TrialStatus.FAILED
LOG_ID = "ab" * 16
ANSWERS = ("running", "done", "never seen", "other key", "unreachable")


class Bench:
    """An instrument in its state after the crash; keeps a ledger of what is begun from then on."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = []
        self.starts = []
        self.stopped = []
        self.safe = 0

    def reach(self, what):
        self.asked.append(what)
        if self.answer == "unreachable":
            raise ConnectionRefusedError("nobody there")

    def begin(self, key):
        """Begin physical work, or point to the work under way."""
        self.reach("start")
        if self.answer in ("never seen", "other key"):
            self.starts.append(key)
            self.answer = "running"
        return {"id": "run-0"}

    def state(self):
        self.reach("status")
        if self.answer in ("never seen", "other key"):
            raise NeverSeen("no such attempt")
        state, self.answer = self.answer, "done"  # the next time it is asked it has ended
        return state

    async def awaited(self):
        """The data, once there are any."""
        if self.state() == "running":
            await anyio.sleep(1)
        return {"y": 1.0}


class OnBench:
    name = "instrument"

    def __init__(self, bench):
        self.bench = bench


class Polled(OnBench, Runner):
    """Status by metadata alone."""

    def run_trial(self, trial_index, parameterization, attempt):
        return self.bench.begin(attempt.key)

    def poll_trial(self, trial_index, trial_metadata):
        assert trial_metadata == {"id": "run-0"}
        return {"running": TrialStatus.RUNNING, "done": COMPLETED}[self.bench.state()]


class Keyed(Polled):
    honours_keys = True
    can_report_status = False


class StatusNoProof(Polled):
    def reattach(self, attempt):
        self.bench.reach("reattach")
        if self.bench.answer in ("never seen", "other key"):
            raise NeverSeen("no such attempt")
        return {"id": "run-0"}


class StatusProof(StatusNoProof):
    absence_is_proof = True


class ProofUnasked(Polled):
    """Declares that absence is proof, and has no way to ask for it."""

    absence_is_proof = True


class Pushed(OnBench, PushedRunner):
    """Can do nothing but run."""

    async def run(self, attempt):
        self.bench.begin(attempt.key)
        return await self.bench.awaited()


class KeyedPushed(Pushed):
    honours_keys = True


class StatusPushed(Pushed):
    """Awaits an attempt of an earlier process."""

    can_report_status = True

    async def reattach(self, attempt):
        return await self.bench.awaited()


class ProofPushed(StatusPushed):
    absence_is_proof = True


class StopOnly(Pushed):
    def stop(self, attempt):
        self.bench.reach("stop")
        self.bench.stopped.append(attempt.key)

    def safe_state(self):
        self.bench.safe += 1


class Stoppable(StatusProof):
    def stop_trial(self, trial_index, trial_metadata):
        self.bench.stopped.append(trial_metadata["id"])


def safe_again(bench):
    """A function, which died with its process."""

    def instrument(parameters):
        bench.starts.append("again")
        return {"y": 1.0}

    return FunctionRunner(instrument)


class Y(Metric):
    def fetch(self, trial_index, trial_metadata):
        return 1.0


# --- the process that died ------------------------------------------------------------------------------------------


def history(runner, moment):
    """The commands of the process that died, up to *moment*."""
    client = Client(virtual_time=True)
    with client:
        client.configure_runner(runner)
        spec = client.state.runners[0]
    space = search_space([RangeParameterConfig(name="x", parameter_type="float", bounds=(0.0, 1.0))], ())
    suggestion = Suggestion(parameters={"x": 0.5}, node="sobol", generator="by hand", position=1)
    commands = [
        c.OpenSession(engine="titrant", log_id=LOG_ID, seed=1),
        c.ConfigureExperiment(experiment=Experiment(space=space)),
        c.ConfigureOptimization(optimization=optimization_config("y", None)),
        c.ConfigureStrategy(strategy=GenerationStrategy(method="random_search")),
        c.ConfigureRunners(runners=(spec,)),
        c.ConfigureMetrics(names=("y",)),
        c.StartRun(options=RunOptions(max_trials=1)),
        c.AddTrials(suggestions=(suggestion,)),
        c.ReportRunning(trial=0, attempt=1, metadata={"id": "run-0"}),
        c.ReportFinished(trial=0, attempt=1, status="completed"),
    ]
    if moment == "stopping":
        commands[-1] = c.Stop()
    return commands[: {"submitting": 8, "running": 9, "fetching": 10, "stopping": 10}[moment]]


def leave(path, commands):
    """Write the log that a process leaves that died after *commands*."""
    state, drafts = State(), []
    for at, command in enumerate(commands, start=1_000):
        events, state = step(state, command, at)
        drafts += [Draft(event=one, recorded_at=at, trial=getattr(one, "trial", None)) for one in events]

    async def write():
        log = await SqliteLog.create(path, log_id=LOG_ID, now=1, engine="titrant test")
        await log.commit([Append(drafts=tuple(drafts))])
        await log.close()

    anyio.run(write)
    return state.trial(0).key


def resume(path, runner):
    """Open the log, connect the runner, and run on; the client stays open."""
    client = Client.open(path, virtual_time=True)
    client.configure_runner(runner)
    client.configure_metrics([Y("y")])
    return client, client.run_trials(0, tolerated_trial_failure_rate=1.0, progress=False)


# --- the table ------------------------------------------------------------------------------------------------------

COLLECT, AGAIN, LOST = (COMPLETED, 0), (COMPLETED, 1), (UNKNOWN, 0)
"""The trial's status, and how often the attempt was begun."""

KEYS = {"running": COLLECT, "done": COLLECT, "never seen": AGAIN, "other key": AGAIN, "unreachable": LOST}
PROOF = KEYS
NO_PROOF = {"running": COLLECT, "done": COLLECT, "never seen": LOST, "other key": LOST, "unreachable": LOST}
NOTHING = dict.fromkeys(ANSWERS, LOST)

TABLE = {
    Keyed: {"submitting": KEYS, "running": KEYS},
    KeyedPushed: {"submitting": KEYS, "running": KEYS},
    StatusProof: {"submitting": PROOF, "running": PROOF},
    ProofPushed: {"submitting": PROOF, "running": PROOF},
    StatusNoProof: {"submitting": NO_PROOF, "running": NO_PROOF},
    StatusPushed: {"submitting": NO_PROOF, "running": NO_PROOF},
    Polled: {"submitting": NOTHING, "running": NO_PROOF},  # without metadata there is nothing to ask by
    ProofUnasked: {"submitting": NOTHING},
    StopOnly: {"submitting": NOTHING, "running": NOTHING},
    Pushed: {"submitting": NOTHING, "running": NOTHING},
}

CASES = [
    pytest.param(row, moment, answer, *right, id=f"{row.__name__}-{moment}-{answer}")
    for row, moments in TABLE.items()
    for moment, answers in moments.items()
    for answer, right in answers.items()
]


@pytest.mark.parametrize(("row", "moment", "answer", "status", "starts"), CASES)
def test_the_decision_at_resume_is_that_of_the_table(tmp_path, row, moment, answer, status, starts):
    bench = Bench(answer)
    runner = row(bench)
    key = leave(tmp_path / "left.titrant", history(runner, moment))
    client, report = resume(tmp_path / "left.titrant", runner)
    with client:
        trial = client.state.trial(0)

        assert trial.status is status
        assert bench.starts == [key] * starts
        assert (trial.key, trial.attempt) == (key, 1)
        assert ("start" in bench.asked) == (row in (Keyed, KeyedPushed) or starts > 0)
        if row is Pushed:
            assert bench.asked == []
            assert "instrument" in client.state.quarantined
        if status is UNKNOWN:
            assert "trial 0 is UNKNOWN" in report.reason
            assert trial.observations == ()
            client.resolve(0, "completed", "read from its display", raw_data={"y": 2.0})
            assert client.state.trial(0).status is COMPLETED
    if row is StopOnly:  # done by the time the log is let go
        assert bench.safe == 1
        assert bench.stopped == ([] if answer == "unreachable" else [key])


@pytest.mark.parametrize("row", [*TABLE, safe_again])
def test_a_run_that_had_ended_is_fetched_and_its_runner_left_alone(tmp_path, row):
    bench = Bench("done")
    runner = row(bench)
    leave(tmp_path / "left.titrant", history(runner, "fetching"))
    client, _ = resume(tmp_path / "left.titrant", runner)
    with client:
        assert client.state.trial(0).status is COMPLETED
        assert (bench.asked, bench.starts, bench.stopped) == ([], [], [])


@pytest.mark.parametrize("moment", ["submitting", "running"])
def test_what_may_be_done_twice_is_done_again_under_a_new_key(tmp_path, moment):
    bench = Bench("never seen")
    runner = safe_again(bench)
    key = leave(tmp_path / "left.titrant", history(runner, moment))
    client, _ = resume(tmp_path / "left.titrant", runner)
    with client:
        trial = client.state.trial(0)

        assert trial.status is COMPLETED
        assert bench.starts == ["again"]
        assert trial.attempt == 2
        assert trial.key != key


def test_a_stop_that_may_not_have_reached_the_runner_is_told_again(tmp_path):
    bench = Bench("running")
    runner = Stoppable(bench)
    leave(tmp_path / "left.titrant", history(runner, "stopping"))
    client, _ = resume(tmp_path / "left.titrant", runner)
    with client:
        assert client.state.trial(0).status is FAILED
        assert client.state.trial(0).reason == "stopped on request"
        assert bench.stopped == ["run-0"]
        assert bench.starts == []


def test_a_trial_is_collected_that_ended_in_time_while_nobody_looked(tmp_path):
    bench = Bench("done")
    runner = StatusProof(bench)
    leave(tmp_path / "left.titrant", history(runner, "running"))
    client = Client.open(tmp_path / "left.titrant", virtual_time=True)
    with client:
        client.configure_runner(runner)
        client.configure_metrics([Y("y")])
        client.run_trials(0, trial_ttl_seconds=60, progress=False)  # by the calendar its time was up long ago

        assert client.state.trial(0).status is COMPLETED


def test_a_person_must_say_what_became_of_it_and_how_they_know(tmp_path):
    bench = Bench("running")
    leave(tmp_path / "left.titrant", history(Pushed(bench), "running"))
    client, _ = resume(tmp_path / "left.titrant", Pushed(bench))
    with client:
        assert client.run_trials(0, progress=False).outcome == "finished"
        assert client.state.trial(0).status is UNKNOWN  # running on settles nothing by itself
        with pytest.raises(Exception, match="reason"):
            client.resolve(0, "abandoned", "  ")
        client.resolve(0, "rerun", "the counter of the instrument did not move")
        client.restore_runner("instrument", "looked at it")
        bench.answer = "never seen"
        client.run_trials(0, progress=False)

        assert client.state.trial(0).status is COMPLETED
        assert client.state.trial(0).attempt == 2
    said = [record for record in read_log(tmp_path / "left.titrant") if isinstance(record.event, e.TrialResolved)]
    assert [(one.event.outcome, one.event.reason) for one in said] == [
        ("rerun", "the counter of the instrument did not move")
    ]
    assert said[0].actor.startswith("user:")
