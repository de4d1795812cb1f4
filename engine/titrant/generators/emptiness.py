"""Whether a search space has a point at all, and if it has none, which of its constraints clash.

Intervals have been tried when the space was made (``titrant.model.constraints.conflict``). What they leave open is
first settled by finding a point, without arrays; only where none is found a mixed-integer linear program is solved, in
which steps and whole numbers are integers. Where formulas are among the constraints, all points are looked at if they
are few, and otherwise boxes are refuted by intervals. Functions are not asked here: only generators import them.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

from msgspec import UNSET
from msgspec.structs import replace

from titrant.errors import SearchSpaceError
from titrant.generators.clashes import irreducible, sentence
from titrant.generators.points import from_all_over, from_the_centre
from titrant.model.conditions import MOST_BRANCHES
from titrant.model.constraints import LinearConstraint
from titrant.model.fidelity import at_its_target, target, told
from titrant.model.parameters import RangeParameterConfig
from titrant.model.restrictions import Cardinality, Formula

if TYPE_CHECKING:
    from titrant.model.space import SearchSpace


def refuse_empty(space: SearchSpace) -> None:
    """Make sure that some point keeps all constraints, at the target of its fidelities where it has any.

    A space is refused only where it certainly has no point; where the solver gives up, it passes.

    Raises:
        SearchSpaceError: None does. Of the constraints it names as few as clash by themselves.
    """
    if is_settled(space):
        return
    _refuse_empty(space)
    if space.having("fidelity"):
        try:
            _refuse_no_answer(space)
        except SearchSpaceError as error:
            raise SearchSpaceError(f"there is no point at the target fidelity ({told(space)}): {error}") from error


def _refuse_no_answer(space: SearchSpace) -> None:
    """Make sure that some point is at the target of the fidelities.

    Raises:
        SearchSpaceError: No point keeps the constraints there, or no candidate is there.
    """
    if not space.candidates:
        _refuse_empty(at_its_target(space))
        return
    wanted = target(space)
    points = space.candidates.points()  # what is not active at one of them has no value there
    if not any(all(point.get(name, value) == value for name, value in wanted.items()) for point in points):
        raise SearchSpaceError("no candidate has these values: add some, or choose another target_value")


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
        return from_the_centre(space) is not None
    names = [name for constraint in space.constraints for name in constraint.names]
    smooth = all(
        isinstance(config, RangeParameterConfig) and config.size() is None
        for config in space.parameters
        if config.name in names
    )
    # Constraints that share no parameter, each of which can be met, can be met together; but for steps.
    return (smooth and len(set(names)) == len(names)) or from_the_centre(space) is not None


def _clash(space: SearchSpace) -> str | None:
    """Why a plain space has no point, in words; None where it has one, or nothing can be told."""
    if not any(isinstance(one, Formula) for one in space.restrictions or ()):
        return _linear_clash(space)
    if from_all_over(space) is not None:
        return None
    counted = tuple(one for one in space.restrictions or () if isinstance(one, Cardinality))
    without = replace(space, restrictions=counted or UNSET)
    if not _is_settled(without) and (why := _linear_clash(without)):
        return why
    return _formula_clash(space)


def _linear_clash(space: SearchSpace) -> str | None:
    from titrant.generators.programme import Programme  # noqa: PLC0415 - half a second, and hardly ever needed

    programme = Programme(space)
    if programme.allows(space.every_constraint) is not False:
        return None
    clash = irreducible(programme, space.every_constraint)
    if programme.allows(clash.constraints, steps=False) is False:
        return sentence(clash, *_WITHIN)
    on = _on_steps(programme.stepped(clash.constraints))
    if (
        len(clash.constraints) == 1
        and isinstance(one := clash.constraints[0], LinearConstraint)
        and one.relation == "=="
    ):
        reached = " and ".join(f"{total:g}" for total in programme.nearest(one))
        return sentence(clash, on, f"the nearest sums they reach are {reached}: use one of those, or finer steps")
    return sentence(clash, on, _FINER)


def _formula_clash(space: SearchSpace) -> str | None:
    from titrant.generators.refuting import Refuter  # noqa: PLC0415 - numpy, and hardly ever needed

    refuter = Refuter(space)
    if refuter.allows(space.every_constraint) is not False:
        return None
    refuter.again()
    clash = irreducible(refuter, space.every_constraint)
    stepped = refuter.stepped(clash.constraints)
    between = refuter.allows(clash.constraints, steps=False) if stepped else False
    if between is False:
        return sentence(clash, *_WITHIN)
    return sentence(clash, _on_steps(stepped), _FINER if between else "relax one of them, or make steps finer")


_WITHIN = ("no point within the bounds", "relax one of them, or widen the bounds")
_FINER = "points between the steps would: make steps finer, or relax one of the constraints"


def _on_steps(stepped: Iterable[str]) -> str:
    return f"no point on the steps of {', '.join(stepped)}"
