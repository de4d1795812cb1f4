"""The expected hypervolume improvement, exact for objectives that are independent normal variables.

It is the sum, over the boxes that the front does not dominate, of products over the objectives; the parts of a product
are differences of expected improvements.  In logarithms, so that there is a way uphill where nothing is to be gained.

Sources: K. Yang, M. Emmerich et al., "Efficient computation of expected hypervolume improvement using box decomposition
algorithms", Journal of Global Optimization 75 (2019); S. Daulton, M. Balandat and E. Bakshy, "Parallel Bayesian
Optimization of Multiple Noisy Objectives with Expected Hypervolume Improvement", NeurIPS 2021 (noise); S. Ament et al.,
"Unexpected Improvements to Expected Improvement for Bayesian Optimization", NeurIPS 2023 (logarithms).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.gp.acquisition import Combination
from titrant.generators.gp.logs import log_density, log_improvement, log_probability

# Numbers in one array at most, so that memory stays bounded.
_MOST = 2_000_000


class VolumeGain:
    """The logarithm of the expected hypervolume improvement in each draw (a ``worth.Gain``).

    Objectives that have metrics in common are taken to be independent all the same.
    """

    def __init__(self, objectives: Sequence[Combination], boxes: Sequence[tuple[Floats, Floats]]) -> None:
        """Put the parts together.

        Args:
            objectives: What is to be large, ``k``.
            boxes: For each of ``s`` draws what its front does not dominate: lower and upper corners, ``c x k`` each.
        """
        self._objectives = tuple(objectives)
        most = max(len(low) for low, _ in boxes)
        # Filled up with empty boxes at infinity, where nothing is gained.
        shape = (len(boxes), most, len(self._objectives))
        self._low, self._high = np.full(shape, np.inf), np.full(shape, np.inf)
        for place, (low, high) in enumerate(boxes):
            self._low[place, : len(low)], self._high[place, : len(high)] = low, high
        self._filled = np.where(np.isfinite(self._low[:, :, 0]), 0.0, -np.inf)  # s x c, in logarithms

    def of_draws(self, points: Floats) -> Floats:
        """``b x w`` to ``b x s``."""
        found = [objective.at(points) for objective in self._objectives]
        mean = np.stack([one for one, _ in found], axis=-1)  # b x s x k
        sd = np.stack([one for _, one in found], axis=-1)  # b x k
        step = max(1, _MOST // self._low.size)
        parts = [self._gained(mean[i : i + step], sd[i : i + step]) for i in range(0, len(points), step)]
        return np.concatenate(parts)

    def _gained(self, mean: Floats, sd: Floats) -> Floats:
        """Means ``b x s x k`` and standard deviations ``b x k`` to ``b x s``."""
        total = self._filled[None]
        for j in range(mean.shape[-1]):
            total = total + self._between(mean[:, :, None, j], sd[:, None, None, j], j)[0]
        top = total.max(-1, keepdims=True)
        top = np.where(np.isfinite(top), top, 0.0)
        return np.asarray(np.log(np.exp(total - top).sum(-1)) + top[..., 0])

    def _between(self, mean: Floats, sd: Floats, j: int) -> tuple[Floats, Floats, Floats]:
        """The logarithm of what objective ``j`` is expected to have of each box, and how far each corner is, in SDs."""
        to_low, to_high = (mean - self._low[:, :, j]) / sd, (mean - self._high[:, :, j]) / sd
        whole, over = log_improvement(to_low), log_improvement(to_high)
        with np.errstate(all="ignore"):
            share = np.where(np.isfinite(to_high), -np.expm1(over - whole), 1.0)
            rest = np.where(np.isfinite(to_low), whole + np.log(share), 0.0)
        return rest + np.log(sd), to_low, to_high

    def slope(self, point: Floats) -> tuple[Floats, Floats]:
        """At one point ``w``: values ``s``, and gradients ``s x w``."""
        found = [objective.slope(point) for objective in self._objectives]
        parts = []
        total = self._filled
        for j, (mean, sd, _, _) in enumerate(found):
            parts.append(self._between(mean[:, None], np.asarray(sd), j))
            total = total + parts[-1][0]
        top = total.max(-1, keepdims=True)
        top = np.where(np.isfinite(top), top, 0.0)
        value = np.log(np.exp(total - top).sum(-1)) + top[:, 0]  # s
        share = np.exp(total - value[:, None])  # s x c
        change: Floats = np.zeros((len(value), len(point)))
        for (gained, to_low, to_high), (_, _, rise, widening) in zip(parts, found, strict=True):
            # d E(y - a)+ = Phi dmean + phi dsd, at both corners.
            by_mean = np.exp(log_probability(to_low) - gained) - np.exp(log_probability(to_high) - gained)
            by_sd = np.exp(log_density(to_low) - gained) - np.exp(log_density(to_high) - gained)
            counted = share > 0
            by_mean = (np.where(counted, by_mean, 0.0) * share).sum(1)
            by_sd = (np.where(counted, by_sd, 0.0) * share).sum(1)
            change += by_mean[:, None] * rise + by_sd[:, None] * widening
        return value, change
