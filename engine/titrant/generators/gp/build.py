"""Which acquisition function a request calls for, and the draws it is averaged over."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Typed only where scipy-stubs is installed.
from scipy.special import ndtri  # type: ignore[import-untyped,unused-ignore]

from titrant.generators.axes import Floats
from titrant.generators.digital_net import SobolSequence
from titrant.generators.encoding import Mask
from titrant.generators.gp.acquisition import Acquisition, Combination
from titrant.generators.gp.asked import mixed
from titrant.generators.gp.goal import Goal
from titrant.generators.gp.here import Here
from titrant.generators.gp.posterior import Posterior

DRAWS = 32
# Variance that drawn values are taken to have, in standardized units: neighbours drawn at rounding's mercy must not
# contradict each other, and a thousandth of the outcomes' spread is no difference that anybody seeks.
NUGGET = 1e-6
# Coordinates of the quasi-random normal numbers; further ones, of which each matters less, are pseudo-random.
_QUASI = 32


def build(
    model: Sequence[Posterior],
    target: Goal,
    feasible: Mask,
    pending: Floats,
    seed: int,
    draws: int = DRAWS,
    here: Here | None = None,
) -> Acquisition:
    """The acquisition function for one objective.

    Args:
        model: Of the standardized metrics.
        target: What is sought; one objective.
        feasible: Which known points keep the outcome constraints, ``n`` booleans.
        pending: Points under way, ``p x w``.
        seed: Of the draws.
        draws: How many.
        here: Where known points would be under the present circumstances; None where these do not change.

    Returns:
        Noisy expected improvement; the probability of feasibility where nothing is known to be feasible.
    """
    drawn = drawn_of(model, pending, seed, draws)
    constraints = [
        (Combination(drawn, row), float(bound)) for row, bound in zip(target.constraints, target.bounds, strict=True)
    ]
    if not feasible.any():
        # Nothing to improve on: first find a point that is allowed at all.
        return Acquisition(None, constraints, "LogPF")
    objective = Combination(drawn, target.objectives[0])
    if here is not None:
        return Acquisition((objective, _best_here(objective, constraints, here(drawn[0].x))), constraints, "LogNEI")
    allowed = np.ones(objective.known.shape, bool)
    for combination, bound in constraints:
        allowed &= combination.known <= bound
    # What was measured to be feasible is, for each draw; of what is under way the draw decides.
    allowed[: len(feasible)] = feasible[:, None]
    best = np.where(allowed, objective.known, -np.inf).max(0)  # s
    return Acquisition((objective, best), constraints, "LogNEI")


def drawn_of(model: Sequence[Posterior], pending: Floats, seed: int, draws: int = DRAWS) -> list[Posterior]:
    """Each metric's process with draws of what is known and of what is under way, ``p x w``, as if it were known."""
    return [
        posterior.drawn(pending, normals(len(posterior.x) + len(pending), mixed(seed, place), draws), NUGGET)
        for place, posterior in enumerate(model)
    ]


def _best_here(objective: Combination, constraints: Sequence[tuple[Combination, float]], x: Floats) -> Floats:
    """The best of points, ``n x w``, in each draw, ``s``: of those that keep the constraints, or of all."""
    values = objective.at(x)[0]  # n x s
    allowed = np.ones(values.shape, bool)
    for combination, bound in constraints:
        allowed &= combination.at(x)[0] <= bound
    allowed |= ~allowed.any(0)
    return np.asarray(np.where(allowed, values, -np.inf).max(0))


def normals(count: int, seed: int, draws: int = DRAWS) -> Floats:
    """Standard normal numbers that fill space evenly: ``count x draws``."""
    quasi = min(count, _QUASI)
    first = ndtri(np.clip(SobolSequence(max(1, quasi), seed).points(0, draws)[:, :quasi], 1e-9, 1.0 - 1e-9)).T
    rest = np.random.default_rng([seed, 1]).standard_normal((count - quasi, draws))
    # What is under way stands last, and there the draws matter most.
    found: Floats = np.concatenate([rest, first])
    return found
