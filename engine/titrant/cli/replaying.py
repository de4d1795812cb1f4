"""An experiment seen again, or from outside: ``replay`` and ``watch``."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from titrant.cli.errors import FAULT, INTERRUPTED, BadInput
from titrant.cli.logs import find_log
from titrant.cli.options import Json, Log
from titrant.cli.output import Shown, command

LOOKED_S = 0.5
"""How often ``watch`` looks at the log."""


@command
def replay(
    log: Log = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="SEQ|TIME", help="The last moment to play.", show_default=False),
    ] = None,
    speed: Annotated[str, typer.Option("--speed", metavar="X|max", help="How many times as fast as it was.")] = "60",
    verify_decisions: Annotated[
        bool, typer.Option("--verify-decisions", help="Instead, make each suggestion again and compare.")
    ] = False,
    json: Json = False,
) -> Shown:
    """Play an experiment again, or derive its suggestions again and compare.

    In a terminal it is seen as a run is; Ctrl-C ends it with a summary. --verify-decisions makes each suggestion again
    from what the log says it was made from, and names the first that comes out otherwise.
    """
    path = find_log(log)
    if verify_decisions:
        return _derived(path, until, quiet=json)
    if json:
        raise BadInput("what is played is for eyes: use `titrant log --json`, or `titrant show --at SEQ --json`")
    from titrant.replay.player import play  # noqa: PLC0415  # not for --help

    played = play(path, until, "max" if speed == "max" else _factor(speed))
    return Shown(played, None, INTERRUPTED if played.interrupted else 0)


def _factor(speed: str) -> float:
    try:
        return float(speed.rstrip("x"))
    except ValueError:
        raise BadInput(f"--speed {speed}: give a number (1, 60, 0.5) or max") from None


def _derived(path: Path, until: str | None, *, quiet: bool) -> Shown:
    from titrant.replay.decisions import verify_decisions as derive  # noqa: PLC0415

    shown = sys.stderr.isatty() and not quiet

    def told(done: int, total: int) -> None:
        if shown:
            sys.stderr.write(f"\r{done} of {total} suggestions" + ("\n" if done == total else ""))
            sys.stderr.flush()

    found = derive(path, until=until, progress=told)
    return Shown({"ok": found.ok, **_fields(found)}, str(found), 0 if found.ok else FAULT)


def _fields(found: object) -> dict[str, object]:
    import msgspec  # noqa: PLC0415

    return msgspec.structs.asdict(found)  # type: ignore[arg-type]  # a Struct


@command
def watch(log: Log = None, json: Json = False) -> Shown:
    """Watch an experiment that another process runs; Ctrl-C ends the watching."""
    from titrant.cli.logs import read  # noqa: PLC0415
    from titrant.log.lease import holder  # noqa: PLC0415
    from titrant.log.replay import read_log  # noqa: PLC0415
    from titrant.progress.watcher import Watcher  # noqa: PLC0415
    from titrant.rules.evolve import evolve  # noqa: PLC0415
    from titrant.runtime.clock import RealClock  # noqa: PLC0415

    path = find_log(log)
    found = read(path, verify=False)
    state, seq = found.state, found.seq
    if json:
        raise BadInput("what is watched is for eyes: use `titrant log --follow --json`")
    watcher = Watcher(state, now=RealClock().now, virtual=found.virtual, path=str(path), file=sys.stdout)
    watcher.screen.open()
    try:
        while True:
            for record in read_log(path, seq):
                state, seq = evolve(state, record.event, record.recorded_at), record.seq
                watcher.see(record, state)
            if holder(path) is None:
                return Shown(None, f"nobody runs {path.name} any more: it ends at event {seq}")
            time.sleep(LOOKED_S)  # noqa: TID251  # it waits for another process, in real time
    except KeyboardInterrupt:
        return Shown(None, None)
    finally:
        watcher.screen.close()
