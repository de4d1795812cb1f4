"""The body of all metrics: connect, read, let go."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

import anyio

from titrant.ports import Metric
from titrant_adapters.shape.connected import SAFE_SECONDS, C, Connected
from titrant_adapters.shape.outcomes import Start


class AdapterMetric(Connected[C], Metric):
    """The base of every metric here: ``config_type``, ``errors``, ``connect``, ``disconnect`` and ``read``.

    Args:
        name: The metric's name.
        config: The configuration; or its fields as keywords.
    """

    def __init__(self, name: str, config: C | None = None, **fields: Any) -> None:
        super().__init__(name)
        self.configure(config, fields)

    async def read(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> Any:
        """The metric's value for a trial, as ``Metric.fetch`` gives it."""
        raise NotImplementedError(f"{type(self).__name__} has no read")

    async def fetch(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> Any:
        """The metric's value; reading twice does no harm, so whatever breaks off is tried again."""
        with self.errors.translated(Start(), f"reading {self.name}"):
            return await self.read(trial_index, trial_metadata)

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the connection go."""
        with anyio.move_on_after(SAFE_SECONDS, shield=True):
            await self.disconnect()
