"""What a trial is on a SiLA 2 server; see the package."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import anyio

from titrant.errors import NeverSeen, OutcomeUnknown, SubmissionRefused
from titrant.model.trial import Attempt
from titrant.ports import Finding, Result
from titrant_adapters.shape import AdapterRunner, Course, Setting, Settings, Shared, library
from titrant_adapters.sila.answers import ERRORS, at, number
from titrant_adapters.sila.config import SilaConfig
from titrant_adapters.sila.holding import held, trusted
from titrant_adapters.sila.server import Server


class SilaRunner(AdapterRunner[SilaConfig]):
    """An observable command of a SiLA 2 server; see ``SilaConfig``."""

    config_type = SilaConfig
    errors = ERRORS
    can_report_status = True
    absence_is_proof = True  # said only where no start was recorded: servers forget executions, and restart

    def __init__(self, config: SilaConfig | None = None, *, name: str | None = None, **fields: Any) -> None:
        super().__init__(config, name=name, **fields)
        self.capacity = self.config.places
        if self.config.stop:
            self.stop = self._stop  # where the server cannot stop a run, there must be no such method
        where = f"{self.config.host}:{self.config.port}"
        self.connection: Shared[Server] = Shared(
            self._dial, Server.aclose, errors=self.errors, deadline_s=self.config.connect_timeout_s, name=where
        )

    @property
    def settings(self) -> Settings:
        """How parameters reach the command."""
        return Settings(self.config.settings, self.config.otherwise, self.config.ignored)

    async def _dial(self) -> Server:
        config, root = self.config, await trusted(self.config)
        return await Server.dial(config.host, config.port, tls=config.tls, root=root, timeout_s=config.timeout_s)

    async def connect(self) -> None:
        """Connect, and hold the configuration against what the server has."""
        library("sila.client", "sila")  # takes longer than to connect, and must not count as such
        await held(self.config, await self.connection.ready())

    async def disconnect(self) -> None:
        """Close the connection."""
        await self.connection.aclose()

    async def make_safe(self) -> None:
        """Call the commands for it."""
        for name in self.config.safe:
            await self._call(name)

    async def look(self) -> AsyncIterator[Finding]:
        """Who answers, and with which features."""
        yield Finding("ok", await (await self.connection.ready()).who())

    async def carry_out(self, attempt: Attempt, course: Course) -> Result:
        """Execute the command, record the uuid, follow the execution."""
        config, server = self.config, await self.connection.ready()
        sent = {str(setting.to): value for setting, value in self.settings.outward(attempt.parameters).values()}
        sent |= config.constants | ({config.key: attempt.key} if config.key else {})
        own = {"key": attempt.key} if config.key else {}  # for whoever looks for what the run left behind
        await course.begin({"command": config.command, **own})
        uuid = None
        try:
            # Also if cancelled meanwhile: of what has begun, it is taken down what the server calls it.
            with anyio.move_on_after(config.timeout_s, shield=True):
                uuid = await server.start(config.command, sent, config.metadata)
                await course.named({"uuid": uuid, **own})
        finally:
            if uuid is None:
                await self.connection.drop(server)
        if uuid is not None:
            return await self._follow(uuid, attempt, course)
        raise course.start.lost(f"{config.command} was not confirmed within {config.timeout_s:g} s")

    async def collect(self, attempt: Attempt, course: Course) -> Result:
        """Follow the execution whose uuid was recorded."""
        uuid = (attempt.metadata or {}).get("uuid")
        if uuid is None:
            raise OutcomeUnknown(f"{self.config.command} was about to start; what the server calls it was not recorded")
        return await self._follow(uuid, attempt, course)

    async def _stop(self, attempt: Attempt) -> None:
        """End the execution of a trial, and no other."""

        async def tell(course: Course) -> None:
            names = {"{key}": attempt.key, "{uuid}": course.names.get("uuid")}
            sent = {name: names.get(value, value) for name, value in self.config.stop_with.items()}
            if None in sent.values():
                raise SubmissionRefused("what the server calls it is not known yet")
            await self._call(self.config.stop, sent)

        await self.stop_run(attempt, tell, self.config.stop_timeout_s)

    async def _call(self, command: str, sent: Mapping[str, Any] | None = None) -> None:
        """Call a command that answers at once; the next does not get a connection on which it broke off."""
        server = await self.connection.ready()
        try:
            await server.call(command, self.config.metadata, sent)
        except Exception as exc:
            if self.errors.meaning(type(exc)) == "unknown":
                await self.connection.drop(server)
            raise

    async def _follow(self, uuid: str, attempt: Attempt, course: Course) -> Result:
        """See an execution to its end, over as many connections as that takes."""
        config = self.config

        async def told(answer: Any, progress: float) -> None:
            await course.report({name: number(answer, path) for name, path in config.intermediate.items()}, progress)

        with course.start.within(config.run_timeout_s, "the run"):
            while True:
                server = await self._again(course)
                try:
                    with self.errors.translated(course.start, uuid):
                        answer = await server.answer(
                            config.command, uuid, told if config.intermediate else None, poll_s=config.poll_s
                        )
                    break
                except NeverSeen as exc:  # it had one, and was restarted or has forgotten it
                    raise OutcomeUnknown(str(exc)) from exc
                except OutcomeUnknown:
                    await self.connection.drop(server)
                    await anyio.sleep(config.poll_s)

        async def carried_out(setting: Setting) -> Any:
            return at(answer, str(setting.read_back))

        executed = await self.settings.compare(attempt.parameters, carried_out)
        data = {name: number(answer, path) for name, path in config.measure.items()}
        return Result(data=data, executed=executed or None)

    async def _again(self, course: Course) -> Server:
        """A connection, as soon as there is one; whoever calls bounds the wait."""
        while True:
            try:
                return await self.connection.ready(course.start)
            except OutcomeUnknown:
                await anyio.sleep(self.config.poll_s)
