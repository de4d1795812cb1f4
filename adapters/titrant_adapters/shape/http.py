"""Instruments behind HTTP: JSON both ways, a connection for each request, nothing sent twice."""

from __future__ import annotations

import json
import ssl
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from urllib.parse import urlsplit

import anyio
import msgspec

from titrant.errors import ConfigurationError, OutcomeUnknown, RunnerError, SubmissionRefused
from titrant_adapters.shape.config import Config, Seconds, Secret, bad
from titrant_adapters.shape.outcomes import Errors, Meaning, Start
from titrant_adapters.shape.runner import AdapterRunner

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


class HttpConfig(Config, frozen=True, kw_only=True):
    """Where a service is, and how it knows us.

    Attributes:
        url: Its root: ``http://192.168.1.20:8000``.
        token: Sent as ``Authorization: Bearer ...``.
        headers: Sent with every request; nothing shows their values.
        ca: File with the certificates to trust, for a service that signs its own.
        timeout_s: Seconds one answer may take.
        run_timeout_s: Seconds a run may take.
        poll_s: Seconds between two questions for the state.
    """

    url: str
    token: Secret | None = None
    headers: dict[str, Secret] = msgspec.field(default_factory=dict)
    ca: str = ""
    timeout_s: Seconds = 5.0
    run_timeout_s: Seconds = 3600.0
    poll_s: Seconds = 0.2

    def check(self) -> None:
        """The address is one of HTTP."""
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise bad("url", self.url, "write http:// or https://, a host and, where needed, a port")
        if parts.username or parts.password:
            raise bad("url", f"...@{parts.hostname}", "it would be shown: give a password by token or headers")


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
            verify=_trusted(config),
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


def _trusted(config: HttpConfig) -> ssl.SSLContext:
    if config.url.startswith("http:"):  # reading all the certificates of the web takes half a second
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        return ssl.create_default_context(cafile=config.ca or None)
    except (OSError, ssl.SSLError) as exc:
        raise bad("ca", config.ca, f"it cannot be read: {exc}") from exc


def _document(content: bytes) -> Any:
    text = content.decode(errors="replace")
    try:
        return json.loads(text) if text else None  # the standard library's: many services write NaN
    except ValueError:
        return text


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
