"""Faulty lines to servers that are there for the whole session: what counts is what happens from here on."""

from __future__ import annotations

from tests.adapters.servers.wire import FaultyWire


class CountedWire(FaultyWire):
    """Counts the starts since it was laid."""

    async def __aenter__(self):
        self._before = self.server.starts(self.of)
        return await super().__aenter__()

    @property
    def armed(self):
        """The fault that the next run will meet."""
        return self._armed

    async def starts(self):
        return self.server.starts(self.of) - self._before
