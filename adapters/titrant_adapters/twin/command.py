"""Serve a simulated lab over a protocol that instruments speak, for whoever has no hardware."""

from __future__ import annotations

import logging
import signal
from pathlib import Path
from typing import Annotated, Any, Literal

import anyio
import msgspec
import structlog
import typer

from titrant.errors import ConfigurationError
from titrant_adapters.twin.behaviour import Behaviour
from titrant_adapters.twin.clock import Pace
from titrant_adapters.twin.doors import Door, door_named, open_door
from titrant_adapters.twin.faults import KINDS, FaultPlan, read_plan
from titrant_adapters.twin.lab import LabTwin
from titrant_adapters.twin.ledger import Ledger
from titrant_adapters.twin.physics import Physics
from titrant_adapters.twin.telling import in_words, tell

HELP = {"help_option_names": ["-h", "--help"]}
ABOUT = (
    "Serve a simulated lab over a protocol that instruments speak, for whoever has no hardware.\n\n"
    "The lab is one and the same behind every protocol: settings, runs that take their time, noise, and faults where "
    "asked for. It listens on the loopback interface only. Each physical start and its end are printed; Ctrl-C ends it."
    "\n\nTo begin: `titrant twin serve rest`."
)
SERVE = (
    "Serve the lab over one protocol until Ctrl-C.\n\n"
    'A plan of faults has a table for each: `[\\[faults]]`, `kind = "late_reply"`, `run = 3`, `seconds = 5.0`. '
    f"Kinds: {', '.join(KINDS)}."
)

app = typer.Typer(
    name="twin",
    help=ABOUT,
    context_settings=HELP,
    rich_markup_mode="rich",
    no_args_is_help=True,
    add_completion=False,
)

Protocol = Literal["scpi", "rest", "modbus", "mqtt", "opcua", "sila"]
Matter = Literal["kinetics", "plate", "replay"]


@app.callback()
def twin() -> None:
    """Keep ``serve`` a command of its own."""


@app.command(help=SERVE, context_settings=HELP)
def serve(
    protocol: Annotated[Protocol, typer.Argument(metavar="PROTOCOL", help="scpi, rest, modbus, mqtt, opcua or sila.")],
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="Where it listens; 0 takes a free one.")] = 0,
    seed: Annotated[int, typer.Option(min=0, metavar="SEED", help="Seed of everything by chance.")] = 0,
    speed: Annotated[float, typer.Option(metavar="X", help="Seconds of the lab in a second.")] = 1.0,
    faults: Annotated[
        Path | None, typer.Option(metavar="PLAN", help="A TOML file of what goes wrong, and when.")
    ] = None,
    physics: Annotated[Matter, typer.Option(help="A reaction, a plate of wells, or measured data.")] = "kinetics",
    data: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Of measured data: a folder, a CSV file, or a wheel such as olymp's."),
    ] = None,
    data_set: Annotated[str | None, typer.Option(metavar="NAME", help="Which of them.")] = None,
    behaviour: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="NAME=VALUE", help="duration_s, noise_sd, lag_s, fouling_per_run, places ..."),
    ] = None,
    ledger: Annotated[
        Path | None, typer.Option(metavar="PATH", help="A file that keeps what was started, also when this is killed.")
    ] = None,
    broker_port: Annotated[int, typer.Option(min=1, max=65535, metavar="N", help="mqtt: the broker's.")] = 1883,
    node_sets: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="opcua: the published node sets of LADS.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print a JSON document a line.")] = False,
) -> None:
    """Serve the lab over one protocol until Ctrl-C; see ``SERVE``."""
    door, plan = door_named(protocol), FaultPlan(seed=seed) if faults is None else read_plan(faults)
    for fault in plan.faults:
        if fault.kind in door.cannot:
            raise ConfigurationError(f"{protocol} has no way to express {fault.kind}: {door.cannot[fault.kind]}")
    lab = LabTwin(
        _physics(physics, data, data_set),
        behaviour=_behaviour(behaviour or []),
        faults=plan,
        seed=seed,
        ledger=Ledger(ledger),
        clock=Pace(speed),
    )
    options: dict[str, dict[str, Any]] = {"mqtt": {"broker_port": broker_port}, "opcua": {"node_sets": node_sets}}
    # The protocols' libraries report each lost line at length; here lines are lost on purpose.
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    anyio.run(_serve, door, lab, port, options.get(protocol, {}), json)


def _physics(kind: Matter, data: Path | None, data_set: str | None) -> Physics:
    from titrant_adapters.twin.physics.kinetics import Kinetics  # noqa: PLC0415  # each brings its own libraries
    from titrant_adapters.twin.physics.plate import Plate  # noqa: PLC0415
    from titrant_adapters.twin.physics.replay import Replay  # noqa: PLC0415

    if kind == "replay":
        if data is None:
            raise ConfigurationError(
                "measured data are needed: --data PATH, for instance the wheel that "
                "`pip download --no-deps olymp==0.0.1b0` gives, and --data-set NAME"
            )
        return Replay.load(data, data_set)
    return Plate() if kind == "plate" else Kinetics()


def _behaviour(given: list[str]) -> Behaviour:
    values = dict(one.partition("=")[::2] for one in given)
    try:
        return msgspec.convert({"duration_s": 5.0, "noise_sd": 0.5, **values}, Behaviour, strict=False)
    except msgspec.ValidationError as exc:
        names = ", ".join(Behaviour.__struct_fields__)
        raise ConfigurationError(f"--with {' '.join(given)}: {exc}. There are {names}") from exc


async def _serve(door: type[Door], lab: LabTwin, port: int, options: dict[str, Any], json: bool) -> None:
    async with open_door(door, lab, port, **options) as opened:
        tell(
            {"serving": door.protocol, "address": opened.address, "port": opened.port, "how_to": opened.how_to()},
            f"{door.protocol}: {opened.address}\n{opened.how_to()}\nCtrl-C ends it.",
            json,
        )
        lab.ledger.watch = lambda entry: tell(msgspec.to_builtins(entry), in_words(entry), json)
        await _until_told()
    starts = lab.ledger.starts()
    tell({"served": door.protocol, "starts": starts}, f"ended; physical starts: {starts}", json)


async def _until_told() -> None:
    try:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for _ in signals:
                return
    except NotImplementedError:  # this system tells of Ctrl-C by an exception alone
        await anyio.sleep_forever()
