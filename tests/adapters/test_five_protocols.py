"""One experiment over five protocols at once, as a reader runs it: its engine is killed, and another one goes on.

Each trial goes through an oven over OPC UA, a supply over SCPI and a reactor line over SiLA 2; a sensor over MQTT and
files that an HPLC writes after the run are its metrics.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from math import exp
from pathlib import Path

import pytest
from tests.adapters.servers.process import Server, free_port

from titrant.definition import load
from titrant.errors import LogError
from titrant.log.replay import read_log
from titrant.messages import events as e
from titrant_adapters.twin.ledger import Ledger

EXAMPLE = Path(__file__).parents[2] / "examples" / "adapters"
TITRANT = Path(sys.executable).with_name("titrant")
STEPS = {"oven": "opcua", "supply": "scpi", "reactor": "sila"}
OVER = (e.TrialCompleted, e.TrialFailed, e.TrialAbandoned)
KILL_AFTER = 5
PATIENCE_S = 90.0
NAMED = {"uuid", "job"}
"""What OPC UA and SiLA 2 call a run."""


class Lab:
    """The example's lab in a process of its own, and its experiment file with ports that are free."""

    def __init__(self, folder, broker):
        ports = [free_port() for _ in STEPS] + [broker.port]
        self.folder, self.log = folder, folder / "five_protocols.titrant"
        self.file = folder / "five_protocols.toml"
        text = (EXAMPLE / "five_protocols.toml").read_text(encoding="utf-8")
        for written, free in zip((50102, 50103, 50101, 1883), ports, strict=True):
            text, times = re.subn(rf"\b{written}\b", str(free), text)
            assert times == 1
        self.file.write_text(text, encoding="utf-8")
        command = [sys.executable, EXAMPLE / "five_protocols.py", *ports]
        is_open = lambda server: all(server.has_said(f"{protocol}: ") for protocol in STEPS.values())  # noqa: E731
        self.server = Server("five", lambda _: command, folder, ready=is_open)

    def events(self):
        try:
            return [record.event for record in read_log(self.log)]
        except LogError:  # it is being made
            return []

    def engine(self, *words):
        said = self.folder / "engine.log"
        with said.open("ab") as out:
            return subprocess.Popen([TITRANT, *words], cwd=self.folder, stdout=out, stderr=out)

    def killed(self):
        """Run until trials are over, one is in the reactor and the next one before it; then no time is given."""
        process = self.engine("run", self.file.name)
        for _ in range(int(PATIENCE_S / 0.02)):
            try:
                return process.wait(timeout=0.02)
            except subprocess.TimeoutExpired:
                events = self.events()
            if len(of(events, *OVER)) >= KILL_AFTER and len(now := under_way(events)) > 1 and "reactor" in now:
                process.send_signal(signal.SIGKILL)
                return process.wait()
        process.kill()
        raise AssertionError("two trials were never seen under way")

    def resumed(self):
        """Go on; of a run that no instrument can tell of, a person says while the engine runs what became of it."""
        process = self.engine("resume", self.log.name)
        for _ in range(int(PATIENCE_S)):
            try:
                assert process.wait(timeout=1.0) == 0, self.said()
                return
            except subprocess.TimeoutExpired:
                for trial in unknown(self.events()):
                    words = ("resolve", str(trial), "failed", "-m", "the sample was thrown away", "-L", self.log.name)
                    self.engine(*words).wait()
        process.kill()
        raise AssertionError(f"it never ends:\n{self.said()}")

    def said(self):
        return (self.folder / "engine.log").read_text(errors="replace")


def of(events, *kinds):
    return [event for event in events if isinstance(event, kinds)]


def under_way(events):
    """Where trials are that are not over: the step that is named in the log and has not ended, or "" between two."""
    over = {event.trial for event in of(events, *OVER, e.TrialRunFinished)}
    latest = {event.trial: event.metadata.get("steps", {}) for event in of(events, e.TrialRunning)}
    begun = [
        [name for name, one in steps.items() if one["state"] == "begun" and NAMED & one.get("metadata", {}).keys()]
        for trial, steps in latest.items()
        if trial not in over
    ]
    return [names[0] if names else "" for names in begun]


def unknown(events):
    lost = {event.trial for event in of(events, e.TrialLost)}
    return sorted(lost - {event.trial for event in of(events, e.TrialResolved)})


class Told:
    """What the log and the instruments' ledgers say in the end."""

    def __init__(self, lab):
        self.events, self.trials = lab.events(), load(lab.file).file.run.max_trials
        self.ledgers = {step: Ledger(lab.folder / f"{protocol}.jsonl") for step, protocol in STEPS.items()}
        self.made = {event.trial: event for event in self.of(e.TrialCreated)}
        self.lost = {event.trial for event in self.of(e.TrialResolved)}
        self.whole = self.made.keys() - self.lost
        self.keys = {event.trial: event.key for event in self.of(e.TrialSubmitting)}

    def of(self, *kinds):
        return of(self.events, *kinds)

    def start(self, step, trial):
        """The last physical start of a step of a trial."""
        return [one for one in self.ledgers[step].all_starts if one.key == f"{self.keys[trial]}-{step}"][-1]


@pytest.fixture(scope="module")
def told(tmp_path_factory, mosquitto):
    lab = Lab(tmp_path_factory.mktemp("five"), mosquitto)
    with lab.server:
        assert lab.killed() == -signal.SIGKILL, lab.said()
        lab.resumed()
    return Told(lab)


def test_the_example_is_two_pages():
    for page in EXAMPLE.glob("five_protocols.*"):
        assert len(page.read_text(encoding="utf-8").splitlines()) <= 60


def test_every_trial_ends_once_and_those_under_way_were_found_again(told):
    assert len(told.made) == told.trials >= 12
    assert Counter(event.trial for event in told.of(*OVER)) == Counter(told.made.keys())
    assert {event.trial for event in told.of(e.TrialCompleted)} == told.whole
    assert len(told.lost) <= 1
    assert len(told.of(e.TrialReattached)) >= 2


def test_every_trial_went_through_all_instruments_and_no_run_was_carried_out_twice(told):
    for step in ("oven", "reactor"):
        starts = Counter(one.key for one in told.ledgers[step].all_starts)
        assert set(starts.values()) == {1}
        assert {f"{told.keys[trial]}-{step}" for trial in told.whole} <= starts.keys()
    supply = Counter(one.key for one in told.ledgers["supply"].all_starts)
    assert sum(supply.values()) <= len(supply) + 1, "but its voltage, which may be set twice: once after the kill"


def test_each_instrument_got_what_was_planned_for_it_and_no_other_trials(told):
    for trial in told.whole:
        planned = told.made[trial].parameters
        done = {name: value for step in STEPS for name, value in told.start(step, trial).conditions.items()}
        want = [planned[name] for name in ("drying", "volts", "temperature_c", "minutes")]

        assert [done[name] for name in ("drying", "volts", "temperature", "residence_time")] == pytest.approx(want)


def test_the_lamp_burns_for_one_trial_at_a_time_until_its_reactor_is_done(told):
    events = [*told.ledgers["supply"].all_starts, *told.ledgers["reactor"].all_starts]
    trials = [one.key.partition("-")[0] for one in sorted(events, key=lambda start: start.at)]

    assert sum(one != after for one, after in pairwise(trials)) == len(set(trials)) - 1


def test_the_next_sample_is_under_way_while_this_one_reacts(told):
    where, seen = {}, 0
    for event in told.of(e.TrialRunning, e.TrialRunFinished):
        steps = event.metadata.get("steps", {}) if isinstance(event, e.TrialRunning) else {}
        where[event.trial] = {name for name, one in steps.items() if one["state"] == "begun"}
        seen += "reactor" in where[event.trial] and any(now for trial, now in where.items() if trial != event.trial)

    assert seen, "one after the other"


def test_what_the_instruments_the_sensor_and_the_report_say_is_the_trials(told):
    data = {trial: {} for trial in told.made}
    for event in told.of(e.DataAttached):
        data[event.trial] |= {one.metric: one.mean for one in event.observations}

    for trial in told.whole:
        planned, run = told.made[trial].parameters, told.start("reactor", trial)
        values = told.ledgers["reactor"].ends[run.number].values
        dried = exp(-(((planned["drying"] - 110) / 60) ** 2))
        assert data[trial] == pytest.approx(
            {
                "conversion": values["conversion"],
                "lamp_volts": planned["volts"],
                "humidity": 41.5,
                "yield": values["yield"] * dried * (1 - exp(-planned["volts"] / 3)),
            },
            rel=1e-6,
        )


def test_the_instruments_wait_for_no_report(told):
    awaited, submitted_meanwhile = set(), []
    for event in told.events:
        match event:
            case e.TrialRunFinished():
                awaited.add(event.trial)
            case e.TrialSubmitting() if awaited:
                submitted_meanwhile.append(event.trial)
            case e.TrialCompleted() | e.TrialFailed():
                awaited.discard(event.trial)

    assert submitted_meanwhile, "each place stood empty until the HPLC had measured"


def test_the_optimizer_has_a_say(told):
    nodes = {event.suggestion.node for event in told.of(e.TrialCreated) if event.suggestion is not None}

    assert "bo" in nodes
