"""``titrant new``: a file to begin with."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from titrant.cli.errors import BadInput
from titrant.cli.options import Json
from titrant.cli.output import Shown, command


@command
def new(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="The experiment's name; the template's otherwise.")
    ] = None,
    template: Annotated[
        Literal["reaction", "mixture", "branin", "blank"],
        typer.Option("--template", "-t", metavar="T", help="reaction, mixture, branin (simulated labs) or blank."),
    ] = "reaction",
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of experiment files instead.")
    ] = False,
    json: Json = False,
) -> Shown | None:
    """Write a commented experiment file to begin with.

    NAME.toml is written here, and never over another file.
    """
    from titrant.definition import file as files  # noqa: PLC0415
    from titrant.definition import templates  # noqa: PLC0415

    if schema:
        return Shown(files.schema(), _text(files.schema()))
    name = (template if name is None else name.removesuffix(".toml")).strip()
    stem = re.sub(r"[^\w.-]+", "-", Path(name).name).strip("-.")
    if not stem:
        raise BadInput(f"{name!r} makes no file's name: use letters")
    path = Path(name).with_name(f"{stem}.toml")
    if not path.parent.is_dir():
        raise BadInput(f"there is no folder {path.parent}: make it first")
    try:
        with path.open("x", encoding="utf-8", newline="\n") as opened:
            opened.write(templates.template(template, Path(name).name, path.as_posix()))
    except FileExistsError as exc:
        raise BadInput(f"{path} exists, and is not written over: choose another name") from exc
    then = f"{path} is written. Edit it, then:\n\n  titrant check {path}\n  titrant run {path}"
    if template != "blank":
        then += f"\n  titrant run {path} --speed max   # its lab is simulated: no need to wait"
    return Shown({"file": str(path), "template": template}, then)


def _text(document: object) -> str:
    import msgspec  # noqa: PLC0415

    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
