"""Instruments behind HTTP; a request that broke off is asked again only where asking starts nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar, TypeVar

import anyio

from titrant.errors import OutcomeUnknown, RunnerError
from titrant_adapters.shape.http_client import HTTP_ERRORS, Http
from titrant_adapters.shape.http_config import HttpConfig
from titrant_adapters.shape.outcomes import Errors, Start
from titrant_adapters.shape.runner import AdapterRunner

H = TypeVar("H", bound=HttpConfig)
T = TypeVar("T")


class HttpRunner(AdapterRunner[H]):
    """The base of runners that speak HTTP.

    Attributes:
        headers: What the service wants with every request.
    """

    headers: ClassVar[Mapping[str, str]] = {}
    errors: ClassVar[Errors] = Errors(HTTP_ERRORS)
    _http: Http | None = None

    @property
    def http(self) -> Http:
        """The client, while connected."""
        if self._http is None:
            raise RunnerError(f"{self.name} is not connected")
        return self._http

    async def connect(self) -> None:
        """Make a client; an adapter goes on to ask who answers."""
        self._http = Http(self.config, self.errors, self.headers)

    async def disconnect(self) -> None:
        """Close it."""
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    async def again(self, ask: Callable[[], Awaitable[T]], start: Start) -> T:
        """Ask until there is an answer, on a new connection each time; whoever calls bounds the wait."""
        while True:
            try:
                answer = await ask()
            except OutcomeUnknown as exc:
                start.trouble = str(exc)
                await anyio.sleep(self.config.poll_s)
            else:
                start.trouble = ""
                return answer


__all__ = ["HTTP_ERRORS", "Http", "HttpConfig", "HttpRunner"]
