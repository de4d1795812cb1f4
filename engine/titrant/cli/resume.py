"""``titrant resume``: an experiment goes on from its log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from titrant.cli.errors import BadInput
from titrant.cli.options import Json, Log, Parallelism, SpeedOption, Trials
from titrant.cli.output import Shown, command

if TYPE_CHECKING:
    from titrant.definition import Loaded
    from titrant.rules.state import State


@command
def resume(
    log: Log = None,
    file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Take runners and metrics from this file; the log says them otherwise."),
    ] = None,
    parallelism: Parallelism = None,
    speed: SpeedOption = None,
    trials: Trials = None,
    json: Json = False,
) -> Shown:
    """Go on with the experiment in LOG, where it was left or killed.

    Runners, metrics and the generator are made again as the log's experiment file said. Trials that still run are found
    again; the run goes on to as many trials as it was begun for, or with --trials N to N more.
    """
    from titrant.cli.logs import find_log, read  # noqa: PLC0415
    from titrant.cli.session import go, in_virtual_time, show_progress, shown  # noqa: PLC0415
    from titrant.client import Client  # noqa: PLC0415
    from titrant.definition import apply, connect, keep, load, recall  # noqa: PLC0415

    path = find_log(log)
    found = read(path, verify=False)
    definition = found.state.definition
    if file is not None:
        loaded = load(file)
    elif definition is not None:
        loaded = recall(definition, path)
    else:
        raise BadInput(
            f"{path} does not say what carries its trials out: it was made in Python (go on there, with Client.open); "
            f"or give its experiment file: titrant resume {path} --file FILE"
        )
    connected = connect(loaded)
    virtual = in_virtual_time(connected, speed, "max" if found.virtual and connected.virtual_time else "real")
    with Client.open(path, generator=connected.generator, virtual_time=virtual) as client:
        apply(client, loaded, connected)
        if file is not None:
            keep(client, loaded)
        if not connected.runners:
            return shown(client, None, note=f"{path} has no runner: trials are asked for and told.")
        arguments = _arguments(client.state, loaded, trials, parallelism)
        if not arguments["max_trials"] and not client.state.in_loop:
            return shown(client, None, note=f"Nothing is left to do in {path}: --trials N makes N more.")
        report, code = go(client, arguments, progress=show_progress(json))
        return shown(client, report, code)


def _arguments(state: State, loaded: Loaded, trials: int | None, parallelism: int | None) -> dict[str, Any]:
    """The arguments of the run that goes on: its own, what it had left to make; else the file's."""
    import msgspec  # noqa: PLC0415

    last = state.last_run
    if last is None:
        said = loaded.file.run.arguments(trials, parallelism)
        if said["max_trials"] is None:
            raise BadInput("how many trials? The run was never begun, and its file does not say: give --trials N")
        return said
    said = msgspec.structs.asdict(last.options)
    said["max_trials"] = max(0, last.options.max_trials - last.created) if trials is None else trials
    if parallelism is not None:
        said["parallelism"] = parallelism
    return said
