"""The parts that parameters play: most are chosen by a generator, some are given, and some say what is asked."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET
from msgspec.structs import force_setattr

from titrant.errors import ParameterizationError, SearchSpaceError

Role = Literal["design", "context", "task", "fidelity"]
"""``"design"``: chosen by the generator. ``"context"``: given when a trial is asked for. ``"task"``: which of several
related problems a trial belongs to. ``"fidelity"``: how exactly a trial is carried out."""

_MARKS = ("is_task", "is_fidelity", "is_context")


def checked_roles(parameter: Any) -> None:
    """Bring the fields on a parameter's role into their one form: UNSET where they say nothing, a target of its type.

    Raises:
        SearchSpaceError: It has two roles, a target it does not need or lacks, or one that it cannot have.
    """
    name = parameter.name
    for field in _MARKS:
        said = getattr(parameter, field, UNSET)
        if said not in (True, False, None, UNSET):
            raise SearchSpaceError(f"parameter {name!r} has the {field} {said!r}: say True or False")
        if hasattr(parameter, field) and said is not True:
            force_setattr(parameter, field, UNSET)
    marks = [field for field in _MARKS if getattr(parameter, field, UNSET)]
    if len(marks) > 1:
        raise SearchSpaceError(f"parameter {name!r} has {' and '.join(marks)}: it can play one part only")
    if parameter.role == "fidelity" and parameter.interval is None:
        raise SearchSpaceError(f"parameter {name!r} has is_fidelity and no ordered numbers: give it numbers")
    _check_target(parameter)


def _check_target(parameter: Any) -> None:
    name, target, role = parameter.name, parameter.target_value, parameter.role
    if target is None or target is UNSET:
        force_setattr(parameter, "target_value", UNSET)
        if role in ("task", "fidelity"):
            raise SearchSpaceError(
                f"parameter {name!r} has is_{role} and no target_value: say for which {role} the best is sought"
            )
    elif role not in ("task", "fidelity"):
        raise SearchSpaceError(f"parameter {name!r} has a target_value and is neither task nor fidelity: leave it out")
    else:
        try:
            force_setattr(parameter, "target_value", parameter.check(target))
        except ParameterizationError as error:
            raise SearchSpaceError(f"the target_value of {name!r} is none of its values: {error}") from None
