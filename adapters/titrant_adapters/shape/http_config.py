"""Where a service behind HTTP is, as it is written down."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

import msgspec

from titrant_adapters.shape.config import Config, Seconds, bad
from titrant_adapters.shape.secret import Secret


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

    def trusted(self) -> ssl.SSLContext:
        """Whose certificates are believed.

        Raises:
            ConfigurationError: ``ca`` cannot be read.
        """
        if self.url.startswith("http:"):  # reading all the certificates of the web takes half a second
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            return ssl.create_default_context(cafile=self.ca or None)
        except (OSError, ssl.SSLError) as exc:
            raise bad("ca", self.ca, f"it cannot be read: {exc}") from exc
