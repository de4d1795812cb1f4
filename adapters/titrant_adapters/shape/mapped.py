"""What is done with a mapping: requests are filled in and sent, settings made, results judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from titrant.errors import RunnerError
from titrant.model.trial import Attempt, Parameterization
from titrant.ports import Result
from titrant_adapters.shape.documents import at, measured
from titrant_adapters.shape.http import HttpRunner
from titrant_adapters.shape.mapping import RestMapping
from titrant_adapters.shape.outcomes import Start
from titrant_adapters.shape.requests import Request, send
from titrant_adapters.shape.setting import Setting
from titrant_adapters.shape.settings import Settings


class MappedRunner(HttpRunner[RestMapping]):
    """Sends the requests of a mapping, and reads the answers."""

    config_type = RestMapping

    @property
    def settings(self) -> Settings:
        """How parameters reach the service."""
        return Settings(self.config.settings, self.config.otherwise, self.config.ignored)

    def values(self, attempt: Attempt) -> dict[str, Any]:
        """What fills the holes: parameters as they are sent, the key, and what was recorded."""
        sent = {name: value for name, (_, value) in self.settings.outward(attempt.parameters).items()}
        return {**sent, "key": attempt.key, "trial": attempt.trial, **(attempt.metadata or {})}

    async def send(
        self, request: Request, values: Mapping[str, Any], start: Start, *, starts: bool = False, **how: Any
    ) -> Any:
        """Fill a request in and send it, what starts a run with its key; see ``send``."""
        if starts and self.config.key_header:
            how["headers"] = {self.config.key_header: values["key"]}
        return await send(self.http, request, values, start=start, starts=starts, **how)

    async def set(self, attempt: Attempt, start: Start) -> Parameterization:
        """Make the settings that are made before the start; gives what was not taken as it was meant."""
        config, values = self.config, self.values(attempt)
        to_set, to_read = config.set, config.get
        if to_set is None:
            return {}

        async def write(setting: Setting, value: Any) -> None:
            await self.send(to_set, {**values, "to": setting.to, "value": value}, start)

        if to_read is None:
            for setting, value in self.settings.outward(attempt.parameters).values():
                await write(setting, value)
            return {}

        async def read(setting: Setting) -> Any:
            return at(await self.send(to_read, {**values, "to": setting.to}, start), str(setting.read_back))

        return await self.settings.apply(attempt.parameters, write, read)

    async def result_of(self, document: Any, attempt: Attempt, executed: Parameterization) -> Result:
        """The data in a result, if it is to be believed, and what the result says was carried out."""
        config = self.config
        if config.quality and (word := at(document, config.quality)) not in config.good:
            raise RunnerError(f"there is a result, and its quality is {word!r}")

        async def read(setting: Setting) -> Any:
            return at(document, str(setting.read_back))

        if config.get is None:
            executed = await self.settings.compare(attempt.parameters, read)
        return Result(data=measured(document, config.measure) or None, executed=executed or None)
