"""What goes wrong, as exit codes and as one paragraph (or one JSON document) without a traceback."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

import typer

from titrant import errors as e

DONE, FAULT, BAD_INPUT, NOT_NOW, UNAVAILABLE, INTERRUPTED = 0, 1, 2, 3, 4, 130
BROKEN = 70
"""titrant itself is at fault (sysexits' EX_SOFTWARE)."""


class BadInput(Exception):
    """What the user gave makes no sense, or is not there; the message says what to do instead."""


# The first that fits counts: subclasses stand before their bases.
_CODES: tuple[tuple[type[BaseException], int], ...] = (
    (BadInput, BAD_INPUT),
    (e.ConfigurationError, BAD_INPUT),
    (e.TrialNotFound, BAD_INPUT),
    (e.CommandRefused, NOT_NOW),
    (e.FailureRateExceeded, FAULT),
    (e.ExportCorrupt, FAULT),
    (e.ExportError, BAD_INPUT),
    (e.LogExists, BAD_INPUT),
    (e.LogMissing, BAD_INPUT),
    (e.NotALog, BAD_INPUT),
    (e.LogError, UNAVAILABLE),
    (e.GenerationError, NOT_NOW),
    (e.RunnerError, NOT_NOW),
    (e.MetricError, NOT_NOW),
    (FileNotFoundError, BAD_INPUT),
    (IsADirectoryError, BAD_INPUT),
    (NotADirectoryError, BAD_INPUT),
    (FileExistsError, BAD_INPUT),
    (OSError, UNAVAILABLE),
)


_BEGIN = "an experiment file gives one (`titrant new`, `titrant run FILE`)"

# The longer of two that begin alike stands first.
IN_COMMANDS = (
    ("call configure_experiment first", _BEGIN),
    ("call configure_optimization first", "`titrant change --objective` sets one"),
    ("call configure_preference first", "it is sought where the experiment's file says `preference = true`"),
    ("call configure_preference", "it is sought where the experiment's file says `preference = true`"),
    ("get_best_parameterization and predict answer", "`titrant best` answers"),
    (
        "attach_data still adds late results",
        "`titrant correct` replaces values of a COMPLETED or EARLY_STOPPED one",
    ),
    ("attach_data adds data to any other", "`titrant tell` is for one that is in your hands"),
)
"""What to do, as the engine says it to programs, and as people at a terminal do it."""


def exit_code(exc: BaseException) -> int:
    """The exit code that stands for *exc*."""
    if isinstance(exc, typer.Abort):
        return INTERRUPTED
    if isinstance(exc, typer.TyperException):  # usage: an unknown option, a missing argument, an unreadable value
        return BAD_INPUT
    return next((code for kind, code in _CODES if isinstance(exc, kind)), BROKEN)


def words(exc: BaseException) -> str:
    """One paragraph: what happened and what to do."""
    if isinstance(exc, typer.TyperException):
        text, context = exc.format_message(), getattr(exc, "ctx", None)
        return text if context is None else f"{text}  See: {context.command_path} --help"
    if isinstance(exc, OSError) and exc.filename is not None:
        return f"{exc.filename}: {exc.strerror}"
    text = " ".join(str(exc).split()) if not isinstance(exc, BadInput | e.ConfigurationError) else str(exc)
    if isinstance(exc, e.TitrantError):
        for call, command in IN_COMMANDS:
            text = text.replace(call, command)
    if exit_code(exc) == BROKEN:
        return f"an error inside titrant: {type(exc).__name__}: {text}; TITRANT_TRACEBACK=1 shows where, for a report"
    return text or type(exc).__name__


def tell(exc: BaseException, args: Sequence[str]) -> int:
    """Say what went wrong: on stderr, or on stdout where one of *args* is ``--json``; returns the exit code."""
    code = exit_code(exc)
    if os.environ.get("TITRANT_TRACEBACK"):
        traceback.print_exception(exc)
    options = args[: args.index("--")] if "--" in args else args
    if "--json" in options:
        from titrant.cli.output import print_json  # noqa: PLC0415  # what went wrong may have been the import

        print_json({"error": {"kind": type(exc).__name__, "message": words(exc), "exit_code": code}})
    else:
        print(f"titrant: {words(exc)}", file=sys.stderr)  # noqa: T201  # the command line prints
    return code
