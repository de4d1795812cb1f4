"""What a command gives: one JSON document, or something for a person to look at."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec

import typer

from titrant.cli.errors import BadInput

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

P = ParamSpec("P")

PIPED_WIDTH = 200
"""Columns where there is no terminal to ask: a table in a pipe is not cut at 80."""


class Shown(NamedTuple):
    """What a command found or did.

    Attributes:
        value: The document of ``--json``; plain values and msgspec Structs.
        view: The same for a person: a text, or anything rich can print; None for nothing.
        code: The exit code.
    """

    value: Any
    view: Any = None
    code: int = 0


def command(function: Callable[P, Shown | None]) -> Callable[P, None]:
    """A function as a command: what it returns is shown in the form that was asked for, and becomes the exit code."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        _require_finite(kwargs)
        shown = function(*args, **kwargs)
        if shown is None:
            return
        if kwargs.get("json"):
            print_json(shown.value)
        elif isinstance(shown.view, str):
            typer.echo(shown.view)
        elif shown.view is not None:
            console().print(shown.view)
        if shown.code:
            raise typer.Exit(shown.code)

    return run


def _require_finite(given: Mapping[str, object]) -> None:
    """Refuse nan and inf, which count as numbers and pass every lower bound."""
    for name, value in given.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise BadInput(f"--{name.replace('_', '-')} {value:g}: give a finite number")


def print_json(value: Any, *, one_line: bool = False) -> None:
    """Print a JSON document; numbers that are not finite become null, enumerations their names."""
    import msgspec  # noqa: PLC0415  # not for --help

    text = msgspec.json.encode(_plain(value), enc_hook=str)
    sys.stdout.write((text if one_line else msgspec.json.format(text, indent=2)).decode() + "\n")
    sys.stdout.flush()


def _plain(value: Any) -> Any:
    """The value with names for enumerations, at whatever depth: 3 says less than COMPLETED."""
    from enum import Enum  # noqa: PLC0415

    import msgspec  # noqa: PLC0415

    if isinstance(value, Enum):
        return value.name
    if isinstance(value, msgspec.Struct):
        kind = value.__struct_config__
        tag = {kind.tag_field: kind.tag} if kind.tag_field is not None else {}
        return tag | {name: _plain(one) for name, one in msgspec.structs.asdict(value).items()}
    if isinstance(value, dict):
        return {key if isinstance(key, str) else str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    return value.hex() if isinstance(value, bytes) else value


def console(*, stderr: bool = False) -> Console:
    """Where people look: plain where there is no terminal, and wide enough there for whole lines."""
    from rich.console import Console  # noqa: PLC0415  # only where something is shown

    found = Console(highlight=False, stderr=stderr)
    return found if found.is_terminal else Console(highlight=False, stderr=stderr, width=PIPED_WIDTH)


MARKS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "red")}
"""How something that was looked at turned out."""


def marked(level: str, text: str, remedy: str = "") -> Table:
    """A line of a report with its mark, and below it what to do; both wrap beside the mark."""
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    sign, style = MARKS[level]
    line = Table.grid(padding=(0, 1))
    line.add_column(no_wrap=True)
    line.add_column()
    line.add_row(Text(sign, style=style), Text(text, style="" if level == "ok" else style))
    if remedy:
        line.add_row("", Text(f"→ {remedy}"))
    return line


def table(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Sequence[str] = (), whole: Sequence[str] = ()
) -> Table:
    """A table of plain texts (None is empty); columns in *right* are numbers, those in *whole* are never folded."""
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for name in columns:
        made.add_column(name, justify="right" if name in right else "left", no_wrap=name in (*right, *whole))
    for row in rows:
        made.add_row(*(one if isinstance(one, Text) else Text("" if one is None else str(one)) for one in row))
    return made
