"""Experiments with a log on disk: closing, opening, resuming, replaying."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from titrant import Client, CommandRefused, PushedRunner, RangeParameterConfig
from titrant.errors import ClientClosed, LogExists, LogInUse, LogMissing, LogUnavailable
from titrant.log.replay import read_log
from titrant.log.scanning import scan
from titrant.messages import events as e
from titrant.rules.evolve import evolve
from titrant.rules.state import State

from .conftest import MakeClient
from .labs import Endless, Polled, Square, Takes


def fold(path: Path) -> State:
    state = State()
    for _, at, event in scan(path):
        state = evolve(state, event, at)
    return state


def rows(path: Path) -> list[tuple]:
    with sqlite3.connect(path) as db:
        return db.execute("SELECT * FROM events ORDER BY seq").fetchall()


def simulate(path: Path, seed: int = 7) -> None:
    """A run in virtual time with two runners, failures and uneven durations, on a real log."""

    class Uneven(PushedRunner):
        def __init__(self, name: str) -> None:
            self.name = name

        async def run(self, attempt):
            import anyio  # noqa: PLC0415

            await anyio.sleep(1 + attempt.trial * 7 % 5)
            if attempt.trial % 9 == 4:
                raise RuntimeError("spilled")
            return attempt.parameters["x"]

    with Client(path, random_seed=seed, virtual_time=True) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1)), RangeParameterConfig("y", (0, 1))])
        client.configure_optimization("-m")
        client.configure_generation_strategy("random_search")
        client.configure_runners([Uneven("one"), Uneven("two")])
        client.run_trials(max_trials=40, parallelism=4)


def test_the_same_seed_gives_the_same_log_byte_for_byte(tmp_path: Path):
    simulate(tmp_path / "a.titrant")
    simulate(tmp_path / "b.titrant")
    simulate(tmp_path / "c.titrant", seed=8)

    assert rows(tmp_path / "a.titrant") == rows(tmp_path / "b.titrant")
    assert rows(tmp_path / "a.titrant") != rows(tmp_path / "c.titrant")


def test_a_log_is_never_overwritten(tmp_path: Path, make_client: MakeClient):
    make_client(tmp_path / "log.titrant").close()

    with pytest.raises(LogExists, match=r"log\.titrant"):
        Client(tmp_path / "log.titrant")


def test_a_log_that_is_not_there_cannot_be_opened(tmp_path: Path):
    with pytest.raises(LogMissing):
        Client.open(tmp_path / "log.titrant")


def test_a_log_that_is_open_in_this_process_is_refused(tmp_path: Path, make_client: MakeClient):
    make_client(tmp_path / "log.titrant")

    with pytest.raises(LogInUse, match="is open in this process: close that client first"):
        Client.open(tmp_path / "log.titrant")


def test_an_opened_log_knows_everything(tmp_path: Path, make_client: MakeClient):
    client = make_client(tmp_path / "log.titrant")
    client.configure_runner(Takes(1))
    client.run_trials(max_trials=5)
    before = client.state
    client.close()

    with Client.open(tmp_path / "log.titrant", virtual_time=True) as again:
        assert again.state == before
    assert fold(tmp_path / "log.titrant") == before


def test_a_snapshot_gives_the_same_state_as_the_whole_log(tmp_path: Path, make_client: MakeClient):
    path = tmp_path / "log.titrant"
    client = make_client(path)
    client.configure_runner(lambda parameters: parameters["x"])
    client.run_trials(max_trials=300, parallelism=8)
    before = client.state
    client.close()

    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM snapshots").fetchone() == (1,)
    with Client.open(path, virtual_time=True) as again:
        assert again.state == before == fold(path)


def test_the_sequence_of_suggestions_goes_on_after_opening(tmp_path: Path, make_client: MakeClient):
    whole = make_client()
    expected = whole.get_next_trials(max_trials=6)
    client = make_client(tmp_path / "log.titrant")
    first = client.get_next_trials(max_trials=3)
    client.close()

    with Client.open(tmp_path / "log.titrant", virtual_time=True) as again:
        assert first | again.get_next_trials(max_trials=3) == expected


def test_polled_trials_are_found_again_after_opening(tmp_path: Path, make_client: MakeClient):
    path = tmp_path / "log.titrant"
    client = make_client(path)
    client.configure_runner(Endless())
    client.configure_metrics([Square("y")])
    client.run_trials(max_trials=3, parallelism=3, timeout_seconds=5)
    client.close()
    runner = Polled()

    with Client.open(path, virtual_time=True) as again:
        again.configure_runner(runner)
        again.configure_metrics([Square("y")])
        again.run_trials(max_trials=1)

        assert [trial.status.name for trial in again.state.trials()] == ["COMPLETED"] * 4
    assert runner.started == [3]
    assert [record.event.trial for record in read_log(path) if isinstance(record.event, e.TrialReattached)] == [0, 1, 2]


def test_runners_must_be_connected_again_before_a_run(tmp_path: Path, make_client: MakeClient):
    path = tmp_path / "log.titrant"
    client = make_client(path)
    client.configure_runner(Takes(1))
    client.run_trials(max_trials=1)
    client.close()

    with (
        Client.open(path, virtual_time=True) as again,
        pytest.raises(CommandRefused, match="'pushed' is in the log but not connected"),
    ):
        again.run_trials(max_trials=1)


def test_resume_makes_the_trials_the_interrupted_run_had_left(tmp_path: Path, make_client: MakeClient):
    path = tmp_path / "log.titrant"
    client = make_client(path)
    client.configure_runner(Takes(10))
    client.run_trials(max_trials=6, parallelism=2, timeout_seconds=25)
    client.close()

    with Client.open(path, virtual_time=True) as again:
        runner = Takes(10)
        runner.rerun_safe = True
        again.configure_runner(runner)
        again.resume()

        assert [trial.status.name for trial in again.state.trials()] == ["COMPLETED"] * 6


def test_a_closed_client_says_so_and_how_to_open_it_again(tmp_path: Path, make_client: MakeClient):
    kept, forgotten = make_client(tmp_path / "log.titrant"), make_client()
    kept.close()
    forgotten.close()

    with pytest.raises(ClientClosed, match=r"is closed: open it again with Client\.open\('.*log\.titrant'\)"):
        kept.get_next_trials()
    with pytest.raises(ClientClosed, match="is closed"):
        next(kept.subscribe())
    with pytest.raises(ClientClosed, match="what was in memory is gone"):
        forgotten.run_trials(1)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(LogUnavailable, match=r"the folder .*nodir does not exist: make it"):
        Client(tmp_path / "nodir" / "log.titrant")
