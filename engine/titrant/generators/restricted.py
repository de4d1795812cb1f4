"""What an encoding knows of the constraints that are not linear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from titrant.errors import GenerationError
from titrant.generators.axes import Axis, Floats
from titrant.generators.nonlinear import Nonlinear
from titrant.generators.supports import Supports, narrowed
from titrant.model.restrictions import Cardinality
from titrant.model.space import SearchSpace
from titrant.model.trial import ParameterValue

if TYPE_CHECKING:
    from titrant.generators.encoding import Encoding, LinearSystem, Mask

# Spaces with some components absent that are kept for the next time.
_KEPT = 2048


class Restricted:
    """The part of an encoding that keeps restrictions.

    Attributes:
        supports: Which axes may be other than zero together; None where that is not restricted.
        nonlinear: Formulas and functions; None where there are none.
    """

    space: SearchSpace
    fixed: dict[str, ParameterValue]
    axes: tuple[Axis, ...]
    system: LinearSystem
    supports: Supports | None
    nonlinear: Nonlinear | None

    def _restrict(self, held: dict[str, Any]) -> None:
        """Read the space's restrictions, once everything else is known; ``held`` is what the request holds."""
        counted = [one for one in self.space.restrictions or () if isinstance(one, Cardinality)]
        self.supports = Supports(counted, self.axes, self.fixed, self.system) if counted else None
        others = [one for one in self.space.restrictions or () if not isinstance(one, Cardinality)]
        # On a set of components each has an encoding of its own, which keeps the others.
        self.nonlinear = Nonlinear(cast("Encoding", self), others) if others else None
        self._held = held
        self._within: dict[bytes, Encoding | None] = {}

    @property
    def restricted(self) -> bool:
        """True if there is a constraint of any kind."""
        return self.system.any or self.supports is not None or self.nonlinear is not None

    @property
    def texts(self) -> tuple[str, ...]:
        """What the constraints are called, for messages."""
        return tuple(constraint.text for constraint in self.space.every_constraint)

    def holds(self, z: Floats) -> Mask:
        """True for each row that keeps every constraint: ``n x d`` to ``n``."""
        kept = self.system.holds(z)
        if self.supports is not None:
            kept = kept & self.supports.holds(z)
        if self.nonlinear is not None and kept.any():
            kept[kept] = self.nonlinear.holds(z[kept])
        return kept

    def within(self, there: Mask) -> Encoding | None:
        """The same with only some components present, ``u``; None where that leaves no point for certain."""
        from titrant.generators.encoding import Encoding  # noqa: PLC0415 - which is made of this

        assert self.supports is not None
        key = there.tobytes()
        if key not in self._within:
            if len(self._within) > _KEPT:
                self._within.clear()
            names = [self.axes[j].name for j in self.supports.columns]
            space = narrowed(self.space, names, there, self.supports.floor)
            try:
                self._within[key] = None if space is None else Encoding(space, self._held)
            except GenerationError:  # what is held and what is absent break a constraint
                self._within[key] = None
        return self._within[key]

    def widened(self, inner: Encoding, z: Floats) -> Floats:
        """Rows of an encoding from ``within`` as rows of this one: ``n x e`` to ``n x d``."""
        places = {axis.name: j for j, axis in enumerate(inner.axes)}
        rows = np.empty((len(z), len(self.axes)))
        for j, axis in enumerate(self.axes):
            here = places.get(axis.name)
            rows[:, j] = axis.number(inner.fixed[axis.name]) if here is None else z[:, here]
        return rows

    def narrowed(self, inner: Encoding, z: Floats) -> Floats:
        """The inverse of ``widened``, whatever stands in columns that ``inner`` has not: ``n x d`` to ``n x e``."""
        names = [axis.name for axis in self.axes]
        return z[:, [names.index(axis.name) for axis in inner.axes]]
