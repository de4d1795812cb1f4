"""Which constraints clash where a generator finds no point, as far as can be told.

A space is checked when it is defined (``emptiness``), but for its functions and for what a request holds fixed: only
generators ask functions, in their own process.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
from msgspec import UNSET
from msgspec.structs import replace

from titrant.errors import GenerationError, SearchSpaceError
from titrant.generators.clashes import Clash, irreducible, listed, sentence
from titrant.generators.emptiness import refuse_empty
from titrant.generators.encoding import LISTABLE, Encoding
from titrant.generators.nonlinear import Nonlinear
from titrant.generators.rows import Mask, keeps
from titrant.generators.sampler import sampler_for
from titrant.model.conditions import dependents
from titrant.model.constraints import LinearConstraint
from titrant.model.parameters import FixedParameterConfig
from titrant.model.restrictions import Function
from titrant.model.space import AnyConstraint, SearchSpace

# Points made to find out whether some of the constraints leave any, and how many of them may be searched for, each by
# half a thousand questions to a function: more where most sets of components have none.
_TRIED = 512
_SEARCHED = {"search": 8}
_SEARCHED_ELSEWHERE = 64

_Drawn = TypeVar("_Drawn")


def explained(points: Iterator[_Drawn], encoding: Encoding) -> Iterator[_Drawn]:
    """Points of a sampler; where it finds none, the error names the constraints that clash.

    Raises:
        GenerationError: No point was found; or a function cannot be asked.
    """
    try:
        yield from points
    except GenerationError as error:
        if error.__cause__ is not None:  # a function raised, which says more
            raise
        raise GenerationError(_why(encoding)) from error


def _why(encoding: Encoding) -> str:
    held = [one for one in encoding.space.parameters if one.name in encoding.fixed and one.size() != 1]
    said = ", ".join(f"{one.name} = {encoding.fixed[one.name]!r}" for one in held)
    return (f"with {said} held fixed: " if said else "") + _clash(encoding)


def _clash(encoding: Encoding) -> str:
    constraints = encoding.space.every_constraint
    try:
        space = _held(encoding)
        refuse_empty(space)
    except SearchSpaceError as error:
        return str(error)
    counts = [axis.count for axis in encoding.axes if axis.count is not None]
    if len(counts) == encoding.dimension and math.prod(counts) <= LISTABLE and not space.is_conditional:
        every = _Listed(encoding)
        if not every.allows(constraints):
            where = f"none of the {every.count} points" if every.count > 1 else "no point"
            return sentence(irreducible(every, constraints), where, "relax one of them, or widen the bounds")
    sampled = _Sampled(space)
    # Another seed's points may keep them all.
    clash = irreducible(sampled, constraints) if not sampled.allows(constraints) else Clash(constraints, least=False)
    what = "constraints" if len(clash.constraints) > 1 else "constraint"
    return (
        f"no point found that keeps the {what} {listed(clash.constraints)}, by searching, which is no proof: "
        "relax one of them, or make steps finer"
    )


def _held(encoding: Encoding) -> SearchSpace:
    """The space with what a request holds fixed.

    Raises:
        SearchSpaceError: Its constraints clash there.
    """
    parameters = tuple(
        FixedParameterConfig(one.name, encoding.fixed[one.name], dependents(one) or UNSET)
        if one.name in encoding.fixed
        else one
        for one in encoding.space.parameters
    )
    return replace(encoding.space, parameters=parameters, candidates=UNSET)


class _Listed:
    """All points of a finite space, and which of the constraints each keeps."""

    def __init__(self, encoding: Encoding) -> None:
        axes = encoding.axes
        levels = [axis.at(np.arange(float(axis.count or 1))) for axis in axes]
        z = np.stack(np.meshgrid(*levels, indexing="ij"), axis=-1).reshape(-1, len(axes)) if axes else np.empty((1, 0))
        self.count = len(z)
        self._encoding, self._z = encoding, z
        numbers = {name: float(value) for name, value in encoding.fixed.items() if not isinstance(value, str)}
        self._values = {name: np.full(len(z), number) for name, number in numbers.items()}
        self._values |= {axis.name: z[:, j] for j, axis in enumerate(axes)}
        self._known: dict[str, Mask] = {}

    def allows(self, constraints: Sequence[AnyConstraint], *, steps: bool = True) -> bool:
        kept = np.ones(self.count, dtype=bool)
        for one in constraints:
            if one.text not in self._known:
                self._known[one.text] = self._keeps(one)
            kept &= self._known[one.text]
        return bool(kept.any())

    def _keeps(self, one: AnyConstraint) -> Mask:
        if isinstance(one, Function):
            assert self._encoding.nonlinear is not None
            return np.asarray(self._encoding.nonlinear.asked(one, self._z) >= 0)
        return keeps(one, self._values)


class _Sampled:
    """What generators find of a space with some of its constraints."""

    def __init__(self, space: SearchSpace) -> None:
        self._space = space

    def allows(self, constraints: Sequence[AnyConstraint], *, steps: bool = True) -> bool:
        linear = tuple(one for one in constraints if isinstance(one, LinearConstraint))
        others = tuple(one for one in constraints if not isinstance(one, LinearConstraint))
        space = replace(self._space, constraints=linear, restrictions=others or UNSET)
        sampler = sampler_for(Encoding(space, {}), 0)
        end = Nonlinear.searches + _SEARCHED.get(sampler.method, _SEARCHED_ELSEWHERE)
        for start in range(_TRIED):
            if bool(sampler.block(start, 1)[1].any()):
                return True
            if Nonlinear.searches >= end:
                break
        return False
