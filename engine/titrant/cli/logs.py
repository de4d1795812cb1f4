"""Finding the log that is meant, and reading it without an engine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from titrant.cli.errors import BadInput
from titrant.cli.options import SUFFIX

if TYPE_CHECKING:
    from titrant.rules.state import State

VARIABLE = "TITRANT_LOG"


def find_log(given: Path | None) -> Path:
    """The log that is meant: *given*, else $TITRANT_LOG, else the only ``*.titrant`` in the working directory.

    ``reaction`` stands for ``reaction.titrant`` where there is no file of the shorter name.

    Raises:
        BadInput: There is none, or more than one.
    """
    if given is not None:
        return _existing(given, "")
    if named := os.environ.get(VARIABLE):
        return _existing(Path(named), f" (from ${VARIABLE})")
    found = sorted(Path().glob(f"*{SUFFIX}"))
    if len(found) == 1:
        return found[0]
    if not found:
        raise BadInput(f"which log? There is no *{SUFFIX} file in {Path.cwd()}: name one, or set ${VARIABLE}")
    listed = ", ".join(path.name for path in found[:8]) + (" …" if len(found) > 8 else "")
    raise BadInput(f"which log? There are {len(found)} here ({listed}): name one, or set ${VARIABLE}")


def _existing(path: Path, where: str) -> Path:
    suffixed = path.with_name(path.name + SUFFIX) if path.name else path
    if not path.exists() and suffixed.exists():
        path = suffixed
    if not path.exists():
        raise BadInput(f"there is no log at {path}{where}: `titrant ls` lists those in a folder")
    if path.is_dir():
        raise BadInput(f"{path} is a folder, not a log: `titrant ls {path}` lists those in it")
    return path


def place_for(path: Path) -> Path:
    """The path of a log that is to be made.

    Raises:
        BadInput: It is a folder, or in none.
    """
    if path.is_dir():
        raise BadInput(f"{path} is a folder: name a file in it for the log")
    if not path.parent.is_dir():
        raise BadInput(f"there is no folder {path.parent} for the log: make it, or give --log")
    return path


class Read(NamedTuple):
    """A log, read to its end.

    Attributes:
        state: The state there.
        seq: The last event's number.
        at: When it was recorded, microseconds since 1970 UTC; 0 in an empty log.
        virtual: Whether the latest run was in virtual time; an act from a terminal after it, in real time, is no run.
    """

    state: State
    seq: int = 0
    at: int = 0
    virtual: bool = False


def read(path: Path, *, verify: bool = True) -> Read:
    """Fold a log to its end, also while another process writes it.

    Raises:
        LogError: It cannot be read, or is damaged.
    """
    from titrant.log.scanning import scan  # noqa: PLC0415  # not for --help
    from titrant.messages.events import RunStarted, SessionOpened  # noqa: PLC0415
    from titrant.rules.evolve import evolve  # noqa: PLC0415
    from titrant.rules.state import State  # noqa: PLC0415

    found, session = Read(State()), False
    for seq, at, event in scan(path, verify=verify):
        # In virtual time nothing of a machine stands in a session.
        session = not event.pid if isinstance(event, SessionOpened) else session
        virtual = session if isinstance(event, RunStarted) or seq == 1 else found.virtual
        found = Read(evolve(found.state, event, at), seq, at, virtual)
    return found
