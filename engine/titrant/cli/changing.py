"""The experiment changed in mid-course: ``change``."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from titrant.cli.doing import do
from titrant.cli.errors import BadInput
from titrant.cli.logs import find_log, read
from titrant.cli.options import By, Json, Log, Reason, Role
from titrant.cli.output import Shown, command
from titrant.cli.people import needed
from titrant.cli.values import Known, known_of, of_type, pairs, parameters_of

if TYPE_CHECKING:
    from titrant.model.space import ParameterConfig
    from titrant.model.trial import ParameterValue

SPACE, AIM = "The search space, all in one event", "Or what is sought, or how trials are made"
OF_SPACE = ("--bounds", "--values", "--fix", "--add", "--remove", "--constraint", "--free")
OF_AIM = ("--objective", "--outcome-constraint")


def _option(name: str, metavar: str, told: str, panel: str = SPACE) -> Any:
    return typer.Option(f"--{name}", metavar=metavar, help=told, rich_help_panel=panel, show_default=False)


Several = list[str] | None


@command
def change(
    log: Log = None,
    bounds: Annotated[Several, _option("bounds", "NAME=LOWER:UPPER", "New bounds; an empty side stays.")] = None,
    values: Annotated[Several, _option("values", "NAME=A,B…", "The values of a choice.")] = None,
    fix: Annotated[Several, _option("fix", "NAME=VALUE", "Hold a parameter at a value.")] = None,
    add: Annotated[
        Several,
        _option("add", "NAME=WHAT", "A new parameter: LOWER:UPPER, A,B…, or as in an experiment file."),
    ] = None,
    backfill: Annotated[Several, _option("backfill", "NAME=VALUE", "What a new one was in the trials so far.")] = None,
    remove: Annotated[Several, _option("remove", "NAME", "Trials to come have this parameter no more.")] = None,
    constraint: Annotated[Several, _option("constraint", "TEXT", 'One more: "a + 2*b <= 3".')] = None,
    free: Annotated[Several, _option("free", "TEXT", "Keep this constraint no more.")] = None,
    objective: Annotated[str | None, _option("objective", "TEXT", '"yield", "-cost", "yield, -cost".', AIM)] = None,
    outcome_constraint: Annotated[
        Several, _option("outcome-constraint", "TEXT", '"impurity <= 3"; in place of all before; none for none.', AIM)
    ] = None,
    strategy: Annotated[
        Several, _option("strategy", "FIELD=VALUE", "method=quality; fields as in an experiment file.", AIM)
    ] = None,
    by: By = None,
    role: Role = None,
    reason: Reason = "",
    json: Json = False,
) -> Shown:
    """Change the search space, the objective or the strategy in mid-experiment.

    A run may be under way: what runs goes on, trials that wait and no longer fit are dropped, others take their place.
    Old data are kept, and used as far as they can be. All changes of the space in one call are made together or not at
    all; whatever is not named stays. Each option may be given several times.

      titrant change --bounds temperature_c=:90 -m "the seal softens above"

      titrant change --add stirring=200:800 --backfill stirring=400 -m "new motor"
    """
    of_space = any((bounds, values, fix, add, backfill, remove, constraint, free))
    of_aim = objective is not None or bool(outcome_constraint)
    subjects = of_space + of_aim + bool(strategy)
    if not subjects:
        raise BadInput(f"what is to change? Give {', '.join(OF_SPACE)}, {', '.join(OF_AIM)} or --strategy")
    if subjects > 1:
        told = f"the search space ({', '.join(OF_SPACE)}), what is sought ({', '.join(OF_AIM)}) or --strategy"
        raise BadInput(f"one subject in one call: {told}")
    why = needed(reason, "change")
    path = find_log(log)
    if of_space:
        known = known_of(path)
        added = [_new(name, text) for name, text in _pairs("add", add).items()]
        wanted = {
            "bounds": {name: _bounds(name, text) for name, text in _pairs("bounds", bounds).items()},
            "values": {name: _values(known, name, text) for name, text in _pairs("values", values).items()},
            "fixed": parameters_of(known, _pairs("fix", fix)),
            "added": [msgspec.to_builtins(one) for one in added],
            "removed": remove or [],
            "constrained": constraint or [],
            "freed": free or [],
        }
        given = {"change": wanted, "backfill": _backfill(known, added, _pairs("backfill", backfill))}
        return do("change-space", given, log=path, by=by, role=role, reason=why)
    if of_aim:
        return do("objective", _aim(path, objective, outcome_constraint), log=path, by=by, role=role, reason=why)
    return do("strategy", _strategy(path, _pairs("strategy", strategy)), log=path, by=by, role=role, reason=why)


KEEPING_NODES = {
    "cost",
    "initialization_random_seed",
    "learn_from_failures",
    "method",
    "policy",
    "suggestion_deadline_seconds",
    "suggestion_wait_seconds",
}
"""Fields of a strategy beside its nodes, where it has any; another one puts a design and a model in their place."""

_EXAMPLES = {
    "bounds": "temperature_c=30:100",
    "values": "solvent=MeCN,DMF",
    "fix": "solvent=DMF",
    "add": "stirring=200:800",
    "backfill": "stirring=400",
    "strategy": "method=quality",
}


def _pairs(option: str, texts: Several) -> dict[str, str]:
    try:
        return pairs(texts or [], _EXAMPLES[option])
    except BadInput as exc:
        raise BadInput(f"--{option}: {exc}") from None


def _bounds(name: str, text: str) -> tuple[float | None, float | None]:
    lower, colon, upper = text.partition(":")
    try:
        found = tuple(float(one) if one.strip() else None for one in (lower, upper))
    except ValueError:
        found = ()
    if not colon or found in ((), (None, None)) or not all(one is None or math.isfinite(one) for one in found):
        raise BadInput(f"--bounds {name}={text}: give two numbers, as {name}=30:100, or one, as {name}=:100")
    return found[0], found[1]


def _values(known: Known, name: str, text: str) -> list[ParameterValue]:
    if name not in known.space.names:
        raise BadInput(f"there is no parameter {name!r}: there are {', '.join(known.space.names)}")
    kind = known.space.parameter(name).parameter_type
    return [of_type(kind, name, one.strip()) for one in text.split(",")]


def _new(name: str, text: str) -> ParameterConfig:
    """A parameter in words: ``200:800``, ``MeCN,DMF``, or what stands in an experiment file."""
    from titrant.definition import examining  # noqa: PLC0415  # not for --help
    from titrant.definition.file import Form  # noqa: PLC0415
    from titrant.definition.parameters import parameter  # noqa: PLC0415

    lower, colon, upper = text.partition(":")
    try:
        form = [float(lower), float(upper)] if colon and text[0] not in "[{\"'" else _toml(text)
    except ValueError as exc:
        raise BadInput(f"--add {name}={text}: {exc}; {_ways(name)}") from None
    if found := examining.faults({"parameters": {name: form}}):
        raise BadInput(f"--add {name}={text}: {found[0][1]}; {_ways(name)}")
    return parameter(name, msgspec.convert(form, Form))


def _ways(name: str) -> str:
    table = '{ bounds = [1, 9], parameter_type = "int" }'
    return f"write bounds, as {name}=200:800, values, as {name}=MeCN,DMF, or as in an experiment file: '{name}={table}'"


def _toml(text: str) -> Any:
    """What stands on the right of a TOML file's sign; bare words are texts, and with commas between them a choice."""
    if text[0] in "[{\"'":
        return tomllib.loads(f"it = {text}")["it"]
    values = [_bare(one.strip()) for one in text.split(",")]
    return {"values": values} if len(values) > 1 else values[0]


def _bare(word: str) -> Any:
    try:
        return tomllib.loads(f"it = {word}")["it"]
    except tomllib.TOMLDecodeError:
        return word


def _backfill(known: Known, added: Iterable[ParameterConfig], texts: dict[str, str]) -> dict[str, ParameterValue]:
    from titrant.model.space import FixedParameterConfig  # noqa: PLC0415

    for one in added:
        if known.trials and one.name not in texts and not isinstance(one, FixedParameterConfig):
            raise BadInput(
                f"parameter {one.name!r} is new, and {known.trials} trials were made without it: say which value they "
                f"are taken to have had, as --backfill {one.name}=VALUE"
            )
    types = {one.name: one.parameter_type for one in added}
    if strange := [name for name in texts if name not in types]:
        raise BadInput(f"--backfill {strange[0]}: it is no parameter that is added here; --add {strange[0]}=… adds it")
    return {name: of_type(types[name], name, text) for name, text in texts.items()}


def _aim(path: Path, objective: str | None, constraints: Several) -> dict[str, Any]:
    """What is sought from now on; what was not said stays."""
    present = read(path, verify=False).state.optimization
    if objective is None and present is None:
        raise BadInput(f"the experiment in {path} has no objective yet: give --objective as well")
    if objective is None and present is not None and present.is_preference:
        raise BadInput("a preference cannot be bound by outcome constraints: give --objective as well")
    kept = [] if present is None else [one.text for one in present.constraints]
    return {
        "objective": objective if objective is not None or present is None else present.text,
        "constraints": kept if not constraints else [] if constraints == ["none"] else constraints,
    }


def _strategy(path: Path, texts: dict[str, str]) -> dict[str, Any]:
    """All fields of the strategy from now on; what was not said stays."""
    from titrant.definition import examining  # noqa: PLC0415
    from titrant.definition.file import Strategy  # noqa: PLC0415

    now = read(path, verify=False).state.strategy
    fields = {
        "method": now.method,
        "initialization_budget": now.initialization_budget,
        "initialization_random_seed": now.seed,
        "initialize_with_center": now.initialize_with_center,
        "use_existing_trials_for_initialization": now.use_existing_trials,
        "min_observed_initialization_trials": now.min_observed,
        "suggestion_deadline_seconds": now.deadline_seconds,
        "initialization": now.initialization,
        "grid_levels": now.grid_levels,
        "policy": now.policy,
        "suggestion_wait_seconds": now.wait_seconds,
        "learn_from_failures": now.learn_from_failures,
        "cost": msgspec.to_builtins(now.cost),
    }
    given = {name: _bare(text) for name, text in texts.items()}
    if found := examining.faults({"parameters": {"any": [0, 1]}, "strategy": given}):
        where, said = found[0]
        raise BadInput(f"--strategy {where[-1]}: {said}")
    if now.nodes and not given.keys() - KEEPING_NODES:
        return fields | given | {"nodes": msgspec.to_builtins(now.nodes)}
    made = msgspec.structs.asdict(msgspec.convert(fields | given, Strategy))
    return made | {"nodes": made.pop("node")}
