"""A task for each trial, published until it was collected."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import anyio

from titrant.errors import OutcomeUnknown, RunnerError
from titrant.model.trial import Attempt
from titrant.ports import Finding, Result
from titrant_adapters.dask.config import DaskConfig
from titrant_adapters.shape import Course, Errors, Start, WrittenRunner, library
from titrant_adapters.shape.functions import function_named

RAN_BEFORE = "it ran before, on a worker that is gone"
NEVER_PUBLISHED = "it was never published, and so it did not begin"
PUBLISHED, BEGUN = "published", "begun"
"""Events on the scheduler, for each task that must not run twice."""


class DaskRunner(WrittenRunner[DaskConfig]):
    """Submits a task for each trial; see ``DaskConfig``."""

    config_type = DaskConfig
    can_report_status = True
    absence_is_proof = True  # what names a task is in the log before it is submitted
    errors = Errors(
        {
            "distributed.comm.core.CommClosedError": "unknown",
            "distributed.core.RPCClosed": "unknown",
            "distributed._async_taskgroup.AsyncTaskGroupClosedError": "unknown",
            "distributed.client.FutureCancelledError": "unknown",  # the scheduler is gone, and with it what it knew
            "distributed.client.FuturesCancelledError": "unknown",
            "distributed.client.ClosedClientError": "unknown",
            "distributed.client.AllExit": "unknown",
            "distributed.scheduler.KilledWorker": "unknown",
            "distributed.scheduler.NoValidWorkerError": "refused",
            "distributed.scheduler.NoWorkerError": "refused",
            "distributed.exceptions.WorkerStartTimeoutError": "unknown",
            "distributed.exceptions.Reschedule": "unknown",
            "concurrent.futures._base.CancelledError": "unknown",
        }
    )
    _client: Any = None

    def __init__(self, config: DaskConfig | None = None, *, name: str | None = None, **fields: Any) -> None:
        super().__init__(config, name=name, **fields)
        self.capacity = self.config.workers
        self._collected: deque[str] = deque()
        self.rerun_safe = self.config.rerun_safe
        self.on_unknown = "rerun" if self.rerun_safe else "ask"

    async def connect(self) -> None:
        """Connect to the scheduler."""
        self._library = library("distributed", "dask")
        self._function = function_named("function", self.config.function)
        config = self.config
        with Start().within(config.timeout_s, f"connecting to {config.scheduler}"):
            self._client = await self._library.Client(
                config.scheduler,
                asynchronous=True,
                set_as_default=False,
                timeout=0.8 * config.timeout_s,  # so that it can say itself what it waited for
                name="titrant",
            )

    async def disconnect(self) -> None:
        """Let the scheduler go; what is published there goes on."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(OSError, TimeoutError):
                await client.close(timeout=1)

    async def look(self) -> AsyncIterator[Finding]:
        """How many workers there are, and whether Dask runs again what kills them."""
        workers, allowed = await self._client.run_on_scheduler(
            lambda dask_scheduler: (len(dask_scheduler.workers), dask_scheduler.allowed_failures)
        )
        yield Finding(
            "ok" if workers else "warn",
            f"{self.config.scheduler} has {workers} workers",
            "" if workers else "start some",
        )
        if allowed:
            told = f"a task that kills its worker is run {allowed + 1} times"
            yield Finding("warn", told, "set distributed.scheduler.allowed-failures to 0 where the scheduler starts")

    async def carry_out(self, attempt: Attempt, course: Course) -> Result:
        """Submit, publish, await.

        Dask forgets what is submitted and not published when this process dies: until then the task only waits.
        """
        task = f"titrant-{attempt.key}"
        call = self._function if self.rerun_safe else _once(self._function, task, self.config.timeout_s)
        await course.begin({"task": task})
        with course.start.within(self.config.timeout_s, "submitting"):
            future = self._client.submit(call, self.ordered(attempt), key=task, pure=False, retries=0)
            await self._client.publish_dataset(future, name=task, override=True)
            await self._may_begin(task)
        return await self._awaited(attempt, task, course)

    async def collect(self, attempt: Attempt, course: Course) -> Result:
        """Await a task that an earlier process published."""
        task = str((attempt.metadata or {})["task"])
        with course.start.within(self.config.timeout_s, "finding it"):
            if task in await self._client.list_datasets():
                await self._may_begin(task)
        return await self._awaited(attempt, task, course)

    async def _may_begin(self, task: str) -> None:
        """Tell the worker that the task is published and won't be lost with this process."""
        if not self.rerun_safe:
            await self._event(PUBLISHED, task).set()

    def _event(self, what: str, task: str) -> Any:
        return self._library.Event(f"{task}-{what}", client=self._client)

    async def _awaited(self, attempt: Attempt, task: str, course: Course) -> Result:
        """Await a published task; a scheduler that is out of reach for a while is no end of it."""
        with course.start.within(self.config.run_timeout_s, f"task {task}"):
            while True:
                try:
                    if self._client is None:
                        await self.connect()
                    future = await self._client.get_dataset(task)
                    raised = await future.exception()
                    told = None if raised is not None else await future
                    break
                except KeyError as exc:
                    raise OutcomeUnknown(f"the scheduler has no task {task}, and may have had it") from exc
                except Exception as exc:  # the table tells
                    if self.errors.meaning(type(exc)) != "unknown":
                        raise
                    await self.disconnect()
                    await anyio.sleep(self.config.poll_s)
        await self._forget_one_behind(task)
        if raised is None:
            return await self.judged(attempt, told if isinstance(told, dict) else {"a value, and no dict": told})
        said = f"{type(raised).__name__}: {raised}"
        gone = isinstance(raised, self._library.KilledWorker) or RAN_BEFORE in said
        raise OutcomeUnknown(said) if gone and not self.rerun_safe else RunnerError(said)

    async def _forget_one_behind(self, task: str) -> None:
        """Let the scheduler forget a task that was collected so long ago that its result is in the log.

        No more results than there are slots can be on their way to the log.  A function that may run twice is
        forgotten at once: Dask would run it again, for nobody, if the worker that has its result died.
        """
        kept = 0 if self.rerun_safe else self.config.workers
        self._collected.append(task)
        while len(self._collected) > kept:
            old = self._collected.popleft()
            await self._client.unpublish_dataset(old)
            for what in (PUBLISHED, BEGUN):
                await self._event(what, old).clear()


def _once(function: Callable[..., Any], task: str, patience_s: float) -> Callable[..., Any]:
    """The function, to be run by one worker only, and by none before the task is published.

    Dask runs what was lost with a worker on another.
    """
    before, never = RAN_BEFORE, NEVER_PUBLISHED
    published_as, begun_as = f"{task}-{PUBLISHED}", f"{task}-{BEGUN}"

    def once(conditions: dict[str, Any]) -> Any:  # goes to the worker as it is: it need not have titrant
        from distributed import Event  # noqa: PLC0415

        published: Any = Event(published_as)  # type: ignore[no-untyped-call]
        begun: Any = Event(begun_as)  # type: ignore[no-untyped-call]
        if not published.wait(patience_s):
            raise RuntimeError(never)
        if begun.is_set():
            raise RuntimeError(before)
        begun.set()
        return function(conditions)

    return once
