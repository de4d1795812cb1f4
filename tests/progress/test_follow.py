"""Following an engine: neither the terminal nor the pipe can hold it up."""

import io
import threading

import anyio
import pytest

from titrant import ConfigurationError, TitrantError
from titrant.progress import follow, screen
from titrant.simulation import SimulatedLab

pytestmark = pytest.mark.anyio


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self):
        return True


def lab():
    return SimulatedLab(lambda parameters: {"y": parameters["x"]}, capacity=2, duration_s=60.0, failure_probability=0.2)


async def run_followed(client, file, trials=6):
    refused = None
    async with anyio.create_task_group() as tasks:
        await tasks.start(lambda *, task_status: follow(client.engine, task_status=task_status, file=file))
        try:
            await client.run_trials(trials, parallelism=2, tolerated_trial_failure_rate=1.0, progress=False)
        except TitrantError as exc:
            refused = exc
        tasks.cancel_scope.cancel()
    if refused is not None:
        raise refused


async def test_without_a_terminal_there_are_lines_and_last_words(open_client, tmp_path):
    file = io.StringIO()
    path = tmp_path / "lab.titrant"
    async with open_client([lab()], path=path) as client:
        await run_followed(client, file)
    told = file.getvalue().splitlines()

    assert told[0] == "+00:00:00  run of 6 trials, 2 at a time"
    assert "titration: finished, 6 trials in" in told[-3]
    assert told[-1] == f"log: {path}"
    assert sum("trial " in line and "+0" in line for line in told) == 6


async def test_in_a_terminal_the_cursor_is_back_and_the_summary_stands_at_the_end(open_client, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    file = Terminal()
    async with open_client([lab()]) as client:
        await run_followed(client, file)
    written = file.getvalue()

    assert written.count("\x1b[?25l") == written.count("\x1b[?25h") == 1
    assert "titration" in written[written.index("\x1b[?25h") :]
    assert "finished" in written[written.index("\x1b[?25h") :]


async def test_a_dumb_terminal_gets_lines(open_client, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    file = Terminal()
    async with open_client([lab()]) as client:
        await run_followed(client, file)

    assert "\x1b" not in file.getvalue()


async def test_a_pipe_that_takes_nothing_holds_nothing_up(open_client, monkeypatch):
    monkeypatch.setattr(screen, "CLOSING_DEADLINE_S", 0.05)
    let_go = threading.Event()

    class Stuck(io.StringIO):
        def write(self, text):
            let_go.wait()
            return len(text)

    async with open_client([lab()]) as client:
        await run_followed(client, Stuck(), trials=20)
        ended = client.state.last_run.outcome
    let_go.set()

    assert ended == "finished"


async def test_a_file_that_was_closed_ends_the_display_only(open_client):
    file = io.StringIO()
    file.close()
    async with open_client([lab()]) as client:
        await run_followed(client, file)

        assert client.state.last_run.outcome == "finished"


async def test_a_run_that_is_refused_is_not_summed_up(open_client):
    file = io.StringIO()
    async with open_client([lab()]) as client:
        with pytest.raises(ConfigurationError, match="max_trials=-1"):
            await run_followed(client, file, trials=-1)

    assert file.getvalue() == ""


async def test_a_watcher_that_falls_behind_begins_anew(open_client, capsys):
    file = io.StringIO()
    async with open_client([lab()]) as client:
        listen = client.engine.hub.listen
        capacities = iter([1, 65_536])
        client.engine.hub.listen = lambda: listen(next(capacities))
        await run_followed(client, file)

    assert "titration: finished, " in file.getvalue()
    assert "progress.fell_behind" in capsys.readouterr().err


async def test_a_fault_in_the_display_does_not_end_the_run(open_client, monkeypatch, capsys):
    def broken(*_):
        raise RuntimeError("a fault")

    monkeypatch.setattr("titrant.progress.board.Board.record", broken)
    async with open_client([lab()]) as client:
        await run_followed(client, io.StringIO())

        assert client.state.last_run.outcome == "finished"
    assert "progress.failed" in capsys.readouterr().err


async def test_following_leaves_the_log_as_it_would_be_without(open_client, tmp_path):
    logs = []
    for name, progress in (("with", True), ("without", False)):
        async with open_client([lab()], path=tmp_path / f"{name}.titrant") as client:
            await client.run_trials(6, parallelism=2, tolerated_trial_failure_rate=1.0, progress=progress)
            logs.append([(record.event, record.recorded_at) for record in client.engine.log.read()])

    assert logs[0] == logs[1]
