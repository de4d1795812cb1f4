"""A metric that some service has or will have: an analyser's, a database's (REST).

::

    [[metrics]]
    use = "rest"
    name = "purity"
    [metrics.with]
    url = "http://hplc:8000"
    get = { path = "/results", query = { sample = "{trial}" } }     # or what the runner recorded: "{id}"
    value = "/peaks/0/area"                                         # JSON pointer into the answer
    run_timeout_s = 7200                                            # until it is there

``404``, and an answer without the value, mean that it is not there yet.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar

import anyio

from titrant.errors import RunnerError
from titrant.ports import Finding
from titrant_adapters.shape import AdapterMetric, Errors, Start, bad
from titrant_adapters.shape.documents import NoSuchValueError, at, is_pointer, number
from titrant_adapters.shape.http import HTTP_ERRORS, Http, HttpConfig
from titrant_adapters.shape.requests import Request, identity, send

NOT_YET = 404


class RestMetricConfig(HttpConfig, frozen=True, kw_only=True):
    """Where the value is; ``run_timeout_s`` bounds the wait for it.  See also ``HttpConfig``.

    Attributes:
        get: Asks for it, with holes for ``trial`` and for what the runner recorded of the trial.
        value: Pointer to it in the answer.
        sem: Pointer to its standard error; empty where there is none.
        identify: Asked when connecting; the root, where there need be nothing, if None.
    """

    get: Request
    value: str
    sem: str = ""
    identify: Request | None = None

    def check(self) -> None:
        """Pointers are pointers."""
        super().check()
        for field in ("value", "sem"):
            if not is_pointer(getattr(self, field)):
                raise bad(field, getattr(self, field), "a JSON pointer begins with a slash: /peaks/0/area")


class RestMetric(AdapterMetric[RestMetricConfig]):
    """Fetches a value from a service; see ``RestMetricConfig``."""

    config_type = RestMetricConfig
    errors: ClassVar[Errors] = Errors(HTTP_ERRORS)
    _http: Http | None = None

    def __init__(self, name: str, config: RestMetricConfig | None = None, **fields: Any) -> None:
        super().__init__(name, config, **fields)
        self.call_deadline_s = self.config.run_timeout_s + self.config.timeout_s

    async def connect(self) -> None:
        """Ask who answers: whether it is there, and lets us in."""
        self._http = Http(self.config, self.errors)
        self.identity = await identity(self._http, self.config.identify)

    async def disconnect(self) -> None:
        """Let the client go."""
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    async def look(self) -> AsyncIterator[Finding]:
        """Who answers."""
        yield Finding("ok", f"{self.config.url} says of itself: {str(self.identity)[:200]}")

    async def read(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> Any:
        """Ask until it is there."""
        config, values = self.config, {"trial": trial_index, **trial_metadata}
        if lacking := config.get.asks_for() - values.keys():
            raise RunnerError(f"nothing fills {{{min(lacking)}}}: the runner recorded {', '.join(values)}")
        if self._http is None:
            raise RunnerError(f"{self.name} is not connected")
        with Start().within(config.run_timeout_s, f"waiting for {self.name}"):
            while True:
                found = self._in(await send(self._http, config.get, values, accept=(NOT_YET,)))
                if found is not None:
                    return None, found
                await anyio.sleep(config.poll_s)

    def _in(self, document: Any) -> Any:
        try:
            value = at(document, self.config.value)
            sem = number("sem", at(document, self.config.sem)) if self.config.sem else None
        except NoSuchValueError:
            return None
        if value is None:
            return None
        return number(self.name, value) if sem is None else (number(self.name, value), sem)
