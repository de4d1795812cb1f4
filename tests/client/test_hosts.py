"""Where the clients must work: scripts, notebooks, a host's own loop, under Ctrl-C, when the disk fails."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import textwrap

import anyio
import pytest

from titrant import AsyncClient, Client, RangeParameterConfig
from titrant.errors import LogUnavailable
from titrant.log.memory import MemoryLog
from titrant.messages import events as e


async def small(client: AsyncClient) -> None:
    await client.configure_experiment([RangeParameterConfig("x", (0, 1))])
    await client.configure_optimization("-y")
    await client.configure_generation_strategy("random_search")


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_host_runs_the_loop_in_its_own_event_loop(backend):
    async def host() -> str:
        async with AsyncClient(random_seed=1) as client:
            await small(client)
            await client.configure_runner(lambda parameters: parameters["x"])
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(anyio.sleep, 0)
                report = await client.run_trials(max_trials=4, parallelism=2)
        return report.outcome

    assert anyio.run(host, backend=backend) == "finished"


def test_the_blocking_client_works_where_a_loop_is_running_already():
    async def notebook_cell() -> int:
        with Client(random_seed=1, virtual_time=True) as client:
            client.configure_experiment([RangeParameterConfig("x", (0, 1))])
            client.configure_optimization("-y")
            client.configure_runner(lambda parameters: parameters["x"])
            return client.run_trials(max_trials=2).trials_created

    assert asyncio.run(notebook_cell()) == 2


SCRIPT = """
    import sys, threading
    import anyio
    from titrant import Client, PushedRunner, RangeParameterConfig

    one_by_one = threading.Lock()

    def told():
        with one_by_one:  # a file is not for two threads
            return sys.stdin.readline()

    class Slow(PushedRunner):
        async def run(self, attempt):
            print(f"running {attempt.trial}\\n", end="", flush=True)
            if not await anyio.to_thread.run_sync(told, abandon_on_cancel=True):
                await anyio.sleep_forever()  # nobody will tell it to end any more
            return 1.0

        def stop(self, attempt):
            print(f"stopped {attempt.trial}\\n", end="", flush=True)  # at once: two threads print

    client = Client(sys.argv[1], random_seed=1)
    client.configure_experiment([RangeParameterConfig("x", (0, 1))])
    client.configure_optimization("-y")
    client.configure_generation_strategy("random_search")
    client.configure_runner(Slow())
    report = client.run_trials(max_trials=50, parallelism=2)
    print(report.outcome, [trial.status.name for trial in client.state.trials()], flush=True)
"""


@pytest.fixture
def script(tmp_path):
    def start() -> subprocess.Popen[str]:
        file = tmp_path / "script.py"
        file.write_text(textwrap.dedent(SCRIPT))
        arguments = [sys.executable, str(file), str(tmp_path / "log.titrant")]
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        return subprocess.Popen(arguments, **pipes, text=True)

    return start


@pytest.mark.skipif(sys.platform == "win32", reason="a console is needed to send Ctrl-C there")
def test_the_first_ctrl_c_drains(script, tmp_path):
    with script() as process:
        assert {process.stdout.readline() for _ in range(2)} == {"running 0\n", "running 1\n"}
        process.send_signal(signal.SIGINT)
        assert any("draining" in line for line in process.stderr)
        out, _ = process.communicate("\n\n", timeout=60)  # only now may the trials end

    assert out.splitlines()[-1] == "drained ['COMPLETED', 'COMPLETED']"
    with Client.open(tmp_path / "log.titrant") as client:
        assert client.state.last_run.outcome == "drained"


@pytest.mark.skipif(sys.platform == "win32", reason="a console is needed to send Ctrl-C there")
def test_the_second_ctrl_c_stops(script):
    with script() as process:
        assert {process.stdout.readline() for _ in range(2)} == {"running 0\n", "running 1\n"}
        process.send_signal(signal.SIGINT)
        assert any("draining" in line for line in process.stderr)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)

    assert "stopped 0" in out
    assert out.splitlines()[-1] == "stopped ['FAILED', 'FAILED']"


def test_a_script_that_forgets_to_close_still_ends(tmp_path):
    file = tmp_path / "script.py"
    file.write_text(
        textwrap.dedent("""
            import threading
            from titrant import Client, RangeParameterConfig
            client = Client(random_seed=1)
            client.configure_experiment([RangeParameterConfig("x", (0, 1))])
            client.configure_optimization("-y")
            client.configure_runner(lambda parameters: threading.Event().wait())
            client.run_trials(max_trials=1, timeout_seconds=0.1)
        """)
    )

    assert subprocess.run([sys.executable, str(file)], timeout=60, check=False).returncode == 0


def test_when_the_log_fails_everything_stops_and_says_so(monkeypatch):
    async def broken(self, requests):
        if any(isinstance(draft.event, e.TrialSubmitting) for request in requests for draft in request.drafts):
            raise LogUnavailable("the disk is gone")
        return await stored(self, requests)

    stored = MemoryLog.commit
    started = []

    def run(parameters):
        started.append(parameters)
        return 1.0

    with Client(random_seed=1, virtual_time=True) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))])
        client.configure_optimization("-y")
        client.configure_runner(run)
        monkeypatch.setattr(MemoryLog, "commit", broken)

        with pytest.raises(LogUnavailable, match="the disk is gone"):
            client.run_trials(max_trials=3)
        with pytest.raises(LogUnavailable, match="the disk is gone"):
            client.get_next_trials(max_trials=1)
    assert started == []


def test_many_threads_may_use_one_client():
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    with Client(random_seed=1) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))])
        client.configure_optimization("-y")
        client.configure_generation_strategy("random_search")

        def work(_: int) -> int:
            ((index, parameters),) = client.get_next_trials(max_trials=1).items()
            client.complete_trial(index, raw_data=parameters["x"])
            return index

        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(work, range(40))) == list(range(40))
