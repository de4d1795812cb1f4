"""Public data sets of real experiments, read from a folder, a CSV file or a wheel; nothing of a wheel is imported.

Two forms are known: Olympus' (``config.json`` beside a ``data.csv`` without header; in the wheel ``olymp``) and a plain
CSV file with a header, as in Summit's (wheel ``summit``, where a second header line says TYPE).
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import msgspec

from titrant.errors import ConfigurationError

REACTION_OUTPUTS = frozenset({"yld", "ton"})
"""What Summit's reaction tables measure; their other columns were set."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of settings and of what was measured.

    Attributes:
        name: The data set's name.
        inputs: Names of the columns that were set.
        outputs: Names of the columns that were measured.
        rows: Cells as text, in the order inputs, outputs.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def data_sets(source: Path) -> list[str]:
    """Names of the data sets in a folder, a file or a wheel, sorted."""
    return sorted(_found(source))


def read_table(source: Path, name: str | None = None, outputs: tuple[str, ...] | None = None) -> Table:
    """Read one data set.

    Args:
        source: A folder, a CSV file, or a wheel as ``pip download --no-deps olymp==0.0.1b0`` gives it.
        name: Which data set; may be left out where there is only one.
        outputs: Columns that were measured; by default what ``config.json`` says, or the last one.

    Raises:
        ConfigurationError: There is no such data set, or it cannot be read.
    """
    found = _found(source)
    if name is None and len(found) == 1:
        (name,) = found
    if name not in found:
        said = "several data sets: say which" if name is None and found else f"no data set {name!r}"
        raise ConfigurationError(f"{source} holds {said}; it holds {', '.join(sorted(found)) or 'none'}")
    data, config = found[name]
    try:
        rows = [row for row in csv.reader(io.StringIO(data)) if row]
        header = _names(json.loads(config)) if config else None
        return _table(name, rows, header, outputs)
    except (ValueError, KeyError, IndexError, csv.Error) as exc:
        raise ConfigurationError(f"the data set {name!r} of {source} cannot be read: {exc}") from exc


def _found(source: Path) -> dict[str, tuple[str, str | None]]:
    """Name of each data set to the text of its CSV and, where there is one, of its configuration."""
    try:
        files = dict(_files(source))
    except (OSError, zipfile.BadZipFile, UnicodeDecodeError) as exc:
        raise ConfigurationError(f"the data in {source} cannot be read: {exc}") from exc
    found = {}
    for path, text in files.items():
        if path.suffix == ".csv":
            config = files.get(path.with_name("config.json"))
            folder = path.parent.name.removeprefix("dataset_") or source.resolve().name
            found[folder if path.name == "data.csv" else path.stem] = (text, config)
    return found


def _files(source: Path) -> Iterator[tuple[PurePosixPath, str]]:
    if source.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(source) as wheel:
            for name in wheel.namelist():
                if PurePosixPath(name).suffix == ".csv" or PurePosixPath(name).name == "config.json":
                    yield PurePosixPath(name), wheel.read(name).decode("utf-8-sig")
        return
    paths = [source] if source.is_file() else [*sorted(source.rglob("*.csv")), *sorted(source.rglob("config.json"))]
    for path in paths:
        inside = path.name if source.is_file() else path.relative_to(source).as_posix()
        yield PurePosixPath(inside), path.read_text(encoding="utf-8-sig")


def _names(config: dict[str, list[dict[str, str]]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    inputs, outputs = ([one["name"] for one in config[part]] for part in ("parameters", "measurements"))
    return tuple(inputs), tuple(outputs)


def _table(
    name: str,
    rows: list[list[str]],
    header: tuple[tuple[str, ...], tuple[str, ...]] | None,
    outputs: tuple[str, ...] | None,
) -> Table:
    if header is not None:
        columns = list(header[0] + header[1])
        measured = outputs or header[1]
    else:
        columns, *rows = rows
        typed = rows[0][0] == "TYPE"  # Summit: the first column then numbers the rows
        columns, rows = (columns[1:], [row[1:] for row in rows[1:]]) if typed else (columns, rows)
        measured = outputs or tuple(c for c in columns if typed and c in REACTION_OUTPUTS) or (columns[-1],)
    missing = set(measured) - set(columns)
    if missing:
        raise ValueError(f"there is no column {', '.join(sorted(missing))}; there are {', '.join(columns)}")
    if any(len(row) < len(columns) for row in rows) or not rows:
        raise ValueError(f"a row has fewer than {len(columns)} cells")
    known = set(header[1]) if header is not None else set(measured)  # a measured column is never a setting
    inputs = tuple(c for c in columns if c not in known | set(measured))
    order = [columns.index(c) for c in (*inputs, *measured)]
    return Table(name=name, inputs=inputs, outputs=measured, rows=tuple(tuple(row[i] for i in order) for row in rows))
