"""The centre node: the middle of the search space, or the roomiest place that its constraints leave."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, islice

from msgspec.structs import replace

from titrant.errors import ConfigurationError, GenerationError
from titrant.generators.base import Proposal, Reply, Request
from titrant.model.conditions import MOST_BRANCHES
from titrant.model.determined import determined, key_of
from titrant.model.restrictions import Function
from titrant.model.space import SearchSpace
from titrant.model.trial import Parameterization

# Feasible quasi-random points looked at where nothing better is found.
_LOOKED_AT = 64


def suggest(request: Request) -> Reply:
    """Suggest the centre, and quasi-random points where more is asked for or the centre was tried.

    Raises:
        GenerationError: What is held fixed does not fit the space, or nothing keeps the constraints.
    """
    parameters, how = centre(request.space, request.fixed, request.seed)
    formulas = None if request.space.candidates else determined(request.space, request.fixed)
    key = key_of(request.space, formulas, parameters)
    tried = [*request.taken, *(point.parameters for point in request.pending)]
    if any(key_of(request.space, formulas, other) == key for other in tried):
        from titrant.generators import sobol  # noqa: PLC0415 - numpy takes longer than this whole answer

        return sobol.suggest(request, fallback="the centre was tried before")
    first = Proposal(parameters=parameters, node="centre", generator=how, position=request.position)
    if request.count == 1:
        return Reply(proposals=(first,))
    from titrant.generators import sobol  # noqa: PLC0415 - numpy takes longer than this whole answer

    rest = sobol.suggest(
        replace(request, count=request.count - 1, taken=(*request.taken, parameters)),
        fallback="a search space has one centre",
    )
    return replace(rest, proposals=(first, *rest.proposals))


def centre(space: SearchSpace, fixed: Parameterization, seed: int) -> tuple[Parameterization, str]:
    """The centre of a space with some parameters held, and in words how it was found.

    Raises:
        GenerationError: What is held fixed does not fit the space, or nothing keeps the constraints.
    """
    try:
        held = {name: space.parameter(name).check(value) for name, value in fixed.items()}
    except ConfigurationError as error:
        raise GenerationError(f"what is held fixed does not fit the search space: {error}") from error
    middle = space.round(space.filled({**space.centre(), **held})) if space.is_conditional else space.centre() | held
    if space.contains(middle) and _functions_allow(space, middle):
        return middle, "centre of the search space"
    if space.candidates:
        return _candidate(space, held, middle, seed), "candidate next to the centre"
    if space.is_conditional:
        return _within_branch(space, held, middle, seed)
    return _feasible_centre(space, fixed, middle, seed)


def _within_branch(
    space: SearchSpace, held: Parameterization, middle: Parameterization, seed: int
) -> tuple[Parameterization, str]:
    """The centre of the plain space in which the middle lies, or of the first other one that has a point."""
    for branch in chain(_own(space, middle), islice(space.branches(), MOST_BRANCHES)):
        try:
            found, how = centre(branch, {name: value for name, value in held.items() if name in branch.names}, seed)
        except GenerationError:
            continue
        return space.check(found), how
    raise GenerationError("no point keeps the constraints, whatever is active: relax one of them")


def _candidate(space: SearchSpace, held: Parameterization, middle: Parameterization, seed: int) -> Parameterization:
    """The candidate next to the middle."""
    from titrant.generators.pool import PoolSampler  # noqa: PLC0415 - numpy takes longer than most centres
    from titrant.generators.sampler import sampler_of  # noqa: PLC0415

    sampler = sampler_of(space, held, seed)
    z = sampler.encoding.numbers(middle)
    found = None if z is None or not isinstance(sampler, PoolSampler) else sampler.nearest(z, frozenset())
    if found is None:
        raise GenerationError("no candidate is next to the centre")
    return found


def _own(space: SearchSpace, middle: Parameterization) -> Iterator[SearchSpace]:
    with suppress(ConfigurationError):
        yield space.branch(middle)


def _functions_allow(space: SearchSpace, parameters: Parameterization) -> bool:
    """Whether the functions among the constraints allow a point; a space does not ask them."""
    if not any(isinstance(one, Function) for one in space.restrictions or ()):
        return True
    from titrant.generators.nonlinear import functions_allow  # noqa: PLC0415 - numpy

    return functions_allow(space, parameters)


def _feasible_centre(
    space: SearchSpace, fixed: Parameterization, middle: Parameterization, seed: int
) -> tuple[Parameterization, str]:
    """The Chebyshev centre of the constraints, or the feasible quasi-random point nearest to the middle."""
    import numpy as np  # noqa: PLC0415 - most centres are feasible and need no arrays

    from titrant.generators.repair import repair  # noqa: PLC0415
    from titrant.generators.sampler import polytope_of, sampler_of  # noqa: PLC0415

    sampler = sampler_of(space, fixed, seed)
    encoding = sampler.encoding
    z = encoding.numbers(middle)
    if z is None:
        raise GenerationError("the centre of the search space cannot be expressed in numbers")
    columns = np.flatnonzero(encoding.system.columns)
    low, high = encoding.low[columns], encoding.high[columns]
    if len(columns):
        z[columns] = low + polytope_of(encoding).centre * (high - low)
    mended = repair(encoding, z, np.random.default_rng(seed))
    if mended is not None and space.contains(found := encoding.parameters(mended)):
        return found, "Chebyshev centre of the constraints" if len(columns) else "point next to the centre"
    target = encoding.to_model(encoding.snap(z[None]))
    points = [row for row, _ in zip(sampler.draw(0, frozenset()), range(_LOOKED_AT), strict=False)]
    distances = np.linalg.norm(encoding.to_model(np.stack([row for row, _, _ in points])) - target, axis=1)
    return points[int(distances.argmin())][1], "feasible quasi-random point nearest to the centre"
