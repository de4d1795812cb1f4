"""What a point is worth: the acquisition function for objectives and outcome constraints.

Sources: S. Ament et al., "Unexpected Improvements to Expected Improvement for Bayesian Optimization", NeurIPS 2023
(the Log family); B. Letham et al., "Constrained Bayesian Optimization with Noisy Experiments", Bayesian Analysis 14
(2019) (noisy EI); S. Daulton et al., "Parallel Bayesian Optimization of Multiple Noisy Objectives with Expected
Hypervolume Improvement", NeurIPS 2021; J. Knowles, "ParEGO", IEEE Trans. Evolutionary Computation 10 (2006).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from botorch.acquisition import AcquisitionFunction
from botorch.acquisition.logei import qLogNoisyExpectedImprovement, qLogProbabilityOfFeasibility
from botorch.acquisition.multi_objective import logei
from botorch.acquisition.multi_objective.objective import GenericMCMultiOutputObjective
from botorch.acquisition.objective import GenericMCObjective
from botorch.sampling.normal import SobolQMCNormalSampler
from botorch.utils.multi_objective.hypervolume import infer_reference_point
from botorch.utils.multi_objective.scalarization import get_chebyshev_scalarization
from botorch.utils.sampling import sample_simplex
from torch import Tensor

from titrant.generators.axes import Floats
from titrant.generators.bo.model import tensor
from titrant.generators.gp.data import Data
from titrant.generators.gp.goal import Goal

# BoTorch would compile a kernel when it first weighs a volume: a suggestion would wait for a compiler, come out a bit
# different where there is one, and hang for ever once a worker was killed in the midst, as the lock outlives it.
logei._load_attempted = True  # noqa: SLF001  there is no other way to say so

# Draws of the posterior: half of what BoTorch takes by default, because every step of the search pays for each.
_DRAWS = 64
# Objectives up to here are traded off by hypervolume; the time for it grows with their number like a power of n.
_MOST_BY_VOLUME = 3


def build(model: Any, data: Data, target: Goal, pending: Floats, seed: int) -> tuple[AcquisitionFunction, str]:
    """The acquisition function, and its name.

    Args:
        model: Of the standardized metrics, ``m`` outputs over ``w`` columns.
        data: What it was fitted to.
        target: What is sought.
        pending: Points under way, ``p x w``.
        seed: Of the draws.

    Returns:
        A function of ``b x 1 x w`` with values ``b``.
    """
    sampler = SobolQMCNormalSampler(torch.Size([_DRAWS]), seed=seed)
    constraints = _constraints(target)
    x_pending = tensor(pending) if len(pending) else None  # p x w
    feasible = target.feasible(data.y)
    if constraints and not feasible.any():
        # Nothing to improve on: first find a point that is allowed at all.
        return (
            qLogProbabilityOfFeasibility(model, constraints=constraints, sampler=sampler, X_pending=x_pending),
            "qLogPF",
        )
    weights = tensor(target.objectives)  # k x m
    shared = {
        "model": model,
        "X_baseline": tensor(data.x),
        "sampler": sampler,
        "constraints": constraints or None,
        "X_pending": x_pending,
        "prune_baseline": True,
    }
    if len(weights) == 1:
        first = GenericMCObjective(lambda y, X=None: y @ weights[0])  # noqa: N803 - BoTorch's signature
        return qLogNoisyExpectedImprovement(objective=first, **shared), "qLogNEI"
    values = target.values(data.y[feasible])  # n x k
    if len(weights) > _MOST_BY_VOLUME:
        # One random way to weigh the objectives against each other for each suggestion.
        weigh = get_chebyshev_scalarization(sample_simplex(len(weights), dtype=weights.dtype).flatten(), tensor(values))
        one = GenericMCObjective(lambda y, X=None: weigh(y @ weights.mT))  # noqa: N803
        return qLogNoisyExpectedImprovement(objective=one, **shared), "qLogNParEGO"
    several = GenericMCMultiOutputObjective(lambda y, X=None: y @ weights.mT)  # noqa: N803
    reference = _reference(target, values)
    return (
        logei.qLogNoisyExpectedHypervolumeImprovement(objective=several, ref_point=reference.tolist(), **shared),
        "qLogNEHVI",
    )


def _constraints(target: Goal) -> list[Callable[[Tensor], Tensor]]:
    """Functions of draws, ``... x m`` to ``...``, that are at most 0 where a constraint holds."""
    return [
        partial(_over, tensor(row), float(bound)) for row, bound in zip(target.constraints, target.bounds, strict=True)
    ]


def _over(row: Tensor, bound: float, y: Tensor) -> Tensor:
    """By how much draws ``... x m`` exceed the bound of a constraint with weights ``m``: ``...``."""
    return y @ row - bound


def _reference(target: Goal, values: Floats) -> Floats:
    """The reference point, ``k``: thresholds where given, else inferred from feasible values, ``n x k``."""
    inferred = infer_reference_point(pareto_Y=_pareto(values)).numpy()
    return np.where(np.isnan(target.thresholds), inferred, target.thresholds)


def _pareto(values: Floats) -> Tensor:
    """The rows that no other row dominates: ``n x k`` to ``p x k``."""
    better = (values[:, None] >= values).all(2) & (values[:, None] > values).any(2)  # by row, of column
    return tensor(values[~better.any(0)])
