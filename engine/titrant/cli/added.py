"""Commands that packages add: entry points of the group ``titrant.commands``, each naming a ``typer.Typer``.

``--help`` lists them by their metadata alone; the one sentence it shows is the first of the module's docstring, read
from its file without importing it.  A command of titrant's own is never replaced.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from titrant.cli.table import TABLE

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "titrant.commands"
PANEL = "Added by packages"


@cache
def added() -> dict[str, EntryPoint]:
    """The commands that installed packages add, by name."""
    from importlib.metadata import entry_points  # noqa: PLC0415  # not free, and most calls are of titrant's own

    own = {entry.name for entry in TABLE}
    return {point.name: point for point in sorted(entry_points(group=GROUP)) if point.name not in own}


def sentence(point: EntryPoint) -> str:
    """What a command says of itself; whose it is where that cannot be read."""
    package = point.dist.name if point.dist is not None else point.module
    try:
        doc = ast.get_docstring(ast.parse(_source(point.module).read_text(encoding="utf-8")))
    except (OSError, SyntaxError, ValueError, ImportError):
        doc = None
    return doc.splitlines()[0] if doc else f"Added by the package {package}."


def _source(module: str) -> Path:
    from importlib.util import find_spec  # noqa: PLC0415  # as above

    top, *inner = module.split(".")
    spec = find_spec(top)  # of a top level alone: what lies below it would be imported
    if spec is None or spec.origin is None:
        raise ImportError(f"there is no module {top}")
    path = Path(spec.origin)
    if not inner:
        return path
    below = path.parent.joinpath(*inner)
    return below / "__init__.py" if below.is_dir() else below.with_suffix(".py")


def load_added(point: EntryPoint) -> Any:
    """Import a command and make typer's command of it."""
    found: Any = typer.main.get_command(point.load())
    found.name = point.name
    return found
