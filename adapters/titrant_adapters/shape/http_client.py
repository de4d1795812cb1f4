"""A client of one service: JSON both ways, a connection for each request, nothing sent twice."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from titrant.errors import ConfigurationError, RunnerError, SubmissionRefused
from titrant_adapters.shape.http_config import HttpConfig
from titrant_adapters.shape.outcomes import Errors, Meaning, Start

if TYPE_CHECKING:
    import httpx

HTTP_ERRORS: Mapping[str, Meaning] = {
    "httpx.HTTPError": "unknown",  # timeouts, lost lines, half replies; the base of nearly all
    "httpx.StreamError": "unknown",
    "httpx.CookieConflict": "unknown",
    "httpx.InvalidURL": "misconfigured",
    "httpx.UnsupportedProtocol": "misconfigured",
    "titrant_adapters.shape.documents.NoSuchValueError": "unknown",  # an answer that cannot be read says nothing
}
"""Whether nothing was sent yet (no connection) is seen by ``Http.ask``: it matters for the start alone."""

BUSY = frozenset({408, 409, 423, 425, 429})
"""Statuses that say: not now; nothing has begun."""

PERMISSION = frozenset({401, 403, 407})


class Answer(msgspec.Struct, frozen=True):
    """What came back.

    Attributes:
        status: The status code.
        body: The document; the text where it is no JSON.
    """

    status: int
    body: Any


class Http:
    """A client of one service.

    Each request has a connection of its own: a reply that comes late or twice is then never taken for the next one,
    and what a broken request leaves behind is closed with it.

    Args:
        config: Where it is.
        errors: The adapter's table.
        headers: Sent with every request, beside the configuration's.
    """

    def __init__(self, config: HttpConfig, errors: Errors, headers: Mapping[str, str] | None = None) -> None:
        import httpx  # noqa: PLC0415  # 0.2 s that only those who speak HTTP should wait

        self._config, self._errors = config, errors
        self._never_sent = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
        sent = {**(headers or {}), **{name: secret.reveal() for name, secret in config.headers.items()}}
        if config.token is not None:
            sent["Authorization"] = f"Bearer {config.token.reveal()}"
        self._client: httpx.AsyncClient = httpx.AsyncClient(
            base_url=config.url,
            headers=sent,
            verify=config.trusted(),
            trust_env=False,  # a proxy for the web is not on the way to an instrument, and may send again
            limits=httpx.Limits(max_keepalive_connections=0),
            # our own deadline bounds the whole; only who cannot be reached at all is told apart here
            timeout=httpx.Timeout(None, connect=0.8 * config.timeout_s),
        )

    async def ask(
        self,
        method: str,
        path: str,
        *,
        start: Start | None = None,
        starts: bool = False,
        accept: Collection[int] = (),
        deadline_s: float | None = None,
        **more: Any,
    ) -> Answer:
        """Send a request, and give the answer.

        Args:
            method: ``"GET"`` and so on.
            path: Below the service's root.
            start: Where the attempt stands; None where it has none.
            starts: This request starts the run.
            accept: Statuses from 300 up that the caller can read.
            deadline_s: Seconds it may take; the configuration's where None.
            more: ``json``, ``params``, ``headers``, as httpx takes them.

        Raises:
            OutcomeUnknown: After the start was sent, whatever leaves open what has become of the run.
            SubmissionRefused: Nothing was started; it may be tried again.
            RunnerError: Nothing was started, and asking again would not help.
            ConfigurationError: It has no permission.
        """
        start = start or Start()
        what = f"{method} {path} at {self._config.url}"
        with self._errors.translated(start, what), start.within(deadline_s or self._config.timeout_s, what):
            try:
                reply = await self._client.request(method, path, **more)
            except self._never_sent as exc:
                if starts:
                    raise SubmissionRefused(f"{what}: nobody takes connections there: {exc}") from exc
                raise
        answer = Answer(reply.status_code, _document(reply.content))
        if answer.status < 300 or answer.status in accept:
            return answer
        raise _no(answer, what, start, starts=starts)

    async def aclose(self) -> None:
        """Close what is open."""
        await self._client.aclose()


def _no(answer: Answer, what: str, start: Start, *, starts: bool) -> Exception:
    """What a status other than success means, by what was asked."""
    said = f"{what} was answered with {answer.status}: {str(answer.body)[:300]}"
    if answer.status >= 500 or (start.sent and not starts):
        return start.lost(said)  # it may have begun before it broke; or it goes on, whatever is said of this question
    if answer.status in BUSY:
        return SubmissionRefused(said)
    if answer.status in PERMISSION and not starts:
        return ConfigurationError(f"{said}: it wants a token or a header that gives permission")
    return RunnerError(said)


def _document(content: bytes) -> Any:
    text = content.decode(errors="replace")
    try:
        return json.loads(text) if text else None  # the standard library's: many services write NaN
    except ValueError:
        return text
