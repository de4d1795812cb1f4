"""BoTorch's acquisition functions, as the search wants them."""

from __future__ import annotations

import numpy as np
import torch
from botorch.acquisition import AcquisitionFunction
from botorch.generation.gen import gen_candidates_scipy
from torch import Tensor

from titrant.generators.axes import Floats
from titrant.generators.bo.model import tensor
from titrant.generators.gp.domain import Domain

_ITERATIONS = 60


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
