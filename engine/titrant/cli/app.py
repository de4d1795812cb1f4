"""The frame of the command line: which commands there are, and the one way in and out of all of them.

How to add a command:

1. Enter it in ``cli/table.py``: name, panel, module in ``titrant.cli``, one sentence (``--help`` imports no command).
2. In that module write a function of the same name (``change-bounds`` -> ``change_bounds``, ``import`` -> ``import_``)
   under ``@command``; its arguments are typer's, most of them in ``cli/options.py``; always ``json: Json = False``.
   Its docstring's first line is the sentence of the table (a test compares them).  Import inside the function whatever
   is not free: a command loads what it needs, and no other command pays for it.
3. Return a ``Shown(value, view, code)`` (``cli/output.py``): *value* is the JSON document, *view* what a person sees (a
   text, anything rich prints, or None), *code* the exit code (0, or ``FAULT`` = 1).  A command that streams prints
   itself and returns None; with ``--json`` it prints one document a line (``print_json(..., one_line=True)``).
4. Bad input: raise ``BadInput`` or let a ``TitrantError`` out; ``cli/errors.py`` makes the exit code and the paragraph
   (or ``{"error": ...}``) of it.  Never catch one only to print it.
5. ``find_log`` (``cli/logs.py``) finds LOG, ``asked_by`` (``cli/people.py``) makes a ``By`` of --by, --role and -m,
   ``event_line`` (``cli/events.py``) puts a record into a line.  Tests call ``main([...])``, which gives the exit code.

Another package adds one by an entry point (``cli/added.py``).
"""

from __future__ import annotations

import inspect
import itertools
import keyword
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from titrant.cli import errors
from titrant.cli.added import PANEL, added, load_added, sentence
from titrant.cli.table import TABLE, Entry

HELP = {"help_option_names": ["-h", "--help"]}


def _quiet(params: list[Any]) -> list[Any]:
    """The same parameters; flags are no longer said to take a ``<bool>``."""
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""
    return params


class _Command(TyperCommand):
    """A command as typer makes it."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _quiet(super().get_params(ctx))


class _Commands(TyperGroup):
    """Shows the table's commands, and loads the one that is called."""

    def __init__(self, **attrs: Any) -> None:
        super().__init__(**attrs)
        for entry in TABLE:
            self.add_command(TyperCommand(entry.name, help=entry.help, rich_help_panel=entry.panel))

    def get_params(self, ctx: Any) -> list[Any]:
        return _quiet(super().get_params(ctx))

    def list_commands(self, ctx: Any) -> list[str]:
        for name, point in added().items():
            self.add_command(TyperCommand(name, help=sentence(point), rich_help_panel=PANEL))
        return super().list_commands(ctx)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        entry = next((entry for entry in TABLE if args and entry.name == args[0]), None)
        if entry is not None:
            self.add_command(load(entry))
        elif args and args[0] in added():
            self.add_command(load_added(added()[args[0]]))
        return super().resolve_command(ctx, args)


def load(entry: Entry) -> Any:
    """Import a command's module and make typer's command of its function."""
    name = entry.name.replace("-", "_")
    function = getattr(import_module(f"titrant.cli.{entry.module}"), f"{name}_" if keyword.iskeyword(name) else name)
    alone = typer.Typer(add_completion=False, context_settings=HELP, rich_markup_mode="rich")
    alone.command(entry.name, cls=_Command, help=_paragraphs(function.__doc__), rich_help_panel=entry.panel)(function)
    return typer.main.get_command(alone)


def _paragraphs(doc: str) -> str:
    """A docstring as help: paragraphs that wrap where the terminal does, without the sections for programmers."""
    parts = inspect.cleandoc(doc).split("\n\n")
    told = itertools.takewhile(lambda part: not part.startswith(("Args:", "Raises:", "Returns:")), parts)
    return "\n\n".join(part if part.startswith(" ") else " ".join(part.split()) for part in told)


app = typer.Typer(name="titrant", cls=_Commands, context_settings=HELP, rich_markup_mode="rich")


def _print_version(wanted: bool) -> None:  # typer calls it so
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415  # 20 ms, for those who ask

        typer.echo(f"titrant {version('titrant')}")
        raise typer.Exit


ABOUT = """
Closed-loop experiments: run them, watch them, act on them, read their logs.

To begin: `titrant demo`, or `titrant new` and `titrant run FILE`. What a command takes: `titrant COMMAND --help`.

An experiment is a log, one file. Commands that take LOG use $TITRANT_LOG, or the only *.titrant file here, where none
is named. Exit codes: 0 done, 1 a fault was found, 2 bad input, 3 the experiment does not allow it now, 4 the log is in
use or unavailable, 130 interrupted.
"""


@app.callback(help=_paragraphs(ABOUT))
def _titrant(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,  # a flag
) -> None:
    """What every command has in common."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code; nothing but that code comes out of here, least of all a traceback."""
    args = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a "±" must not end a command where the terminal knows no Unicode
    try:
        code = app(args, prog_name="titrant", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough, as in ``titrant log | head``
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return errors.DONE
    except KeyboardInterrupt:
        return errors.INTERRUPTED
    except Exception as exc:  # noqa: BLE001  # the one place where whatever went wrong becomes words
        return errors.tell(exc, args)
    return code if isinstance(code, int) else errors.DONE
