"""The circumstances of trials: what is given, and not chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from titrant.engine import Engine
from titrant.errors import ConfigurationError
from titrant.model.given import mapped
from titrant.model.trial import Parameterization
from titrant.rules.state import State
from titrant.runtime.threads import run_in_thread

Context = Mapping[str, Any] | Callable[[], Mapping[str, Any]]
"""Values of context parameters, or what reads them: called in a thread before each suggestion of a run."""


def context_of(state: State, given: Mapping[str, Any] | None) -> Parameterization:
    """Values of context parameters in their types, as far as they are given.

    Raises:
        ConfigurationError: It is no mapping, a name is no context parameter, or a value does not fit.
    """
    given = {} if given is None else mapped("context", given, "context parameters to values")
    if not given or state.experiment is None:
        return given
    space = state.experiment.space
    contexts = (*space.having("context"), *space.having("task"))
    if unknown := [name for name in given if name not in contexts]:
        there = f"use {', '.join(contexts)}" if contexts else "there is none: leave it out, or use fixed_parameters"
        raise ConfigurationError(f"{unknown[0]!r} is no context parameter: {there}")
    return {name: space.parameter(name).check(value) for name, value in given.items()}


async def begun(engine: Engine, state: State, given: Context | None) -> Parameterization:
    """The context that a run begins in; from here on what reads it is asked before each suggestion.

    Raises:
        ConfigurationError: It does not fit the search space.
    """
    reading = given if callable(given) else None
    values = given if reading is None else await engine.clock.outside(lambda: run_in_thread(reading))
    context = context_of(state, values)  # type: ignore[arg-type]  # what is callable was called
    engine.generator.context = reading
    engine.supervisor.asking.circumstances_change = reading is not None
    return context
