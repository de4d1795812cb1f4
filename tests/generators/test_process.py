"""The worker process: answers, dies, is told apart from a generator's refusal, and starts again."""

import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import msgspec
import psutil
import pytest

from titrant.errors import GenerationError, SearchSpaceExhausted, WorkerDied
from titrant.generators import sobol, wire
from titrant.generators.base import PredictionRequest, Proposal, Reply, Request
from titrant.generators.process import InProcess, WorkerProcess
from titrant.model.objective import optimization_config
from titrant.model.space import RangeParameterConfig, search_space


@pytest.fixture
def worker():
    with WorkerProcess() as worker:
        yield worker


@pytest.fixture
def scripted(monkeypatch):
    """Start workers that run a script of the test's instead."""

    def start(script):
        worker = WorkerProcess()
        real = subprocess.Popen
        monkeypatch.setattr(subprocess, "Popen", lambda _, **options: real([sys.executable, "-c", script], **options))
        worker.start()
        started.append(worker)
        return worker

    started = []
    yield start
    for worker in started:
        worker.close()


def loaded(*modules):
    """Which of the modules a fresh interpreter loads for a Sobol suggestion."""
    script = f"""
import sys
from titrant.generators.worker import answer
from titrant.generators import wire
from titrant.generators.base import Request
from titrant.model.space import RangeParameterConfig, search_space
import msgspec
space = search_space([RangeParameterConfig("x", (0.0, 1.0))], ["x <= 0.5"])
content = msgspec.msgpack.encode(Request(space=space))
assert isinstance(answer(content), wire.Suggested)
print([name for name in {modules!r} if name in sys.modules])
"""
    path = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_sobol_suggestion_loads_neither_torch_nor_scipy_nor_the_engine():
    assert loaded("torch", "scipy", "scipy.stats", "anyio", "aiosqlite", "rich") == "[]"


def test_it_answers_as_the_generator_itself_would(worker, square):
    request = Request(space=square, count=3, seed=5)

    assert worker.call(request).proposals == sobol.suggest(request).proposals


def test_its_answer_names_the_versions_that_made_it(worker, square):
    versions = worker.call(Request(space=square)).versions

    assert {"titrant", "python", "numpy"} <= versions.keys()


def test_it_says_that_it_is_there(worker):
    assert worker.call(wire.Ping()) == wire.Pong()


def test_a_refusal_is_the_generators_error_and_the_worker_lives_on(worker, square):
    with pytest.raises(GenerationError, match="needs an objective"):
        worker.call(Request(space=square, node="bo"))

    assert worker.call(wire.Ping()) == wire.Pong()


def test_an_unreadable_space_is_a_refusal_too(worker, square):
    request = msgspec.structs.replace(Request(space=square), fixed={"nowhere": 1})

    with pytest.raises(GenerationError, match="nowhere"):
        worker.call(request)


def test_a_kill_from_another_thread_ends_a_call(scripted):
    worker = scripted("import time; time.sleep(60)")
    killer = threading.Timer(0.2, worker.kill)
    killer.start()
    began = time.monotonic()

    with pytest.raises(WorkerDied, match=r"ended with code -?[0-9]+"):
        worker.call(wire.Ping())

    killer.join()
    assert time.monotonic() - began < 10


def test_a_killed_worker_takes_along_what_a_constraint_has_called(monkeypatch):
    space = search_space([RangeParameterConfig("x", (0.0, 1.0))], ["tests.generators.own_rules:calls_a_program"])
    with socket.create_server(("127.0.0.1", 0)) as door, ThreadPoolExecutor() as others:
        door.settimeout(30)
        monkeypatch.setenv("TELL_PROGRAM", str(door.getsockname()[1]))
        worker = WorkerProcess()
        worker.start()
        asked = others.submit(worker.call, Request(space=space))
        with door.accept()[0] as line:
            program = psutil.Process(int(line.recv(32)))
        try:
            others.submit(worker.kill)
            assert psutil.wait_procs([program], timeout=10)[1] == []
        finally:
            with suppress(psutil.NoSuchProcess):
                program.kill()
        with pytest.raises(WorkerDied):
            asked.result(10)


def test_a_killed_worker_starts_again(worker, square):
    worker.kill()
    with pytest.raises(WorkerDied, match="not running: start it"):
        worker.call(wire.Ping())
    worker.start()

    assert len(worker.call(Request(space=square)).proposals) == 1


def test_starting_twice_keeps_the_process(worker):
    pid = worker.pid
    worker.start()

    assert worker.pid == pid


def test_a_crash_tells_the_code_and_the_last_words(scripted):
    worker = scripted("import sys; sys.stdin.buffer.read(4); sys.exit('out of memory')")

    with pytest.raises(WorkerDied, match="ended with code 1: out of memory"):
        worker.call(wire.Ping())


def test_nonsense_is_a_death(scripted):
    worker = scripted(
        "import sys; sys.stdout.buffer.write(bytes([1, 0, 0, 0, 193])); sys.stdout.flush(); sys.stdin.read()"
    )

    with pytest.raises(WorkerDied, match="answered nonsense"):
        worker.call(wire.Ping())


def test_noise_on_stdout_harms_no_answer(scripted):
    worker = scripted(
        "import os; from titrant.generators import dispatch, worker\n"
        "def noisy(torch):\n    print('loading', flush=True); os.write(1, b'from C'); return {'noise': '1'}\n"
        "dispatch.warm = noisy; worker.main()"
    )

    assert [worker.call(wire.Warm()) for _ in range(2)] == [wire.Warmed({"noise": "1"})] * 2


def test_a_bug_in_a_generator_is_a_refusal_with_its_name(scripted, square):
    worker = scripted(
        "from titrant.generators import dispatch, worker\n"
        "def broken(request):\n    raise TypeError('oh')\n"
        "dispatch.suggest = broken; worker.main()"
    )

    with pytest.raises(GenerationError, match=r"^TypeError: oh$"):
        worker.call(Request(space=square))


def test_our_own_kinds_of_refusal_come_through(scripted, square):
    worker = scripted(
        "from titrant.errors import SearchSpaceExhausted\nfrom titrant.generators import dispatch, worker\n"
        "def broken(request):\n    raise SearchSpaceExhausted('empty')\n"
        "dispatch.suggest = broken; worker.main()"
    )

    with pytest.raises(SearchSpaceExhausted, match=r"^empty$"):
        worker.call(Request(space=square))


def test_the_end_of_stdin_ends_it():
    done = subprocess.run(
        [sys.executable, "-m", "titrant.generators.worker"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        input=b"\x05\x00\x00\x00ab",  # and within a frame, too
        capture_output=True,
        timeout=30,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, b"")


@pytest.mark.skipif(sys.platform == "win32", reason="process groups of POSIX")
def test_ctrl_c_in_the_terminal_does_not_reach_it(worker):
    worker.call(wire.Ping())

    assert worker.pid is not None
    assert os.getpgid(worker.pid) == worker.pid != os.getpgid(0)


def test_closing_twice_or_before_the_start_is_fine():
    worker = WorkerProcess()
    worker.close()
    worker.start()
    worker.close()
    worker.close()
    worker.kill()

    assert worker.pid is None


class Fixed:
    def __init__(self, *points, error=None):
        self.points, self.error = points, error

    def suggest(self, request):
        if self.error:
            raise self.error
        return Reply(proposals=tuple(Proposal(parameters=p, node="mine", generator="Fixed") for p in self.points))


def test_a_generator_in_this_process_answers_the_same_calls(square):
    inside = InProcess(sobol)
    inside.start()

    answer = inside.call(Request(space=square, seed=2))

    assert answer.proposals == sobol.suggest(Request(space=square, seed=2)).proposals
    assert answer.maker == "builtins:module"
    assert (inside.call(wire.Ping()), inside.call(wire.Warm())) == (wire.Pong(), wire.Warmed())
    inside.kill()
    inside.close()


def test_what_a_users_generator_suggests_is_made_canonical():
    space = search_space([RangeParameterConfig("n", (1, 5), "int")])

    assert type(InProcess(Fixed({"n": 3.0})).call(Request(space=space)).proposals[0].parameters["n"]) is int


@pytest.mark.parametrize(
    ("generator", "message"),
    [
        (Fixed({"x": 0.5, "y": 7.0}), "Fixed suggested what does not fit the search space: .*'y' is 7"),
        (Fixed(error=ZeroDivisionError("by zero")), "Fixed raised ZeroDivisionError: by zero"),
        (Fixed(error=SearchSpaceExhausted("none left")), "^none left$"),
    ],
)
def test_a_users_generator_that_fails_is_named(square, generator, message):
    with pytest.raises(GenerationError, match=message):
        InProcess(generator).call(Request(space=square))


def test_a_users_generator_need_not_predict(square):
    request = PredictionRequest(space=square, optimization=optimization_config("y"), observed=(), points=())

    with pytest.raises(GenerationError, match="Fixed has no predict"):
        InProcess(Fixed()).call(request)
