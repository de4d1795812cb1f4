"""A metric's actor: fetches the values of one metric, several trials at once, retrying flaky fetches."""

from __future__ import annotations

import anyio
import anyio.abc

from titrant.actors.mail import Do, Fetch
from titrant.errors import ActorStopped
from titrant.messages.commands import By, Command, RecordFetch, RecordFetchFailure
from titrant.model.observation import Observation, fetched
from titrant.ports import Metric
from titrant.runtime.calls import RetryPolicy, call, retrying
from titrant.runtime.clock import Clock
from titrant.runtime.mailbox import Mailbox
from titrant.runtime.supervision import describe


class MetricActor:
    """Holds one ``Metric``; a slow or failing fetch holds up only its own trial."""

    def __init__(self, metric: Metric, *, supervisor: Mailbox[Do], clock: Clock) -> None:
        self.metric = metric
        self.name = f"metric:{metric.name}"
        self.mailbox: Mailbox[Fetch] = Mailbox(self.name, 65_536)
        self._supervisor = supervisor
        self._clock = clock
        self._deadline: float = getattr(metric, "call_deadline_s", Metric.call_deadline_s)
        self._retry: RetryPolicy = getattr(metric, "retry", Metric.retry)

    async def run(self) -> None:
        """Take requests until the mailbox is closed."""
        async with anyio.create_task_group() as tasks:
            while True:
                try:
                    request = await self.mailbox.receive()
                except ActorStopped:
                    return
                tasks.start_soon(self._fetch, request)

    async def _fetch(self, request: Fetch) -> None:
        name = self.metric.name

        async def once() -> tuple[Observation, ...]:
            value = await call(
                self.metric.fetch,
                request.trial,
                dict(request.metadata),
                clock=self._clock,
                deadline_s=self._deadline,
                what=f"fetch of metric {name!r} for trial {request.trial}",
            )
            return fetched(name, value)

        try:
            observations = await retrying(once, policy=self._retry, key=f"{request.key}/{name}")
        except Exception as exc:  # noqa: BLE001  # a metric is foreign code: whatever it raises is an answer
            await self._tell(RecordFetchFailure(trial=request.trial, metric=name, reason=describe(exc)))
        else:
            await self._tell(RecordFetch(trial=request.trial, metric=name, observations=observations))

    async def _tell(self, command: Command) -> None:
        await self._supervisor.send(Do(command=command, by=By(self.name)))
