"""``titrant ls``: the logs in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from titrant.cli.errors import BadInput
from titrant.cli.options import SUFFIX, Json
from titrant.cli.output import Shown, command, table

if TYPE_CHECKING:
    from titrant.rules.state import State

COLUMNS = ("log", "experiment", "trials", "best", "last event", "now")


@command
def ls(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to look.", show_default=False)] = Path(),
    json: Json = False,
) -> Shown:
    """List the logs in a folder: trials, the best so far, and whether somebody runs them."""
    if not folder.exists():
        raise BadInput(f"there is no folder {folder}")
    paths = sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else [folder]
    found = [_about(path) for path in paths]
    if not found:
        return Shown([], f"There is no *{SUFFIX} file in {folder.resolve()}: `titrant new` begins an experiment.")
    return Shown(found, table(COLUMNS, [_row(one) for one in found], whole=("last event", "now")))


def _about(path: Path) -> dict[str, Any]:
    from titrant.cli.logs import read  # noqa: PLC0415  # the log's reader, not for --help
    from titrant.errors import LogError  # noqa: PLC0415
    from titrant.log.lease import holder  # noqa: PLC0415

    about: dict[str, Any] = {"log": str(path), "size_bytes": path.stat().st_size}
    try:
        # Chains are for `verify`: a folder of large logs is to be listed at once.
        state, seq, at, _ = read(path, verify=False)
    except LogError as exc:
        return {**about, "problem": str(exc)}
    owner = holder(path)
    return {
        **about,
        "experiment": state.experiment.name if state.experiment is not None else None,
        "events": seq,
        "trials": counts(state),
        "best": _best(state),
        "last_event_at": at,
        "held_by": None if owner is None else str(owner),
        "running": state.run is not None and owner is not None,
    }


def counts(state: State) -> dict[str, int]:
    """Trials by status; statuses without any are left out."""
    from titrant.model.trial import TrialStatus  # noqa: PLC0415

    found = {status.name.lower(): number for status in TrialStatus if (number := state.count(status))}
    return dict(sorted(found.items(), key=lambda item: (item[0] != "completed", item[0])))


def _best(state: State) -> dict[str, Any] | None:
    from titrant.analysis import results  # noqa: PLC0415
    from titrant.model.observation import means  # noqa: PLC0415
    from titrant.progress import words  # noqa: PLC0415

    optimization = state.optimization
    if optimization is None:
        return None
    if optimization.is_multi_objective:
        front = results.pareto_observed(state)
        told = f"front of {words.count(len(front), 'trial')}"
        return {"trials": [trial.index for trial in front], "words": told} if front else None
    best = results.best_observed(state)
    if best is None:
        return None
    values = means(best.trial.observations)
    return {"trial": best.trial.index, "values": values, "words": words.result(optimization, values)}


def _row(about: dict[str, Any]) -> list[Any]:
    from rich.text import Text  # noqa: PLC0415

    from titrant.cli.events import local_time  # noqa: PLC0415

    name = Path(about["log"]).name
    if "problem" in about:
        return [name, Text(about["problem"], style="red"), "", "", "", ""]
    best = about["best"]
    told = "" if best is None else best["words"] + (f" (trial {best['trial']})" if "trial" in best else "")
    trials = ", ".join(f"{number} {status.replace('_', ' ')}" for status, number in about["trials"].items())
    now = (
        Text("running", "green") if about["running"] else Text("open", "cyan") if about["held_by"] else Text("–", "dim")
    )
    last = local_time(about["last_event_at"])[:-3] if about["events"] else ""
    return [name, about["experiment"] or "", trials or "none", told, last, now]
