"""Whether a search space has a point at all, and if it has none, which of its constraints clash.

Intervals have been tried when the space was made (``titrant.model.constraints.conflict``). What they leave open is
first settled by finding a point, without arrays; only where none is found a mixed-integer linear program is solved, in
which steps and whole numbers are integers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from titrant.errors import SearchSpaceError
from titrant.model.parameters import RangeParameterConfig

if TYPE_CHECKING:
    from titrant.generators.programme import Programme
    from titrant.model.constraints import LinearConstraint
    from titrant.model.space import SearchSpace
    from titrant.model.trial import Parameterization

# Rounds in which each constraint that is missed moves its parameters; spaces people write need one or two.
_SWEEPS = 20


def refuse_empty(space: SearchSpace) -> None:
    """Make sure that some point keeps all constraints.

    A space is refused only where it certainly has no point; where the solver gives up, it passes.

    Raises:
        SearchSpaceError: None does. Of the constraints it names as few as clash by themselves (an irreducible
            infeasible subset, by leaving out one after the other: J. W. Chinneck, E. W. Dravnieks, ORSA Journal on
            Computing 3 (1991)).
    """
    if not is_settled(space) and (why := _clash(space)):
        raise SearchSpaceError(why)


def is_settled(space: SearchSpace) -> bool:
    """True if the space certainly has a point, as far as can be told without a solver: at once."""
    if not space.constraints:
        return True
    names = [name for constraint in space.constraints for name in constraint.names]
    smooth = all(
        isinstance(config, RangeParameterConfig) and config.size() is None
        for config in space.parameters
        if config.name in names
    )
    # Constraints that share no parameter, each of which can be met, can be met together; but for steps.
    return (smooth and len(set(names)) == len(names)) or _point(space) is not None


def _point(space: SearchSpace) -> Parameterization | None:
    """A point that keeps the constraints, found by moving the centre's values one by one; None where none was found."""
    values = space.centre()
    for _ in range(_SWEEPS):
        if space.contains(values):
            return values
        for constraint in space.constraints:
            for name, weight in constraint.terms:
                if not constraint.excess(values):
                    break
                total = math.fsum(w * float(values[other]) for other, w in constraint.terms)
                values[name] = space.parameter(name).nearest(float(values[name]) + (constraint.bound - total) / weight)
    return None


def _clash(space: SearchSpace) -> str | None:
    from titrant.generators.programme import Programme  # noqa: PLC0415 - half a second, and hardly ever needed

    programme = Programme(space)
    if programme.allows(space.constraints) is not False:
        return None
    least = _irreducible(programme, space.constraints)
    if programme.allows(least, steps=False) is False:
        return _sentence(least, "no point within the bounds", "relax one of them, or widen the bounds")
    stepped = programme.stepped(least)
    on = f"no point on the steps of {', '.join(stepped)}"
    if len(least) == 1 and least[0].relation == "==":
        reached = " and ".join(f"{total:g}" for total in programme.nearest(least[0]))
        return _sentence(least, on, f"the nearest sums they reach are {reached}: use one of those, or finer steps")
    return _sentence(least, on, "points between the steps would: make steps finer, or relax one of the constraints")


def _irreducible(programme: Programme, constraints: Sequence[LinearConstraint]) -> tuple[LinearConstraint, ...]:
    """As few of the constraints as have no point by themselves: none of them can be left out."""
    kept = list(constraints)
    for one in constraints:
        rest = [other for other in kept if other is not one]
        if programme.allows(rest) is False:
            kept = rest
    return tuple(kept)


def _sentence(constraints: Iterable[Any], where: str, advice: str) -> str:
    texts = [repr(constraint.text) for constraint in constraints]
    if len(texts) == 1:
        return f"constraint {texts[0]} cannot be met: {where} keeps it; {advice}"
    listed = ", ".join(texts[:-1]) + f" and {texts[-1]}"
    return (
        f"the constraints {listed} clash: {where} keeps all of them, and without any one of them some would; {advice}"
    )
