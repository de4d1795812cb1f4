"""Where an export goes: a folder or a zip file, whole or not at all, with the hash of every file."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import IO, Protocol

import msgspec

from titrant.errors import ExportError

_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest a zip file can name: no clock of ours in what is to be compared
_LEVEL = 1  # of zlib: a third of the time of its default, for a tenth more bytes


class FileSum(msgspec.Struct, frozen=True):
    """A file of an export: its SHA-256 (hex) and length."""

    sha256: str
    bytes: int


class Written(io.RawIOBase):
    """Passes on what is written, and keeps count and hash of it."""

    def __init__(self, below: IO[bytes]) -> None:
        super().__init__()
        self._below = below
        self._sum = sha256()
        self._count = 0

    def writable(self) -> bool:
        """It is written only."""
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # bytes are all that is written here
        """Write, hash, count."""
        self._below.write(data)
        self._sum.update(data)
        self._count += len(data)
        return len(data)

    @property
    def sum(self) -> FileSum:
        """What was written so far."""
        return FileSum(self._sum.hexdigest(), self._count)


class Target(Protocol):
    """Takes files one after the other."""

    @property
    def sums(self) -> dict[str, FileSum]:
        """The files written so far."""

    def file(self, name: str) -> AbstractContextManager[Written]:
        """Write a file in ``with``."""


class _Folder:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sums: dict[str, FileSum] = {}

    @contextmanager
    def file(self, name: str) -> Iterator[Written]:
        with (self.folder / name).open("xb") as below:
            file = Written(below)
            yield file
        self.sums[name] = file.sum


class _Zip:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.sums: dict[str, FileSum] = {}

    @contextmanager
    def file(self, name: str) -> Iterator[Written]:
        entry = zipfile.ZipInfo(name, _TIME)
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry._compresslevel = _LEVEL  # type: ignore[attr-defined]  # noqa: SLF001  public from Python 3.13
        entry.external_attr = 0o644 << 16
        entry.create_system = 3  # the same bytes on every system
        with self.archive.open(entry, "w", force_zip64=True) as below:
            file = Written(below)
            yield file
        self.sums[name] = file.sum


@contextmanager
def target(to: str | Path) -> Iterator[Target]:
    """Write an export in ``with``: a zip file where the name ends in ``.zip``, else a folder.

    It gets its name at the end only; when something fails before, nothing is left.

    Raises:
        ExportError: There is something there already, or the storage failed.
    """
    to = Path(to).absolute()
    with _begun(to) as part:
        if to.suffix.lower() == ".zip":
            with zipfile.ZipFile(part, "x", allowZip64=True) as archive:
                yield _Zip(archive)
        else:
            part.mkdir()
            yield _Folder(part)


@contextmanager
def single(to: str | Path) -> Iterator[Written]:
    """Write one file in ``with``, whole or not at all.

    Raises:
        ExportError: There is something there already, or the storage failed.
    """
    with _begun(Path(to).absolute()) as part, part.open("xb") as below:
        yield Written(below)


@contextmanager
def _begun(to: Path) -> Iterator[Path]:
    """Where to write what becomes *to* at the end."""
    refuse_existing(to)
    part = to.with_name(f"{to.name}.part")
    if part.exists():
        raise ExportError(f"another export to {to} is under way, or one was cut short: if none is, remove {part}")
    try:
        yield part
        refuse_existing(to)
        part.replace(to)
    except OSError as exc:
        raise ExportError(f"the export cannot be written to {to}: {exc}") from exc
    finally:
        with suppress(OSError):
            if part.is_dir():
                shutil.rmtree(part)
            else:
                part.unlink(missing_ok=True)


def refuse_existing(to: Path) -> None:
    """Never write over anything.

    Raises:
        ExportError: There is something there already.
    """
    if to.exists() or to.is_symlink():
        raise ExportError(f"there is something at {to} already: choose another path")
