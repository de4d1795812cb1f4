"""Values as people type them, or as a table holds them: conditions by their parameters' types, results with SEM."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from titrant.cli.errors import BadInput

if TYPE_CHECKING:
    from titrant.model.expressions import ParameterType
    from titrant.model.space import SearchSpace
    from titrant.model.trial import ParameterValue
    from titrant.rules.state import State

TRUE, FALSE = ("true", "yes", "1"), ("false", "no", "0")


class Known(NamedTuple):
    """What an experiment knows by name, how many trials it has, and what else there is of it."""

    space: SearchSpace
    metrics: tuple[str, ...]
    trials: int
    state: State


def known_of(path: Path) -> Known:
    """The parameters and metrics of a log's experiment.

    Raises:
        BadInput: It has no search space yet.
        LogError: It cannot be read.
    """
    from titrant.cli.logs import read  # noqa: PLC0415  # not for --help

    state = read(path, verify=False).state
    if state.experiment is None:
        raise BadInput(f"the experiment in {path} has no search space yet: configure it first")
    needed = state.optimization.metric_names if state.optimization else ()
    metrics = tuple(dict.fromkeys((*needed, *state.metrics, *state.tracking)))
    return Known(state.experiment.space, metrics, state.next_index, state)


def pairs(texts: Iterable[str], example: str = "yield=71.2") -> dict[str, str]:
    """``["a=1", "b=x"]`` as a mapping; *example* shows people how it is written.

    Raises:
        BadInput: One has no name or value, or a name comes twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise BadInput(f"{text!r} is no NAME=VALUE: write it as {example}, without spaces around the sign")
        if name.strip() in found:
            raise BadInput(f"{name.strip()!r} is given twice")
        found[name.strip()] = value.strip()
    return found


def parameters_of(known: Known, texts: Mapping[str, str]) -> dict[str, Any]:
    """Conditions of the types that the search space says; whether they are allowed is the engine's to judge.

    Raises:
        BadInput: A name is unknown, or a text is no value of its parameter's type.
    """
    return {name: _condition(known, name, text) for name, text in texts.items()}


def results_of(known: Known, texts: Mapping[str, str]) -> dict[str, Any]:
    """Results as acts take them: a number, ``[mean, sem]``, or ``"nan"``.

    Raises:
        BadInput: A metric is unknown, or a text is no number.
    """
    for name in texts:
        if name not in known.metrics:
            there = ", ".join(known.metrics) or "none"
            raise BadInput(f"there is no metric {name!r}; known are: {there}")
    return {name: result(name, text) for name, text in texts.items()}


def result(name: str, text: str) -> Any:
    """``"71.2"``, ``"71.2±0.5"``, ``"71.2+-0.5"`` or ``"nan"``; the second number is the standard error.

    Raises:
        BadInput: It is none of these.
    """
    mean, sign, sem = text.replace("+-", "±").replace("+/-", "±").partition("±")
    value = _number(name, mean)
    return [value, _number(name, sem)] if sign else value


def _number(name: str, text: str) -> float | str:
    try:
        value = float(text)
    except ValueError:
        raise BadInput(f"{name}={text!r} is no number: write it as 71.2, 71.2±0.5 or nan") from None
    if math.isnan(value):
        return "nan"
    return value if math.isfinite(value) else ("inf" if value > 0 else "-inf")


def _condition(known: Known, name: str, text: str) -> Any:
    if name not in known.space.names:
        also = f"; metrics are {', '.join(known.metrics)}" if known.metrics else ""
        raise BadInput(f"there is no parameter {name!r}: there are {', '.join(known.space.names)}{also}")
    return of_type(known.space.parameter(name).parameter_type, name, text)


def of_type(kind: ParameterType, name: str, text: str) -> ParameterValue:
    """A text as a value of a parameter's type.

    Raises:
        BadInput: It is none.
    """
    try:
        match kind:
            case "float":
                return float(text)
            case "int":
                return int(text) if text.lstrip("+-").isdecimal() else _whole(text)
            case "bool":
                return _flag(text)
    except (ValueError, OverflowError):
        raise BadInput(f"{name}={text!r} is no {kind}: parameter {name!r} takes values of that type") from None
    return text


def _whole(text: str) -> int:
    number = float(text)
    if number != int(number):
        raise ValueError(text)
    return int(number)


def _flag(text: str) -> bool:
    if text.lower() in TRUE:
        return True
    if text.lower() in FALSE:
        return False
    raise ValueError(text)
