"""``titrant learn``: let models learn from the log of a past experiment too."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from titrant.cli.doing import acted, shown
from titrant.cli.errors import BadInput
from titrant.cli.logs import find_log
from titrant.cli.options import By, Json, LogOption, Reason, Role
from titrant.cli.output import Shown, command
from titrant.cli.values import known_of, pairs, parameters_of


@command
def learn(
    past: Annotated[
        Path, typer.Argument(metavar="PAST", help="The log of a past experiment; only read.", show_default=False)
    ],
    name: Annotated[
        list[str] | None,
        typer.Option("--name", metavar="THERE=HERE", help="What a parameter or metric of the past is called here."),
    ] = None,
    scale: Annotated[
        list[str] | None,
        typer.Option(
            "--scale", metavar="HERE=FACTOR[,OFFSET]", help="Another unit: a value here is factor*value+offset."
        ),
    ] = None,
    fill: Annotated[
        list[str] | None,
        typer.Option("--fill", metavar="PARAMETER=VALUE", help="The value that the past had of a parameter it lacks."),
    ] = None,
    log: LogOption = None,
    by: By = None,
    role: Role = None,
    reason: Reason = "",
    json: Json = False,
) -> Shown:
    """Let models learn from the log of a past experiment too, as far as it is like the present one.

    For example: titrant learn last_year.titrant --log new.titrant --scale temperature_k=1,273.15
    """
    path = find_log(log)
    arguments = {
        "logs": [str(past.absolute())],
        "names": pairs(name or [], "T=temperature_c"),
        "scaled": {one: _scale(one, text) for one, text in pairs(scale or [], "temperature_k=1,273.15").items()},
        "fill": parameters_of(known_of(path), pairs(fill or [], "pressure_bar=1")),
    }
    outcome = acted("learn", arguments, log=path, by=by, role=role, reason=reason)
    return shown(outcome, "\n".join(outcome.value["learned"]))


def _scale(name: str, text: str) -> tuple[float, float]:
    factor, _, offset = text.partition(",")
    try:
        return float(factor), float(offset or 0.0)
    except ValueError:
        raise BadInput(
            f"--scale {name}={text}: give a factor, or FACTOR,OFFSET: a value here is factor*value + offset, as in "
            "temperature_k=1,273.15 for kelvin where the log has °C"
        ) from None
