"""Who makes suggestions in a space with fidelities: designs get a fidelity for each point, models their own generator.

An initial design is mostly cheap: it is to show the lie of the land, which lower fidelities show as well, or else the
model learns from it that they do not.  The centre and every fourth of the points after it are at the target, so that
there is an answer from the first trial on, and that the model sees from the beginning how the fidelities compare.  The
others take turns at the cheapest fidelity and at a quarter and a half of the way to the target, on its scale.  Where
all points of a fidelity were tried, or none keeps the constraints there, a point stands at the next one that has one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from titrant.errors import GenerationError
from titrant.generators.base import Proposal, Reply, Request
from titrant.model.fidelity import at_target, cost_of, target
from titrant.model.space import ParameterConfig, RangeParameterConfig
from titrant.model.trial import Parameterization, ParameterValue

if TYPE_CHECKING:
    from titrant.generators.base import Point

_WAY = (0.0, 0.5, 0.25)
"""How far on the way from the cheapest fidelity to the target the points of a design stand; then one at the target."""


def suggest(request: Request, make: Callable[[Request], Reply]) -> Reply:
    """Answer a request in a space with fidelities.

    Args:
        request: What is asked.
        make: What answers it in any other space.

    Raises:
        GenerationError: Nothing could be suggested; the message says why.
    """
    match request.node:
        case "centre":
            return make(replace(request, fixed={**target(request.space), **request.fixed}))
        case "sobol" | "random" | "latin_hypercube":
            return _designed(request, make)
        case "grid":
            return make(request)
        case "bo" if _knows_none(request):
            return make(_at_target(request))
        case "bo" if request.method == "botorch":
            raise GenerationError("method='botorch' does not know fidelities yet: use another method")
        case "bo":
            from titrant.generators.fidelity import generator  # noqa: PLC0415 - the first trial must not wait for numpy

            return generator.suggest(request)


def _designed(request: Request, make: Callable[[Request], Reply]) -> Reply:
    """Points of a design, each at the fidelity that its place in the sequence gives it, or at one that has a point.

    Raises:
        GenerationError: No fidelity has a point.
    """
    free = [name for name in request.space.having("fidelity") if name not in request.fixed]
    if not free or request.space.candidates:
        return make(request)
    proposals: list[Proposal] = []
    taken, position, reply = request.taken, request.position, Reply(proposals=())
    for _ in range(request.count):
        part = replace(request, count=1, position=position, taken=taken)
        reply = _first(part, free, make)
        proposals += reply.proposals
        if not reply.proposals:
            from titrant.generators.sobol import short_reason  # noqa: PLC0415 - numpy, which is loaded by now

            reply = replace(reply, short_reason=short_reason(request, len(proposals)))
            break
        taken, position = (*taken, reply.proposals[-1].parameters), reply.proposals[-1].position
    return replace(reply, proposals=tuple(proposals))


def _first(request: Request, free: list[str], make: Callable[[Request], Reply]) -> Reply:
    """One point at the first fidelity that has a new one; an empty reply where all points of all were tried.

    Raises:
        GenerationError: No fidelity has a point, tried or not.
    """
    short: Reply | None = None
    error: GenerationError | None = None
    for held in _levels(request, free):
        try:
            reply = make(replace(request, fixed={**held, **request.fixed}))
        except GenerationError as exc:  # no point keeps the constraints there
            error = exc
            continue
        if reply.proposals:
            return reply
        short = reply
    if short is not None:
        return short
    assert error is not None
    raise error


def _levels(request: Request, free: list[str]) -> Iterator[Parameterization]:
    """The fidelities to try for the point at a place of the sequence: its own, the other turns', and then any."""
    seen: list[Parameterization] = []
    for turn in range(len(_WAY) + 1):
        held = {name: _level(request, name, request.position + turn) for name in free}
        if held not in seen:
            seen.append(held)
            yield held
    yield {}


def _level(request: Request, name: str, position: int) -> ParameterValue:
    """The fidelity of the point at a place of the sequence."""
    parameter = request.space.parameter(name)
    wanted = target(request.space)[name]
    goal = float(wanted)
    turn = position % (len(_WAY) + 1)
    if turn == len(_WAY):
        return wanted
    start = _cheapest(request, parameter)
    if isinstance(parameter, RangeParameterConfig) and parameter.scaling == "log":
        return parameter.nearest(start * (goal / start) ** _WAY[turn])
    return parameter.nearest(start + _WAY[turn] * (goal - start))


def _cheapest(request: Request, parameter: ParameterConfig) -> float:
    """That end of a fidelity at which a trial costs less; the one farther from the target where costs are measured."""
    space, name = request.space, parameter.name
    wanted = target(space)
    ends = parameter.interval or (0.0, 0.0)
    return min(ends, key=lambda end: cost_of(space, request.cost, {**wanted, name: end}))


def _knows_none(request: Request) -> bool:
    """Whether the model knows no fidelities: of several objectives, of preferences, of related problems."""
    sought = request.optimization
    if sought is not None and (sought.is_multi_objective or sought.is_preference):
        return True
    return bool(request.past or request.space.having("task"))


def _at_target(request: Request) -> Request:
    """The same for a model that knows no fidelities: trials at the target alone count."""

    def there(points: tuple[Point, ...]) -> tuple[Point, ...]:
        return tuple(point for point in points if at_target(request.space, point.parameters))

    held = {**target(request.space), **request.fixed}
    if request.comparisons:  # they are of trials at any fidelity
        return replace(request, fixed=held)
    return replace(
        request,
        fixed=held,
        observed=there(request.observed),
        pending=there(request.pending),
        failed=there(request.failed),
    )
