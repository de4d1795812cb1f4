"""A function that Dask carries out at most once, and only where it would not be lost with this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from titrant_adapters.shape import library

RAN_BEFORE = "it ran before, on a worker that is gone"
NEVER_PUBLISHED = "nobody said in time that it is published, and so it did not begin"
PUBLISHED, BEGUN = "published", "begun"
"""Events on the scheduler, for each task that must not run twice."""


async def let_begin(task: str, client: Any) -> None:
    """Tell the worker that the task is published, and won't be lost with this process."""
    await _event(task, PUBLISHED, client).set()


async def forget(task: str, client: Any) -> None:
    """Let the scheduler forget what it was told of a task."""
    for what in (PUBLISHED, BEGUN):
        await _event(task, what, client).clear()


def once(function: Callable[..., Any], task: str, patience_s: float) -> Callable[..., Any]:
    """The function, to be run by one worker only, and by none before the task is published.

    Dask runs what was lost with a worker on another.
    """
    before, never = RAN_BEFORE, NEVER_PUBLISHED
    published_as, begun_as = _name(task, PUBLISHED), _name(task, BEGUN)

    def guarded(conditions: dict[str, Any]) -> Any:  # goes to the worker as it is: it need not have titrant
        from distributed import Event  # noqa: PLC0415

        published: Any = Event(published_as)  # type: ignore[no-untyped-call]
        begun: Any = Event(begun_as)  # type: ignore[no-untyped-call]
        if not published.wait(patience_s):
            raise RuntimeError(never)
        if begun.is_set():
            raise RuntimeError(before)
        begun.set()
        return function(conditions)

    return guarded


def _event(task: str, what: str, client: Any) -> Any:
    return library("distributed", "dask").Event(_name(task, what), client=client)


def _name(task: str, what: str) -> str:
    return f"{task}-{what}"
