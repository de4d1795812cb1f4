"""The state at any moment comes from the log alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from titrant import Client, ConfigurationError
from titrant.errors import LogMissing
from titrant.replay.decisions import Stamped
from titrant.replay.moment import history, moments, sequence_number, state_at
from titrant.rules.state import State


def at(events: list[Stamped], seq: int) -> datetime:
    return datetime.fromtimestamp(events[seq - 1][1] / 1e6, tz=UTC)


def test_the_end_of_the_log_is_the_state_that_a_client_finds(lively: Path, tmp_path: Path):
    copied = shutil.copy(lively, tmp_path / "copy.titrant")
    with Client.open(copied, virtual_time=True) as client:
        found = client.state

    assert state_at(copied, -1).state == found


def test_each_moment_is_the_state_after_one_event(lively: Path, events: list[Stamped]):
    assert [moment.seq for moment in moments(lively, len(events))] == [seq for seq, _, _ in events]
    assert next(moments(lively)).state.seed == 7


def test_a_moment_in_the_middle_is_the_same_on_every_way_there(lively: Path):
    there = next(moment for moment in moments(lively) if moment.seq == 40)

    assert state_at(lively, 40) == there
    assert [state for record, state in history(lively, 40)][-1] == there.state


def test_nothing_is_known_before_the_first_event(lively: Path):
    assert state_at(lively, 0).state == State()


@pytest.mark.parametrize("text", ["40", " 40 ", "+0s"])
def test_texts_are_read_as_moments(lively: Path, text: str):
    assert sequence_number(lively, text) is not None


def test_a_negative_number_counts_from_the_end(lively: Path):
    last = state_at(lively).seq

    assert sequence_number(lively, "-5") == sequence_number(lively, -5) == last - 5


def test_a_time_is_the_last_event_until_then(lively: Path, events: list[Stamped]):
    then = at(events, 40)
    expected = max(seq for seq, recorded_at, _ in events if recorded_at <= events[39][1])

    assert sequence_number(lively, then) == expected
    assert sequence_number(lively, then.isoformat()) == expected
    assert sequence_number(lively, then.astimezone().replace(tzinfo=None).isoformat()) == expected
    assert sequence_number(lively, then - timedelta(microseconds=1)) == max(
        seq for seq, recorded_at, _ in events if recorded_at < events[39][1]
    )


def test_spans_are_measured_from_the_end_and_from_the_beginning(lively: Path, events: list[Stamped]):
    begun = events[0][1]

    assert sequence_number(lively, "+1m30s") == max(seq for seq, then, _ in events if then <= begun + 90_000_000)
    last = state_at(lively)
    assert sequence_number(lively, "-0.5m") == max(
        moment.seq for moment in moments(lively) if moment.at <= last.at - 30_000_000
    )


@pytest.mark.parametrize("when", ["9999", "-9999", -9999, "-999d", "yesterday", "", "+5x", "2026-13-01", "9" * 5000])
def test_what_names_no_moment_of_the_log_is_refused(lively: Path, when: str | int):
    with pytest.raises(ConfigurationError):
        state_at(lively, when)


def test_a_log_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(LogMissing, match="there is no log at"):
        state_at(tmp_path / "none.titrant", 3)


POISONED = """
import sys, time, datetime, socket, random, subprocess, threading, uuid, secrets

class Poison:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "botorch", "gpytorch", "numpy", "scipy", "pandas", "anyio", "asyncio"):
            raise AssertionError(f"replay imported {name}")
        if name in ("titrant.engine", "titrant.ports", "titrant.simulation") or name.startswith("titrant.actors"):
            raise AssertionError(f"replay imported {name}")

sys.meta_path.insert(0, Poison())

def poisoned(what):
    def touch(*_args, **_kwargs):
        raise AssertionError(f"replay used {what}")
    return touch

for module, names in {
    time: ("time", "time_ns", "monotonic", "perf_counter", "sleep"),
    socket: ("socket", "create_connection", "getaddrinfo", "gethostname"),
    random: ("random", "Random", "seed"),
    secrets: ("token_hex", "randbits"),
    uuid: ("uuid4",),
    subprocess: ("Popen",),
    threading: ("Thread",),
}.items():
    for name in names:
        setattr(module, name, poisoned(f"{module.__name__}.{name}"))

class Clock(datetime.datetime):
    now = today = utcnow = poisoned("the clock")

datetime.datetime = Clock

from titrant.replay.moment import moments, state_at

path, seq = sys.argv[1], int(sys.argv[2])
state = state_at(path, seq).state
print(state.next_index, len(state.closed), sum(1 for _ in moments(path)), state_at(path, "-1m").seq)
"""


def test_replay_needs_no_user_code_torch_network_or_clock(lively: Path):
    told = subprocess.run(
        [sys.executable, "-W", "error", "-c", POISONED, str(lively), "60"], capture_output=True, text=True, check=False
    )

    state = state_at(lively, 60).state
    assert told.stderr == ""
    assert told.stdout.split() == [
        str(state.next_index),
        str(len(state.closed)),
        str(state_at(lively).seq),
        str(sequence_number(lively, "-1m")),
    ]


def test_a_snapshot_gives_the_same_state_where_it_may_be_used(tmp_path: Path):
    path = tmp_path / "long.titrant"
    with Client(path, random_seed=1, virtual_time=True) as client:
        for number in range(1_100):
            client.add_note(f"note {number}")

    assert state_at(path, snapshots=True) == state_at(path)
    assert state_at(path, 500, snapshots=True) == state_at(path, 500)
