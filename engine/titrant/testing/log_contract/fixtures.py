"""The log that a test is about, from the functions that its subclass gives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

import pytest

from titrant.log.base import EventLog

MakeLog: TypeAlias = Callable[[], Awaitable[EventLog]]
Reopen: TypeAlias = Callable[[EventLog], Awaitable[EventLog]]


class LogFixtures:
    """What every part of the contract is given."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        """The event loop to run on."""
        return "asyncio"

    @pytest.fixture
    def make_log(self) -> MakeLog:
        """Give a function that makes a fresh, empty log; to be overridden."""
        raise NotImplementedError

    @pytest.fixture
    def reopen(self) -> Reopen:
        """Give a function that opens a closed log anew; to be overridden where the log is durable."""
        pytest.skip("this log does not outlive its process")

    @pytest.fixture
    async def log(self, make_log: MakeLog) -> AsyncIterator[EventLog]:
        """A fresh log, closed after the test."""
        log = await make_log()
        yield log
        await log.close()
