"""A Python function as the instrument: a coroutine, a function in threads, or one in processes of its own.

::

    [[runners]]
    use = "callable"
    with = { function = "my_model:evaluate", pool = "process", workers = 4 }

The function gets the conditions as a dict and gives the data, or a ``Result`` where there is more to say.  It dies
with this process, so a restart begins anew, unless ``rerun_safe`` says that it does something to the world outside.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any, Literal

import anyio
import anyio.to_process
from msgspec import Meta

from titrant.errors import ConfigurationError, TitrantError
from titrant.model.trial import Attempt, Parameterization
from titrant.ports import Result, run_in_thread
from titrant_adapters.shape import AdapterRunner, Config, Course, Errors, Seconds
from titrant_adapters.shape.functions import check_name, function_named


class CallableConfig(Config, frozen=True, kw_only=True):
    """Which function, and where it is called.

    Attributes:
        function: ``"module:name"``.
        pool: ``"thread"`` for functions that wait or release the interpreter, ``"process"`` for those that compute.
            Coroutines are awaited where they are.
        workers: Calls at once.
        run_timeout_s: Seconds a call may take; a thread then goes on by itself, a process is killed.
        rerun_safe: Whether calling it twice does no harm.
    """

    function: str
    pool: Literal["thread", "process"] = "thread"
    workers: Annotated[int, Meta(ge=1, description="1 or more")] = 1
    run_timeout_s: Seconds = 86_400.0
    rerun_safe: bool = True

    def check(self) -> None:
        """The name has the form that can be imported."""
        check_name("function", self.function)

    def find(self) -> Callable[..., Any]:
        """The function.

        Raises:
            ConfigurationError: There is no such thing, or it cannot be called.
        """
        found = function_named("function", self.function)
        if self.pool == "process" and inspect.iscoroutinefunction(found):
            raise ConfigurationError(f"{self.function} is a coroutine, which no process is needed for: leave pool out")
        return found


class CallableRunner(AdapterRunner[CallableConfig]):
    """Calls a function for each trial; see ``CallableConfig``."""

    config_type = CallableConfig
    errors = Errors({"anyio.BrokenWorkerProcess": "unknown"})

    def __init__(self, config: CallableConfig | None = None, *, name: str | None = None, **fields: Any) -> None:
        super().__init__(config, name=name, **fields)
        self._function = self.config.find()
        self.name = name or self.config.function.partition(":")[2]
        self.capacity = self.config.workers
        self.rerun_safe = self.config.rerun_safe
        self.on_unknown = "rerun" if self.config.rerun_safe else "ask"
        self.run_deadline_s = None

    async def connect(self) -> None:
        """Make room for as many calls as there are workers."""
        self._room = anyio.CapacityLimiter(self.config.workers)

    async def carry_out(self, attempt: Attempt, course: Course) -> Any:
        """Call the function; what it raises is the reason why the trial failed."""
        await course.begin()
        with course.start.within(self.config.run_timeout_s, self.config.function):
            try:
                return await self._called(dict(attempt.parameters))
            except TitrantError:
                raise
            except Exception as exc:  # the function is foreign code
                if self.errors.meaning(type(exc)) is not None:
                    raise
                return Result(status="failed", reason=f"{type(exc).__name__}: {exc}")

    async def _called(self, conditions: Parameterization) -> Any:
        if inspect.iscoroutinefunction(self._function):
            return await self._function(conditions)
        if self.config.pool == "process":
            return await anyio.to_process.run_sync(self._function, conditions, cancellable=True, limiter=self._room)
        async with self._room:
            return await run_in_thread(self._function, conditions)
