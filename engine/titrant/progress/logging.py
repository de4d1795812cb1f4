"""Diagnostics for scripts: one call that configures structlog; importing titrant configures nothing."""

from __future__ import annotations

import logging
import sys
from typing import Literal

from titrant.runtime.diagnostics import STDERR

Level = Literal["debug", "info", "warning", "error", "critical"]


def configure_logging(json: bool = False, level: Level = "info") -> None:
    """Send the diagnostics of titrant (and of everything else that logs through structlog) to standard error.

    Args:
        json: One JSON object a line, with UTC times, for machines; readable lines where False.
        level: The least important kind that is shown.
    """
    import structlog  # noqa: PLC0415  # scripts that do not log need not load it

    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso" if json else "%H:%M:%S", utc=json),
    ]
    # Tracebacks come without the values of local variables, which may hold secrets.
    if json:
        rendering: list[structlog.typing.Processor] = [
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(sort_keys=False),
        ]
    else:
        plain = structlog.dev.plain_traceback
        rendering = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=STDERR),  # late, so that lines go above a live view
        cache_logger_on_first_use=False,
    )
