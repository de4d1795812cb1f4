"""Libraries that block, and libraries that may not be there."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Generic, TypeVar

import anyio

from titrant.errors import ConfigurationError
from titrant.ports import run_in_thread

D = TypeVar("D")
T = TypeVar("T")


def library(module: str, extra: str) -> Any:
    """A module that comes with an extra, imported on use; *extra* is also the adapter's word for itself.

    Raises:
        ConfigurationError: It is not installed, or cannot be imported; the message says what to install.
    """
    try:
        return import_module(module)
    except ImportError as exc:
        raise ConfigurationError(
            f"this adapter needs {module.partition('.')[0]}, which cannot be imported ({exc}): "
            f"pip install 'titrant[{extra}]'"
        ) from exc


class Blocking(Generic[D]):
    """A driver that blocks, as a line for ``Session``: called in a thread, one call at a time.

    A thread cannot be cancelled.  When a call is, the thread is left to itself and still has the driver, so this
    object answers no call from then on; a ``Session`` closes it and opens another.

    Args:
        driver: The driver's object.
        close: Closes it; called in a thread of its own, with a call perhaps still hanging.
    """

    def __init__(self, driver: D, close: Callable[[D], object]) -> None:
        self._driver, self._close = driver, close
        self._one = anyio.CapacityLimiter(1)
        self._abandoned = self._closed = False

    @classmethod
    async def open(cls, make: Callable[[], D], close: Callable[[D], object]) -> Blocking[D]:
        """Make the driver in a thread."""
        return cls(await run_in_thread(make), close)

    async def call(self, work: Callable[[D], T]) -> T:
        """Call *work* with the driver, in a thread.

        Raises:
            BrokenPipeError: An earlier call was abandoned and may still have the driver.
        """
        async with self._one:
            if self._abandoned:
                raise BrokenPipeError("an earlier call still has the driver")
            self._abandoned = True
            answer = await run_in_thread(work, self._driver)
            self._abandoned = False
            return answer

    def stale(self) -> bool:
        """Whether an abandoned call still has it; what the driver has buffered is the driver's."""
        return self._abandoned

    async def aclose(self) -> None:
        """Close the driver, once."""
        if not self._closed:
            self._closed = True
            await run_in_thread(self._close, self._driver)
