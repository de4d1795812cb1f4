"""Devices behind a flowchem server: pumps, heaters, valves, spectrometers of many makers (REST).

::

    [[runners]]
    use = "flowchem"
    [runners.with]
    url = "http://127.0.0.1:8000"
    start = ["/pump/pump/infuse?rate=1 ml/min&volume=0.1 ml"]
    until = { "/r4/reactor1/target-reached" = true }
    measure.absorbance = "/detector/uv/acquire-signal"
    safe = ["/pump/pump/stop", "/r4/reactor1/power-off"]
    [runners.with.settings.temperature]
    to = "/r4/reactor1/temperature?temp"        # the path, and the argument that gets the value
    unit = "degC"                               # is sent along: "75.0 degC"
    read_back = "/r4/reactor1/temperature"      # asked before and after the run

flowchem answers ``200`` to a set point that the device then clamps: read each back.  It names no runs; what became of
one after the engine was killed, a person must say.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Literal
from urllib.parse import parse_qsl

import anyio
import msgspec

from titrant.errors import RunnerError
from titrant.model.trial import Attempt
from titrant.ports import Finding, Result
from titrant_adapters.shape import Course, Setting, Settings, Start, bad
from titrant_adapters.shape.documents import at, number
from titrant_adapters.shape.http import HttpConfig, HttpRunner


class FlowchemConfig(HttpConfig, frozen=True, kw_only=True):
    """What to set, do and read; see also ``HttpConfig``.

    Attributes:
        settings: Parameter to setting; ``to`` is the path with the argument's name, ``read_back`` a path.
        otherwise: What to do where a setting is not taken: ``"fail"`` or ``"record"``.
        ignored: Parameters that are not set here.
        ready: Paths to what they must say before the run is started, such as a temperature that is reached.
        start: What starts a run: paths with their arguments, in this order.
        until: Paths to what they must say for the run to be over; each is a level, which stays.
        measure: Metric to path.
        safe: What brings the devices into their safe state.
    """

    settings: dict[str, Setting] = msgspec.field(default_factory=dict)
    otherwise: Literal["fail", "record"] = "fail"
    ignored: tuple[str, ...] = ()
    ready: dict[str, Any] = msgspec.field(default_factory=dict)
    start: tuple[str, ...]
    until: dict[str, Any] = msgspec.field(default_factory=dict)
    measure: dict[str, str]
    safe: tuple[str, ...] = ()

    def check(self) -> None:
        """Something is started and read; settings name the argument; paths begin with a slash."""
        super().check()
        if not self.start:
            raise bad("start", self.start, "say what starts a run: /pump/pump/infuse?rate=1 ml/min")
        if not self.measure:
            raise bad("measure", self.measure, 'name a path for each metric: { y = "/detector/uv/acquire-signal" }')
        for name, one in self.settings.items():
            if not str(one.to).partition("?")[2]:
                raise bad(f"settings.{name}.to", one.to, "add the argument's name: /r4/reactor1/temperature?temp")
        paths = [*self.ready, *self.start, *self.until, *self.measure.values(), *self.safe]
        paths += [str(text) for one in self.settings.values() for text in (one.to, one.read_back) if text is not None]
        for path in paths:
            if not path.startswith("/"):
                raise bad("path", path, "write it from the server's root: /r4/reactor1/temperature")


class FlowchemRunner(HttpRunner[FlowchemConfig]):
    """Devices behind a flowchem server; see ``FlowchemConfig``."""

    config_type = FlowchemConfig

    @property
    def settings(self) -> Settings:
        """How parameters reach the devices."""
        return Settings(self.config.settings, self.config.otherwise, self.config.ignored)

    async def connect(self) -> None:
        """Ask what the server has, and hold every path against it."""
        await super().connect()
        self.paths: dict[str, Any] = at((await self.http.ask("GET", "/openapi.json")).body, "/paths")
        config = self.config
        read = [*config.ready, *config.until, *config.measure.values()]
        read += [str(one.read_back) for one in config.settings.values() if one.read_back is not None]
        put = [*config.start, *config.safe, *(str(one.to) for one in config.settings.values())]
        for method, paths in (("get", read), ("put", put)):
            for path in paths:
                if method not in self.paths.get(path.partition("?")[0], {}):
                    raise bad("path", path, f"the server has nothing there to {method}; see {config.url}/docs")

    async def look(self) -> AsyncIterator[Finding]:
        """Which devices there are."""
        devices = sorted({path.split("/")[1] for path in self.paths if path.count("/") > 2})
        yield Finding("ok", f"{self.config.url} has {', '.join(devices)}")

    async def make_safe(self) -> None:
        """Send what brings the devices into their safe state."""
        for path in self.config.safe:
            await self._put(path, Start())

    async def carry_out(self, attempt: Attempt, course: Course) -> Result:
        """Set, read back, start, await, read."""
        config, start = self.config, course.start

        async def write(setting: Setting, value: Any) -> None:
            path, _, argument = str(setting.to).partition("?")
            await self._put(path, start, {argument: f"{value} {setting.sent_in or setting.unit}".rstrip()})

        async def read(setting: Setting) -> Any:
            return await self._get(str(setting.read_back), start)

        executed = await self.settings.apply(attempt.parameters, write, read)
        with start.within(config.run_timeout_s, "getting ready"):
            await self._say(config.ready, start)
        await course.begin()
        with start.within(config.run_timeout_s, "the run"):
            for place, path in enumerate(config.start):
                await self._put(path, start, starts=place == 0)  # once the first is done, a refusal is no "not begun"
            await self._say(config.until, start)
            data = {name: number(name, await self._get(path, start)) for name, path in config.measure.items()}
            # a server that was restarted meanwhile has set the devices back, and measures as if nothing had happened
            executed |= await self.settings.compare(attempt.parameters, read)
        return Result(data=data, executed=executed or None)

    async def _say(self, wanted: dict[str, Any], start: Start) -> None:
        """Wait until all say what is wanted."""
        for path, value in wanted.items():
            while await self._get(path, start) != value:  # noqa: ASYNC110  # it is elsewhere
                await anyio.sleep(self.config.poll_s)

    async def _get(self, path: str, start: Start) -> Any:
        return (await self.again(lambda: self.http.ask("GET", path, start=start), start)).body

    async def _put(self, path: str, start: Start, given: dict[str, str] | None = None, *, starts: bool = False) -> None:
        where, _, text = path.partition("?")
        params = given or dict(parse_qsl(text))
        said = await self.http.ask("PUT", where, params=params, start=start, starts=starts)
        if said.body is False:  # flowchem's word for a command that failed
            raise RunnerError(f"{path} was answered with false")
