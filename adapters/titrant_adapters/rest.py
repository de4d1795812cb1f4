"""Any service with a REST API, from a mapping that says which request does what.  No program is written.

::

    [[runners]]
    use = "rest"
    [runners.with]
    url = "http://192.168.1.20:8000"
    token = { env = "LAB_TOKEN" }
    settings.temperature = { to = "T", unit = "degC", sent_in = "K", read_back = "/conditions/T" }
    start = { method = "POST", path = "/runs", json = { key = "{key}", T = "{temperature}" } }
    find = { path = "/runs", query = { key = "{key}" } }        # a run whose start was not answered
    status = { path = "/runs/{id}" }
    id = "/number"                                              # JSON pointers into the answers
    measure.yield = "/values/yield"
    stop = { method = "DELETE", path = "/runs/{id}" }

``{name}`` in a request stands for a parameter, as the settings send it, or for ``key``, ``trial``, ``id``; with
``set`` also for ``to`` and ``value``.  A run is found again by ``create`` or ``find``; a service with neither, and
without idempotency keys, leaves it to a person what became of a start that was not answered.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio

from titrant.errors import NeverSeen, OutcomeUnknown, RunnerError, SubmissionRefused
from titrant.model.trial import Attempt, Parameterization
from titrant.ports import Finding, Result
from titrant_adapters.shape import Course, Start
from titrant_adapters.shape.documents import at
from titrant_adapters.shape.mapped import MappedRunner
from titrant_adapters.shape.mapping import RestMapping
from titrant_adapters.shape.requests import Request, identity

NOT_THERE = 404


class RestRunner(MappedRunner):
    """Carries trials out by the requests of a mapping; see ``RestMapping``."""

    def __init__(self, config: RestMapping | None = None, *, name: str | None = None, **fields: Any) -> None:
        super().__init__(config, name=name, **fields)
        config = self.config
        self.capacity = config.places
        self.honours_keys, self.absence_is_proof = config.honours_keys, config.absence_is_proof
        self.can_report_status = config.create is not None or config.find is not None
        if config.stop is not None:
            self.stop = self._stop  # where the service cannot stop a run, there must be no such method

    async def connect(self) -> None:
        """Ask who answers: whether it is there, and lets us in."""
        await super().connect()
        self.identity = await identity(self.http, self.config.identify)

    async def look(self) -> AsyncIterator[Finding]:
        """Who answers."""
        yield Finding("ok", f"{self.config.url} says of itself: {str(self.identity)[:200]}")

    async def make_safe(self) -> None:
        """Send the requests for the safe state."""
        for request in self.config.safe:
            await self.send(request, {}, Start())

    async def carry_out(self, attempt: Attempt, course: Course) -> Result:
        """Set or create, record, start, await, read."""
        config, values = self.config, self.values(attempt)
        executed = await self.set(attempt, course.start)
        if config.create is not None:
            values["id"] = at(await self.send(config.create, values, course.start), config.id)
            await course.begin({"id": values["id"]})
        else:
            await course.begin({"key": attempt.key} if config.find is not None else None)
        try:
            begun = await self._started(values, course.start)
        except OutcomeUnknown:
            if not self.can_report_status:
                raise
        else:
            if config.status is None:
                return await self.result_of(begun, attempt, executed)
            if "id" not in values:
                values["id"] = at(begun, config.id)
        return await self._awaited(values, attempt, course, executed)

    async def collect(self, attempt: Attempt, course: Course) -> Result:
        """Await a run by the id or the key that was recorded."""
        return await self._awaited(self.values(attempt), attempt, course, {}, begun_here=False)

    async def _stop(self, attempt: Attempt) -> None:
        values, start = self.values(attempt), Start()
        with self.errors.translated(start, "stopping"):
            if "id" not in values and self.config.find is not None:
                values["id"] = at(await self.send(self.config.find, values, start), self.config.id)
            if self.config.stop is not None:
                await self.send(self.config.stop, values, start)

    async def _started(self, values: dict[str, Any], start: Start) -> Any:
        """Send what starts the run."""
        config = self.config
        whole = config.status is None  # then the answer is the result, and comes at the end
        deadline = config.run_timeout_s if whole else config.timeout_s

        async def send() -> Any:
            try:
                return await self.send(config.start, values, start, starts=True, deadline_s=deadline)
            except SubmissionRefused as exc:
                if not start.trouble:
                    raise
                raise OutcomeUnknown(str(exc)) from exc  # this one; an earlier one may have begun it

        if not config.honours_keys:
            return await send()
        with start.within(config.run_timeout_s, "the start"):
            return await self.again(send, start)  # with the same key it is the same run, however often

    async def _awaited(
        self,
        values: dict[str, Any],
        attempt: Attempt,
        course: Course,
        executed: Parameterization,
        *,
        begun_here: bool = True,
    ) -> Result:
        """Ask for the state until it is a final one; asking never starts anything."""
        config = self.config

        async def ask(request: Request | None) -> Any:
            assert request is not None  # the mapping was checked
            said = await self.again(lambda: self.send(request, values, course.start, accept=(NOT_THERE,)), course.start)
            if said is None:
                kind = OutcomeUnknown if begun_here else NeverSeen
                raise kind(f"{config.url} knows no run {values.get('id', values['key'])}")
            return said

        with course.start.within(config.run_timeout_s, "the run"):
            if "id" not in values:
                values["id"] = at(await ask(config.find), config.id)
            while (state := str(at(said := await ask(config.status), config.state))) not in config.done:
                if state in config.prepared and not begun_here:
                    raise NeverSeen(f"run {values['id']} is {state}: it was never started")
                if state not in (*config.running, *config.prepared):
                    raise RunnerError(f"the run ended as {state}: {config.reason_in(said)}")
                await anyio.sleep(config.poll_s)
            return await self.result_of(said if config.result is None else await ask(config.result), attempt, executed)
