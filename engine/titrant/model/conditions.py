"""Parameters that are active only under a value of a choice, and the plain spaces that this makes of one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from titrant.errors import SearchSpaceError
from titrant.model.descriptors import text_of
from titrant.model.trial import ParameterValue

Dependents = dict[str, tuple[str, ...]]
"""The text of a choice's value (see ``text_of``) to the parameters that are active under it."""

MOST_BRANCHES = 1024
"""So many plain spaces are looked at to find out whether a conditional one is empty."""


class Condition(NamedTuple):
    """When a parameter is active: while its parent is, and has one of some values.

    Attributes:
        parent: Name of the choice.
        values: Texts of its values.
    """

    parent: str
    values: frozenset[str]


Conditions = dict[str, Condition]


def checked_dependents(name: str, values: Sequence[ParameterValue] | None, given: object) -> Dependents:
    """What depends on a choice, in its one form: values in the choice's order, those without dependents left out.

    Args:
        name: The choice's name.
        values: Its values; None where it has been fixed, and remembers what depended on others.
        given: ``{value: [names]}``, by value or by its text.

    Raises:
        SearchSpaceError: It is no such table, or names a value that there is not.
    """
    what = f"dependent_parameters of {name!r}"
    if not isinstance(given, Mapping):
        raise SearchSpaceError(f"{what} are no table: give {{value: [names of parameters]}}")
    found: Dependents = {}
    for value, names in given.items():
        if isinstance(names, str) or not all(isinstance(one, str) for one in names):
            raise SearchSpaceError(f"{what} under {value!r} are {names!r}: give a list of names")
        if names:
            found[text_of(value)] = tuple(dict.fromkeys(names))
    known = list(found) if values is None else [text_of(value) for value in values]
    if unknown := [value for value in found if value not in known]:
        raise SearchSpaceError(f"{what} name the value {unknown[0]!r}, which it has not: use {', '.join(known)}")
    return {value: found[value] for value in known if value in found}


def dependents(parameter: Any) -> Dependents:
    """What depends on a parameter; empty of most."""
    found = getattr(parameter, "dependent_parameters", UNSET)
    return {} if found is UNSET else found


def conditions_of(parameters: Sequence[Any]) -> Conditions:
    """The conditions of all parameters that have one.

    Raises:
        SearchSpaceError: A dependent is no parameter, depends on two choices, or on itself.
    """
    found: Conditions = {}
    names = [p.name for p in parameters]
    for parent in parameters:
        for value, children in dependents(parent).items():
            for child in children:
                if child not in names:
                    raise SearchSpaceError(
                        f"dependent_parameters of {parent.name!r} name {child!r}, which is none of {', '.join(names)}"
                    )
                known = found.get(child, Condition(parent.name, frozenset()))
                if known.parent != parent.name:
                    raise SearchSpaceError(
                        f"parameter {child!r} depends on {known.parent!r} and on {parent.name!r}: let it depend on one"
                    )
                found[child] = Condition(parent.name, known.values | {value})
    for child in found:
        above, name = [child], found[child].parent
        while name in found and name not in above:
            above.append(name)
            name = found[name].parent
        if name in above:
            raise SearchSpaceError(
                f"parameter {name!r} depends on itself ({' on '.join(map(repr, [*above, name]))}): break the circle"
            )
    return found


def is_active(conditions: Conditions, name: str, values: Mapping[str, object]) -> bool:
    """Whether a parameter is active where those above it have some canonical values; no value activates nothing."""
    condition = conditions.get(name)
    return condition is None or (
        condition.parent in values
        and text_of(values[condition.parent]) in condition.values
        and is_active(conditions, condition.parent, values)
    )


def is_never_active(conditions: Conditions, name: str, known: Mapping[str, ParameterValue | None]) -> bool:
    """Whether what is held fixed (None is free) keeps a parameter from ever being active."""
    condition = conditions.get(name)
    if condition is None:
        return False
    value = known[condition.parent]
    shut = value is not None and text_of(value) not in condition.values
    return shut or is_never_active(conditions, condition.parent, known)


def depth(conditions: Conditions, name: str) -> int:
    """How many choices a parameter depends on, one by another."""
    return 0 if name not in conditions else 1 + depth(conditions, conditions[name].parent)


def count(parameters: Sequence[Any]) -> int | None:
    """How many distinct points there are, constraints not looked at; None where infinitely many."""
    by_name = {p.name: p for p in parameters}
    conditions = conditions_of(parameters)

    def points(names: Iterable[str]) -> int | None:
        sizes = [size(by_name[name]) for name in names]
        finite = [one for one in sizes if one is not None]
        return math.prod(finite) if len(finite) == len(sizes) else None

    def size(parameter: Any) -> int | None:
        if not (below := dependents(parameter)):
            return parameter.size()  # type: ignore[no-any-return]
        each = [points(below.get(text_of(value), ())) for value in parameter.allowed]
        finite = [one for one in each if one is not None]
        return sum(finite) if len(finite) == len(each) else None

    return points(name for name in by_name if name not in conditions)


def branches(parameters: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """The plain spaces that a conditional one consists of: each point of it lies in exactly one of them.

    Yields:
        Active parameters in order; a choice on which others depend has only values under which the same are active.
    """
    conditions = conditions_of(parameters)
    yield from _branches(parameters, conditions, {})


def _branches(parameters: Sequence[Any], conditions: Conditions, chosen: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    first = {name: config.allowed[0] for name, config in chosen.items()}
    active = [p for p in parameters if is_active(conditions, p.name, first)]
    parent = next((p for p in active if dependents(p) and p.name not in chosen), None)
    if parent is None:
        yield tuple(chosen.get(p.name, p) for p in active)
        return
    below = dependents(parent)

    groups: dict[tuple[str, ...], list[ParameterValue]] = {}
    for value in parent.allowed:
        groups.setdefault(tuple(sorted(below.get(text_of(value), ()))), []).append(value)
    for values in groups.values():
        yield from _branches(parameters, conditions, {**chosen, parent.name: _narrowed(parent, values)})


def _narrowed(parent: Any, values: list[ParameterValue]) -> Any:
    """A choice with some of its values and nothing that depends on it."""
    if not hasattr(parent, "values"):
        return replace(parent, dependent_parameters=UNSET)
    return replace(parent, values=tuple(values), dependent_parameters=UNSET)
