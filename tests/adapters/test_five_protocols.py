"""One experiment over five protocols at once, as a reader runs it: its engine is killed, and another one goes on.

A reactor line over SiLA 2, an oven over OPC UA and a supply over SCPI carry trials out; a sensor over MQTT and files
that an HPLC writes after the run are its metrics.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.adapters.servers.process import Server, free_port

from titrant import Client
from titrant.definition import load
from titrant.errors import LogError
from titrant.log.replay import read_log
from titrant.messages import events as e
from titrant_adapters.twin.ledger import Ledger

EXAMPLE = Path(__file__).parents[2] / "examples" / "adapters"
TITRANT = Path(sys.executable).with_name("titrant")
STATIONS = {"reactor line": "sila", "oven": "opcua", "supply": "scpi"}
OVER = (e.TrialCompleted, e.TrialFailed, e.TrialAbandoned)
KILL_AFTER = 7
UNDER_WAY = 3
"""Runs when the engine is killed: more than one of them is on a station that can be asked for it later."""
PATIENCE_S = 90.0


class Lab:
    """The example's lab in a process of its own, and its experiment file with ports that are free."""

    def __init__(self, folder, broker):
        ports = [free_port() for _ in STATIONS]
        self.folder, self.log = folder, folder / "five_protocols.titrant"
        self.file = folder / "five_protocols.toml"
        text = (EXAMPLE / "five_protocols.toml").read_text(encoding="utf-8")
        for written, free in zip((50101, 50102, 50103, 1883), (*ports, broker.port), strict=True):
            text, times = re.subn(rf"\b{written}\b", str(free), text)
            assert times == 1
        self.file.write_text(text, encoding="utf-8")
        command = [sys.executable, EXAMPLE / "five_protocols.py", "--broker-port", broker.port, "--ports", *ports]
        self.server = Server("five", lambda _: command, folder, ready=lambda server: server.has_said("the lab is open"))

    def starts(self):
        """Physical starts so far, while the lab may be writing."""
        written = [path.read_bytes() for path in self.folder.glob("*.jsonl")]
        return sum(text.count(b'"type":"start"') for text in written)

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
        """Run until trials are over and others are physically under way; then no time is given to end well."""
        process = self.engine("run", self.file.name)
        for _ in range(int(PATIENCE_S / 0.02)):
            try:
                return process.wait(timeout=0.02)
            except subprocess.TimeoutExpired:
                events = self.events()
            if (
                len(of(events, *OVER)) >= KILL_AFTER
                and self.starts() - len(of(events, e.TrialRunFinished)) >= UNDER_WAY
            ):
                process.send_signal(signal.SIGKILL)
                return process.wait()
        process.kill()
        raise AssertionError("it was never seen under way")

    def resumed(self):
        """Go on; a person looks at what SCPI cannot tell, and restores the instrument."""
        for _ in range(4):
            process = self.engine("resume", self.log.name)
            process.wait(timeout=PATIENCE_S)
            with Client.open(self.log) as client:
                for index in client.state.unknown:
                    client.resolve(index, "failed", "the sample was thrown away")
                for name in client.state.quarantined:
                    client.restore_runner(name, "looked at it")
                if not client.state.open and client.state.next_index >= self.trials:
                    return
        raise AssertionError(f"it never ends:\n{(self.folder / 'engine.log').read_text(errors='replace')}")

    @property
    def trials(self):
        return load(self.file).file.run.max_trials


class Told:
    """What the log and the stations' ledgers say in the end."""

    def __init__(self, lab):
        self.events, self.trials = lab.events(), lab.trials
        self.ledgers = {name: Ledger(lab.folder / f"{protocol}.jsonl") for name, protocol in STATIONS.items()}
        self.made = {event.trial for event in self.of(e.TrialCreated)}
        self.lost = {event.trial for event in self.of(e.TrialResolved)}
        self.submitted = {event.trial: event for event in self.of(e.TrialSubmitting)}

    def of(self, *kinds):
        return of(self.events, *kinds)

    def run_of(self, trial):
        """What the station measured: the values of the one start under the trial's key."""
        ledger, key = self.ledgers[self.submitted[trial].runner], self.submitted[trial].key
        (number,) = [start.number for start in ledger.all_starts if start.key == key]
        return ledger.ends[number].values


def of(events, *kinds):
    return [event for event in events if isinstance(event, kinds)]


@pytest.fixture(scope="module")
def told(tmp_path_factory, mosquitto):
    lab = Lab(tmp_path_factory.mktemp("five"), mosquitto)
    with lab.server:
        assert lab.killed() == -signal.SIGKILL
        lab.resumed()
    return Told(lab)


def test_every_trial_ends_once_and_only_what_no_station_could_tell_of_is_lost(told):
    assert len(told.made) == told.trials
    assert Counter(event.trial for event in told.of(*OVER)) == Counter(told.made)
    assert {event.trial for event in told.of(e.TrialCompleted)} == told.made - told.lost
    assert {told.submitted[trial].runner for trial in told.lost} <= {"supply", "reactor line"}
    assert told.of(e.TrialReattached)


def test_no_run_is_carried_out_twice_at_any_station(told):
    keys = Counter(start.key for ledger in told.ledgers.values() for start in ledger.all_starts)

    assert set(keys.values()) == {1}
    assert keys.keys() <= {event.key for event in told.submitted.values()}
    assert all(ledger.starts() for ledger in told.ledgers.values())


def test_each_report_goes_to_the_trial_whose_run_it_is(told):
    data = {trial: {} for trial in told.made}
    for event in told.of(e.DataAttached):
        data[event.trial] |= {one.metric: one.mean for one in event.observations}

    for trial in told.made - told.lost:
        assert data[trial] == pytest.approx({**told.run_of(trial), "humidity": 41.5}, rel=1e-6)


def test_a_station_waits_for_no_report(told):
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
