"""Blocking foreign code in daemon threads.

anyio's worker threads are not daemons: one instrument driver that hangs for ever would keep the process from ending,
and a lab program must be able to end.  These threads are reused while idle and given up where they hang.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import anyio

from titrant.runtime.clock import running_asyncio_loop

T = TypeVar("T")

_Job = tuple[Callable[[], Any], Callable[[Callable[[], None]], object], "_Slot"]


class _Slot:
    """Where a thread leaves what came out."""

    def __init__(self) -> None:
        self.done = anyio.Event()
        self.value: Any = None
        self.error: BaseException | None = None


_idle: queue.LifoQueue[queue.SimpleQueue[_Job]] = queue.LifoQueue()


async def run_in_thread(function: Callable[..., T], *args: Any) -> T:
    """Call *function* in a daemon thread and await its result.

    When cancelled, the thread is left to itself: its result is dropped, and it is reused if it ever comes back.

    Raises:
        BaseException: Whatever *function* raises.
    """
    slot = _Slot()
    job: _Job = (lambda: function(*args), _handing_back(), slot)
    try:
        jobs = _idle.get_nowait()
    except queue.Empty:
        jobs = queue.SimpleQueue()
        threading.Thread(target=_work, args=(jobs,), name="titrant worker", daemon=True).start()
    jobs.put(job)
    await slot.done.wait()
    if slot.error is not None:
        raise slot.error
    return slot.value  # type: ignore[no-any-return]


def _handing_back() -> Callable[[Callable[[], None]], object]:
    """How a thread gets a call into the event loop that runs now."""
    loop = running_asyncio_loop()
    if loop is not None:
        return loop.call_soon_threadsafe
    import trio.lowlevel  # noqa: PLC0415  # only under trio, which is then loaded

    return trio.lowlevel.current_trio_token().run_sync_soon


def _work(jobs: queue.SimpleQueue[_Job]) -> None:
    while True:
        call, hand_back, slot = jobs.get()
        try:
            slot.value = call()
        except BaseException as exc:  # noqa: BLE001  # raised again where the call was made
            slot.error = exc
        _idle.put(jobs)
        with contextlib.suppress(RuntimeError):  # the loop is gone: nobody waits any more
            hand_back(slot.done.set)
        del call, hand_back, slot
