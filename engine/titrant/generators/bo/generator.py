"""The Bayesian optimization node: fit, search, and stand back for Sobol points where the numbers fail."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch
from botorch.exceptions.errors import BotorchError
from linear_operator.utils.errors import NanError, NotPSDError
from msgspec.structs import replace

from titrant.errors import ConfigurationError, GenerationError
from titrant.generators import sobol
from titrant.generators.base import PredictionReply, PredictionRequest, Proposal, Reply, Request
from titrant.generators.bo import acquisition, model, versions
from titrant.generators.bo.data import Data, collect
from titrant.generators.bo.domain import Domain
from titrant.generators.bo.search import Search
from titrant.generators.encoding import encoding_of
from titrant.model.objective import OptimizationConfig

# One point has no variance to standardize by.
_LEAST_POINTS = 2
# Observed points that the search looks around.
_BEST = 3

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
    if request.optimization is None:
        raise GenerationError("Bayesian optimization needs an objective: configure the optimization first")
    proposals: list[Proposal] = []
    with _settled(request.seed, len(request.observed), len(request.pending)):
        try:
            for proposal in _proposals(request, request.optimization):
                proposals.append(proposal)
        except ConfigurationError as error:
            reason: str | None = str(error)
        except _NUMERICAL as error:
            reason = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        except _TooFewError as error:
            reason = str(error)
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


class _TooFewError(Exception):
    """There are not enough data for a model."""


@contextmanager
def _settled(*seed: int) -> Iterator[None]:
    """Warnings caught, torch's chance seeded, and both as before afterwards."""
    # Recorded, not only filtered: BoTorch sets filters of its own to have its warnings shown.
    with warnings.catch_warnings(record=True), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        torch.manual_seed(_mixed(*seed))
        torch.set_num_threads(1)
        yield


def _mixed(*seed: int) -> int:
    """One seed of 31 bits from several."""
    return int(np.random.SeedSequence(seed).generate_state(1)[0] >> 1)


def _proposals(request: Request, config: OptimizationConfig) -> Iterator[Proposal]:
    """Suggestions one after the other, each pending for the next; ends early where no new point is left."""
    data = _data(request, config)
    fitted = model.fit(data)
    target = acquisition.goal(config, data)
    seed = _mixed(request.seed, len(request.observed), len(request.pending))
    domain = Domain(request.space, request.fixed, seed)
    avoid = set(sobol.avoided(request))
    avoid |= {request.space.signature(point.parameters) for point in request.observed}
    numbers = [domain.whole.numbers(point.parameters) for point in request.pending]
    rows = [row for row in numbers if row is not None]
    pending = domain.whole.to_model(np.array(rows).reshape(len(rows), domain.whole.dimension))  # p x w
    best = domain.held(data.z[_best(target, data)])
    for number in range(request.count):
        function, name = acquisition.build(fitted, data, target, pending, seed + number)
        search = Search(domain, function)
        search.run(best, number)
        found = search.best(avoid)
        if found is None:
            return
        z, parameters, value = found
        x = domain.to_model(z[None])
        pending = np.concatenate([pending, x])
        avoid.add(request.space.signature(parameters))
        yield Proposal(
            parameters=parameters,
            node="bo",
            generator=f"{model.NAME} + {name}",
            position=request.position,
            predicted=model.predict(fitted, data, x)[0],
            acquisition_value=value,
        )


def _data(request: Request | PredictionRequest, config: OptimizationConfig) -> Data:
    data = collect(encoding_of(request.space, {}), config.metric_names, request.observed)
    if len(data) < _LEAST_POINTS:
        needed = ", ".join(config.metric_names)
        raise _TooFewError(f"{len(data)} trials have finite data of {needed}, and a model needs {_LEAST_POINTS}")
    return data


def _best(target: acquisition.Goal, data: Data) -> npt.NDArray[np.intp]:
    """Places of the most promising observed points: the feasible ones with the best sum of objectives first."""
    worth = target.values(data.y).sum(1)
    return np.lexsort((-worth, ~target.feasible(data.y)))[:_BEST].astype(np.intp)


def predict(request: PredictionRequest) -> PredictionReply:
    """Fit a model to ``request.observed`` and predict at ``request.points``.

    Raises:
        GenerationError: There are too few data, a point has no place in the search space, or the numbers fail.
    """
    encoding = encoding_of(request.space, {})
    rows = [encoding.numbers(point) for point in request.points]
    lost: Sequence[int] = [i for i, row in enumerate(rows) if row is None]
    if lost:
        raise GenerationError(f"no prediction at {request.points[lost[0]]!r}: it does not fit the search space")
    z = np.array(rows, dtype=np.float64).reshape(len(rows), encoding.dimension)
    with _settled(request.seed):
        try:
            data = _data(request, request.optimization)
            predictions = model.predict(model.fit(data), data, encoding.to_model(z))
        except _TooFewError as error:
            raise GenerationError(f"no prediction: {error}") from error
        except _NUMERICAL as error:
            raise GenerationError(f"no prediction, the model failed: {type(error).__name__}: {error}") from error
    return PredictionReply(predictions=tuple(predictions), generator=model.NAME)
