"""A generator that takes (virtual) time: what a model costs a lab can be tried out before there is one."""

from __future__ import annotations

from msgspec.structs import replace

from titrant.generators import dispatch
from titrant.generators.base import Generator, Reply, Request


class TakesTime:
    """Another generator, whose models are taken to need a while: ``Client(virtual_time=True, generator=TakesTime(2))``.

    Without it suggestions take no virtual time at all, and no slot ever waits for one.

    Args:
        seconds: What a request to a model costs, whatever it asks for; a design costs nothing.
        generator: Whose suggestions; titrant's own where None.
    """

    def __init__(self, seconds: float, generator: Generator | None = None) -> None:
        self._seconds = seconds
        self._generator = generator

    def suggest(self, request: Request) -> Reply:
        """Make ``request.count`` suggestions.

        Raises:
            GenerationError: As the generator's own.
        """
        made = dispatch.suggest(request) if self._generator is None else self._generator.suggest(request)
        return replace(made, virtual_seconds=self._seconds) if request.node == "bo" else made
