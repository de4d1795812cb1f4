"""Reading the circumstances under which a run goes on, where they change while it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import anyio

from titrant.actors.mail import Suggest
from titrant.errors import ConfigurationError, GenerationError
from titrant.model.trial import Parameterization
from titrant.runtime.clock import Clock
from titrant.runtime.threads import run_in_thread

DEADLINE_S = 30.0
"""How long a reading may take."""


async def read(ask: Suggest, reading: Callable[[], Mapping[str, Any]] | None, clock: Clock) -> Parameterization | None:
    """What context parameters are now, where the closed loop asks and something reads them; else None.

    Args:
        ask: What the generator is asked.
        reading: What reads them; it may block.
        clock: The engine's.

    Raises:
        GenerationError: They cannot be read, or what was read does not fit the search space.
    """
    if reading is None or not ask.for_run or ask.state.experiment is None:
        return None
    space = ask.state.experiment.space
    try:
        with anyio.fail_after(DEADLINE_S):
            found = dict(await clock.outside(lambda: run_in_thread(reading)))
        names = (*space.having("context"), *space.having("task"))
        values = {name: space.parameter(name).check(found[name]) for name in names if name in found}
    except TimeoutError:
        raise GenerationError(f"the context was not read within {DEADLINE_S:g} s") from None
    except ConfigurationError as error:
        raise GenerationError(f"the context that was read does not fit the search space: {error}") from error
    except Exception as error:  # foreign code: whatever it raises ends the run with its words
        raise GenerationError(f"the context cannot be read: {type(error).__name__}: {error}") from error
    if why := space.no_context({**ask.fixed, **values}):
        raise GenerationError(why)
    return values
