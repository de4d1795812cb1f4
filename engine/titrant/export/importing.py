"""A log made again from its export: the same identity, events and hashes, or an error that names the first fault."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO

from titrant.errors import ExportCorrupt, ExportError, LogCorrupt
from titrant.export import lines, manifest
from titrant.export.manifest import Manifest
from titrant.log.filling import fill
from titrant.log.group import Row
from titrant.log.heads import PublishedHead
from titrant.log.replay import verified

_BROKEN = (OSError, zipfile.BadZipFile, zlib.error, EOFError)
_MOST = 1 << 23  # bytes of one line: an event's payload is at most a mebibyte, each character escaped at worst


def import_export(source: str | Path, path: str | Path) -> PublishedHead:
    """Make a log of an export, all of it checked on the way.

    Args:
        source: The folder or zip file of an export.
        path: Where the log goes; there must be nothing yet.

    Returns:
        The log's head, the same as that of the log that was exported.

    Raises:
        ExportError: There is no export at *source*, or a newer titrant wrote it.
        ExportCorrupt: The first fault of the export; no log was made.
        LogExists: There is something at *path*.
        LogUnavailable: The storage failed.
    """
    with _opened(Path(source)) as export:
        said = export.manifest
        try:
            fill(path, _meta(said), _rows(export))
        except LogCorrupt as exc:
            raise ExportCorrupt(f"{manifest.EVENTS}: {exc}") from exc
    return PublishedHead(said.head.seq, bytes.fromhex(said.head.hash), said.log.log_id)


class _Export:
    """The files of an export."""

    def __init__(self, where: Path, names: set[str]) -> None:
        self.where = where
        self.names = names
        if manifest.NAME not in names:
            raise ExportError(f"there is no export at {where}: it has no {manifest.NAME}")
        with self.reading(manifest.NAME) as file:
            self.manifest = manifest.read(file.read(), f"{where}: {manifest.NAME}")
        missing = {manifest.EVENTS, *self.manifest.files} - (names & self.manifest.files.keys())
        if missing:
            raise ExportCorrupt(f"{min(missing)} is missing in {where}")

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Open a file for reading."""
        return (self.where / name).open("rb")

    @contextmanager
    def reading(self, name: str) -> Iterator[IO[bytes]]:
        """Read a file in ``with``; what cannot be read is a fault of it."""
        try:
            with self.open(name) as file:
                yield file
        except _BROKEN as exc:
            raise ExportCorrupt(f"{name} cannot be read: {exc}") from exc


class _Archive(_Export):
    def __init__(self, where: Path, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        super().__init__(where, set(archive.namelist()))

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        return self._archive.open(name)


@contextmanager
def _opened(source: Path) -> Iterator[_Export]:
    if source.is_dir():
        yield _Export(source, {file.name for file in source.iterdir() if file.is_file()})
        return
    try:
        archive = zipfile.ZipFile(source)
    except _BROKEN as exc:
        raise ExportError(f"there is no export at {source}: it is no folder and no zip file ({exc})") from exc
    with archive:
        yield _Archive(source, archive)


def _meta(said: Manifest) -> tuple[str, int, int, str, str]:
    log = said.log
    return log.log_id, log.format, log.created_at, log.created_by, log.hash_alg


def _rows(export: _Export) -> Iterator[Row]:
    """The events, and at the end everything that must be the case then."""
    said = export.manifest
    seq, previous, whole = 0, said.log.genesis, sha256()
    with export.reading(manifest.EVENTS) as file:
        while line := file.readline(_MOST):
            whole.update(line)
            try:
                row = lines.row_of(line)
            except lines.UNREADABLE as exc:
                raise ExportCorrupt(f"{manifest.EVENTS}: event {seq + 1} cannot be read: {exc}") from exc
            try:
                next(verified((row,), seq, previous))
            except LogCorrupt as exc:
                raise ExportCorrupt(f"{manifest.EVENTS}: {exc}") from exc
            seq, previous = row[0], row[15]
            yield row
    if (seq, previous.hex()) != (said.head.seq, said.head.hash):
        raise ExportCorrupt(
            f"{manifest.EVENTS} ends at event {seq} with the hash {previous.hex()}, "
            f"and {manifest.NAME} says event {said.head.seq} with {said.head.hash}"
        )
    for name, entry in said.files.items():
        if (whole.hexdigest() if name == manifest.EVENTS else _digest(export, name)) != entry.sha256:
            raise ExportCorrupt(f"{name} was changed: its SHA-256 is not the one in {manifest.NAME}")


def _digest(export: _Export, name: str) -> str:
    digest = sha256()
    with export.reading(name) as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()
