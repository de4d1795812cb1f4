"""Points inside a polytope: one in its middle, and uniform ones by a random walk.

Everything is in scaled coordinates: ``v`` in the unit box, ``A v <= b``, ``C v == d``. scipy's linear programs are
imported where one is solved, because the import takes longer than most answers.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from titrant.errors import GenerationError
from titrant.generators.axes import Floats

# Below this, in units of the box, a polytope has no width: it is what the linear programs are exact to.
_FLAT = 1e-7
# Slopes below this are noise of the arithmetic.
_LEVEL = 1e-12
_PILOT_CHAINS = 128


class Polytope:
    """``{v in [0, 1]^k : A v <= b, C v == d}``.

    Attributes:
        a, b: Inequalities, ``m x k`` and ``m``.
        c, d: Equalities, ``e x k`` and ``e``.
        names: What the constraints are called, for messages.
    """

    def __init__(self, a: Floats, b: Floats, c: Floats, d: Floats, names: tuple[str, ...]) -> None:
        self.names = names
        self._k = a.shape[1]
        eye = np.eye(self._k)
        # The box's sides are inequalities like the others.
        self._g = np.concatenate([a, eye, -eye])  # (m + 2k) x k
        self._h = np.concatenate([b, np.ones(self._k), np.zeros(self._k)])
        self._c, self._d = c, d

    @cached_property
    def centre(self) -> Floats:
        """The centre of a largest ball within, the one nearest to the box's centre: ``k``.

        Raises:
            GenerationError: Nothing keeps the constraints.
        """
        norms = self._norms()
        if not self._flatten(norms):
            norms = self._norms()
        radius = self._solve(self._g, norms, self._h, np.r_[np.zeros(self._k), -1.0])[-1]
        # Of all points with that much room, but for rounding, the one nearest to the middle: in the greatest distance
        # of a coordinate and in their sum, so that none is left to chance. The further variables are these distances.
        eye, k = np.eye(self._k), self._k
        room = self._h - max(0.0, (1 - 1e-6) * radius) * norms
        near = np.concatenate([self._g, eye, -eye, np.zeros((k, k))])
        middle = np.r_[room, np.full(k, 0.5), np.full(k, -0.5), np.zeros(k)]
        distance = np.zeros((len(near), k + 1))
        distance[-3 * k :, :k] = np.concatenate([-eye, -eye, eye])
        distance[-k:, k] = -1.0
        v = self._solve(near, distance, middle, np.r_[np.zeros(k), np.ones(k), float(k)])[:k]
        if len(self._c):  # linear programs are exact to 1e-7, equalities must be to 1e-8
            v -= np.linalg.lstsq(self._c, self._c @ v - self._d, rcond=None)[0]
        return v

    def _norms(self) -> Floats:
        """Length of each inequality's normal within the plane of the equalities, ``m + 2k``."""
        norms: Floats = np.linalg.norm(self._g @ self._plane(), axis=1)
        return norms

    def _plane(self) -> Floats:
        """An orthonormal basis of the directions that the equalities leave: ``k x p``."""
        if not len(self._c):
            return np.eye(self._k)
        _, singular, right = np.linalg.svd(self._c)
        rank = int((singular > 1e-10 * max(1.0, float(singular[0]))).sum())
        return right[rank:].T

    def _flatten(self, norms: Floats) -> bool:
        """Turn inequalities that can only hold as equalities into such; False if there was one."""
        radius = self._solve(self._g, norms, self._h, np.r_[np.zeros(self._k), -1.0])[-1]
        if radius > _FLAT or not self._plane().shape[1]:
            return True
        tight = []
        for row, bound in zip(self._g, self._h, strict=True):
            least = self._solve(self._g, None, self._h, row) @ row
            tight.append(bound - least <= _FLAT)
        self._c = np.concatenate([self._c, self._g[tight]])
        self._d = np.concatenate([self._d, self._h[tight]])
        return False

    def _solve(self, g: Floats, extra: Floats | None, h: Floats, cost: Floats) -> Floats:
        """Minimize ``cost`` subject to ``[g extra] x <= h`` and the equalities.

        The further variables are distances within the box, and so lie between 0 and 1.
        """
        # Half a second; typed only where scipy-stubs is installed.
        from scipy.optimize import linprog  # type: ignore[import-untyped,unused-ignore]  # noqa: PLC0415

        columns = np.empty((len(g), 0)) if extra is None else extra.reshape(len(g), -1)
        width = columns.shape[1]
        equal = np.concatenate([self._c, np.zeros((len(self._c), width))], axis=1) if len(self._c) else None
        answer = linprog(
            cost,
            A_ub=np.concatenate([g, columns], axis=1),
            b_ub=h,
            A_eq=equal,
            b_eq=self._d if len(self._c) else None,
            bounds=[(None, None)] * self._k + [(0, 1)] * width,
        )
        if answer.x is None or answer.status != 0:
            raise GenerationError(
                f"no point of the search space keeps all its constraints ({'; '.join(self.names)}): relax one of them"
            )
        return np.asarray(answer.x, dtype=np.float64)

    @cached_property
    def _walk_space(self) -> tuple[Floats, Floats]:
        """Where walks start and in which directions they go, scaled so that the polytope is about round.

        Returns:
            ``k`` and ``k x p``.
        """
        start = self.centre
        basis = self._plane()
        rng = np.random.default_rng(0)  # of the space, not of the experiment: the same for every seed
        for _ in range(2 if basis.shape[1] else 0):
            steps = 20 + 4 * basis.shape[1]
            normals = rng.standard_normal((steps, _PILOT_CHAINS, basis.shape[1]))
            ends = self._walk(start, basis, normals, rng.random((steps, _PILOT_CHAINS)))  # chains x p
            spread = np.cov(ends.T).reshape(basis.shape[1], -1)
            spread += 1e-12 * np.trace(spread) * np.eye(len(spread)) + 1e-300 * np.eye(len(spread))
            basis = basis @ np.linalg.cholesky(spread)
        return start, basis

    def sample(self, rngs: list[np.random.Generator]) -> Floats:
        """One point for each source of chance, by hit-and-run: ``n x k``, each distributed about uniformly.

        Source: R. L. Smith, "Efficient Monte Carlo procedures for generating points uniformly distributed over
        bounded regions", Operations Research 32 (1984). Each point is the end of a walk of its own, so that it
        depends on nothing but its own source of chance.
        """
        start, basis = self._walk_space
        dimension = basis.shape[1]
        if not dimension:
            return np.tile(start, (len(rngs), 1))
        steps = 32 + 8 * dimension
        normals = np.stack([rng.standard_normal((steps, dimension)) for rng in rngs], axis=1)
        places = np.stack([rng.random(steps) for rng in rngs], axis=1)
        return np.clip(start + self._walk(start, basis, normals, places) @ basis.T, 0.0, 1.0)

    def _walk(self, start: Floats, basis: Floats, normals: Floats, places: Floats) -> Floats:
        """Hit-and-run in the coordinates of ``basis``.

        Args:
            start: ``k``.
            basis: ``k x p``.
            normals: Directions, ``steps x n x p``.
            places: Where on the chord each step ends, ``steps x n``.

        Returns:
            ``n x p``.
        """
        slope = self._g @ basis  # (m + 2k) x p
        room = self._h - self._g @ start
        y = np.zeros(normals.shape[1:])  # n x p
        for direction, place in zip(normals, places, strict=True):
            rate = direction @ slope.T  # n x (m + 2k)
            left = np.maximum(room - y @ slope.T, 0.0)
            with np.errstate(all="ignore"):  # walls that a direction is level with count for nothing
                reach = left / rate
            forward = np.where(rate > _LEVEL, reach, np.inf).min(1)
            back = np.where(rate < -_LEVEL, reach, -np.inf).max(1)
            chord = forward - back
            ended = np.isfinite(chord)  # a direction that no wall is met in leads nowhere
            step = np.zeros(len(chord))
            step[ended] = back[ended] + place[ended] * chord[ended]
            y += step[:, None] * direction
        return y
