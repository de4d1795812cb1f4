"""What every test may rely on."""

import os
import sys

import pytest
import structlog

# More test files at a time than there are cores: before numpy is loaded, and for every process that a test starts.
for _library in ("OMP", "MKL", "OPENBLAS"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

# Tests start hundreds of processes.  Where bytecode may not be kept, as in many a container, each would compile titrant
# anew, which takes longer than most of what it is started for.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


@pytest.fixture(autouse=True)
def _diagnostics_as_they_were():
    """A server that a test runs in this process may configure structlog, as unitelabs-cdk does: not for all others."""
    yield
    if structlog.is_configured():
        structlog.reset_defaults()


@pytest.fixture(scope="session")
def kept_workers():
    """The class of worker processes that go from one test to the next, and end with the session."""
    from tests import workers  # noqa: PLC0415  # once bytecode may be kept, as above

    yield workers.KeptWorker
    workers.end_all()


@pytest.fixture(autouse=True)
def _workers_go_on(kept_workers):
    """Let engines use the worker processes of engines before them: hundreds of tests need not pay for their start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("titrant.engine.WorkerProcess", kept_workers)
        yield
