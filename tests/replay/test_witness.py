"""A long log's chain is followed by a process beside the one that folds; what is said of the log stays the same."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from titrant.errors import LogCorrupt
from titrant.log import witness
from titrant.log.replay import hash_at, open_reader, scan
from titrant.log.witness import Witness
from titrant.replay import moment
from titrant.replay.moment import state_at


@pytest.fixture(autouse=True)
def long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every log is a long one here, and there are processors for it."""
    monkeypatch.setattr(witness, "LONG", 1)
    monkeypatch.setattr(witness.os, "cpu_count", lambda: 2)


@pytest.fixture
def copied(lively: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(lively, tmp_path / "copied.titrant"))


@pytest.fixture
def hashed_here(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int | None]]:
    """Between which events this process looked at hashes itself."""
    found: list[tuple[int, int | None]] = []

    def watched(path: Path, after: int, until: int | None, *, verify: bool) -> object:
        events = list(scan(path, after, until, verify=verify))
        if verify and events:
            found.append((after, events[-1][0]))
        return events

    monkeypatch.setattr(moment, "scan", watched)
    return found


def change(path: Path, sql: str) -> None:
    """Change the file behind titrant's back: its triggers are taken away, and put back after."""
    raw = sqlite3.connect(path)
    triggers = raw.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        raw.execute(f"DROP TRIGGER {name}")
    raw.execute(sql)
    for _, text in triggers:
        raw.execute(text)
    raw.commit()
    raw.close()


def witnessed(path: Path, after: int, last: int) -> bool:
    reader = open_reader(path)
    previous = hash_at(reader, after)
    reader.close()
    with Witness(path, after, last, previous) as found:
        return found.vouches()


@pytest.mark.parametrize("until", [None, 40])
def test_the_state_is_the_same_and_no_hash_is_looked_at_here(lively, hashed_here, until, monkeypatch):
    found = state_at(lively, until)
    assert hashed_here == []

    monkeypatch.setattr(witness, "LONG", 1_000_000)
    assert state_at(lively, until) == found
    assert hashed_here == [(0, found.seq)]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE events SET reason = 'changed' WHERE seq = 30",
        "UPDATE events SET recorded_at = recorded_at + 1 WHERE seq = 30",
        "UPDATE events SET payload = replace(payload, '0.1', '0.2') WHERE payload LIKE '%0.1%'",
        "UPDATE events SET hash = zeroblob(32) WHERE seq = 30",
        "DELETE FROM events WHERE seq = 30",
    ],
)
def test_a_changed_log_is_refused_in_the_same_words(copied, sql, monkeypatch):
    change(copied, sql)
    with pytest.raises(LogCorrupt) as beside:
        state_at(copied)

    monkeypatch.setattr(witness, "LONG", 1_000_000)
    with pytest.raises(LogCorrupt) as alone:
        state_at(copied)
    assert str(beside.value) == str(alone.value)


def test_a_witness_vouches_for_no_more_than_it_was_asked(copied):
    change(copied, "UPDATE events SET reason = 'changed' WHERE seq = 30")

    assert witnessed(copied, 0, 29)
    assert not witnessed(copied, 0, 30)
    assert witnessed(copied, 30, 40)


def test_where_no_process_can_be_had_hashes_are_looked_at_here(lively, hashed_here, monkeypatch):
    def refused(*_: object, **__: object) -> None:
        raise PermissionError("no processes here")

    monkeypatch.setattr(witness.subprocess, "Popen", refused)

    assert hashed_here == [(0, state_at(lively).seq)]


def test_what_a_witness_does_not_live_to_say_is_looked_at_here(lively, hashed_here, monkeypatch):
    monkeypatch.setattr(witness, "_FOLLOW", "import sys; sys.stdin.read(); sys.exit(3)")

    assert hashed_here == [(0, state_at(lively).seq)]


def test_an_interrupted_fold_leaves_no_process_behind(lively, monkeypatch):
    started: list[Witness] = []
    monkeypatch.setattr(witness, "Witness", lambda *a: started.append(Witness(*a)) or started[-1])

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(moment, "evolve", interrupted)
    with pytest.raises(KeyboardInterrupt):
        state_at(lively)

    assert [one._process for one in started] == [None]
