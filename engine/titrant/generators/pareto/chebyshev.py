"""The expected improvement of a scalarization: the least of the objectives, each measured along one direction.

For independent normal objectives the probability that the least of them exceeds a value is a product, and the expected
improvement its integral from the best value on; no draws of the objectives are needed.  Averaged over all directions
the improvement, to the power of the number of objectives, is one of the hypervolume: so a random direction for each
suggestion fills the front.

Sources: J. Knowles, "ParEGO", IEEE Transactions on Evolutionary Computation 10 (2006); R. Zhang and D. Golovin, "Random
Hypervolume Scalarizations for Provable Multi-Objective Black Box Optimization", ICML 2020.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.gp.acquisition import Combination
from titrant.generators.gp.logs import log_density, log_probability

# Nodes and weights on [0, 1]: the integrand falls off smoothly.
_NODES, _WEIGHTS = (0.5 * part for part in np.polynomial.legendre.leggauss(24))
_NODES = _NODES + 0.5
_MOST = 2_000_000


class LeastGain:
    """The logarithm of what the least objective is expected to gain in each draw (a ``worth.Gain``)."""

    def __init__(self, objectives: Sequence[Combination], reference: Floats, direction: Floats, best: Floats) -> None:
        """Put the parts together.

        Args:
            objectives: What is to be large, ``k``.
            reference: Where the direction begins, ``k``.
            direction: Positive, ``k``: an objective's value is ``(y - reference) / direction``.
            best: The least objective's value to be improved on in each of ``s`` draws.
        """
        self._objectives = tuple(objectives)
        self._reference, self._direction, self._best = reference, direction, best

    def of_draws(self, points: Floats) -> Floats:
        """``b x w`` to ``b x s``."""
        found = [objective.at(points) for objective in self._objectives]
        mean = np.stack([one for one, _ in found], axis=-1)  # b x s x k
        sd = np.stack([one for _, one in found], axis=-1)[:, None]  # b x 1 x k
        step = max(1, _MOST // (mean.shape[1] * mean.shape[2] * len(_NODES)))
        parts = [self._gained(mean[i : i + step], sd[i : i + step])[0] for i in range(0, len(points), step)]
        return np.concatenate(parts)

    def _gained(self, mean: Floats, sd: Floats) -> tuple[Floats, Floats, Floats]:
        """The values ``...``, each node's share of them, and how far it is in SDs: ``... x nodes`` and ``... x k``."""
        unit = sd / self._direction
        over = ((mean - self._reference) / self._direction - self._best[:, None]) / unit  # ... x k
        # Beyond this the integrand is a negligible share of what it is at its beginning.
        far = np.minimum(np.maximum(over, 0.0) + 8.0, 40.0 / np.maximum(1.0, -over)) * unit
        reach = far.min(-1)[..., None]  # ... x 1
        steps = (reach * _NODES)[..., None]  # ... x nodes x 1
        distance = over[..., None, :] - steps / unit[..., None, :]  # ... x nodes x k
        heights = log_probability(distance).sum(-1) + np.log(_WEIGHTS) + np.log(reach)
        top = heights.max(-1, keepdims=True)
        value = np.log(np.exp(heights - top).sum(-1)) + top[..., 0]
        return value, np.exp(heights - value[..., None]), distance

    def slope(self, point: Floats) -> tuple[Floats, Floats]:
        """At one point ``w``: values ``s``, and gradients ``s x w``."""
        found = [objective.slope(point) for objective in self._objectives]
        mean = np.stack([one for one, _, _, _ in found], axis=-1)  # s x k
        sd = np.array([one for _, one, _, _ in found])[None]  # 1 x k
        value, share, distance = self._gained(mean, sd)
        change: Floats = np.zeros((len(value), len(point)))
        for j, (_, spread, rise, widening) in enumerate(found):
            u = distance[..., j]  # s x nodes: (mean - level) / sd
            steepness = share * np.exp(log_density(u) - log_probability(u)) / spread
            change += steepness.sum(1)[:, None] * rise - (steepness * u).sum(1)[:, None] * widening
        return value, change
