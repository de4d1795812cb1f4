"""``titrant run``: an experiment file, at work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from titrant.cli import errors
from titrant.cli.options import File, Json, Parallelism, SpeedOption, Trials
from titrant.cli.output import Shown, command


@command
def run(
    file: File,
    parallelism: Parallelism = None,
    speed: SpeedOption = None,
    trials: Trials = None,
    log: Annotated[
        Path | None,
        typer.Option("--log", "-L", metavar="PATH", help="Where the log goes; beside the file otherwise."),
    ] = None,
    json: Json = False,
) -> Shown:
    """Run the experiment in FILE; its log is made beside it.

    In a terminal there is a live view, elsewhere a line for each trial. Ctrl-C finishes what runs and ends; pressed
    twice it stops what runs. Whatever happens to this process, `titrant resume LOG` goes on from there.
    """
    from titrant.cli.logs import place_for  # noqa: PLC0415
    from titrant.cli.session import go, in_virtual_time, show_progress, shown  # noqa: PLC0415
    from titrant.client import Client  # noqa: PLC0415
    from titrant.definition import apply, connect, load  # noqa: PLC0415

    loaded = load(file)
    path = place_for(loaded.log if log is None else log)
    go_on = _is_begun(path, file)
    connected = connect(loaded)
    arguments = loaded.file.run.arguments(trials, parallelism)
    if arguments["max_trials"] is None and connected.runners:
        raise errors.BadInput(f"how many trials? Give --trials N, or max_trials under [run] in {file}")
    virtual = in_virtual_time(connected, speed, "real")
    opened = (
        Client.open(path, generator=connected.generator, virtual_time=virtual)
        if go_on
        else Client(path, loaded.file.seed, generator=connected.generator, virtual_time=virtual)
    )
    with opened as client:
        apply(client, loaded, connected)
        if not connected.runners or arguments["max_trials"] == 0:
            return shown(client, None, note=f"{path} is ready; trials are asked for and told.")
        report, code = go(client, arguments, progress=show_progress(json))
        return shown(client, report, code)


def _is_begun(path: Path, file: Path) -> bool:
    """Whether there is a log that never got an experiment: its maker was killed at once.

    Raises:
        BadInput: There is one that did.
        NotALog: The file is something else.
    """
    from titrant.cli.logs import read  # noqa: PLC0415
    from titrant.errors import LogMissing  # noqa: PLC0415

    try:
        found = read(path, verify=False)
    except LogMissing:  # not there, or killed before it was one
        return False
    if found.state.experiment is not None:
        raise errors.BadInput(
            f"{path} exists, with {found.state.next_index} trials: `titrant resume {path}` goes on with it, and "
            f"`titrant run {file} --log PATH` makes another"
        )
    return found.seq > 0
