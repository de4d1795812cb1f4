"""What all doors have in common: a lab, a line that can be spoiled, and a server of the protocol behind it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any, ClassVar, TypeVar

import anyio
from anyio.abc import TaskGroup

from titrant.errors import ConfigurationError
from titrant_adapters.twin.doors.wire import LOOPBACK, Wire, open_wire
from titrant_adapters.twin.faults import Exchange, FaultKind
from titrant_adapters.twin.lab import LabTwin
from titrant_adapters.twin.runs import Run

EXTRA = "pip install 'titrant[twin]'"


class Door(ABC):
    """A lab's way to the outside over one protocol.

    Attributes:
        protocol: Its name on the command line.
        cannot: Faults that the protocol has no words for, and why.
        framed: See ``Wire``.
        lab: The lab behind it.
        port: Where it is reached; the host is always 127.0.0.1.
    """

    protocol: ClassVar[str]
    cannot: ClassVar[Mapping[FaultKind, str]] = {}
    framed: ClassVar[bool] = True

    def __init__(self, lab: LabTwin, wire: Wire, tasks: TaskGroup) -> None:
        self.lab = lab
        self.port = wire.port
        self._wire, self._tasks = wire, tasks

    @property
    @abstractmethod
    def address(self) -> str:
        """Where it is reached, in the protocol's own words."""

    @abstractmethod
    def how_to(self) -> str:
        """A few lines on how to reach it, to be typed or copied."""

    @abstractmethod
    def behind(self) -> AbstractAsyncContextManager[int]:
        """Run the protocol's own server on the loopback interface and give its port."""

    def about_to_reply(self, exchange: Exchange) -> None:
        """The next bytes from the server answer *exchange*: let its fault meet them, if there is one."""
        fault = self.lab.faults.of_reply(exchange)
        if fault is not None:
            self._wire.spoil(fault)

    def started(self, run: Run) -> Run:
        """A run was started here: see it through, so that a crash happens when it is due."""
        self._tasks.start_soon(self.lab.runs.finish, run.number)
        return run


DoorT = TypeVar("DoorT", bound=Door)


@asynccontextmanager
async def open_door(door: type[DoorT], lab: LabTwin, port: int = 0, **options: Any) -> AsyncIterator[DoorT]:
    """Put a door in front of a lab; it is shut on every way out; *options* are the door's own.

    Raises:
        ConfigurationError: The port cannot be had, or the protocol's library is not there.
    """
    with _alone():
        async with open_wire(lab, port, framed=door.framed) as wire, anyio.create_task_group() as tasks:
            opened = door(lab, wire, tasks, **options)
            # The line's tasks are a group of their own: the server behind must be able to await while it shuts down.
            async with opened.behind() as inner, anyio.create_task_group() as line:
                line.start_soon(wire.serve, inner)
                yield opened
                line.cancel_scope.cancel()
            tasks.cancel_scope.cancel()


@contextmanager
def _alone() -> Iterator[None]:
    """One error comes out as itself, not as a group of one."""
    try:
        yield
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            (error,) = error.exceptions
        raise error from None


def need(module: str) -> ModuleType:
    """Import a protocol's library.

    Raises:
        ConfigurationError: It is not installed; the message names the extra.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as exc:
        raise ConfigurationError(f"the lab twin needs {exc.name} for this protocol: {EXTRA}") from exc


__all__ = ["EXTRA", "LOOPBACK", "Door", "need", "open_door"]
