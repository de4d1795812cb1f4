"""``AsyncClient``: the whole of titrant for a program with an event loop of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from titrant.actors.generator import Worker
from titrant.api.answering import Answering
from titrant.api.configuring import Configuring
from titrant.api.running import Running
from titrant.api.telling import Telling
from titrant.engine import Engine
from titrant.generators.base import Generator
from titrant.generators.process import InProcess


class AsyncClient(Configuring, Telling, Running, Answering):
    """An experiment, asked and told, or run as a closed loop; use it as an async context manager.

    Args:
        path: Where the durable log is to be made; None keeps the experiment in memory.
        random_seed: Seed of everything random; drawn and recorded where None.
        generator: A generator of one's own in place of titrant's.

    Raises:
        LogExists: There is a log at *path* already: use ``AsyncClient.open``.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        random_seed: int | None = None,
        *,
        generator: Generator | None = None,
        _create: bool = True,
    ) -> None:
        make_worker: Callable[[], Worker] | None = None
        if generator is not None:
            make_worker = lambda: InProcess(generator)  # noqa: E731
        self.engine = Engine(
            None if path is None else Path(path), create=_create, seed=random_seed, make_worker=make_worker
        )

    @classmethod
    def open(cls, path: str | Path, *, generator: Generator | None = None) -> Self:
        """Go on with the experiment whose log is at *path*.

        Raises (on entering):
            LogMissing: There is none.
            LogInUse: Another process holds it.
            LogCorrupt: It is damaged.
        """
        return cls(path, generator=generator, _create=False)

    async def __aenter__(self) -> Self:
        await self.engine.__aenter__()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.engine.__aexit__(exc_type, exc, trace)
