"""What a file means in the engine's terms, and everything in it that makes no sense."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path as Folder
from typing import Any

import msgspec

from titrant.definition.candidates import candidates
from titrant.definition.file import ExperimentFile, Form
from titrant.definition.parameters import parameter
from titrant.definition.problems import Path, suggestion
from titrant.errors import ConfigurationError, ObjectiveError, SearchSpaceError
from titrant.generators.emptiness import refuse_empty
from titrant.model.candidates import with_candidates
from titrant.model.constraints import LinearConstraint
from titrant.model.objective import (
    PREFERENCE,
    OptimizationConfig,
    optimization_config,
    parse_objectives,
    parse_outcome_constraint,
    require_measured,
)
from titrant.model.restrictions import Restriction, constraint, parted
from titrant.model.space import ParameterConfig, SearchSpace
from titrant.model.strategy import checked_seed

Fault = tuple[Path, str]

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
    if file.preference:
        return PREFERENCE
    return optimization_config(file.objective, file.outcome_constraints) if file.objective else None


def faults(file: ExperimentFile, folder: Folder) -> list[Fault]:
    """Everything in a file in a folder that makes no sense, without importing what it names."""
    return [*_of_space(file, folder), *_of_objective(file), *_of_strategy(file), *_of_parts(file)]


# --- what makes no sense --------------------------------------------------------------------------------------------


def _of_space(file: ExperimentFile, folder: Folder) -> list[Fault]:
    found: list[Fault] = []
    made: list[ParameterConfig] = []
    for place, name, form in forms(file):
        try:
            made.append(parameter(name, form))
        except ConfigurationError as exc:
            found.append((("parameters", place), str(exc)))
    constraints: list[LinearConstraint | Restriction] = []
    names = [name for _, name, _ in forms(file)]
    for at, text in enumerate(file.constraints):
        try:
            one = constraint(text, names)
        except ConfigurationError as exc:
            found.append((("constraints", at), str(exc)))
            continue
        unknown = [name for name in one.names if name not in names]
        if unknown:
            said = f"{text!r} names {unknown[0]!r}, which is no parameter: {suggestion(unknown[0], names)}"
            found.append((("constraints", at), said))
        else:
            constraints.append(one)
    if not found:
        try:
            space = SearchSpace(tuple(made), *parted(constraints))
            if why := space.no_target():
                raise SearchSpaceError(why)
            refuse_empty(space)
        except ConfigurationError as exc:
            found.append((("constraints",) if file.constraints else ("parameters",), str(exc)))
        else:
            found += _of_candidates(file, space, folder)
    return found


def _of_candidates(file: ExperimentFile, space: SearchSpace, folder: Folder) -> list[Fault]:
    try:
        rows = candidates(file, space.parameters, folder)
        if rows is not None:
            with_candidates(space, rows)
    except ConfigurationError as exc:
        return [(("candidates",), str(exc))]
    return []


def _of_objective(file: ExperimentFile) -> list[Fault]:
    if file.preference:
        return _of_preference(file)
    found: list[Fault] = []
    if not file.objective:
        if file.outcome_constraints:
            return [(("outcome_constraints",), "there is no objective that they could bound: give `objective`")]
        return []
    names = [name for _, name, _ in forms(file)]
    try:
        for one in parse_objectives(file.objective):
            require_measured("objective", one.text, one.metric_names, names)
    except ObjectiveError as exc:
        found.append((("objective",), str(exc)))
    for at, text in enumerate(file.outcome_constraints):
        try:
            require_measured("outcome constraint", text, parse_outcome_constraint(text).metric_names, names)
        except ObjectiveError as exc:
            found.append((("outcome_constraints", at), str(exc)))
    if not found:
        try:
            optimization(file)
        except ObjectiveError as exc:
            found.append((("outcome_constraints",), str(exc)))
    return found


def _of_preference(file: ExperimentFile) -> list[Fault]:
    """What a preference cannot be combined with."""
    found: list[Fault] = []
    if file.objective:
        said = f"trials are compared by somebody, or {file.objective!r} is optimized: give one of the two"
        found.append((("preference",), said))
    if file.outcome_constraints:
        said = "a preference cannot be bound by outcome constraints: leave them out, or give an objective instead"
        found.append((("outcome_constraints",), said))
    return found


def _of_strategy(file: ExperimentFile) -> list[Fault]:
    # No matter of its type: files that older logs keep must be read, whatever seed they have.
    name = "initialization_random_seed"
    try:
        checked_seed(name, file.strategy.initialization_random_seed if file.strategy else None)
    except ConfigurationError as exc:
        return [(("strategy", name), str(exc))]
    return []


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
