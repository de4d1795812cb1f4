"""An Opentrons robot as a runner: a run is made, its id recorded, and only then something moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar

import anyio

from titrant.errors import NeverSeen, OutcomeUnknown, RunnerError, SubmissionRefused
from titrant.model.trial import Attempt, Parameterization
from titrant.ports import Finding, Result
from titrant_adapters.opentrons.answers import Known, in_force, why
from titrant_adapters.opentrons.config import OpentronsConfig
from titrant_adapters.shape import Course, Setting, Settings, Start
from titrant_adapters.shape.documents import at, fill, measured
from titrant_adapters.shape.http import HttpRunner

OVER = frozenset({"succeeded", "failed", "stopped"})


class OpentronsRunner(HttpRunner[OpentronsConfig]):
    """An Opentrons robot; see ``OpentronsConfig``."""

    config_type = OpentronsConfig
    headers: ClassVar[Mapping[str, str]] = {"Opentrons-Version": "*"}
    absence_is_proof = True  # said only of runs that are there and were never played

    def __init__(self, config: OpentronsConfig | None = None, *, name: str | None = None, **fields: Any) -> None:
        super().__init__(config, name=name, **fields)
        self.can_report_status = bool(self.config.protocol)
        self._run = ""

    @property
    def settings(self) -> Settings:
        """How parameters reach the protocol or the commands."""
        return Settings(self.config.settings, self.config.otherwise, self.config.ignored)

    async def connect(self) -> None:
        """Ask who answers, and whether it has the protocol."""
        await super().connect()
        self.identity = (await self.http.ask("GET", "/health")).body
        if self.config.protocol:
            await self.http.ask("GET", f"/protocols/{self.config.protocol}")

    async def look(self) -> AsyncIterator[Finding]:
        """Which robot it is."""
        robot = self.identity
        model, serial, version = (robot.get(field) for field in ("robot_model", "robot_serial", "api_version"))
        yield Finding("ok", f"{robot.get('name')} is an {model}, serial {serial}, software {version}")

    async def make_safe(self) -> None:
        """Stop the run that was made here last."""
        if self._run:
            await self._end(self._run)

    async def stop(self, attempt: Attempt) -> None:
        """Stop a trial's run, and see that it is over."""

        async def tell(course: Course) -> None:
            run = course.names.get("run")
            if run is None or not await self._end(run):
                raise SubmissionRefused(f"run {run or 'of this trial'} is not under way")

        await self.stop_run(attempt, tell, self.config.stop_timeout_s)

    async def carry_out(self, attempt: Attempt, course: Course) -> Result:
        """Make a run, record its id, then play the protocol or send the commands."""
        values = {str(one.to): value for one, value in self.settings.outward(attempt.parameters).values()}
        wanted = {"protocolId": self.config.protocol, "runTimeParameterValues": values} if self.config.protocol else {}
        made = await self._post("/runs", wanted, course.start)
        self._run = run = at(made, "/id")
        if self.config.protocol:
            await self._in_force(attempt, made)  # before anything moves
        await course.begin({"run": run})
        if self.config.commands:
            return await self._commanded(run, values, attempt, course)
        with suppress(OutcomeUnknown):  # the run itself tells whether it was played
            await self._post(f"/runs/{run}/actions", {"actionType": "play"}, course.start, starts=True)
        return await self._played(run, attempt, course, OutcomeUnknown)

    async def collect(self, attempt: Attempt, course: Course) -> Result:
        """Await a protocol's run."""
        return await self._played((attempt.metadata or {})["run"], attempt, course, NeverSeen)

    async def _in_force(self, attempt: Attempt, run: Any) -> Parameterization:
        """Compare the run-time parameters that a protocol's run has with what was wanted."""
        return await self.settings.compare(attempt.parameters, partial(in_force, run)) if self.config.protocol else {}

    async def _played(self, run: str, attempt: Attempt, course: Course, idle: type[RunnerError]) -> Result:
        with course.start.within(self.config.run_timeout_s, f"run {run}"):
            while (status := (found := await self._get(f"/runs/{run}", course.start))["status"]) not in OVER:
                if status == "idle" and not found["actions"]:
                    raise idle(f"run {run} was never played")
                await anyio.sleep(self.config.poll_s)
        if status != "succeeded":
            raise RunnerError(f"run {run} ended as {status}: {why(found['errors'])}")
        return Result(executed=await self._in_force(attempt, found) or None)

    async def _commanded(self, run: str, values: dict[str, Any], attempt: Attempt, course: Course) -> Result:
        results: dict[str, Any] = {}
        with course.start.within(self.config.run_timeout_s, f"run {run}"):
            for command in self.config.commands:
                params = fill(command.params, Known(values | results))
                try:
                    done = await self._command(run, command.do, params, course)
                except SubmissionRefused as exc:
                    if not results:
                        raise
                    raise RunnerError(f"it was begun, and then {exc}") from exc  # to begin anew would do it twice
                if done["status"] != "succeeded":
                    raise RunnerError(f"{command.do} {done['status']}: {why([done.get('error', {})])}")
                results[command.name or command.do] = done["result"]

        async def read(setting: Setting) -> Any:
            return at(results, str(setting.read_back))

        executed = await self.settings.compare(attempt.parameters, read)
        return Result(data=measured(results, self.config.measure) or None, executed=executed or None)

    async def _command(self, run: str, do: str, params: dict[str, Any], course: Course) -> Any:
        """Send one command, and wait until it is over."""
        wait = {"waitUntilComplete": "true", "timeout": int(800 * self.config.timeout_s)}
        body = {"commandType": do, "params": params}
        done = await self._post(f"/runs/{run}/commands", body, course.start, starts=True, params=wait)
        while done["status"] in ("queued", "running"):
            await anyio.sleep(self.config.poll_s)
            done = await self._get(f"/runs/{run}/commands/{done['id']}", course.start)
        return done

    async def _get(self, path: str, start: Start) -> Any:
        return at((await self.again(lambda: self.http.ask("GET", path, start=start), start)).body, "/data")

    async def _post(self, path: str, data: Any, start: Start, **how: Any) -> Any:
        answer = await self.http.ask("POST", path, json={"data": data}, start=start, **how)
        return at(answer.body, "/data")

    async def _end(self, run: str) -> bool:
        """Stop a run, if it goes on, or may be told to; whether it did."""
        found = await self._get(f"/runs/{run}", Start())
        if found["status"] in ("stop-requested", "finishing"):
            return True
        goes_on = found["current"] and found["status"] not in OVER
        if goes_on:
            await self._post(f"/runs/{run}/actions", {"actionType": "stop"}, Start())
        return bool(goes_on)
