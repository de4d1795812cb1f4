"""The engine's side of the worker process, and the same calls for a generator within this process.

Blocking: the engine calls from a worker thread, and kills from its own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
from collections import deque
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from typing import IO, Protocol, Self, overload, runtime_checkable

from msgspec import MsgspecError
from msgspec.structs import replace

from titrant import errors
from titrant.errors import GenerationError, ParameterizationError, WorkerDied
from titrant.generators import environment, wire
from titrant.generators.base import Examination, Generator, PredictionReply, PredictionRequest, Reply, Request
from titrant.model.insight import Insight
from titrant.model.space import SearchSpace

_STDERR_LINES = 20
# How long a worker whose stdin ended may take to notice; a fit in progress is not waited for.
_GRACE_SECONDS = 2.0
# How long Windows may take to end a process with those that it started.
_ENDING_SECONDS = 10.0

Outcome = Reply | PredictionReply | Insight | wire.Warmed | wire.Pong


class WorkerProcess:
    """One worker process, started, asked, killed and started again.

    One call at a time; ``kill`` may come from any thread and ends a call in progress with ``WorkerDied``.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: Thread | None = None
        self._stderr: deque[str] = deque(maxlen=_STDERR_LINES)
        self._calling = Lock()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The process's id; None where it was not started or has been closed."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process, unless it runs.

        Returns at once: what the worker imports, it imports while the engine goes on.

        Raises:
            OSError: The system cannot start it.
        """
        if self._process is not None and self._process.poll() is None:
            return
        self.kill()
        windows = sys.platform == "win32"
        self._stderr.clear()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "titrant.generators.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
            # A group of its own, so that Ctrl-C in the terminal reaches the engine alone, which then ends the worker.
            process_group=None if windows else 0,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) if windows else 0,
        )
        self._reader = Thread(
            target=_keep, args=(self._process.stderr, self._stderr), name="worker stderr", daemon=True
        )
        self._reader.start()

    @overload
    def call(self, message: Request) -> Reply: ...
    @overload
    def call(self, message: PredictionRequest) -> PredictionReply: ...
    @overload
    def call(self, message: Examination) -> Insight: ...
    @overload
    def call(self, message: wire.Warm) -> wire.Warmed: ...
    @overload
    def call(self, message: wire.Ping) -> wire.Pong: ...
    def call(self, message: wire.Message) -> Outcome:
        """Send a message and wait for its answer.

        Raises:
            WorkerDied: The process is not running, or ended before it answered.
            GenerationError: It answered that there is no answer; the message says why.
        """
        with self._calling:
            process = self._process
            if process is None or process.stdin is None or process.stdout is None:
                raise WorkerDied("the generator's worker process is not running: start it")
            try:
                wire.write(process.stdin, message)
                content = wire.read(process.stdout)
                answer = None if content is None else wire.decode_answer(content)
            except OSError:
                answer = None
            except MsgspecError as error:
                # The stream can no longer be trusted to be at the start of a frame.
                _end(process)
                raise WorkerDied(f"the generator's worker process answered nonsense and was killed: {error}") from error
            if answer is None:
                raise self._death(process)
            return _outcome(answer)

    def _death(self, process: subprocess.Popen[bytes]) -> WorkerDied:
        """What is known of a process whose pipe broke."""
        _end(process)  # it may live on with its pipes closed, and is of no more use
        code = process.wait()
        if self._reader is not None:
            self._reader.join(timeout=1.0)
        said = " | ".join(self._stderr)
        return WorkerDied(f"the generator's worker process ended with code {code}" + (f": {said}" if said else ""))

    def kill(self) -> None:
        """End the process at once; a call in progress raises ``WorkerDied``. Safe to call twice, from any thread."""
        process = self._process
        if process is not None:
            _end(process)  # wakes a blocked call, which then lets go of the lock
        self._release(process)

    def close(self) -> None:
        """End the process by ending its stdin, or by force where it does not react. Safe to call twice."""
        process = self._process
        if process is None:
            return
        if self._calling.acquire(blocking=False):
            try:
                _close(process.stdin)
                process.wait(timeout=_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                pass
            finally:
                self._calling.release()
        self.kill()

    def _release(self, process: subprocess.Popen[bytes] | None) -> None:
        """Give the descriptors of an ended process back, once no call uses them."""
        with self._calling:
            if process is None or self._process is not process:
                return
            process.wait()
            _close(process.stdin)
            _close(process.stdout)
            if self._reader is not None:
                self._reader.join(timeout=1.0)
            _close(process.stderr)
            self._process = self._reader = None


@runtime_checkable
class Predictor(Protocol):
    """A generator that also predicts."""

    def predict(self, request: PredictionRequest) -> PredictionReply:
        """Predict at ``request.points``."""


@runtime_checkable
class Examiner(Protocol):
    """A generator that also answers questions about its model."""

    def examine(self, request: Examination) -> Insight:
        """Answer ``request.question``."""


class InProcess:
    """The calls of ``WorkerProcess``, answered by a generator in this process: for generators that users bring."""

    pid: int | None = None

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._calling = Lock()

    def start(self) -> None:
        """Nothing to start."""

    def kill(self) -> None:
        """Nothing to kill: a thread cannot be ended from outside, and a call in progress goes on."""

    def close(self) -> None:
        """Nothing to close."""

    @overload
    def call(self, message: Request) -> Reply: ...
    @overload
    def call(self, message: PredictionRequest) -> PredictionReply: ...
    @overload
    def call(self, message: Examination) -> Insight: ...
    @overload
    def call(self, message: wire.Warm) -> wire.Warmed: ...
    @overload
    def call(self, message: wire.Ping) -> wire.Pong: ...
    def call(self, message: wire.Message) -> Outcome:
        """Ask the generator, and check what it suggests against the search space.

        Raises:
            GenerationError: It raised, cannot predict, or suggested what does not fit the space.
        """
        with self._calling:
            try:
                return self._answer(message)
            except GenerationError:
                raise
            except Exception as error:
                name = type(self._generator).__name__
                raise GenerationError(f"the generator {name} raised {type(error).__name__}: {error}") from error

    def _checked(self, reply: Reply, space: SearchSpace) -> Reply:
        """The reply with its parameters in canonical form."""
        try:
            made = tuple(replace(p, parameters=space.check(p.parameters)) for p in reply.proposals)
        except ParameterizationError as error:
            name = type(self._generator).__name__
            raise GenerationError(
                f"the generator {name} suggested what does not fit the search space: {error}"
            ) from error
        kind = type(self._generator)
        maker = f"{kind.__module__}:{kind.__qualname__}"
        return replace(reply, proposals=made, versions={**environment.own(), **reply.versions}, maker=maker)

    def _answer(self, message: wire.Message) -> Outcome:
        match message:
            case Request():
                return self._checked(self._generator.suggest(message), message.space)
            case PredictionRequest():
                if not isinstance(self._generator, Predictor):
                    raise GenerationError(f"the generator {type(self._generator).__name__} has no predict")
                return self._generator.predict(message)
            case Examination():
                if not isinstance(self._generator, Examiner):
                    raise GenerationError(f"the generator {type(self._generator).__name__} has no examine")
                return self._generator.examine(message)
            case wire.Warm():
                return wire.Warmed()
            case wire.Ping():
                return wire.Pong()


def _outcome(answer: wire.Answer) -> Outcome:
    """What an answer holds.

    Raises:
        GenerationError: It is a failure; of the worker's class where that is one of ours.
    """
    match answer:
        case wire.Suggested(reply):
            return replace(reply, versions={**environment.own(), **reply.versions})
        case wire.Predicted(reply):
            return reply
        case wire.Examined(insight):
            return insight
        case wire.Failure(kind, message):
            known = getattr(errors, kind, None)
            if isinstance(known, type) and issubclass(known, GenerationError):
                raise known(message)
            raise GenerationError(message)
        case wire.Warmed() | wire.Pong():
            return answer


def _environment() -> dict[str, str]:
    """The worker's environment: this titrant first on its path, one thread for linear algebra.

    What the engine can import, from the folder of a script or of an experiment file, the worker can: a constraint may
    be a function of it.

    More threads would only take the cores from the engine and the instruments' drivers.
    """
    here = str(Path(__file__).parents[2])
    inherited = os.environ.get("PYTHONPATH")
    installed = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    own = [folder for folder in sys.path if folder and Path(folder).is_dir() and folder not in installed]
    path = os.pathsep.join(dict.fromkeys([here, *([inherited] if inherited else []), *own]))
    return {**os.environ, **dict.fromkeys(environment.THREADS, "1"), "PYTHONPATH": path}


def _keep(stream: IO[bytes] | None, lines: deque[str]) -> None:
    """Read stderr to its end, so that the worker never waits for it, and keep its last lines."""
    if stream is not None:
        for line in stream:
            lines.append(line.decode(errors="replace").rstrip())


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process at once, with all that it started: a constraint may be a function that calls programs."""
    if process.returncode is not None:
        return  # the system may have given its number to another one
    if sys.platform == "win32":
        command = ["taskkill", "/T", "/F", "/PID", str(process.pid)]
        with suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(command, check=False, capture_output=True, timeout=_ENDING_SECONDS)  # noqa: S603  # our own
    else:
        with suppress(ProcessLookupError, PermissionError):  # the latter is macOS's word for a group of the dead
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def _close(stream: IO[bytes] | None) -> None:
    if stream is None:
        return
    try:
        stream.close()
    except OSError:
        # Closing flushes what a dead process did not read; the descriptor is given back all the same.
        return
