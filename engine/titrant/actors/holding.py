"""Runners and metrics that are context managers: entered before they are used, left on every way out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import anyio
import anyio.abc

from titrant.errors import RunnerError, TitrantError
from titrant.ports import Declarations
from titrant.runtime.diagnostics import Logger
from titrant.runtime.mailbox import Answer
from titrant.runtime.supervision import describe

log = Logger(__name__)

LEAVE_SECONDS = 30.0
"""How long ``__aexit__`` may take before it is cancelled."""


class Holdings:
    """What is held open; the tasks that hold belong to the group *tasks*, which outlives the actors."""

    def __init__(self, tasks: anyio.abc.TaskGroup) -> None:
        self._tasks = tasks
        self._held: dict[int, _Held] = {}

    async def enter(self, named: Mapping[str, Any]) -> None:
        """Enter, all at once, what is not entered yet; *named* says what each is called.  One fails: all are left.

        Raises:
            TitrantError: The first thing that could not be entered, and why.
        """
        fresh = {id(one): _Held(name, one) for name, one in named.items() if _is_context(one)}
        fresh = {key: held for key, held in fresh.items() if key not in self._held}
        for held in fresh.values():
            self._tasks.start_soon(held.run)
        self._held |= fresh
        try:
            for held in fresh.values():
                await held.entered.wait()
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._leave(fresh)
            raise

    async def keep(self, wanted: Iterable[Any]) -> None:
        """Leave everything but these."""
        kept = {id(one) for one in wanted}
        await self._leave([key for key in self._held if key not in kept])

    def leave(self) -> None:
        """Have everything left; whoever awaits the task group awaits the end of it."""
        for held in self._held.values():
            held.leave()

    async def _leave(self, keys: Iterable[int]) -> None:
        leaving = [self._held.pop(key) for key in list(keys)]
        for held in leaving:
            held.leave()
        for held in leaving:
            await held.left.wait()


class _Held:
    """One thing, held by a task of its own: what opens a task group has to be left in the task that entered it."""

    def __init__(self, name: str, thing: Any) -> None:
        self.name, self.thing = name, thing
        self.entered: Answer[None] = Answer()
        self.left = anyio.Event()
        self._wanted_out = anyio.Event()
        self._scope = anyio.CancelScope(shield=True)
        self._in_scope = self._is_entered = False

    def leave(self) -> None:
        """Leave now; while it is still being entered, entering is given up."""
        self._wanted_out.set()
        if self._in_scope and not self._is_entered:
            self._scope.cancel()

    async def run(self) -> None:
        """Enter, wait, leave.  One scope shields all of it: scopes that the thing opens must nest within."""
        try:
            with self._scope as scope:
                self._in_scope = True
                await self._hold(scope)
            if scope.cancelled_caught and not self._is_entered:
                self.entered.fail(RunnerError(f"{self.name} could not be connected within {self._deadline():g} s"))
        finally:
            self.left.set()

    async def _hold(self, scope: anyio.CancelScope) -> None:
        if self._wanted_out.is_set():
            self.entered.fail(RunnerError(f"{self.name} was not connected: the engine is being closed"))
            return
        scope.deadline = anyio.current_time() + self._deadline()
        try:
            await self.thing.__aenter__()
        except TitrantError as exc:
            self.entered.fail(exc)
            return
        except Exception as exc:  # noqa: BLE001  # foreign code
            failure = RunnerError(f"{self.name} cannot be connected: {describe(exc)}")
            failure.__cause__ = exc
            self.entered.fail(failure)
            return
        scope.deadline = math.inf
        self._is_entered = True
        self.entered.give(None)
        await self._wanted_out.wait()
        scope.deadline = anyio.current_time() + LEAVE_SECONDS
        await self._exit()

    async def _exit(self) -> None:
        try:
            await self.thing.__aexit__(None, None, None)
        except Exception as exc:  # noqa: BLE001  # foreign code; the others are left all the same
            log.error("connection.left_badly", name=self.name, reason=describe(exc))

    def _deadline(self) -> float:
        return float(getattr(self.thing, "call_deadline_s", Declarations.call_deadline_s))


def _is_context(thing: Any) -> bool:
    kind = type(thing)
    return hasattr(kind, "__aenter__") and hasattr(kind, "__aexit__")
