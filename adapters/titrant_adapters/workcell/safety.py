"""Stopping and making safe, each instrument by itself: none waits for another that hangs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence

import anyio

from titrant.errors import RunnerError
from titrant_adapters.shape import bounded
from titrant_adapters.workcell.parts import Part
from titrant_adapters.workcell.progress import Progress

SAFE_SECONDS = 10.0
"""How long one instrument may take to be safe."""


async def safe(part: Part) -> None:
    """Bring one instrument into its safe state.

    Raises:
        TimeoutError: It takes too long.
    """
    with bounded(SAFE_SECONDS, "its safe state"):
        await part.adapter.safe_state()


async def made_safe(parts: Iterable[Part]) -> list[str]:
    """Bring instruments into their safe states, whatever is cancelled meanwhile.

    Returns:
        What went wrong, with its step.
    """
    troubles: list[str] = []
    with anyio.CancelScope(shield=True):
        troubles += await _each(parts, safe, "it could not be brought to its safe state")
    return troubles


async def stopped(trial: Progress) -> list[str]:
    """Stop all steps of a trial that are under way; the same."""
    return await _each(trial.under_way, lambda part: part.stop(trial.of(part)), "it could not be stopped")


async def _each(parts: Iterable[Part], act: Callable[[Part], Awaitable[None]], failed: str) -> list[str]:
    troubles: list[str] = []

    async def one(part: Part) -> None:
        try:
            await act(part)
        except Exception as exc:  # noqa: BLE001  # an adapter's; the other instruments have their turn all the same
            troubles.append(f"{part.where}: {failed}: {exc or type(exc).__name__}")

    async with anyio.create_task_group() as tasks:
        for part in parts:
            tasks.start_soon(one, part)
    return sorted(troubles)


def tell(troubles: Sequence[str]) -> None:
    """Say what went wrong, if anything did.

    Raises:
        RunnerError: Something did.
    """
    if troubles:
        raise RunnerError("; ".join(troubles))
