"""A log elsewhere and in other forms: ``export``, ``unpack``, ``backup``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from titrant.cli.errors import BadInput
from titrant.cli.logs import find_log, place_for
from titrant.cli.options import SUFFIX, Json, Log
from titrant.cli.output import Shown, command

Form = Literal["all", "csv", "parquet", "jsonl", "html", "ro-crate", "prov"]
ENDINGS: dict[Form, str] = {
    "all": "-export",
    "csv": ".csv",
    "parquet": ".parquet",
    "jsonl": ".jsonl",
    "html": ".html",
    "ro-crate": "-crate",
    "prov": ".prov.json",
}
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="PATH", help="Where; beside the log where left out.", show_default=False),
]


@command
def export(
    log: Log = None,
    to: Annotated[
        Form,
        typer.Option(
            "--to",
            metavar="FORM",
            help="all: a folder (or .zip) with a checker; or csv, parquet, jsonl, html, ro-crate, prov.",
        ),
    ] = "all",
    output: Output = None,
    which: Annotated[
        Literal["trials", "observations"],
        typer.Option("--table", metavar="T", help="trials or observations, for csv and parquet."),
    ] = "trials",
    json: Json = False,
) -> Shown:
    """Export a log: whole, with a checker, or as a table, a crate or provenance."""
    from titrant import export as forms  # noqa: PLC0415  # not for --help

    path = find_log(log)
    place = output or path.with_name(path.name.removesuffix(SUFFIX) + ENDINGS[to])
    try:
        match to:
            case "all":
                forms.export(path, place)
            case "csv":
                forms.to_csv(path, place, which)
            case "parquet":
                forms.to_parquet(path, place, which)
            case "jsonl":
                forms.to_jsonl(path, place)
            case "html":
                forms.to_html(path, place)
            case "ro-crate":
                forms.to_ro_crate(path, place)
            case "prov":
                forms.to_prov(path, place)
    except ImportError as exc:  # an extra that is not installed; the message gives the command
        raise BadInput(str(exc)) from exc
    told = f"{place}" + (f": check it with  python3 {place / 'verify.py'}" if to == "all" and place.is_dir() else "")
    return Shown({"to": to, "path": str(place)}, told)


@command
def unpack(
    source: Annotated[Path, typer.Argument(metavar="EXPORT", help="A folder or zip file.", show_default=False)],
    log: Annotated[Path, typer.Argument(metavar="LOG", help="Where to make the log.", show_default=False)],
    json: Json = False,
) -> Shown:
    """Make a log of a whole export again; a tampered one is refused."""
    from titrant.export import import_export  # noqa: PLC0415

    if not source.exists():
        raise BadInput(f"there is no export at {source}")
    head = import_export(source, log)
    return Shown({"log": str(log), "head": str(head)}, f"{log}: {head}")


@command
def backup(log: Log = None, output: Output = None, json: Json = False) -> Shown:
    """Copy a log, also while it is written, and verify the copy."""
    from titrant.log.backup import backup as copy  # noqa: PLC0415

    path = find_log(log)
    place = place_for(output or path.with_name(f"{path.name.removesuffix(SUFFIX)}.backup{SUFFIX}"))
    verdict = copy(path, place)
    return Shown({"path": str(place), "head": str(verdict.head)}, f"{place}: {verdict}")
