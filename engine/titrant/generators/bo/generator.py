"""The Bayesian optimization node with BoTorch: fit, search, and stand back for Sobol points where the numbers fail."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from botorch.exceptions.errors import BotorchError
from linear_operator.utils.errors import NanError, NotPSDError

from titrant.generators.axes import Floats
from titrant.generators.base import Proposal, Reply, Request
from titrant.generators.bo import acquisition, model, versions
from titrant.generators.bo.climb import Climber, Weighed
from titrant.generators.failures.weighed import weight_of
from titrant.generators.gp.asked import asked, mixed, or_sobol
from titrant.generators.gp.turns import in_turn
from titrant.model.objective import OptimizationConfig

# What arithmetic on unlucky data raises in torch, linear_operator, BoTorch, numpy and scipy. RuntimeError is torch's
# only kind; ValueError is what scipy and BoTorch raise for NaN.
_NUMERICAL = (
    ArithmeticError,
    BotorchError,
    NanError,
    NotPSDError,
    RuntimeError,
    ValueError,
    np.linalg.LinAlgError,
    MemoryError,
)


def suggest(request: Request) -> Reply:
    """Make ``request.count`` suggestions, each the best given the data, what is pending and the ones before it.

    Whatever fails in the model leads to quasi-random points that say why in ``fallback``.

    Raises:
        GenerationError: There is nothing to optimize for, or no point keeps the constraints.
    """
    with _settled(request.seed, len(request.observed), len(request.pending)):
        return or_sobol(request, _proposals, _NUMERICAL, versions)


@contextmanager
def _settled(*seed: int) -> Iterator[None]:
    """Warnings caught, torch's chance seeded, and both as before afterwards."""
    # Recorded, not only filtered: BoTorch sets filters of its own to have its warnings shown.
    with warnings.catch_warnings(record=True), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        torch.manual_seed(mixed(*seed))
        torch.set_num_threads(1)
        yield


def _proposals(request: Request, config: OptimizationConfig) -> Iterator[Proposal]:
    found = asked(request, config)
    fitted = model.fit(found.data)
    weight = weight_of(request, found.domain.whole)

    def built(pending: Floats, seed: int) -> tuple[Climber, str]:
        function, name = acquisition.build(fitted, found.data, found.target, pending, seed)
        if weight is None:
            return Climber(function), f"{model.NAME} + {name}"
        return Climber(Weighed(function, weight)), f"{model.NAME} + {name} x P(success)"

    return in_turn(request, found, built, lambda x: model.predict(fitted, found.data, x)[0])
