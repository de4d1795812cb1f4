"""A long log is read and checked by a process beside the one that folds it; what is said of the log stays the same."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from titrant.errors import LogCorrupt
from titrant.log import beside, scanning
from titrant.log.beside import Sound
from titrant.log.replay import hash_at, open_reader
from titrant.log.scanning import scan
from titrant.replay import moment
from titrant.replay.moment import state_at

FEW = 10


@pytest.fixture(autouse=True)
def long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every log is a long one here, of many batches, and there are processors for it."""
    monkeypatch.setattr(beside, "LONG", 1)
    monkeypatch.setattr(beside, "BATCH", FEW)
    monkeypatch.setattr(scanning, "START", FEW)
    monkeypatch.setattr(beside, "_processors", lambda: 2)


@pytest.fixture
def copied(lively: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(lively, tmp_path / "copied.titrant"))


@pytest.fixture
def beside_it(monkeypatch: pytest.MonkeyPatch) -> list[Sound]:
    """What the second process handed over."""
    found: list[Sound] = []

    @contextmanager
    def watched(*args: object) -> Iterator[Iterator[Sound]]:
        with beside.beside(*args) as batches:
            yield (found.append(batch) or batch for batch in batches)

    monkeypatch.setattr(scanning, "beside", watched)
    return found


def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "LONG", 1_000_000)


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


@pytest.mark.parametrize("until", [None, 40, 43])
def test_the_state_is_the_same_and_all_but_the_first_events_were_read_beside(lively, beside_it, until, monkeypatch):
    found = state_at(lively, until)
    assert [batch.last for batch in beside_it] == [*range(2 * FEW, found.seq, FEW), found.seq]

    alone(monkeypatch)
    assert state_at(lively, until) == found


def test_reading_may_begin_behind_any_event(lively, beside_it, monkeypatch):
    found = list(scan(lively, 17))
    assert beside_it[0].last == 17 + 2 * FEW

    alone(monkeypatch)
    assert list(scan(lively, 17)) == found


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE events SET reason = 'changed' WHERE seq = {}",
        "UPDATE events SET recorded_at = recorded_at + 1 WHERE seq = {}",
        "UPDATE events SET payload = replace(payload, ':', ' : ') WHERE seq = {}",
        "UPDATE events SET payload = payload || char(10) WHERE seq = {}",
        "UPDATE events SET payload = payload || char(10, 10) WHERE seq = {}",
        "UPDATE events SET hash = zeroblob(32) WHERE seq = {}",
        "DELETE FROM events WHERE seq = {}",
    ],
)
@pytest.mark.parametrize("seq", [1, FEW, FEW + 1, 30, 31, 35])
def test_a_changed_log_is_refused_in_the_same_words_after_the_same_events(copied, sql, seq, monkeypatch):
    def told() -> tuple[list[int], str]:
        seen = []
        with pytest.raises(LogCorrupt) as refused:
            seen.extend(seq for seq, _, _ in scan(copied))
        return seen, str(refused.value)

    change(copied, sql.format(seq))
    in_two = told()

    alone(monkeypatch)
    assert in_two == told()


def test_of_a_changed_log_only_what_is_sound_is_handed_over(copied):
    change(copied, "UPDATE events SET reason = 'changed' WHERE seq = 35")
    reader = open_reader(copied)
    link = hash_at(reader, 5)
    reader.close()

    with beside.beside(copied, 5, 60, link) as batches:
        assert [batch.last for batch in batches] == [15, 25]


def test_an_old_schema_beside_is_read_by_the_upcasters(beside_it, monkeypatch):
    golden = Path(__file__).parents[1] / "golden" / "v1.titrant"
    found = list(scan(golden))
    assert beside_it

    alone(monkeypatch)
    assert list(scan(golden)) == found


def refused(*_: object, **__: object) -> None:
    raise PermissionError("no processes here")


@pytest.mark.parametrize(
    "program", ["import sys; sys.exit(3)", "import os; os.write(1, bytes([20, *[0] * 7, 99, *[0] * 47]))", None]
)
def test_what_no_second_process_lives_to_hand_over_is_read_here(lively, program, beside_it, tmp_path, monkeypatch):
    if program is None:
        monkeypatch.setattr(beside.subprocess, "Popen", refused)
    else:
        (tmp_path / "program.py").write_text(program)
        monkeypatch.setattr(beside.following, "__file__", str(tmp_path / "program.py"))

    found = state_at(lively)
    assert beside_it == []

    alone(monkeypatch)
    assert state_at(lively) == found


def test_an_interrupted_fold_leaves_no_process_behind(lively, monkeypatch):
    started = []
    popen = beside.subprocess.Popen
    monkeypatch.setattr(beside.subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)) or started[-1])

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(moment, "evolve", interrupted)
    with pytest.raises(KeyboardInterrupt):
        state_at(lively)

    assert [one.returncode is not None for one in started] == [True]


@pytest.mark.parametrize(
    ("executable", "wanted"),
    [("/usr/bin/python3.12", True), ("C:/Python/pythonw.exe", True), ("/opt/lab/control", False), ("", False)],
)
def test_a_program_that_embeds_python_is_never_started_again(executable, wanted, monkeypatch):
    monkeypatch.setattr(sys, "executable", executable)
    assert beside.helps(beside.LONG) is wanted


def test_a_frozen_program_is_never_started_again(monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert not beside.helps(beside.LONG)
