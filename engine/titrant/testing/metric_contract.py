"""What every metric must do, as a test class."""

# ruff: noqa: D102 (a test's name is its sentence)

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, ClassVar

import anyio
import pytest

from titrant.actors.instrument import AMBIGUOUS
from titrant.errors import RunnerError
from titrant.ports import Metric
from titrant.testing.runner_contract import GENEROUS


class MetricContract:
    """What every metric must do: give its value, twice the same, and say so where it cannot.

    Give the fixtures ``metric`` (connected to a sound instrument) and ``silenced`` (a function that makes the
    instrument mute from then on), and say in ``expected`` what is to be read.
    """

    metadata: ClassVar[dict[str, Any]] = {}
    expected: ClassVar[float] = 0.0
    tolerance: ClassVar[float] = 1e-6
    deadline_s: ClassVar[float] = 0.5

    @pytest.fixture
    def anyio_backend(self) -> str:
        """The event loop to run on."""
        return "asyncio"

    @pytest.fixture
    def metric(self) -> Metric:
        """Give the metric under test, not yet entered."""
        raise NotImplementedError("give this fixture in the subclass")

    @pytest.fixture
    def silenced(self) -> Callable[[], Any]:
        """Give an async function that makes the instrument mute."""
        raise NotImplementedError("give this fixture in the subclass")

    @asynccontextmanager
    async def _entered(self, metric: Any) -> AsyncIterator[Metric]:
        async with AsyncExitStack() as stack:
            if hasattr(type(metric), "__aenter__"):
                await stack.enter_async_context(metric)
            yield metric

    async def _value(self, metric: Metric) -> float:
        fetched = metric.fetch(0, dict(self.metadata))
        value = await fetched if hasattr(fetched, "__await__") else fetched
        mean = value[1] if isinstance(value, tuple) else value
        return float(mean[0] if isinstance(mean, tuple) else mean)

    @pytest.mark.anyio
    async def test_it_reads_the_value_as_often_as_it_is_asked(self, metric: Metric) -> None:
        async with self._entered(metric):
            values = [await self._value(metric) for _ in range(2)]

        assert all(abs(value - self.expected) <= self.tolerance for value in values)

    @pytest.mark.anyio
    async def test_a_mute_instrument_is_told_within_the_deadline(
        self, metric: Metric, silenced: Callable[[], Any]
    ) -> None:
        async with self._entered(metric):
            await silenced()
            # the contract's own deadline must not pass for the metric's: both are TimeoutErrors
            with anyio.move_on_after(2 * self.deadline_s + GENEROUS) as waiting:
                with pytest.raises((RunnerError, *AMBIGUOUS)):
                    await self._value(metric)
            assert not waiting.cancelled_caught, "it kept waiting"
