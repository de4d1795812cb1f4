"""BoTorch's acquisition functions, as the search wants them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from botorch.acquisition import AcquisitionFunction
from botorch.generation.gen import gen_candidates_scipy
from torch import Tensor

from titrant.generators.axes import Floats
from titrant.generators.bo.model import tensor
from titrant.generators.failures.weighed import Weight
from titrant.generators.gp.domain import Domain

_ITERATIONS = 60


class Weighed(AcquisitionFunction):  # type: ignore[misc,unused-ignore]  # BoTorch has no types here
    """An acquisition function, a logarithm, and the weight of the chance that there is a result at all."""

    def __init__(self, function: AcquisitionFunction, weight: Weight) -> None:
        super().__init__(model=function.model)
        self.function, self.weight = function, weight

    def forward(self, X: Tensor) -> Tensor:  # noqa: N803 - BoTorch's signature
        """``b x 1 x w`` to ``b``."""
        found: Tensor = self.function(X) + _Lifted.apply(X[:, 0], self.weight)  # type: ignore[no-untyped-call]
        return found


class _Lifted(torch.autograd.Function):
    """A weight in numpy as torch sees it, with its gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Weight) -> Tensor:
        """``b x w`` to ``b``."""
        ctx.x, ctx.weight = x.detach().numpy(), weight
        return tensor(weight.values(ctx.x))

    @staticmethod
    def backward(ctx: Any, *changes: Tensor) -> tuple[Tensor, None]:
        """Gradients of the values, ``b``, to those of the points, ``b x w``."""
        slopes = np.array([ctx.weight.value_and_slope(row)[1] for row in ctx.x])
        return changes[0][:, None] * tensor(slopes), None


class Climber:
    """An acquisition function over arrays (``gp.search.Function``)."""

    def __init__(self, function: AcquisitionFunction) -> None:
        self._function = function

    def values(self, points: Floats) -> Floats:
        """``b x w`` to ``b``."""
        with torch.no_grad():
            values: Floats = self._function(tensor(points)[:, None]).numpy()
        return values

    def climbed(self, points: Floats, domain: Domain) -> Floats:
        """Where gradients lead from each of ``s x w`` within the domain's planes and relaxed columns: ``s x w``."""
        x = tensor(points)[:, None]  # s x 1 x w
        at_least, equal = domain.planes()
        # Without constraints all starts are climbed in one batch; SLSQP takes one problem at a time.
        groups = torch.split(x, 1) if at_least or equal else (x,)
        parts = [
            gen_candidates_scipy(
                part,
                self._function,
                lower_bounds=0.0,
                upper_bounds=1.0,
                inequality_constraints=[(torch.as_tensor(p), tensor(w), b) for p, w, b in at_least] or None,
                equality_constraints=[(torch.as_tensor(p), tensor(w), b) for p, w, b in equal] or None,
                fixed_features={int(j): _held(part[:, 0, j]) for j in np.flatnonzero(~domain.relaxed)} or None,
                options={"maxiter": _ITERATIONS},
            )[0]
            for part in groups
        ]
        found: Floats = torch.cat(parts)[:, 0].detach().numpy()  # s x w
        return found


def _held(values: Tensor) -> Tensor | float:
    """Values of one column for each start, ``s``; a plain number where there is one start."""
    return float(values[0]) if len(values) == 1 else values
