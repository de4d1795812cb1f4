"""A search space in terms of the one before: what becomes otherwise is said, the rest stays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from titrant.engine import Engine
from titrant.errors import ConfigurationError, SearchSpaceError
from titrant.generators import emptiness
from titrant.model.candidates import refitted, with_candidates
from titrant.model.conditions import dependents
from titrant.model.constraints import KINDS
from titrant.model.descriptors import text_of
from titrant.model.expressions import cast
from titrant.model.given import listed
from titrant.model.restrictions import Cardinality, Formula, constraint, parted
from titrant.model.space import (
    AnyConstraint,
    ChoiceParameterConfig,
    FixedParameterConfig,
    LinearConstraint,
    ParameterConfig,
    RangeParameterConfig,
    SearchSpace,
)
from titrant.model.trial import ParameterValue
from titrant.runtime.threads import run_in_thread

Bounds = tuple[float | None, float | None]
"""Lower and upper bound; None for the one that stays."""


class SpaceChange(msgspec.Struct, frozen=True, kw_only=True):
    """Changes of a search space that are made together: all of them, or none.

    Attributes:
        bounds: Numeric parameters with new bounds, in their own units; None stays.  One that was fixed varies again.
        values: Choices with other values.
        fixed: Parameters that have one value from now on.
        added: New parameters.
        removed: Parameters that trials to come have no more.
        constrained: Constraints that hold from now on.
        freed: Constraints that hold no more.
    """

    bounds: dict[str, Bounds] = {}
    values: dict[str, tuple[ParameterValue, ...]] = {}
    fixed: dict[str, ParameterValue] = {}
    added: tuple[ParameterConfig, ...] = ()
    removed: tuple[str, ...] = ()
    constrained: tuple[str, ...] = ()
    freed: tuple[str, ...] = ()

    def applied(self, old: SearchSpace, varied: Mapping[str, ParameterConfig]) -> SearchSpace:
        """The space that *old* becomes.

        Args:
            old: The present one.
            varied: What numbers that are fixed now could be before.

        Raises:
            SearchSpaceError: There is no such parameter or constraint, or the new space is ill-defined or empty.
            ConfigurationError: A parameter is named twice, has no bounds, or no such value.
        """
        _once([*self.bounds, *self.values, *self.fixed, *self.removed])
        changed = {name: _bounded(old.parameter(name), varied.get(name), new) for name, new in self.bounds.items()}
        changed |= {name: _chosen(old.parameter(name), values) for name, values in self.values.items()}
        changed |= {name: _fixed(old.parameter(name), value) for name, value in self.fixed.items()}
        gone = {old.parameter(name).name for name in self.removed}
        kept = [changed.get(one.name, one) for one in old.parameters if one.name not in gone]
        kept = [_without(one, gone) for one in kept]
        _none_let_loose(old, (*kept, *self.added), gone)
        constraints = _constraints(old, self.constrained, self.freed)
        return refitted(old, SearchSpace((*kept, *self.added), *parted(constraints)))


async def refuse_empty(engine: Engine, space: SearchSpace) -> None:
    """Make sure that some point keeps a space's constraints; what needs a solver is solved outside the event loop.

    Raises:
        SearchSpaceError: None does; the constraints that clash are named.
    """
    if not emptiness.is_settled(space):
        await engine.clock.outside(lambda: run_in_thread(emptiness.refuse_empty, space))


async def offering(engine: Engine, space: SearchSpace, candidates: Iterable[Mapping[str, Any]]) -> SearchSpace:
    """The space with candidates; very many of them are checked outside the event loop.

    Raises:
        SearchSpaceError: Some do not fit the space.
    """
    rows = listed("candidates", candidates, "mappings, a value of every parameter in each", SearchSpaceError)
    return await engine.clock.outside(lambda: run_in_thread(with_candidates, space, rows))


def _once(names: Iterable[str]) -> None:
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise ConfigurationError(f"parameter {twice[0]!r} is to be changed in two ways: choose one of them")


def _bounded(parameter: ParameterConfig, before: ParameterConfig | None, bounds: Bounds) -> ParameterConfig:
    known = before if isinstance(parameter, FixedParameterConfig) else parameter
    if not isinstance(known, RangeParameterConfig):
        raise ConfigurationError(f"parameter {parameter.name!r} has no bounds, since it is no range: change its values")
    lower, upper = bounds
    kept = known.bounds
    return replace(known, bounds=(kept[0] if lower is None else lower, kept[1] if upper is None else upper))


def _chosen(parameter: ParameterConfig, values: tuple[ParameterValue, ...]) -> ParameterConfig:
    if isinstance(parameter, RangeParameterConfig):
        raise ConfigurationError(
            f"parameter {parameter.name!r} is a range, which has bounds and no values: change those"
        )
    known = [text_of(value) for value in values]
    below = {value: names for value, names in dependents(parameter).items() if value in known}
    if isinstance(parameter, ChoiceParameterConfig):
        return replace(parameter, values=values, dependent_parameters=below)
    return ChoiceParameterConfig(parameter.name, values, parameter.parameter_type, dependent_parameters=below)


def _without(parameter: ParameterConfig, gone: Iterable[str]) -> ParameterConfig:
    """A parameter on which those that are gone depend no more."""
    below = dependents(parameter)
    if not below or isinstance(parameter, RangeParameterConfig):
        return parameter
    left = {value: [name for name in names if name not in gone] for value, names in below.items()}
    return replace(parameter, dependent_parameters=left)


def _none_let_loose(old: SearchSpace, new: Iterable[ParameterConfig], gone: Iterable[str]) -> None:
    """Make sure that nothing becomes always active because what it depended on has changed."""
    new = tuple(new)
    still = {name for one in new for names in dependents(one).values() for name in names}
    for name, condition in old.conditions.items():
        if name not in still and name not in gone:
            raise SearchSpaceError(
                f"parameter {name!r} is active under {' or '.join(sorted(condition.values))} of {condition.parent!r} "
                f"only, which would be gone: remove {name!r} as well"
            )


def _fixed(parameter: ParameterConfig, value: object) -> ParameterConfig:
    kind = parameter.parameter_type
    held = cast(value, kind) if kind in ("float", "int") else parameter.check(value)
    if held is None:
        raise ConfigurationError(f"parameter {parameter.name!r} cannot be fixed at {value!r}: give {KINDS[kind]}")
    return FixedParameterConfig(parameter.name, held, dependents(parameter))


def _constraints(old: SearchSpace, added: Iterable[object], removed: Iterable[object]) -> tuple[AnyConstraint, ...]:
    kept = list(old.every_constraint)
    for gone in (constraint(one, old.names) for one in removed):
        left = [one for one in kept if _meaning(one) != _meaning(gone)]
        if len(left) == len(kept):
            there = ", ".join(repr(one.text) for one in old.every_constraint) or "none"
            raise SearchSpaceError(f"there is no constraint {gone.text!r}: there are {there}")
        kept = left
    kept += [new for one in added if (new := constraint(one, old.names)) not in kept]
    return tuple(kept)


def _meaning(given: AnyConstraint) -> object:
    """A constraint whatever its spelling."""
    if isinstance(given, LinearConstraint):
        return sorted(given.terms), given.relation, given.bound
    if isinstance(given, Cardinality):
        return replace(given, text="", names=tuple(sorted(given.names)))
    return given.parsed if isinstance(given, Formula) else given
