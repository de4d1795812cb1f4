"""Whether a search space has a point at all, and if it has none, which of its constraints clash.

Intervals have been tried when the space was made (``titrant.model.constraints.conflict``). What they leave open is
first settled by finding a point, without arrays; only where none is found a mixed-integer linear program is solved, in
which steps and whole numbers are integers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from titrant.errors import GenerationError, SearchSpaceError
from titrant.model.conditions import MOST_BRANCHES
from titrant.model.constraints import LinearConstraint
from titrant.model.fidelity import at_its_target, target, told
from titrant.model.parameters import RangeParameterConfig
from titrant.model.restrictions import Cardinality

if TYPE_CHECKING:
    from titrant.generators.programme import Programme
    from titrant.model.space import AnyConstraint, SearchSpace
    from titrant.model.trial import Parameterization

# Rounds in which each constraint that is missed moves its parameters; spaces people write need one or two.
_SWEEPS = 20


def refuse_empty(space: SearchSpace) -> None:
    """Make sure that some point keeps all constraints, at the target of its fidelities where it has any.

    A space is refused only where it certainly has no point; where the solver gives up, it passes.

    Raises:
        SearchSpaceError: None does. Of the constraints it names as few as clash by themselves (an irreducible
            infeasible subset, by leaving out one after the other: J. W. Chinneck, E. W. Dravnieks, ORSA Journal on
            Computing 3 (1991)).
    """
    if is_settled(space):
        return
    _refuse_empty(space)
    if space.having("fidelity"):
        try:
            _refuse_no_answer(space)
        except (SearchSpaceError, GenerationError) as error:
            raise SearchSpaceError(f"there is no point at the target fidelity ({told(space)}): {error}") from error


def _refuse_no_answer(space: SearchSpace) -> None:
    """Make sure that some point is at the target of the fidelities.

    Raises:
        SearchSpaceError: No point keeps the constraints there.
        GenerationError: No candidate is there.
    """
    if not space.candidates:
        return _refuse_empty(at_its_target(space))
    from titrant.generators.encoding import encoding_of  # noqa: PLC0415 - numpy
    from titrant.generators.pool import pool_of  # noqa: PLC0415

    pool_of(encoding_of(space, target(space)))
    return None


def _refuse_empty(space: SearchSpace) -> None:
    if _has_point(space):
        return
    why = None
    for branch in _branches(space):
        if (why := _clash(branch)) is None:
            return
    if why:
        raise SearchSpaceError(why)


def is_settled(space: SearchSpace) -> bool:
    """True if the space certainly has a point, as far as can be told without a solver: at once."""
    if not space.having("fidelity"):
        return _has_point(space)
    return not space.candidates and not space.every_constraint


def _has_point(space: SearchSpace) -> bool:
    return bool(space.candidates) or any(map(_is_settled, _branches(space)))


def _branches(space: SearchSpace) -> Iterable[SearchSpace]:
    """The plain spaces that a conditional one consists of, as far as they are looked at."""
    return islice(space.branches(), MOST_BRANCHES) if space.is_conditional else (space,)


def _is_settled(space: SearchSpace) -> bool:
    if not space.every_constraint:
        return True
    if space.restrictions:
        return _point(space) is not None
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
    absent = _absent(space)
    values |= {name: space.parameter(name).check(0) for name in absent}
    for _ in range(_SWEEPS):
        if space.contains(values):
            return values
        for constraint in space.constraints:
            for name, weight in constraint.terms:
                if not constraint.excess(values):
                    break
                if name in absent:
                    continue
                total = math.fsum(w * float(values[other]) for other, w in constraint.terms)
                values[name] = space.parameter(name).nearest(float(values[name]) + (constraint.bound - total) / weight)
    return None


def _absent(space: SearchSpace) -> set[str]:
    """Components to leave out so that no more are present than may be: those that can be least."""
    absent: set[str] = set()
    for restriction in space.restrictions or ():
        if isinstance(restriction, Cardinality):
            ends = {name: space.parameter(name).interval or (0.0, 0.0) for name in restriction.names}
            there = sorted((name for name in ends if name not in absent), key=lambda name: -ends[name][1])
            absent.update(name for name in there[restriction.most :] if ends[name][0] == 0)
    return absent


def _clash(space: SearchSpace) -> str | None:
    from titrant.generators.programme import Programme  # noqa: PLC0415 - half a second, and hardly ever needed

    programme = Programme(space)
    if programme.allows(space.every_constraint) is not False:
        return None
    least = _irreducible(programme, space.every_constraint)
    if programme.allows(least, steps=False) is False:
        return _sentence(least, "no point within the bounds", "relax one of them, or widen the bounds")
    stepped = programme.stepped(least)
    on = f"no point on the steps of {', '.join(stepped)}"
    if len(least) == 1 and isinstance(one := least[0], LinearConstraint) and one.relation == "==":
        reached = " and ".join(f"{total:g}" for total in programme.nearest(one))
        return _sentence(least, on, f"the nearest sums they reach are {reached}: use one of those, or finer steps")
    return _sentence(least, on, "points between the steps would: make steps finer, or relax one of the constraints")


def _irreducible(programme: Programme, constraints: Sequence[AnyConstraint]) -> tuple[AnyConstraint, ...]:
    """As few of the constraints as have no point by themselves: none of them can be left out."""
    kept = list(constraints)
    for one in constraints:
        rest = [other for other in kept if other is not one]
        if programme.allows(rest) is False:
            kept = rest
    return tuple(kept)


def _sentence(constraints: Iterable[AnyConstraint], where: str, advice: str) -> str:
    texts = [repr(constraint.text) for constraint in constraints]
    if len(texts) == 1:
        return f"constraint {texts[0]} cannot be met: {where} keeps it; {advice}"
    listed = ", ".join(texts[:-1]) + f" and {texts[-1]}"
    return (
        f"the constraints {listed} clash: {where} keeps all of them, and without any one of them some would; {advice}"
    )
