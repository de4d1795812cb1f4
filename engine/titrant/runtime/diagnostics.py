"""Diagnostics through structlog, loaded with the first message: importing titrant stays quick, configures nothing.

Where the program has configured structlog, messages go its way.  Where it has not, warnings and errors go to standard
error as plain lines, without the values of local variables (they may hold secrets).
"""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import Any


class _Stderr:
    """Standard error as it is at the moment of writing: hosts replace it, and close what they put in its place."""

    def write(self, text: str) -> None:
        """Write *text*; where nobody can be told any more, nobody is."""
        with suppress(OSError, ValueError):
            sys.stderr.write(text)

    def flush(self) -> None:
        """Flush."""
        with suppress(OSError, ValueError):
            sys.stderr.flush()


STDERR: Any = _Stderr()


class Logger:
    """structlog's logger of a module, bound when it is used."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._plain: Any = None

    @property
    def wanted(self) -> bool:
        """Whether the program has configured structlog, and so wants more than what went wrong."""
        structlog: Any = sys.modules.get("structlog")
        return structlog is not None and bool(structlog.is_configured())

    def __getattr__(self, method: str) -> Any:
        """One of structlog's methods, such as ``info``, ``warning`` or ``error``."""
        import structlog  # noqa: PLC0415  # costs 60 ms, most processes never log

        if structlog.is_configured():
            return getattr(structlog.get_logger(self._name), method)
        if self._plain is None:
            self._plain = structlog.wrap_logger(
                structlog.WriteLogger(STDERR),
                processors=[
                    structlog.processors.add_log_level,
                    structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
                    structlog.dev.ConsoleRenderer(
                        colors=False, exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
                    ),
                ],
                wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
            )
        return getattr(self._plain, method)
