"""Worker processes that go from one test to the next."""

from pathlib import Path

from titrant.errors import WorkerDied
from titrant.generators import process, wire

IDLE = 2
"""As many as an engine has: one for designs, one for models."""

_idle = []


class KeptWorker(process.WorkerProcess):
    """A worker that is not ended when its engine is done with it, but given to the next one, with what it has loaded.

    It keeps nothing of what it was asked.  One that is killed in the middle of a call is killed.
    """

    _home = None

    def start(self):
        if self._process is not None and self._process.poll() is None:
            return
        home = _home()
        while kept := next((one for one in _idle if one[0] == home), None):
            _idle.remove(kept)
            self._home, self._process, self._reader, self._stderr = kept
            self._stderr.clear()
            try:
                self.call(wire.Ping())
            except WorkerDied:
                super().kill()
            else:
                return
        self._home = home
        super().start()

    def kill(self):
        if self._process is not None and self._calling.acquire(blocking=False):
            try:
                _idle.append((self._home, self._process, self._reader, self._stderr))
                self._process = self._reader = None
            finally:
                self._calling.release()
            while len(_idle) > IDLE:
                _end(_idle.pop(0))
        super().kill()

    def close(self):
        self.kill()


def end_all():
    """End those that nobody uses."""
    while _idle:
        _end(_idle.pop())


def _end(kept):
    worker = process.WorkerProcess()
    _, worker._process, worker._reader, worker._stderr = kept
    worker.kill()


def _home():
    """Where a worker lives: what it would find elsewhere might be something else."""
    return Path.cwd(), {name: value for name, value in process._environment().items() if name != "PYTEST_CURRENT_TEST"}
