"""A campaign of kills: experiments that are killed again and again, and what each kill left behind.

An experiment goes on from kill to kill until its trials are over; then the next begins.  After every kill the log and
the instruments' ledger are held against what was promised; every broken promise is a finding.
"""

import json
import os
import random
import select
import subprocess
import sys
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from pathlib import Path

import msgspec
from tests.durability.child import SEED, Plan, golden
from tests.durability.nursery import nursery
from tests.durability.runners import Lab

from titrant import TrialStatus
from titrant.messages import events as e
from titrant.testing.crash import Testimony, check_log

HONOURS_KEYS = {"Keyed", "KeyedPushed"}
RERUN_SAFE = {"again"}
LIMIT = 60.0  # seconds after which a child hangs


class Kill(msgspec.Struct, frozen=True):
    """How a child is killed: at a crash point, on the instruments' side, or some time after it was started."""

    point: str = ""
    trap: str = ""
    after: float | None = None

    def __str__(self):
        return self.point or self.trap or "random time"

    @property
    def kind(self):
        return str(self).partition("#")[0]


class Server:
    """The instruments' process and its ledger, and where the children that work with them come from."""

    def __init__(self, folder):
        self.children = nursery(folder)
        self.path = folder / "ledger.jsonl"
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("instruments.py")), str(self.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.port = int(self._process.stdout.readline())
        self._seen = 0
        self._starts = defaultdict(list)

    def ask(self, do, **question):
        return Lab(self.port, "").ask(do, **question)

    def starts(self, lab):
        """The physical starts of one laboratory, from the ledger."""
        with self.path.open() as file:
            file.seek(self._seen)
            for line in file:
                start = json.loads(line)
                self._starts[start["lab"]].append(start)
                self._seen += len(line)
        return self._starts[lab]

    def close(self):
        self.children.close()
        self._process.stdin.close()
        try:
            self._process.wait(10)
        finally:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()


@contextmanager
def server(folder):
    running = Server(folder)
    try:
        yield running
    finally:
        running.close()


class Experiment:
    """One log, and everything that was done on it."""

    def __init__(self, folder, name, lane, instruments, *, trials=40, act_first=False, parameters=None):
        self.instruments = instruments
        self.lane = lane
        self.testimony = Testimony()
        self.witness = folder / f"{name}.witness"
        self.plan = Plan(
            path=str(folder / f"{name}.titrant"),
            witness=str(self.witness),
            port=instruments.port,
            lab=name,
            lane=lane,
            trials=trials,
            act_first=act_first,
        )
        self.parameters = parameters or (lambda index: golden(SEED, index))
        self.finished = False
        self.checked = None
        self._told = set()

    def go(self, kill=None, listing=None, action="kill"):
        """Let a child work until it is killed or the experiment is over; give how it ended, and what is new to find."""
        kill = kill or Kill()
        if kill.trap:
            event, _, nth = kill.trap.partition("#")
            self.instruments.ask("trap", event=event, nth=int(nth or 1), action=action)
        ended = self.instruments.children.run(self.plan, at=kill.point, after=kill.after, listing=listing, limit=LIMIT)
        self.instruments.ask("trap", event="", nth=0, action="")
        self.instruments.ask("until_settled")
        return ended, self._found(ended)

    def go_with_lost_replies(self, event, nth):
        """Let a child work while the instruments' server breaks off instead of answering once."""
        return self.go(Kill(trap=f"{event}#{nth}"), action="drop")

    def _found(self, ended):
        findings = self._orphans()
        self.testimony.read(self.witness)
        self.witness.unlink(missing_ok=True)
        if not ended.killed and ended.code != 0:
            what = "hung" if ended.hung else f"ended with code {ended.code}"
            findings.append(f"the child {what}: {ended.said[-1500:]}")
            self.finished = True
        findings += self.faults()
        if ended.code == 0:
            self.finished = True
            findings += self.faults_at_the_end()
        new = [finding for finding in findings if finding not in self._told]
        self._told.update(new)
        return new

    def faults(self):
        """What is wrong with the log and the ledger, at any time."""
        self.checked = check_log(Path(self.plan.path), self.testimony)
        return [*self.checked.faults, *self._seed_faults(), *self._start_faults()]

    def _seed_faults(self):
        """The seed and the sequence go on: trial n is what an uninterrupted run makes of it."""
        for event in self.checked.events(e.SessionOpened):
            if event.seed != SEED:
                yield f"seed: a session has the seed {event.seed}"
        for number, event in enumerate(self.checked.events(e.TrialCreated)):
            if event.trial != number or event.parameters["x"] != self.parameters(number):
                yield f"sequence: trial {event.trial} has x={event.parameters['x']}, not {self.parameters(number)}"

    def _start_faults(self):
        """No physical start without its durable intent, none twice."""
        intents = self.checked.events(e.TrialSubmitting)
        keys = {intent.key for intent in intents}
        tries = Counter((intent.runner, intent.trial) for intent in intents)
        made = {event.trial: event.parameters["x"] for event in self.checked.events(e.TrialCreated)}
        points = Counter(made[intent.trial] for intent in intents)
        by_key, by_trial, by_point = Counter(), Counter(), Counter()
        for start in self.instruments.starts(self.plan.lab):
            name, trial = start["instrument"], start["trial"]
            if start["key"] is not None:
                by_key[start["key"]] += 1
                if start["key"] not in keys:
                    yield f"no intent: {name} began trial {trial} under {start['key']}, of which the log knows nothing"
            by_point[start["x"]] += 1
            if name not in RERUN_SAFE:
                by_trial[name, trial] += 1
        for (name, trial), count in by_trial.items():
            if count > 1:
                yield f"double start: {name} began trial {trial} {count} times"
            if not tries[name, trial]:
                yield f"no intent: {name} began trial {trial} without a word in the log"
        yield from (f"double start: {count} under key {key}" for key, count in by_key.items() if count > 1)
        yield from (f"no intent: {n} starts of x={x}" for x, n in by_point.items() if n > points[x])

    def faults_at_the_end(self):
        """Every trial is over, as its lane promises."""
        state = self.checked.state
        if state.open or state.run is not None or state.next_index != self.plan.trials:
            yield f"unfinished: {state.next_index} trials, {len(state.open)} open, run {state.run}"
        if not self.checked.records or not isinstance(self.checked.records[-1].event, e.SessionClosed):
            yield "unfinished: the last event is not session.closed"
        if self.lane != "unsure" and self.checked.events(e.TrialLost):
            yield f"lost sight: {self.checked.events(e.TrialLost)}"
        begun = {start["x"] for start in self.instruments.starts(self.plan.lab)}
        for trial in state.closed.values():
            x = trial.parameters["x"]
            if trial.status is not self._right_end(trial):
                yield f"wrong end: trial {trial.index} is {trial.status.name}: {trial.reason}"
            if trial.status is TrialStatus.COMPLETED:
                if {observation.mean for observation in trial.observations} != {(x - 0.3) ** 2}:
                    yield f"wrong data: trial {trial.index} has {trial.observations}"
                if x not in begun:
                    yield f"invented: trial {trial.index} is COMPLETED and was never begun"

    def _right_end(self, trial):
        said = trial.reason or ""
        if self.lane == "stopping" and (trial.index % 3 == 2 or "time to live" in said):
            return TrialStatus.FAILED
        if self.lane == "unsure" and trial.runner == "StopOnly" and "stopped" in said:
            return TrialStatus.FAILED
        return TrialStatus.COMPLETED

    def _orphans(self):
        """Worker processes that outlive the engine by more than they need to notice."""
        path = Path(f"{self.witness}.workers")
        if not path.exists():
            return []
        ids = [int(line) for line in path.read_text().split()]
        path.unlink()
        return [f"orphan: worker {pid} outlived the engine" for pid in ids if not gone(pid, seconds=20.0)]


def gone(pid, seconds):
    """Wait until a process that is not our child has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)


class Campaign:
    """Kills by point, and what was found."""

    def __init__(self, folder, instruments, seed=1, **options):
        self.folder = folder
        self.instruments = instruments
        self.options = options
        self.random = random.Random(seed)
        self.kills = Counter()
        self.missed = Counter()
        self.findings = []
        self.experiments = 0
        self.finished = 0
        self.seconds = 0.0
        self.longest = {}  # lane -> seconds of a whole run

    @property
    def total(self):
        return sum(self.kills.values())

    def experiment(self, lane):
        self.experiments += 1
        return Experiment(self.folder, f"{lane}-{self.experiments}", lane, self.instruments, **self.options)

    def discover(self, lane):
        """The crash points that only a run from nothing passes, and those that one after a kill passes."""
        fresh, later = self.folder / f"{lane}.fresh", self.folder / f"{lane}.later"
        experiment = self.experiment(lane)
        self.go(experiment, Kill(point="log.commit.after:trial.running#3"), fresh)
        self.go(experiment, None, later)
        before = self.seconds
        self.go(self.experiment(lane), None, fresh)
        self.longest[lane] = self.seconds - before
        first, second = set(fresh.read_text().split()), set(later.read_text().split())
        return sorted(first - second), sorted(second)

    def others(self, lane, points, count):
        """Kills at further passes of named points, on the instruments' side, and at any time."""
        for number in range(count):
            match number % 3:
                case 0:
                    yield Kill(point=f"{self.random.choice(points)}#{self.random.randint(2, 9)}")
                case 1:
                    yield Kill(trap=f"{self.random.choice(TRAPS[lane])}#{self.random.randint(1, 8)}")
                case _:
                    yield Kill(after=self.random.uniform(0.1, 0.9) * self.longest[lane])

    def carry_out(self, lane, at_first, later):
        """Kill: *at_first* on new experiments, *later* wherever one stands; each experiment is seen to its end."""
        at_first, later = list(at_first), list(later)
        tries = Counter()
        while at_first or later:
            experiment = self.experiment(lane)
            if at_first:
                self._try(experiment, at_first.pop())
            while later and not experiment.finished:
                kill = later.pop()
                if tries[kill]:  # it may need trials left open by the process before
                    self.go(experiment, Kill(trap="start.after#4"))
                if not self.go(experiment, kill):  # it was over before it came to that point
                    tries[kill] += 1
                    if tries[kill] < 3:
                        later.append(kill)
                    else:
                        self.missed[kill.kind] += 1
            if not experiment.finished:
                self.go(experiment)

    def top_up(self, lane, target):
        """Kill on the instruments' side until there are *target* kills in all."""
        for _ in range(2 * target):
            if self.total >= target:
                return
            experiment = self.experiment(lane)
            while not experiment.finished and self.total < target:
                self.go(experiment, Kill(trap=f"start.after#{self.random.randint(1, 8)}"))
            if not experiment.finished:
                self.go(experiment)

    def _try(self, experiment, kill):
        if not self.go(experiment, kill):
            self.missed[kill.kind] += 1

    def go(self, experiment, kill=None, listing=None):
        """One child; whether it was killed."""
        began = time.perf_counter()
        ended, findings = experiment.go(kill, listing)
        self.seconds += time.perf_counter() - began
        name = "no kill" if kill is None else str(kill)
        self.findings += [f"[{experiment.plan.lab}, {name}] {finding}" for finding in findings]
        self.finished += ended.code == 0
        if ended.killed and kill is not None:
            self.kills[kill.kind] += 1
        return ended.killed

    def report(self):
        """A table of kills by point, and the findings."""
        lines = [
            f"{self.total} kills at {len(self.kills)} points; {self.experiments} experiments, {self.finished} finished"
        ]
        lines += [f"  {count:4d}  {point}" for point, count in sorted(self.kills.items())]
        lines += [f"  {count:4d}  not reached: {point}" for point, count in sorted(self.missed.items())]
        lines.append(f"{self.seconds / max(1, self.total):.2f} s a kill, {len(self.findings)} findings")
        return "\n".join([*lines, *self.findings])


TRAPS = {
    "sure": ["start.before", "start.after", "status", "wait", "wait.over"],
    "unsure": ["start.before", "start.after", "status", "wait", "wait.over"],
    "stopping": ["start.before", "start.after", "status", "stop"],
    "sobol": ["start.after", "wait.over"],
}
"""Moments on the instruments' side at which the engine may die."""
