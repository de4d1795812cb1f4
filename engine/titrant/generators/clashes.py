"""Which of a space's constraints clash, whatever tells whether some of them leave a point; and how that is said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from titrant.model.space import AnyConstraint


class Solver(Protocol):
    """Tells of some of a space's constraints whether a point keeps them."""

    def allows(self, constraints: Sequence[AnyConstraint], *, steps: bool = True) -> bool | None:
        """Whether some point keeps the constraints; None where it gives up.

        Args:
            constraints: Some of the space's.
            steps: Whether only values on the steps count.
        """


class Clash(NamedTuple):
    """Constraints that no point keeps together.

    Attributes:
        constraints: None of them can be left out, as far as the solver can tell.
        least: Whether the solver found points wherever one of them is left out.
    """

    constraints: tuple[AnyConstraint, ...]
    least: bool


def irreducible(solver: Solver, constraints: Sequence[AnyConstraint]) -> Clash:
    """As few of constraints that clash as have no point by themselves.

    Found by leaving out one after the other: J. W. Chinneck, E. W. Dravnieks, ORSA Journal on Computing 3 (1991).
    """
    kept = list(constraints)
    least = True
    for one in constraints:
        rest = [other for other in kept if other is not one]
        if (allowed := solver.allows(rest)) is False:
            kept = rest
        least &= allowed is not None
    return Clash(tuple(kept), least)


def sentence(clash: Clash, where: str, advice: str) -> str:
    """A clash in words: where no point keeps it, and what to do."""
    if len(clash.constraints) == 1:
        return f"constraint {listed(clash.constraints)} cannot be met: {where} keeps it; {advice}"
    without = ", and without any one of them some would" if clash.least else ""
    return f"the constraints {listed(clash.constraints)} clash: {where} keeps all of them{without}; {advice}"


def listed(constraints: Iterable[AnyConstraint]) -> str:
    """What constraints are called, as a list in words."""
    texts = [repr(constraint.text) for constraint in constraints]
    return texts[0] if len(texts) == 1 else ", ".join(texts[:-1]) + f" and {texts[-1]}"
