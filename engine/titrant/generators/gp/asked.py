"""What a request means to a model, whichever it is, and the way out where the numbers fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from titrant.errors import ConfigurationError, GenerationError
from titrant.generators import sobol
from titrant.generators.axes import Floats
from titrant.generators.base import PredictionRequest, Proposal, Reply, Request
from titrant.generators.encoding import encoding_of
from titrant.generators.gp.data import Data, collect, columns
from titrant.generators.gp.domain import Domain
from titrant.generators.gp.goal import Goal, goal
from titrant.generators.gp.pooled import domain_of
from titrant.generators.sampler import Key
from titrant.model.objective import OptimizationConfig

# One point has no variance to standardize by.
_LEAST_POINTS = 2
# Observed points that the search looks around.
_BEST = 3


class TooFewError(Exception):
    """There are not enough data for a model."""


class Asked(msgspec.Struct, frozen=True):
    """What a request means to a model.

    Attributes:
        data: What is known.
        target: What is sought.
        domain: Where to look.
        pending: Points under way, ``p x w``.
        best: The most promising known points, within the domain: ``b x f``.
        avoid: Keys of what must not be suggested; none but in a finite space.
        seed: Of all that is random; another one whenever something has changed.
    """

    data: Data
    target: Goal
    domain: Domain
    pending: Floats
    best: Floats
    avoid: frozenset[Key]
    seed: int


def asked(request: Request, config: OptimizationConfig, *, partial: bool = False) -> Asked:
    """Read a request.

    Args:
        request: What is asked.
        config: What is sought.
        partial: Whether trials count that lack some of the metrics.

    Raises:
        ConfigurationError: What is sought cannot be put into numbers.
        GenerationError: What is held fixed does not fit the space, or nothing keeps the constraints.
        TooFewError: There are not enough data.
    """
    data = data_of(request, config, partial=partial)
    target = goal(config, data)
    seed = mixed(request.seed, len(request.observed), len(request.pending))
    dear = request.method == "quality" or config.is_multi_objective
    domain = domain_of(request.space, request.fixed, seed, len(data), dear=dear)
    return Asked(
        data=data,
        target=target,
        domain=domain,
        pending=columns(domain.whole, request.pending),
        best=domain.held(data.z[_best(target, data)]),
        avoid=to_avoid(request, domain),
        seed=seed,
    )


def data_of(request: Request | PredictionRequest, config: OptimizationConfig, *, partial: bool = False) -> Data:
    """What is known of the metrics that matter.

    Args:
        request: What is asked.
        config: What is sought.
        partial: Whether trials count that lack some of the metrics; two must have them all even so.

    Raises:
        TooFewError: There are not enough data.
    """
    data = collect(encoding_of(request.space, {}), config.metric_names, request.observed, partial=partial)
    whole = int(data.whole.sum())
    if whole < _LEAST_POINTS:
        needed = ", ".join(config.metric_names)
        raise TooFewError(f"{whole} trials have finite data of {needed}, and a model needs {_LEAST_POINTS}")
    return data


def rows_of(request: PredictionRequest) -> Floats:
    """The points at which to predict, ``n x d``.

    Raises:
        GenerationError: One of them has no place in the search space.
    """
    encoding = encoding_of(request.space, {})
    rows = [encoding.numbers(point) for point in request.points]
    for point, row in zip(request.points, rows, strict=True):
        if row is None:
            raise GenerationError(f"no prediction at {point!r}: it does not fit the search space")
    return np.array(rows, dtype=np.float64).reshape(len(rows), encoding.dimension)


def mixed(*seed: int) -> int:
    """One seed of 31 bits from several."""
    return int(np.random.SeedSequence(seed).generate_state(1)[0] >> 1)


def to_avoid(request: Request, domain: Domain) -> frozenset[Key]:
    """Keys of what was tried or is under way; none but in a finite space."""
    if domain.free.size is None:
        return frozenset()
    key = domain.free.key
    return sobol.avoided(request, key) | {key(point.parameters) for point in request.observed}


def _best(target: Goal, data: Data) -> npt.NDArray[np.intp]:
    """Places of the most promising observed points: the feasible ones with the best sum of objectives first."""
    worth = target.values(data.y).sum(1)
    return np.lexsort((-worth, ~target.feasible(data.y)))[:_BEST].astype(np.intp)


def or_sobol(
    request: Request,
    make: Callable[[Request, OptimizationConfig], Iterator[Proposal]],
    numerical: Sequence[type[Exception]],
    versions: Callable[[], dict[str, str]],
) -> Reply:
    """What a model suggests; quasi-random points, which say why in ``fallback``, where it fails or stops early.

    Args:
        request: What is asked.
        make: Suggestions one after the other.
        numerical: What arithmetic on unlucky data raises there.
        versions: What the model's numbers may depend on.

    Raises:
        GenerationError: There is nothing to optimize for, or no point keeps the constraints.
    """
    if request.optimization is None:
        raise GenerationError("Bayesian optimization needs an objective: configure the optimization first")
    proposals: list[Proposal] = []
    try:
        for proposal in make(request, request.optimization):
            proposals.append(proposal)
    except (ConfigurationError, TooFewError) as error:
        reason: str | None = str(error)
    except tuple(numerical) as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    else:
        reason = None
    if len(proposals) == request.count:
        return Reply(proposals=tuple(proposals), versions=versions())
    made = tuple(proposal.parameters for proposal in proposals)
    tried = tuple(point.parameters for point in request.observed)
    rest = sobol.suggest(
        replace(request, count=request.count - len(made), taken=(*request.taken, *tried, *made)),
        fallback=f"Bayesian optimization stood back: {reason or 'it found no new point'}",
    )
    return replace(
        rest,
        proposals=(*proposals, *rest.proposals),
        short_reason=sobol.short_reason(request, len(proposals) + len(rest.proposals)),
        versions=versions(),
    )
