"""Another search space in mid-experiment, also while a run is under way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import anyio
from msgspec.structs import replace

from titrant.api.base import OnEngine, by
from titrant.errors import CommandRefused, ConfigurationError, SearchSpaceError
from titrant.messages import commands as c
from titrant.model.constraints import KINDS
from titrant.model.expressions import cast
from titrant.model.space import (
    FixedParameterConfig,
    LinearConstraint,
    ParameterConfig,
    RangeParameterConfig,
    SearchSpace,
    search_space,
)
from titrant.model.trial import ParameterValue
from titrant.rules.state import State

Change = Callable[[State, SearchSpace], SearchSpace]


class Changing(OnEngine):
    """Changes of what may be varied.

    Trials that have not been submitted and no longer fit become STALE, and others take their place; what runs goes on.
    Old data are kept, and used as far as they can be: outside narrowed bounds they still inform the model, though
    nothing is suggested there; a parameter that was removed is left out of them, one that was added has the value of
    ``backfill`` in them; those with a category that no longer exists are left out of the model.  A number that is
    fixed keeps its range in the model, so that data at other values still inform it.
    """

    _changing: anyio.Lock | None = None

    async def change_search_space(
        self,
        space: SearchSpace | Iterable[Any],
        backfill: Mapping[str, Any] | None = None,
        reason: str = "",
        actor: str | None = None,
    ) -> None:
        """Go on in another search space.

        Args:
            space: The new one; a list of parameters keeps the constraints there are.
            backfill: Values that the trials so far are taken to have had of new parameters; needed once there are any.
            reason: Why.
            actor: Who says so.

        Raises:
            SearchSpaceError: The space is ill-defined or empty.
            ConfigurationError: A new parameter has no backfill, or one that is no value of it.
            CommandRefused: There is no search space yet, or the approval policy needs what the new one has not.
        """
        configs = None if isinstance(space, SearchSpace) else list(space)

        def changed(_state: State, old: SearchSpace) -> SearchSpace:
            return space if isinstance(space, SearchSpace) else search_space(configs or (), old.constraints)

        await self._change(changed, by(actor, reason), backfill)

    async def change_bounds(
        self, name: str, bounds: tuple[float, float], reason: str = "", actor: str | None = None
    ) -> None:
        """Narrow or widen the bounds of a numeric parameter, in its own unit; one that was fixed varies again.

        Raises:
            ConfigurationError: It is no numeric range, or the bounds are none.
        """

        def changed(state: State, old: SearchSpace) -> SearchSpace:
            parameter = old.parameter(name)
            known = state.domain.get(name) if isinstance(parameter, FixedParameterConfig) else parameter
            if not isinstance(known, RangeParameterConfig):
                raise ConfigurationError(
                    f"parameter {name!r} has no bounds, since it is no range: use change_search_space"
                )
            return _with(old, replace(known, bounds=tuple(bounds)))

        await self._change(changed, by(actor, reason))

    async def add_parameter(
        self, config: Any, backfill: Any = None, reason: str = "", actor: str | None = None
    ) -> None:
        """Vary something more.

        Args:
            config: The parameter.
            backfill: The value that the trials so far are taken to have had; needed once there are any.
            reason: Why.
            actor: Who says so.

        Raises:
            SearchSpaceError: There is a parameter of that name, or this one is ill-defined.
            ConfigurationError: There are trials and no backfill, or it is no value of the parameter.
        """
        (parameter,) = search_space([config]).parameters

        def changed(_state: State, old: SearchSpace) -> SearchSpace:
            return replace(old, parameters=(*old.parameters, parameter))

        await self._change(changed, by(actor, reason), None if backfill is None else {parameter.name: backfill})

    async def remove_parameter(self, name: str, reason: str = "", actor: str | None = None) -> None:
        """Vary something no more, and say nothing of it in trials to come; ``fix_parameter`` keeps it at a value.

        Raises:
            SearchSpaceError: There is no such parameter, it is the last one, or a constraint needs it.
        """

        def changed(_state: State, old: SearchSpace) -> SearchSpace:
            gone = old.parameter(name)
            return replace(old, parameters=tuple(one for one in old.parameters if one is not gone))

        await self._change(changed, by(actor, reason))

    async def fix_parameter(self, name: str, value: ParameterValue, reason: str = "", actor: str | None = None) -> None:
        """Have a parameter at one value in all trials to come.

        Raises:
            ConfigurationError: There is no such parameter, or no such value of it.
        """

        def changed(_state: State, old: SearchSpace) -> SearchSpace:
            parameter = old.parameter(name)
            kind = parameter.parameter_type
            held = cast(value, kind) if kind in ("float", "int") else parameter.check(value)
            if held is None:
                raise ConfigurationError(f"parameter {name!r} cannot be fixed at {value!r}: give {KINDS[kind]}")
            return _with(old, FixedParameterConfig(name, held))

        await self._change(changed, by(actor, reason))

    async def add_constraint(self, text: str, reason: str = "", actor: str | None = None) -> None:
        """Have trials to come keep one more linear constraint: ``"x1 + 2*x2 <= 3"``.

        Raises:
            SearchSpaceError: It cannot be read, or leaves no room.
        """
        new = LinearConstraint.parse(text)

        def changed(_state: State, old: SearchSpace) -> SearchSpace:
            return old if new in old.constraints else replace(old, constraints=(*old.constraints, new))

        await self._change(changed, by(actor, reason))

    async def remove_constraint(self, text: str, reason: str = "", actor: str | None = None) -> None:
        """Have trials to come keep a constraint no more.

        Raises:
            SearchSpaceError: There is no such constraint.
        """
        gone = LinearConstraint.parse(text)

        def changed(_state: State, old: SearchSpace) -> SearchSpace:
            kept = tuple(one for one in old.constraints if _meaning(one) != _meaning(gone))
            if len(kept) == len(old.constraints):
                there = ", ".join(repr(one.text) for one in old.constraints) or "none"
                raise SearchSpaceError(f"there is no constraint {gone.text!r}: there are {there}")
            return replace(old, constraints=kept)

        await self._change(changed, by(actor, reason))

    async def _change(self, changed: Change, who: c.By, backfill: Mapping[str, Any] | None = None) -> None:
        """Change what is there now, one change after the other: each begins from what the one before has left."""
        if self._changing is None:
            self._changing = anyio.Lock()
        async with self._changing:
            state = self.state
            if state.experiment is None:
                raise CommandRefused("there is no search space to change: call configure_experiment first")
            command = c.ChangeSpace(space=changed(state, state.experiment.space), backfill=dict(backfill or {}))
            await self.engine.do(command, who)


def _with(space: SearchSpace, parameter: ParameterConfig) -> SearchSpace:
    """The space with *parameter* in the place of the one of its name."""
    return replace(
        space, parameters=tuple(parameter if one.name == parameter.name else one for one in space.parameters)
    )


def _meaning(constraint: LinearConstraint) -> tuple[object, ...]:
    """A constraint whatever its spelling."""
    return sorted(constraint.terms), constraint.relation, constraint.bound
