"""From a file, or from what a log keeps of one, to an experiment; every fault at once."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from titrant.definition import examining, meaning, places
from titrant.definition.candidates import candidates
from titrant.definition.file import ExperimentFile
from titrant.definition.parameters import with_tables
from titrant.definition.parsing import Unreadable, kind_of, parse
from titrant.definition.problems import Problem, written
from titrant.errors import DefinitionError
from titrant.model.experiment import Definition, Experiment
from titrant.model.space import search_space

LARGEST = 1 << 20
"""Bytes of a file; its content is to fit into one event."""


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """An experiment file that makes sense.

    Attributes:
        file: What it says.
        path: Where it is, or was when its log was made.
        text: Its text; empty where it comes from a log.
    """

    file: ExperimentFile
    path: Path
    text: str = ""

    @property
    def folder(self) -> Path:
        """Where modules that it names are looked for first."""
        return self.path.parent

    @property
    def name(self) -> str:
        """The experiment's name: the file's where it says none."""
        return self.file.name or self.path.stem

    @property
    def log(self) -> Path:
        """Where its log goes."""
        return self.folder / (self.file.log or f"{self.path.stem}.titrant")

    @property
    def candidates(self) -> list[dict[str, Any]] | None:
        """The points that may be suggested; None where all may.

        Raises:
            SearchSpaceError: The table that is named cannot be read.
        """
        return candidates(self.file, meaning.parameters(self.file), self.folder)

    @property
    def experiment(self) -> Experiment:
        """The search space and the names, as ``configure_experiment`` makes them."""
        file = self.file
        return Experiment(
            space=search_space(meaning.parameters(file), file.constraints, self.candidates),
            name=self.name,
            description=file.description,
            owner=file.owner,
            experiment_type=file.experiment_type,
        )

    def definition(self, log: Path) -> Definition:
        """What the log at *log* keeps of it: the way to the file is relative, so that both may move together."""
        try:
            way = os.path.relpath(self.path.absolute(), log.absolute().parent)
        except ValueError:  # another drive
            way = str(self.path.absolute())
        return Definition(file=Path(way).as_posix(), content=meaning.plain(self.file))

    def problem(self, path: tuple[str | int, ...], text: str, level: str = "error") -> Problem:
        """A fault with its place in the file."""
        line = places.line_of(self.text, path, kind_of(self.path)) if self.text else None
        return Problem(written(path), text, line, level)


def load(path: str | Path) -> Loaded:
    """Read an experiment file.

    Raises:
        DefinitionError: It has faults; all are named, with their places.
        OSError: There is no such file, or it cannot be read.
    """
    path = Path(path)
    loaded, problems = read(path)
    if loaded is None or problems:
        raise DefinitionError(str(path), problems)
    return loaded


def read(path: Path) -> tuple[Loaded | None, tuple[Problem, ...]]:
    """Read an experiment file as far as it can be read; nothing it names is imported.

    Raises:
        OSError: There is no such file, or it cannot be read.
    """
    try:
        kind = kind_of(path)
        text = _text(path)
        data = parse(text, kind)
    except Unreadable as exc:
        return None, (exc.problem,)
    data, unread = with_tables({} if data is None else data, path.parent)
    found = [*unread, *examining.faults(data)]
    if found:
        return None, _placed(found, text, kind)
    file = msgspec.convert(data, ExperimentFile)
    return Loaded(file=file, path=path, text=text), _placed(meaning.faults(file, path.parent), text, kind)


def recall(definition: Definition, log: Path) -> Loaded:
    """What the log at *log* keeps of its experiment file.

    Raises:
        DefinitionError: A later version wrote it.
    """
    path = log.parent / PurePosixPath(definition.file or f"{log.stem}.toml")
    found = examining.faults(definition.content)
    if found:
        raise DefinitionError(str(log), tuple(Problem(written(where), text) for where, text in found))
    return Loaded(file=msgspec.convert(definition.content, ExperimentFile), path=path)


def _text(path: Path) -> str:
    if path.stat().st_size > LARGEST:
        raise Unreadable(f"it has more than {LARGEST >> 20} MiB: an experiment file is small")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as exc:
        raise Unreadable("it is no UTF-8 text: save it as UTF-8") from exc


def _placed(found: Iterable[examining.Fault], text: str, kind: str) -> tuple[Problem, ...]:
    return tuple(Problem(written(path), said, places.line_of(text, path, kind)) for path, said in found)
