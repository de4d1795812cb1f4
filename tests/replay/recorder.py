"""A generator of a user's own that remembers what it was asked, and answers quickly."""

from __future__ import annotations

from msgspec.structs import replace

from titrant.errors import GenerationError
from titrant.generators import sobol
from titrant.generators.base import Reply, Request
from titrant.generators.requests import digest


class Recorder:
    """Answers every node with Sobol points; every so often says that it cannot, when a model is asked for."""

    def __init__(self, fails_every: int = 0) -> None:
        self.asked: list[str] = []
        self._fails_every = fails_every

    def suggest(self, request: Request) -> Reply:
        """See ``Generator``; the same request has the same answer."""
        self.asked.append(digest(request))
        if request.node == "bo" and self._fails_every and not len(request.observed) % self._fails_every:
            raise GenerationError("the recorder takes a rest")
        drawn = replace(request, node="sobol", position=request.position + 7 * len(request.observed))
        return sobol.suggest(drawn)
