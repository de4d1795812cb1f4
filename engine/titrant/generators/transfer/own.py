"""The present problem's own data, in units that make sense before there are enough of them to tell."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace

from titrant.generators.axes import Floats
from titrant.generators.base import PredictionRequest, Request
from titrant.generators.encoding import encoding_of
from titrant.generators.gp.data import NOISE_FLOOR, Data, collect
from titrant.generators.transfer.source import Source
from titrant.model.objective import OptimizationConfig

# What sources say of mean and spread counts for so many trials.
_WORTH = 4.0
# Trials from which on the ratio of spreads is believed about by half: a metric may have another unit here.
_HALF = 4.0
# Of sources that hardly vary where trials were made no ratio is taken.
_LEAST_SPREAD = 0.05
# So few trials tell nothing of spreads.
_LEAST_TRIALS = 3


def own_data(request: Request | PredictionRequest, config: OptimizationConfig, sources: Sequence[Source]) -> Data:
    """What is known here, ``n`` points; one that says nothing, at a source's best place, where there are none."""
    data = collect(encoding_of(request.space, {}), config.metric_names, request.observed, partial=True)
    if not len(data):
        first = sources[0]
        z = first.data.z[list(first.order[:1])]
        nothing = np.full((1, len(data.metrics)), math.nan)
        data = replace(data, z=z, x=first.data.x[list(first.order[:1])], y=nothing, trials=())
        data = replace(data, variance=tuple(None for _ in data.metrics))
    units = [_unit(data, j, sources) for j in range(len(data.metrics))]
    shift, scale = np.array([one for one, _ in units]), np.array([one for _, one in units])
    raw = data.shift + data.scale * data.y
    return replace(
        data,
        y=(raw - shift) / scale,
        variance=tuple(
            None if one is None else np.maximum(one * (data.scale[j] / scale[j]) ** 2, NOISE_FLOOR)
            for j, one in enumerate(data.variance)
        ),
        shift=shift,
        scale=scale,
    )


def _unit(data: Data, j: int, sources: Sequence[Source]) -> tuple[float, float]:
    """Mean and spread of metric ``j``: those of the sources at first, those of the trials here in the end."""
    there = np.isfinite(data.y[:, j])
    y = data.shift[j] + data.scale[j] * data.y[there, j]
    told = [(source, process) for source in sources if (process := source.posteriors[j]) is not None]
    if not told:
        return float(data.shift[j]), float(data.scale[j])
    shift = float(np.mean([source.data.shift[j] for source, _ in told]))
    scale = math.exp(float(np.mean([math.log(source.data.scale[j]) for source, _ in told])))
    if not len(y):
        return shift, scale
    guesses: Floats = np.mean([process.at(data.x[there])[0][:, 0] for _, process in told], axis=0)
    count = len(y)
    if count >= _LEAST_TRIALS and guesses.std() > _LEAST_SPREAD and y.std() > 0:
        ratio = math.log(float(y.std() / (scale * guesses.std())))
        scale *= math.exp(ratio * count / (count + _HALF))
    centre = float(y.mean())
    expected = centre - scale * float(guesses.mean())  # what the mean over the space would be
    squares = _WORTH * scale**2 + float(((y - centre) ** 2).sum())
    spread = math.sqrt(squares / (_WORTH + max(0, count - 1)))
    return (_WORTH * expected + count * centre) / (_WORTH + count), spread
