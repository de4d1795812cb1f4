"""The arguments of each act, and how they are read: whatever is missing, unknown or of another type is named."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Protocol

import msgspec

from titrant.api.spaces import SpaceChange
from titrant.errors import ConfigurationError
from titrant.model.approval import ApprovalRule
from titrant.model.experiment import Initialization, Method
from titrant.model.factorial import USUAL, Levels
from titrant.model.fidelity import AffineCost
from titrant.model.space import ParameterConfig
from titrant.model.strategy import GenerationNode, Policy
from titrant.model.trial import Parameterization, ParameterValue

Number = float | Literal["nan", "inf", "-inf"] | None
"""A measured number; JSON has none for NaN (which None stands for as well) and infinity."""

Value = Number | tuple[Number, Number]
"""A metric's value: its mean, or mean and standard error (None where unknown)."""

RawData = Value | dict[str, Value]
"""A result: a value of the only objective metric, or metric names to values."""


class Arguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every act takes: why it is done."""

    reason: str = ""


class OfTrial(Arguments, frozen=True, kw_only=True):
    """An act on one trial."""

    trial: int


class OfRunner(Arguments, frozen=True, kw_only=True):
    """An act on one runner."""

    name: str


class OfParameter(Arguments, frozen=True, kw_only=True):
    """An act on one parameter."""

    name: str


class Approval(Arguments, frozen=True, kw_only=True):
    """The rules of approval, in place of those before."""

    rules: tuple[ApprovalRule, ...]


class Resolve(OfTrial, frozen=True, kw_only=True):
    """What became of an UNKNOWN trial."""

    outcome: Literal["running", "completed", "failed", "abandoned", "rerun"]
    data: RawData = None


class Ask(Arguments, frozen=True, kw_only=True):
    """How many trials, and which parameters to hold at a value."""

    count: int = 1
    fixed: Parameterization = {}


class Data(OfTrial, frozen=True, kw_only=True):
    """Data of a trial."""

    data: RawData
    progression: float | None = None


class Tell(OfTrial, frozen=True, kw_only=True):
    """A result, and what was really carried out where that differs from the plan."""

    data: RawData = None
    progression: float | None = None
    executed: Parameterization | None = None


class Attach(Arguments, frozen=True, kw_only=True):
    """Conditions of one's own, and their result where there is one."""

    parameters: Parameterization
    arm_name: str | None = None
    baseline: bool = False
    data: RawData = None


class Replicate(OfTrial, frozen=True, kw_only=True):
    """How many times."""

    count: int = 1


class Executed(OfTrial, frozen=True, kw_only=True):
    """What was carried out; parameters left out were carried out as planned."""

    parameters: Parameterization


class Correct(OfTrial, frozen=True, kw_only=True):
    """The values that hold from now on."""

    data: RawData


class Compare(Arguments, frozen=True, kw_only=True):
    """Which of two finished trials is better, who says so, and words on it."""

    better: int
    worse: int
    tie: bool = False
    judge: str = ""
    note: str = ""


class OfComparison(Arguments, frozen=True, kw_only=True):
    """An act on one comparison, by its number."""

    comparison: int


class Note(Arguments, frozen=True, kw_only=True):
    """Words, on a trial or on the experiment."""

    text: str
    trial: int | None = None


class Sign(Arguments, frozen=True, kw_only=True):
    """What the signature means."""

    meaning: Literal["reviewed", "approved", "responsible"]


class ChangeBounds(OfParameter, frozen=True, kw_only=True):
    """The new lower and upper bound."""

    bounds: tuple[float, float]


class AddParameter(Arguments, frozen=True, kw_only=True):
    """The new parameter, and the value it had in the trials so far."""

    parameter: ParameterConfig
    backfill: ParameterValue


class FixParameter(OfParameter, frozen=True, kw_only=True):
    """The value it has from now on."""

    value: ParameterValue


class ChangeSpace(Arguments, frozen=True, kw_only=True):
    """Several changes of the search space that are made together, and values of new parameters in the trials so far."""

    change: SpaceChange
    backfill: Parameterization = {}


class Constraint(Arguments, frozen=True, kw_only=True):
    """A constraint on parameters, as text."""

    text: str


class Objective(Arguments, frozen=True, kw_only=True):
    """Objective and outcome constraints, as texts."""

    objective: str
    constraints: tuple[str, ...] = ()


class Learn(Arguments, frozen=True, kw_only=True):
    """Logs of past experiments, by paths that the engine's machine knows, and how they are to be read.

    ``names`` are names there to names here, ``scaled`` names here to factor and offset, ``fill`` values of parameters
    that were not there.
    """

    logs: tuple[str, ...]
    names: dict[str, str] = {}
    scaled: dict[str, tuple[float, float]] = {}
    fill: Parameterization = {}


class Strategy(Arguments, frozen=True, kw_only=True):
    """As ``configure_generation_strategy`` takes them."""

    method: Method = "fast"
    initialization_budget: int | None = None
    initialization_random_seed: int | None = None
    initialize_with_center: bool = True
    use_existing_trials_for_initialization: bool = True
    min_observed_initialization_trials: int | None = None
    suggestion_deadline_seconds: float = 120.0
    initialization: Initialization = "sobol"
    grid_levels: Levels = USUAL
    nodes: tuple[GenerationNode, ...] = ()
    policy: Policy = "auto"
    suggestion_wait_seconds: float = 30.0
    learn_from_failures: bool = True
    cost: AffineCost | str | None = None


# --- reading them ---------------------------------------------------------------------------------------------------


class Known(Protocol):
    """What is known of an act here: the Struct of its arguments."""

    @property
    def arguments(self) -> type[Arguments]:
        """The Struct of its arguments."""


def checked(act: str, acts: Mapping[str, Known], arguments: Mapping[str, Any]) -> Any:
    """The act's arguments, read and checked.

    Raises:
        ConfigurationError: Something is wrong with them; the message names it.
    """
    if act not in acts:
        near = difflib.get_close_matches(act, acts, 1)
        told = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(acts))}"
        raise ConfigurationError(f"there is no act {act!r}: {told}")
    wanted = acts[act].arguments
    try:
        made = msgspec.convert(dict(arguments), wanted)
    except msgspec.ValidationError as exc:
        raise ConfigurationError(f"{act}: {_words(str(exc), wanted)}") from exc
    if strange := next(_strangers(arguments, made, ""), None):
        raise ConfigurationError(f"{act}: there is no argument {strange}")
    return made


def raw(data: RawData) -> Any:
    """Data as ``complete_trial`` takes them; None where there are none."""
    if data is None:
        return None
    if isinstance(data, dict):
        return {name: _value(value) for name, value in data.items()}
    return _value(data)


def _value(value: Value) -> float | tuple[float, float | None]:
    if isinstance(value, tuple):
        return _number(value[0]), None if value[1] is None else _number(value[1])
    return _number(value)


def _number(number: Number) -> float:
    return float("nan" if number is None else number)


def _words(message: str, wanted: type[Arguments]) -> str:
    """The message of msgspec in words of this place."""
    message = re.sub(r" - at `\$\.?(.*?)`", r" (at \1)", message)
    message = message.replace("Object missing required field", "it needs the argument")
    if message.startswith("Object contains unknown field"):
        taken = "" if " (at " in message else f": it takes {', '.join(wanted.__struct_fields__)}"
        message = message.replace("Object contains unknown field", "there is no argument") + taken
    return message


def _strangers(given: object, made: object, at: str) -> Iterator[str]:
    """Names in nested structures that were not understood, and which msgspec would pass over."""
    if isinstance(made, msgspec.Struct) and isinstance(given, Mapping):
        tag = made.__struct_config__.tag_field
        for name, inner in given.items():
            if name in made.__struct_fields__:
                yield from _strangers(inner, getattr(made, name), f"{at}{name}.")
            elif name != tag:
                yield f"{at}{name!s}: there are {', '.join(made.__struct_fields__)}"
    elif isinstance(made, tuple) and isinstance(given, list | tuple):
        for number, (one, other) in enumerate(zip(given, made, strict=True)):
            yield from _strangers(one, other, f"{at.removesuffix('.')}[{number}].")
