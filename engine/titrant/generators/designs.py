"""The nodes ``random`` and ``latin_hypercube``: points that keep the constraints, from sequences of chance."""

from __future__ import annotations

from typing import Literal

from titrant.generators.base import Design, Reply, Request
from titrant.generators.sampler import sampler_of
from titrant.generators.sobol import drawn

_WAYS = {
    "box": "",
    "simplex": " on the simplex",
    "shares": " on the simplex, between the bounds",
    "polytope": ", hit-and-run inside the constraints",
    "search": ", local search inside the constraints, which hardly any point keeps",
    "supports": " on random sets of components",
    "list": ", from the list of what the constraints leave",
    "pool": ", the candidates next to them",
}


def random(request: Request) -> Reply:
    """Make ``request.count`` independent suggestions, going on at ``request.position``; fewer as ``sobol.suggest``.

    Raises:
        GenerationError: What is held fixed does not fit the space, or nothing that keeps the constraints was found.
    """
    return _made(request, "random", 0, "random points")


def latin_hypercube(request: Request) -> Reply:
    """The same from latin hypercubes of ``request.design.size`` points, one after another.

    Points that break constraints are left out where enough keep them; a later hypercube makes up for them.

    Raises:
        GenerationError: As above.
    """
    size = (request.design or Design()).size or request.count
    return _made(request, "latin_hypercube", size, f"latin hypercube of {size}")


def _made(request: Request, node: Literal["random", "latin_hypercube"], size: int, called: str) -> Reply:
    sampler = sampler_of(request.space, request.fixed, request.seed, node, size)
    return drawn(request, sampler, node, called + _WAYS[sampler.method])
