"""Constraints that are not linear, over rows of numbers: formulas in arrays, functions row by row."""

from __future__ import annotations

import hashlib
import inspect
import math
from collections.abc import Callable, Iterable
from functools import cached_property, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from titrant.errors import GenerationError
from titrant.generators.axes import Floats
from titrant.generators.calls import CALLS
from titrant.model import formulas
from titrant.model.restrictions import Formula, Function
from titrant.model.space import SearchSpace
from titrant.model.trial import Parameterization

if TYPE_CHECKING:
    from titrant.generators.encoding import Encoding, Mask

# Answers of functions that are kept, so that none is asked twice about a point.
_KEPT = 20_000
# Points by which the margins of constraints are compared with each other, and towards which searches go.
_ANCHORS = 64
# A local search: rounds, points in each, and how far it goes at first, in parts of the space.
_ROUNDS = 30
_CANDIDATES = 16
_RADIUS = 0.5
# Random steps from the first point found, so that not all points lie on the rim.
_STEPS = 8


class Nonlinear:
    """The formulas and functions of a space, and the search for points that keep them.

    Attributes:
        searches: How many searches this process has begun, of all spaces, for those who limit them.
    """

    searches: ClassVar[int] = 0

    def __init__(self, encoding: Encoding, restrictions: Iterable[Formula | Function]) -> None:
        self._encoding = encoding
        self._places = {axis.name: j for j, axis in enumerate(encoding.axes)}
        self._restrictions = tuple(
            one
            for one in restrictions
            # What names a parameter that is not there, since it means nothing here, does not count.
            if all(name in self._places or name in encoding.fixed for name in one.names)
        )
        self._known: dict[bytes, Floats] = {}

    def holds(self, z: Floats) -> Mask:
        """True for each row that keeps all of them: ``n x d`` to ``n``."""
        return np.asarray((self.margins(z) >= 0).all(1))

    def margins(self, z: Floats) -> Floats:
        """By how much each is kept, negative where it is not, minus infinity where it has no value: ``n x r``."""
        found = np.empty((len(z), len(self._restrictions)))
        for k, one in enumerate(self._restrictions):
            found[:, k] = self._formula(one, z) if isinstance(one, Formula) else self.asked(one, z)
        return np.where(np.isnan(found), -np.inf, found)

    def _formula(self, one: Formula, z: Floats) -> Floats:
        values: dict[str, Any] = {
            name: z[:, self._places[name]] if name in self._places else float(self._encoding.fixed[name])
            for name in one.names
        }
        with np.errstate(all="ignore"):
            left = formulas.evaluate(one.parsed.left, values, CALLS)
            right = formulas.evaluate(one.parsed.right, values, CALLS)
            over = left - right if one.parsed.relation == ">=" else right - left
        return np.broadcast_to(np.asarray(over, dtype=np.float64), (len(z),))

    def asked(self, one: Function, z: Floats) -> Floats:
        """What a function says of each row, True as 1 and False as -1: ``n x d`` to ``n``."""
        function = resolved(one.text)
        found = np.empty(len(z))
        for i, row in enumerate(z):
            key = one.text.encode() + row.tobytes()
            if key not in self._known:
                if len(self._known) > _KEPT:
                    self._known.clear()
                self._known[key] = np.array(_answer(one.text, function, self._encoding.parameters(row)))
            found[i] = self._known[key]
        return found

    @cached_property
    def anchors(self) -> Floats:
        """Points that keep everything else, all over the space: ``a x d``."""
        from titrant.generators.sampler import Sampler  # noqa: PLC0415 - which is made of this

        # Of a fixed seed: what is found must not change with chance.
        z, fits = Sampler(self._encoding, 0).block(0, 4 * _ANCHORS)
        return z[fits][:_ANCHORS]

    @cached_property
    def _scales(self) -> Floats:
        """How large the margin of each usually is: ``r``."""
        margins = np.abs(self.margins(self.anchors))
        margins[~np.isfinite(margins)] = np.nan
        with np.errstate(all="ignore"):
            usual = np.array([np.nanmedian(column) if np.isfinite(column).any() else 1.0 for column in margins.T])
        return np.where(usual > 0, usual, 1.0)

    def _missed(self, z: Floats) -> Floats:
        """How far rows are from keeping them, 0 where they do: ``n``."""
        return np.asarray(np.clip(-self.margins(z) / self._scales, 0.0, 1e6).sum(1))

    def mend(self, z: Floats, rng: np.random.Generator, *, inside: bool = False) -> Floats | None:
        """A point near ``z``, ``d``, that keeps everything; None where a local search finds none.

        Args:
            z: A point that keeps everything else.
            rng: Where the search tries.
            inside: Whether to go on from the first point found, by random steps; those found lie on the rim.
        """
        Nonlinear.searches += 1
        best, missed = z, float(self._missed(z[None])[0])
        radius = _RADIUS
        for _ in range(_ROUNDS):
            if missed == 0:
                break
            tried = self._near(best, radius, rng)
            found = self._missed(tried) if len(tried) else np.array([np.inf])
            place = int(found.argmin())
            if found[place] < missed:
                best, missed, radius = tried[place], float(found[place]), min(1.0, 1.3 * radius)
            else:
                radius *= 0.6
        if missed > 0:
            return None
        for _ in range(_STEPS if inside else 0):
            tried = self._near(best, 1.0, rng)
            tried = tried[self.holds(tried)] if len(tried) else tried
            if len(tried):
                best = tried[int(rng.integers(len(tried)))]
        return best

    def _near(self, z: Floats, radius: float, rng: np.random.Generator) -> Floats:
        """Points around ``z``, ``d``, that keep everything else: ``n x d``.

        Half of them towards or away from other such points, which keeps planes; half of them by steps on a few axes.
        """
        encoding = self._encoding
        anchors = self.anchors[rng.integers(len(self.anchors), size=_CANDIDATES // 2)] if len(self.anchors) else z[None]
        towards = z + rng.uniform(-radius, radius, size=(len(anchors), 1)) * (anchors - z)
        moved = rng.random((_CANDIDATES // 2, len(z))) < min(1.0, 2.0 / max(1, len(z)) + 0.2)
        steps = radius * rng.standard_normal(moved.shape) * (encoding.high - encoding.low) / 2
        tried = np.clip(np.concatenate([towards, z + moved * steps]), encoding.low, encoding.high)
        tried = encoding.snap(tried)
        return np.asarray(tried[encoding.system.holds(tried)])


def _answer(reference: str, function: Callable[..., Any], parameters: Parameterization) -> float:
    """What a function says of a point, True as 1 and False as -1."""
    try:
        said = function(dict(parameters))
        if isinstance(said, bool | np.bool_):
            return 1.0 if said else -1.0
        number = float(said)
    except Exception as error:
        raise GenerationError(
            f"constraint function {reference!r} raised {type(error).__name__}: {error}, at {parameters!r}: it must "
            "return True or a number that is not negative where that is allowed, and never raise"
        ) from error
    return -math.inf if math.isnan(number) else number


def functions_allow(space: SearchSpace, parameters: Parameterization) -> bool:
    """Whether all functions among a space's constraints allow a point.

    Raises:
        GenerationError: One cannot be imported, or raises.
    """
    functions = [one.text for one in space.restrictions or () if isinstance(one, Function)]
    return all(_answer(text, resolved(text), parameters) >= 0 for text in functions)


@lru_cache(maxsize=64)
def resolved(reference: str) -> Callable[..., Any]:
    """The function that is meant by ``"module:function"``.

    Raises:
        GenerationError: It cannot be imported here; the message says why and what to do.
    """
    module, _, name = reference.partition(":")
    try:
        found: Any = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except Exception as error:
        raise GenerationError(
            f"constraint function {reference!r} cannot be imported in the generator's process: "
            f"{type(error).__name__}: {error}; put its module where Python finds it (PYTHONPATH)"
        ) from error
    if not callable(found):
        raise GenerationError(
            f"constraint function {reference!r} is {found!r}, which cannot be called: name a function"
        )
    return found  # type: ignore[no-any-return]


def versions(space: SearchSpace) -> dict[str, str]:
    """For each function among the constraints the digest of its source, so that a changed one is noticed."""
    found = {}
    for one in space.restrictions or ():
        if isinstance(one, Function):
            try:
                source = inspect.getsource(resolved(one.text)).encode()
            except (OSError, TypeError):  # in no file, as what is built in
                source = b""
            found[one.text] = f"source {hashlib.sha256(source).hexdigest()[:12]}"
    return found
