"""What a file means in the engine's terms, and everything in it that makes no sense."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from titrant.definition.file import ExperimentFile, Form, Parameter
from titrant.definition.problems import Path, suggestion
from titrant.errors import ConfigurationError, ObjectiveError, SearchSpaceError
from titrant.model.constraints import LinearConstraint
from titrant.model.expressions import ParameterType, kind_of
from titrant.model.objective import OptimizationConfig, optimization_config, parse_objectives, parse_outcome_constraint
from titrant.model.space import (
    ChoiceParameterConfig,
    FixedParameterConfig,
    ParameterConfig,
    RangeParameterConfig,
    SearchSpace,
)

Fault = tuple[Path, str]

_FIELDS = {
    "range": ("bounds", {"bounds", "parameter_type", "step_size", "scaling"}),
    "choice": ("values", {"values", "parameter_type", "is_ordered"}),
    "fixed": ("value", {"value"}),
}
_SECRET = re.compile(r"passw|secret|token|api_?key|credential|private_?key", re.IGNORECASE)


def parameters(file: ExperimentFile) -> list[ParameterConfig]:
    """The parameters' configurations, in the file's order.

    Raises:
        SearchSpaceError: One makes no sense.
    """
    return [parameter(name, form) for _, name, form in forms(file)]


def forms(file: ExperimentFile) -> Iterator[tuple[str | int, str, Form]]:
    """Place, name and form of each parameter."""
    if isinstance(file.parameters, dict):
        yield from ((name, name, form) for name, form in file.parameters.items())
    else:
        yield from ((at, one.name, one) for at, one in enumerate(file.parameters))


def optimization(file: ExperimentFile) -> OptimizationConfig | None:
    """What is sought; None where the file says nothing of it.

    Raises:
        ObjectiveError: It cannot be read.
    """
    return optimization_config(file.objective, file.outcome_constraints) if file.objective else None


def faults(file: ExperimentFile) -> list[Fault]:
    """Everything in a file that makes no sense, without importing what it names."""
    return [*_of_space(file), *_of_objective(file), *_of_parts(file)]


def parameter(name: str, form: Form) -> ParameterConfig:
    """One parameter, of what stands under its name in a file.

    Raises:
        SearchSpaceError: It makes no sense.
    """
    if isinstance(form, list):
        numbers = [one for one in form if isinstance(one, int | float) and not isinstance(one, bool)]
        if len(form) == len(numbers) == 2:
            return RangeParameterConfig(name, (float(numbers[0]), float(numbers[1])))
        if numbers:
            raise SearchSpaceError(
                f"parameter {name!r} is a list with numbers in it: two of them are the bounds of a range; write "
                "{ values = [...] } for a choice"
            )
        return _choice(name, Parameter(values=form))
    if not isinstance(form, Parameter):
        return FixedParameterConfig(name, form)
    if form.name and form.name != name:
        raise SearchSpaceError(f"the parameter {name!r} calls itself {form.name!r}: leave `name` out, the key is it")
    given = {field for field in Parameter.__struct_fields__[2:] if getattr(form, field) is not None}
    kinds = [kind for kind, (decisive, _) in _FIELDS.items() if decisive in given]
    kind = form.type or (kinds[0] if len(kinds) == 1 else None)
    if kind is None:
        raise SearchSpaceError(
            f"parameter {name!r} needs one of bounds (a range), values (a choice) or value (fixed)"
            + (f", and has {' and '.join(sorted(given))}" if given else "")
        )
    decisive, allowed = _FIELDS[kind]
    if decisive not in given:
        raise SearchSpaceError(f"parameter {name!r} is a {kind}, which needs {decisive!r}: give it")
    if given - allowed:
        raise SearchSpaceError(
            f"parameter {name!r} is a {kind}: leave {', '.join(map(repr, sorted(given - allowed)))} out"
        )
    if kind == "range":
        return _range(name, form)
    return _choice(name, form) if kind == "choice" else FixedParameterConfig(name, form.value)  # type: ignore[arg-type]


def _range(name: str, form: Parameter) -> RangeParameterConfig:
    assert form.bounds is not None
    if form.parameter_type not in (None, "float", "int"):
        raise SearchSpaceError(f"parameter {name!r} is a range of {form.parameter_type!r}: it can be float or int")
    kind = form.parameter_type or "float"
    return RangeParameterConfig(name, form.bounds, kind, form.step_size, form.scaling)


def _choice(name: str, form: Parameter) -> ChoiceParameterConfig:
    values = tuple(form.values or ())
    return ChoiceParameterConfig(name, values, form.parameter_type or _kind(values), form.is_ordered)


def _kind(values: tuple[Any, ...]) -> ParameterType:
    """The one type of all values; float where whole and other numbers stand together."""
    kinds = {kind_of(value) or "str" for value in values}
    if kinds == {"int", "float"}:
        return "float"
    return kinds.pop() if len(kinds) == 1 else "str"


# --- what makes no sense --------------------------------------------------------------------------------------------


def _of_space(file: ExperimentFile) -> list[Fault]:
    found: list[Fault] = []
    made: list[ParameterConfig] = []
    for place, name, form in forms(file):
        try:
            made.append(parameter(name, form))
        except ConfigurationError as exc:
            found.append((("parameters", place), str(exc)))
    constraints: list[LinearConstraint] = []
    names = [name for _, name, _ in forms(file)]
    for at, text in enumerate(file.constraints):
        try:
            constraint = LinearConstraint.parse(text)
        except ConfigurationError as exc:
            found.append((("constraints", at), str(exc)))
            continue
        unknown = [name for name in constraint.names if name not in names]
        if unknown:
            said = f"{text!r} names {unknown[0]!r}, which is no parameter: {suggestion(unknown[0], names)}"
            found.append((("constraints", at), said))
        else:
            constraints.append(constraint)
    if not found:
        try:
            SearchSpace(tuple(made), tuple(constraints))
        except ConfigurationError as exc:
            found.append((("constraints",) if file.constraints else ("parameters",), str(exc)))
    return found


def _of_objective(file: ExperimentFile) -> list[Fault]:
    found: list[Fault] = []
    if not file.objective:
        if file.outcome_constraints:
            return [(("outcome_constraints",), "there is no objective that they could bound: give `objective`")]
        return []
    try:
        parse_objectives(file.objective)
    except ObjectiveError as exc:
        found.append((("objective",), str(exc)))
    for at, text in enumerate(file.outcome_constraints):
        try:
            parse_outcome_constraint(text)
        except ObjectiveError as exc:
            found.append((("outcome_constraints", at), str(exc)))
    if not found:
        try:
            optimization(file)
        except ObjectiveError as exc:
            found.append((("outcome_constraints",), str(exc)))
    return found


def _of_parts(file: ExperimentFile) -> list[Fault]:
    found: list[Fault] = []
    sections: list[tuple[Path, Any]] = [(("runners", at), one) for at, one in enumerate(file.runners)]
    sections += [(("metrics", at), one) for at, one in enumerate(file.metrics)]
    sections += [(("generator",), file.generator)] if file.generator is not None else []
    for path, part in sections:
        found += [
            ((*path, "with", *inner), 'this looks like a secret, and would stand in the log: give { env = "NAME" }')
            for inner in _secrets(part.with_)
        ]
        found += [((*path, "with", *inner), text) for inner, text in _unkeepable(part.with_)]
    return found


def _secrets(value: Any, path: Path = ()) -> Iterator[Path]:
    """Texts under names that sound secret."""
    if isinstance(value, dict):
        for name, one in value.items():
            if isinstance(one, str) and _SECRET.search(str(name)) and not is_reference(value):
                yield (*path, str(name))
            else:
                yield from _secrets(one, (*path, str(name)))
    elif isinstance(value, list):
        for at, one in enumerate(value):
            yield from _secrets(one, (*path, at))


def _unkeepable(value: Any, path: Path = ()) -> Iterator[Fault]:
    """What would not come out of the log as it went in."""
    if isinstance(value, dict):
        for name, one in value.items():
            if isinstance(name, str):
                yield from _unkeepable(one, (*path, name))
            else:
                yield path, f"the key {name!r} is no text: put it between quotation marks"
    elif isinstance(value, list):
        for at, one in enumerate(value):
            yield from _unkeepable(one, (*path, at))
    elif isinstance(value, float) and not math.isfinite(value):
        yield path, f"{value} is no finite number: leave it out, or give a large one"
    elif isinstance(value, int) and abs(value) >= 1 << 63:
        yield path, "the number is too large: write it as a text"
    elif not isinstance(value, str | int | float | None):
        yield path, f"{value} is neither text, number, truth, list nor table: write it as a text"


def is_reference(value: Any) -> bool:
    """Whether a value stands for an environment variable: ``{ env = "NAME" }``."""
    return isinstance(value, dict) and value.keys() == {"env"} and isinstance(value["env"], str)


def plain(file: ExperimentFile) -> dict[str, Any]:
    """The file as plain values, defaults left out: what the log keeps."""
    return msgspec.json.decode(msgspec.json.encode(file), type=dict[str, Any])
