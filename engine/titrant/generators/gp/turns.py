"""Several suggestions to one request: each is the best that is left, and pending for the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from titrant.generators.axes import Floats
from titrant.generators.base import Proposal, Request
from titrant.generators.gp.asked import Asked
from titrant.generators.gp.plate import Plate
from titrant.generators.gp.search import Function, Search, best_new
from titrant.generators.sampler import Key
from titrant.model.trial import Parameterization

Build = Callable[[Floats, int], tuple[Function, str]]
"""The function to maximize, given what is pending (``p x d``) and a seed, and the generator in words."""

Predict = Callable[[Floats], dict[str, tuple[float, float]]]
"""The prediction at one point, ``1 x d``: metric to mean and SEM."""

Otherwise = Callable[[Floats, int, float], tuple[Function, str] | None]
"""Given the same and the value that was found, what to maximize instead; None where that stands."""

Best = tuple[Floats, Parameterization, float]
"""A point as numbers ``f`` and as conditions, and its value."""


def in_turn(
    request: Request,
    found: Asked,
    build: Build,
    predict: Predict,
    otherwise: Otherwise | None = None,
    plate: Plate | None = None,
) -> Iterator[Proposal]:
    """Suggestions one after the other; ends early where no new point is left.

    Args:
        request: What is asked.
        found: What it means.
        build: What to maximize.
        predict: What the model says of a point.
        otherwise: Where to look once more.
        plate: Where the later of very many go; None where all are searched for.
    """

    def told(best: Best, words: str) -> Proposal:
        return proposed(request, best, words, predict(found.domain.to_model(best[0][None])))

    pending, avoid = found.pending, set(found.avoid)
    good: list[Floats] = [found.best]
    looked_at: list[Floats] = []
    number, words = 0, ""
    while number < request.count:
        if plate is not None and number == plate.searched:
            left = request.count - number
            for best in filled(found, plate, left, (pending, avoid), (good, looked_at)):
                yield told(best, f"{words}; {plate.name}")
                pending = np.concatenate([pending, found.domain.to_model(best[0][None])])
                number += 1
            plate = None  # were there too few, the rest is searched for after all
            continue
        function, words = build(pending, found.seed + number)
        search = Search(found.domain, function)
        search.run(found.best, number)
        best_found = search.best(avoid, np.concatenate([found.data.x, pending]))
        if best_found is None:
            return
        if otherwise is not None and (other := otherwise(pending, found.seed + number, best_found[2])) is not None:
            second = Search(found.domain, other[0])
            second.run(found.best[:0], number)  # they are what it turns away from
            instead = second.best(avoid, np.concatenate([found.data.x, pending]))
            best_found, words = (best_found, words) if instead is None else (instead, other[1])
        pending = np.concatenate([pending, found.domain.to_model(best_found[0][None])])
        avoid.add(found.domain.free.key(best_found[1]))
        good.append(best_found[0][None])
        looked_at.append(search.looked_at)
        number += 1
        yield told(best_found, words)


def proposed(request: Request, best: Best, words: str, predicted: dict[str, tuple[float, float]]) -> Proposal:
    """A suggestion of a model: a point, who found it, and what is expected there."""
    _, parameters, value = best
    return Proposal(
        parameters=parameters,
        node="bo",
        generator=words,
        position=request.position,
        predicted=predicted,
        acquisition_value=value,
    )


def filled(
    found: Asked,
    plate: Plate,
    count: int,
    taken: tuple[Floats, set[Key]],
    rows: tuple[Sequence[Floats], Sequence[Floats]],
) -> Iterator[Best]:
    """The wells of a plate that are not searched for; ends early where no new point is left.

    Args:
        found: What the request means; they are in its domain.
        plate: How it is filled.
        count: How many wells.
        taken: What is under way, the wells before among it, ``p x w``, and keys of what must not be suggested; these
            grow.
        rows: Good points, and those that searches looked at, ``n x f`` each.
    """
    (pending, avoid), domain = taken, found.domain
    pool = plate.pool(domain, np.concatenate(rows[0]), np.concatenate(rows[1]), avoid)
    if not len(pool):
        return
    for worth in plate.worths(domain.to_model(pool), count, found.seed):
        best = best_new(domain, pool, worth, avoid, np.concatenate([found.data.x, pending]))
        if best is None:
            return
        pending = np.concatenate([pending, domain.to_model(best[0][None])])
        avoid.add(domain.free.key(best[1]))
        yield best
