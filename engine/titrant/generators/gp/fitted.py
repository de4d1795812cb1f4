"""A fitted model, and the data as it knows them."""

from __future__ import annotations

import msgspec
import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.encoding import Mask
from titrant.generators.gp import model
from titrant.generators.gp.bend import Bend, bends, bent
from titrant.generators.gp.data import Data, thinned
from titrant.generators.gp.goal import Goal
from titrant.generators.gp.posterior import Posterior
from titrant.generators.gp.stretch import aimed, stretches
from titrant.model.objective import OptimizationConfig

# With more, the model looks at so many of them, and says so: its time grows with their cube. A suggestion takes half a
# second then; it would take 2.7 s with twice as many.
MOST_POINTS = 1000
# What arithmetic on unlucky data raises in numpy and scipy; ValueError is scipy's word for NaN.
NUMERICAL = (ArithmeticError, ValueError, np.linalg.LinAlgError, MemoryError)


class Fitted(msgspec.Struct, frozen=True):
    """A model of each metric.

    Attributes:
        data: What it was fitted to, without the bends.
        functions: How each metric was bent or stretched, ``m``.
        posteriors: One process each.
        name: What the model is called.
        answers: Which points may be the best, ``n``: those at the target fidelity; None where all may.
    """

    data: Data
    functions: tuple[Bend, ...]
    posteriors: tuple[Posterior, ...]
    name: str
    answers: Mask | None = None

    def aim(self, target: Goal) -> Goal:
        """What is sought, in the units of the processes."""
        return aimed(target, self.functions)


def fit(config: OptimizationConfig, data: Data, worth: Floats, most: int | None = None) -> Fitted:
    """Fit the metrics; of very many points, to the best and some of the others.

    Args:
        config: What is sought.
        data: ``n`` points.
        worth: What each is worth, ``n``; the larger the better.
        most: How many to take at most; ``MOST_POINTS`` where None.

    Raises:
        FloatingPointError: The numbers fail.
    """
    kept = thinned(data, worth, MOST_POINTS if most is None else most)
    functions = stretches(config, kept, bends(config, kept))
    name = model.NAME if kept is data else f"{model.NAME} of {len(kept)} of {len(data)} points"
    return Fitted(kept, functions, model.fit(bent(kept, functions)), name)


def worths(data: Data, target: Goal) -> Floats:
    """What known points are worth to the first objective, ``n``: those that break a constraint least."""
    worth = target.values(data.y)[:, 0]
    return np.where(target.feasible(data.y), worth, worth.min() - 1.0)
