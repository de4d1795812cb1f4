"""The adapters of all steps held open together: entered at once, left at once, however any one of them behaves."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import anyio
import anyio.abc

from titrant_adapters.workcell.parts import Part

LEAVE_SECONDS = 25.0
"""How long leaving one adapter may take; its safe state and its farewell are bounded by itself, within that."""


class Holding:
    """Enter with ``enter``; whatever happened then, ``leave`` has to be called in the same task.

    Args:
        parts: The steps.
    """

    def __init__(self, parts: Iterable[Part]) -> None:
        self._held = [_Held(part) for part in parts]
        self._tasks: anyio.abc.TaskGroup | None = None

    async def enter(self) -> None:
        """Enter all at once.

        Raises:
            TitrantError: The first that cannot be entered, with its step; the others are left.
        """
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        try:
            for one in self._held:
                self._tasks.start_soon(one.run)
            for one in self._held:
                await one.entered.wait()
        except BaseException:
            await self.leave()
            raise
        for one in self._held:
            if one.trouble is not None:
                trouble = one.trouble
                await self.leave()
                raise one.part.named(trouble) from trouble

    async def leave(self, kept: Collection[str] = ()) -> list[str]:
        """Leave all at once, safe but for the instruments *kept* as they are.

        Returns:
            What went wrong, with its step.
        """
        for one in self._held:
            one.leave(safe=one.part.place not in kept)
        if self._tasks is not None:
            tasks, self._tasks = self._tasks, None
            await tasks.__aexit__(None, None, None)
        return [str(one.part.named(one.trouble)) for one in self._held if one.trouble is not None]


class _Held:
    """One adapter, entered and left by a task of its own: what opens scopes has to be left where it was entered."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.entered = anyio.Event()
        self.trouble: Exception | None = None
        self._wanted_out = anyio.Event()
        self._safe = True
        self._scope = anyio.CancelScope(shield=True)

    def leave(self, *, safe: bool) -> None:
        """Leave; what is still being entered is given up."""
        self._safe = safe
        self._wanted_out.set()
        if not self.entered.is_set():
            self._scope.cancel()

    async def run(self) -> None:
        """Enter, wait, leave; shielded, so that nobody's cancellation keeps an instrument from its safe state."""
        with self._scope:
            try:
                await self.part.adapter.__aenter__()
            except Exception as exc:  # noqa: BLE001  # an adapter's; told by whoever waits
                self.trouble = exc
                self.entered.set()
                return
            self.entered.set()
            await self._wanted_out.wait()
            await self._left()

    async def _left(self) -> None:
        adapter = self.part.adapter
        try:
            with anyio.fail_after(LEAVE_SECONDS):
                if self._safe:
                    await adapter.__aexit__(None, None, None)
                else:
                    await adapter.disconnect()
        except Exception as exc:  # noqa: BLE001  # an adapter's; the others are left all the same
            self.trouble = exc
