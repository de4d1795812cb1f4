"""A log on disk, and a raw connection to its file."""

import sqlite3

import pytest

from titrant.log.sqlite import SqliteLog
from titrant.testing.log_contract import append

LOG_ID = "cd" * 16


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lab.titrant"


@pytest.fixture
def make_log(path):
    return lambda: SqliteLog.create(path, log_id=LOG_ID, now=1, engine="titrant test")


@pytest.fixture
async def log(make_log):
    log = await make_log()
    yield log
    await log.close()


@pytest.fixture
async def closed(make_log):
    """The path of a log of ten events, closed."""
    log = await make_log()
    await log.commit([append(0), append(1, key="k"), *(append(n, at=n * 1000) for n in range(2, 10))])
    await log.close()
    return log.path


@pytest.fixture
def raw():
    """Open a file as any program could; closed after the test."""
    opened = []

    def connect(path, mode="rw"):
        opened.append(sqlite3.connect(f"{path.as_uri()}?mode={mode}", uri=True, isolation_level=None))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()
