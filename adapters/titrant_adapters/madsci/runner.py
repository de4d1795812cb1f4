"""An action of a MADSci node as a runner, in two phases: create and record, then start."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Literal

import anyio

from titrant.errors import NeverSeen, OutcomeUnknown, RunnerError, SubmissionRefused
from titrant.model.trial import Attempt
from titrant.ports import Finding, Result
from titrant_adapters.madsci.config import MadsciConfig
from titrant_adapters.shape import Course, Setting, Settings, Start, bad
from titrant_adapters.shape.documents import at, measured
from titrant_adapters.shape.http import HttpRunner

UNDER_WAY = frozenset({"running", "paused", "not_started"})


class MadsciRunner(HttpRunner[MadsciConfig]):
    """An action of a MADSci node; see ``MadsciConfig``."""

    config_type = MadsciConfig
    can_report_status = True

    def __init__(self, config: MadsciConfig | None = None, *, name: str | None = None, **fields: Any) -> None:
        super().__init__(config, name=name, **fields)
        if self.config.cancel:
            self.stop = self._stop  # where the node cannot stop, there must be no such method

    @property
    def settings(self) -> Settings:
        """Which argument each parameter is."""
        return Settings(self.config.settings, self.config.otherwise, self.config.ignored)

    async def connect(self) -> None:
        """Ask who answers, and hold the action and its arguments against what the node says of itself."""
        await super().connect()
        self.info = (await self.http.ask("GET", "/info")).body
        actions, config = at(self.info, "/actions"), self.config
        if config.action not in actions:
            raise bad("action", config.action, f"the node has {', '.join(actions)}")
        config.hold_against(actions[config.action], at(self.info, "/capabilities/admin_commands"))

    async def look(self) -> AsyncIterator[Finding]:
        """Which node it is, and whether it takes actions."""
        name, kind, version = (at(self.info, f"/{one}") for one in ("node_name", "module_name", "module_version"))
        yield Finding("ok", f"{name} is a {kind} {version}")
        status = (await self.http.ask("GET", "/status")).body
        if not at(status, "/ready"):
            yield Finding("warn", str(at(status, "/description")), "look at the node, then reset it")

    async def make_safe(self) -> None:
        """Send the admin commands for the safe state."""
        for command in self.config.safe:
            await self._admin(command)

    async def carry_out(self, attempt: Attempt, course: Course) -> Result:
        """Create, record, start, await, read."""
        config, start = self.config, course.start
        if config.reset and await self._is("errored"):
            await self._admin("reset")
        with start.within(config.initialize_timeout_s, "the node's initializing"):
            while await self._is("initializing"):  # noqa: ASYNC110  # a reset is answered before it is over
                await anyio.sleep(config.poll_s)
        args = config.args | {str(one.to): value for one, value in self.settings.outward(attempt.parameters).values()}
        made = await self.http.ask("POST", f"/action/{config.action}", json={"args": args}, start=start)
        action = at(made.body, "/action_id")
        await course.begin({"action_id": action})
        with suppress(OutcomeUnknown):  # the action itself tells whether it was started
            begun = await self.http.ask("POST", f"/action/{config.action}/{action}/start", start=start, starts=True)
            if at(begun.body, "/status") == "not_ready" or _not_found(begun.body):
                raise SubmissionRefused(f"the node did not start it: {_why(begun.body)}")
        return await self._awaited(attempt, action, course, OutcomeUnknown)

    async def collect(self, attempt: Attempt, course: Course) -> Result:
        """Await an action that was started before."""
        return await self._awaited(attempt, (attempt.metadata or {})["action_id"], course, NeverSeen)

    async def _awaited(self, attempt: Attempt, action: str, course: Course, unknown: type[RunnerError]) -> Result:
        async def ask(what: Literal["status", "result"]) -> Any:
            path = f"/action/{action}/{what}"
            return (await self.again(lambda: self.http.ask("GET", path, start=course.start), course.start)).body

        with course.start.within(self.config.run_timeout_s, f"action {action}"):
            while (status := await ask("status")) in UNDER_WAY:  # noqa: ASYNC110  # it is elsewhere
                await anyio.sleep(self.config.poll_s)
            if status == "unknown":
                raise unknown(f"the node knows no action {action}: never started, or it restarted since")
            result = await ask("result")
        if status == "not_ready" and unknown is OutcomeUnknown:
            raise SubmissionRefused(f"the node did not start it: {_why(result)}")
        if status != "succeeded":
            raise RunnerError(f"action {action} {status}: {_why(result)}")
        told = at(result, "/json_result")

        async def carried_out(setting: Setting) -> Any:
            return at(told, str(setting.read_back))

        executed = await self.settings.compare(attempt.parameters, carried_out)
        return Result(data=measured(told, self.config.measure) or None, executed=executed or None)

    async def _stop(self, attempt: Attempt) -> None:
        await self._admin("cancel")

    async def _is(self, what: Literal["errored", "initializing"]) -> bool:
        return bool(at((await self.http.ask("GET", "/status")).body, f"/{what}"))

    async def _admin(self, command: str) -> None:
        said = (await self.http.ask("POST", f"/admin/{command}", start=Start())).body
        if not at(said, "/success"):
            raise RunnerError(f"{command} was answered with {_why(said)}")


def _errors(result: Any) -> list[tuple[str, str]]:
    found = result.get("errors", ()) if isinstance(result, dict) else ()
    return [(str(one.get("error_type")), str(one.get("message"))) for one in found]


def _not_found(result: Any) -> bool:
    return any(kind == "NotFound" for kind, _ in _errors(result))


def _why(result: Any) -> str:
    return "; ".join(f"{kind}: {message}" for kind, message in _errors(result)) or str(result)
