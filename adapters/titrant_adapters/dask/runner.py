"""A task for each trial, published until its result is in the log."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import anyio

from titrant.errors import OutcomeUnknown, RunnerError
from titrant.model.trial import Attempt
from titrant.ports import Finding, Result
from titrant_adapters.dask.config import DaskConfig
from titrant_adapters.dask.once import RAN_BEFORE, forget, let_begin, once
from titrant_adapters.shape import Course, Errors, Start, WrittenRunner, library
from titrant_adapters.shape.functions import function_named


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

        Dask forgets what is submitted and not published when this process dies: a task that must not run twice waits
        until then.
        """
        task = f"titrant-{attempt.key}"
        call = self._function if self.rerun_safe else once(self._function, task, self.config.timeout_s)
        await course.begin({"task": task})
        with course.start.within(self.config.timeout_s, "submitting"):
            future = self._client.submit(call, self.ordered(attempt), key=task, pure=False, retries=0)
            await self._client.publish_dataset(future, name=task, override=True)
        return await self._awaited(attempt, task, course)

    async def collect(self, attempt: Attempt, course: Course) -> Result:
        """Await a task that an earlier process published."""
        return await self._awaited(attempt, str((attempt.metadata or {})["task"]), course)

    async def _awaited(self, attempt: Attempt, task: str, course: Course) -> Result:
        """Await a published task; a scheduler that is out of reach for a while is no end of it."""
        with course.start.within(self.config.run_timeout_s, f"task {task}"):
            while True:
                try:
                    if self._client is None:
                        await self.connect()
                    future = await self._client.get_dataset(task)
                    if not self.rerun_safe:
                        await let_begin(task, self._client)
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
        self._collected.append(task)
        await self._forget_old()
        if raised is None:
            return await self.judged(attempt, told if isinstance(told, dict) else {"a value, and no dict": told})
        said = f"{type(raised).__name__}: {raised}"
        gone = isinstance(raised, self._library.KilledWorker) or RAN_BEFORE in said
        raise OutcomeUnknown(said) if gone and not self.rerun_safe else RunnerError(said)

    async def _forget_old(self) -> None:
        """Let the scheduler forget tasks that were collected so long ago that their results are in the log.

        No more results than there are slots can be on their way to the log.  A function that may run twice is
        forgotten at once: Dask would run it again, for nobody, if the worker that has its result died.  What cannot
        be forgotten now waits for the next time: a result is in hand, and is not to be lost by this.
        """
        kept = 0 if self.rerun_safe else self.config.workers
        client = self._client
        with anyio.move_on_after(self.config.timeout_s), suppress(Exception):
            while client is not None and len(self._collected) > kept:
                await client.unpublish_dataset(self._collected[0])
                if not self.rerun_safe:
                    await forget(self._collected[0], client)
                self._collected.popleft()
