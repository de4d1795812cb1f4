"""Known points as they would be under the present circumstances: what a suggestion there has to surpass."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.base import Request
from titrant.generators.encoding import Encoding

Here = Callable[[Floats], Floats]
"""Columns of points, ``n x w``, to those of the same points under the present circumstances."""


def here(request: Request, whole: Encoding) -> Here | None:
    """How points are moved to the context that a request holds; None where it has no context.

    Outcomes of other circumstances are not to be surpassed here: a yield of a hot day says nothing of whether a cold
    day's best has been found.

    Args:
        request: What is asked.
        whole: Encoding of its space.
    """
    held = [
        (part, axis.to_model(np.array([axis.number(request.fixed[axis.name])]))[0])
        for axis, part in zip(whole.axes, whole.slices, strict=True)
        if axis.name in request.fixed and axis.name in request.space.having("context")
    ]

    def moved(x: Floats) -> Floats:
        x = x.copy()
        for part, columns in held:
            x[:, part] = columns
        return x

    return moved if held else None
