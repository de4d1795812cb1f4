"""Diagnostics through structlog, loaded with the first message: importing titrant stays quick, configures nothing."""

from __future__ import annotations

from typing import Any


class Logger:
    """structlog's logger of a module, bound when it is first used."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._bound: Any = None

    def __getattr__(self, method: str) -> Any:
        """One of structlog's methods, such as ``info``, ``warning`` or ``error``."""
        if self._bound is None:
            import structlog  # noqa: PLC0415  # costs 60 ms, most processes never log

            self._bound = structlog.get_logger(self._name)
        return getattr(self._bound, method)
