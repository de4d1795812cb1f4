"""Another search space in mid-experiment, also while a run is under way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import anyio

from titrant.api.base import OnEngine, by
from titrant.api.spaces import SpaceChange, refuse_empty
from titrant.errors import CommandRefused, ConfigurationError
from titrant.messages import commands as c
from titrant.model.candidates import refitted
from titrant.model.given import listed
from titrant.model.space import SearchSpace, search_space
from titrant.model.trial import ParameterValue


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
        space: SearchSpace | Iterable[Any] | SpaceChange,
        backfill: Mapping[str, Any] | None = None,
        reason: str = "",
        actor: str | None = None,
    ) -> None:
        """Go on in another search space.

        Args:
            space: The new one; a list of parameters keeps the constraints there are, and a ``SpaceChange`` keeps
                whatever it does not name.
            backfill: Values that the trials so far are taken to have had of new parameters; needed once there are any.
            reason: Why.
            actor: Who says so.

        Raises:
            SearchSpaceError: The space is ill-defined or empty.
            ConfigurationError: A new parameter has no backfill, or one that is no value of it.
            CommandRefused: There is no search space yet, or the approval policy needs what the new one has not.
        """
        await self._change(
            space if isinstance(space, SearchSpace | SpaceChange) else listed("space", space, "parameters"),
            by(actor, reason),
            backfill,
        )

    async def change_bounds(
        self, name: str, bounds: tuple[float, float], reason: str = "", actor: str | None = None
    ) -> None:
        """Narrow or widen the bounds of a numeric parameter, in its own unit; one that was fixed varies again.

        Raises:
            ConfigurationError: It is no numeric range, or the bounds are none.
        """
        pair = listed("bounds", bounds, "two numbers, the lower and the upper one")
        if len(pair) != 2:
            raise ConfigurationError(f"the bounds of {name!r} are {bounds!r}: give two numbers, the lower one first")
        lower, upper = pair
        await self._change(SpaceChange(bounds={name: (lower, upper)}), by(actor, reason))

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
            ObjectiveError: A metric of the objective or of an outcome constraint is called so.
            ConfigurationError: There are trials and no backfill, or it is no value of the parameter.
        """
        (parameter,) = search_space([config]).parameters

        change = SpaceChange(added=(parameter,))
        await self._change(change, by(actor, reason), None if backfill is None else {parameter.name: backfill})

    async def remove_parameter(self, name: str, reason: str = "", actor: str | None = None) -> None:
        """Vary something no more, and say nothing of it in trials to come; ``fix_parameter`` keeps it at a value.

        Raises:
            SearchSpaceError: There is no such parameter, it is the last one, or a constraint needs it.
        """
        await self._change(SpaceChange(removed=(name,)), by(actor, reason))

    async def fix_parameter(self, name: str, value: ParameterValue, reason: str = "", actor: str | None = None) -> None:
        """Have a parameter at one value in all trials to come.

        Raises:
            ConfigurationError: There is no such parameter, or no such value of it.
        """
        await self._change(SpaceChange(fixed={name: value}), by(actor, reason))

    async def add_constraint(self, text: str, reason: str = "", actor: str | None = None) -> None:
        """Have trials to come keep one more constraint, of any kind: ``"x1 + 2*x2 <= 3"``.

        Raises:
            SearchSpaceError: It cannot be read, or leaves no room.
        """
        await self._change(SpaceChange(constrained=(text,)), by(actor, reason))

    async def remove_constraint(self, text: str, reason: str = "", actor: str | None = None) -> None:
        """Have trials to come keep a constraint no more.

        Raises:
            SearchSpaceError: There is no such constraint.
        """
        await self._change(SpaceChange(freed=(text,)), by(actor, reason))

    async def _change(
        self, wanted: SearchSpace | list[Any] | SpaceChange, who: c.By, backfill: Mapping[str, Any] | None = None
    ) -> None:
        """Change what is there now, one change after the other: each begins from what the one before has left."""
        if self._changing is None:
            self._changing = anyio.Lock()
        async with self._changing:
            state = self.state
            if state.experiment is None:
                raise CommandRefused("there is no search space to change: call configure_experiment first")
            space = state.experiment.space
            if isinstance(wanted, SpaceChange):
                space = wanted.applied(space, state.domain)
            elif isinstance(wanted, SearchSpace):
                space = wanted
            else:
                space = refitted(space, search_space(wanted, space.every_constraint))
            if state.optimization is not None:
                state.optimization.require_measured(set(space.names) - set(state.experiment.space.names))
            self.engine.lab.check_space(space)
            await refuse_empty(self.engine, space)
            await self.engine.do(c.ChangeSpace(space=space, backfill=dict(backfill or {})), who)
