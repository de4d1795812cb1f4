"""``AsyncClient``: the whole of titrant for a program with an event loop of its own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from titrant.actors.generator import Worker
from titrant.api.calls import Calls
from titrant.engine import Engine
from titrant.generators.base import Generator
from titrant.generators.process import InProcess
from titrant.model.strategy import checked_seed


class AsyncClient(Calls):
    """An experiment, asked and told, or run as a closed loop; use it as an async context manager.

    Args:
        path: Where the durable log is to be made; None keeps the experiment in memory.
        random_seed: Seed of everything random; drawn and recorded where None.
        generator: A generator of one's own in place of titrant's.
        control: Whether other processes of the same user may act on the experiment while it is open (``titrant pause``
            in a terminal); only where there is a log file and time is real.

    Raises:
        LogExists: There is a log at *path* already: use ``AsyncClient.open``.
        ConfigurationError: The seed is below 0.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        random_seed: int | None = None,
        *,
        generator: Generator | None = None,
        control: bool = True,
        _create: bool = True,
    ) -> None:
        seed = checked_seed("random_seed", random_seed)
        make_worker: Callable[[], Worker] | None = None
        if generator is not None:
            make_worker = lambda: InProcess(generator)  # noqa: E731
        super().__init__(
            Engine(None if path is None else Path(path), create=_create, seed=seed, make_worker=make_worker)
        )
        self._control = control
        self._open = AsyncExitStack()

    @classmethod
    def open(cls, path: str | Path, *, generator: Generator | None = None, control: bool = True) -> Self:
        """Go on with the experiment whose log is at *path*.

        Raises (on entering):
            LogMissing: There is none.
            LogInUse: Another process holds it.
            LogCorrupt: It is damaged.
        """
        return cls(path, generator=generator, control=control, _create=False)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opened:
            await opened.enter_async_context(self.engine)
            if self._control and self.engine.path is not None and not self.engine.clock.virtual:
                from titrant.control.server import serving  # noqa: PLC0415  # only where there is a log to be found by

                await opened.enter_async_context(serving(self, self.engine.path))
            self._open = opened.pop_all()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.__aexit__(exc_type, exc, trace)
