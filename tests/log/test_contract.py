"""Both logs keep the contract."""

import pytest

from titrant.log.memory import MemoryLog
from titrant.log.sqlite import SqliteLog
from titrant.testing.log_contract import LogContract

LOG_ID = "ab" * 16


class TestMemoryLog(LogContract):
    @pytest.fixture(params=["asyncio", "trio"])
    def anyio_backend(self, request):
        return request.param

    @pytest.fixture
    def make_log(self):
        async def make():
            return MemoryLog(log_id=LOG_ID)

        return make


class TestSqliteLog(LogContract):
    @pytest.fixture
    def make_log(self, tmp_path):
        return lambda: SqliteLog.create(tmp_path / "a.titrant", log_id=LOG_ID, now=1, engine="test")

    @pytest.fixture
    def reopen(self):
        return lambda log: SqliteLog.open(log.path, now=2)
