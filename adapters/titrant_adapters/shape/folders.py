"""Files that others read and write too, on a share that tells nobody of it and may hang."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Callable
from pathlib import Path
from string import Formatter
from typing import TypeVar

from titrant.ports import run_in_thread
from titrant_adapters.shape.config import bad
from titrant_adapters.shape.waiting import bounded

T = TypeVar("T")


def file_name(key: str) -> str:
    """An attempt's key as a name on any file system."""
    return re.sub(r"[^A-Za-z0-9]", "-", key)


def check_encoding(field: str, name: str) -> None:
    """Hold a name against the encodings that Python has.

    Raises:
        ConfigurationError: It is none of them.
    """
    try:
        codecs.lookup(name)
    except LookupError as exc:
        raise bad(field, name, "it is no encoding: write utf-8, utf-16, cp1252, ...") from exc


def check_name(field: str, name: str, *, key: bool = True) -> None:
    """Hold a file's name against what it must be: without a folder and, to tell runs apart, with ``{key}`` alone.

    Raises:
        ConfigurationError: It is something else.
    """
    if holes_in(field, name) != ({"key"} if key else set()):
        raise bad(field, name, "write {key} where the name of the run goes, and no other name in braces")
    if Path(name).name != name:
        raise bad(field, name, "give a name without a folder")


def holes_in(field: str, text: str) -> set[str]:
    """The names in braces.

    Raises:
        ConfigurationError: The braces do not fit.
    """
    try:
        return {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError as exc:
        raise bad(field, text, f"{exc}; a brace itself is written twice") from exc


def folder_in(field: str, path: str, *, write: bool = False) -> Path:
    """The folder that a field names, looked at: it starts nothing, and leaves nothing behind.

    Raises:
        ConfigurationError: It cannot be used.
    """
    folder = Path(path)
    try:
        next(folder.iterdir(), None)
        if write:
            probe = folder / f".titrant-{os.getpid()}.part"
            probe.touch()
            probe.unlink()
    except OSError as exc:
        raise bad(field, path, f"it is no folder that can be used here: {exc.strerror}") from exc
    return folder


def part_of(path: Path) -> Path:
    """Where a file is until it is dropped."""
    return path.with_name(f".{path.name}.part")


def lay_out(path: Path, text: str, encoding: str = "utf-8") -> Path:
    """Write a file beside its place, under a name that nobody looks for; it is on the disk, and only to be renamed."""
    part, content = part_of(path), text.encode(encoding)
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return part


def drop(path: Path, text: str, encoding: str = "utf-8") -> None:
    """Write a file all at once: nobody sees half of it, and it is on the disk when it has its name."""
    lay_out(path, text, encoding).replace(path)


def matching(folder: str | Path, pattern: str) -> list[Path]:
    """The files of a pattern, by a listing made now: what is asked for by name may be answered from memory."""
    found = [one for one in Path(folder).iterdir() if one.match(pattern)] if pattern else []
    return sorted(one for one in found if not one.name.endswith((".part", ".tmp")))


class Arrival:
    """Tells when a file that somebody else writes is whole.

    Args:
        end: What it ends with; where empty it is whole once *stable* readings agree.
        stable: See *end*.
        encoding: Of the file.
    """

    def __init__(self, end: str, stable: int, encoding: str) -> None:
        self._end, self._stable, self._encoding = end, stable, encoding
        self._agreed, self._before = 0, b""

    def whole(self, found: bytes) -> str | None:
        """Its text, given another reading of it; None while it is not whole.

        Raises:
            UnicodeDecodeError: It is whole, and in another encoding.
        """
        self._agreed, self._before = (self._agreed + 1 if found == self._before else 1), found
        if self._end:
            ended = found.decode(self._encoding, errors="ignore").rstrip().endswith(self._end)
        else:
            ended = self._agreed >= self._stable
        return found.decode(self._encoding).rstrip().removesuffix(self._end) if found and ended else None


async def touch(seconds: float, work: Callable[..., T], *args: object) -> T:
    """Call what touches files in a thread, which is left to itself if it hangs.

    Raises:
        TimeoutError: It took longer.
    """
    with bounded(seconds, "reading or writing a file"):
        return await run_in_thread(work, *args)
