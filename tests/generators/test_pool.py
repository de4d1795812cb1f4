"""Suggestions out of a candidate set."""

import numpy as np
import pytest

from titrant.generators import centre, dispatch
from titrant.generators.base import Design, Point, Request
from titrant.generators.external import settled
from titrant.generators.pool import PoolSampler
from titrant.generators.sampler import sampler_of
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.space import ChoiceParameterConfig, RangeParameterConfig, search_space

RNG = np.random.default_rng(0)
ROWS = [{"x": float(x), "y": float(y), "s": "abc"[i % 3]} for i, (x, y) in enumerate(RNG.random((3000, 2)))]
PARAMETERS = [
    RangeParameterConfig("x", (0, 1)),
    RangeParameterConfig("y", (0, 1)),
    ChoiceParameterConfig("s", ["a", "b", "c"]),
]
SPACE = search_space(PARAMETERS, candidates=ROWS)
FEW = search_space(PARAMETERS, candidates=ROWS[:7])


def worth(point):
    return -((point["x"] - 0.3) ** 2) - (point["y"] - 0.6) ** 2 - 0.1 * (point["s"] != "b")


def measured(points):
    return tuple(
        Point(trial=i, parameters=point, observations=(Observation("w", worth(point)),))
        for i, point in enumerate(points)
    )


def asked(**changes):
    return Request(**{"space": SPACE, "seed": 3} | changes)


@pytest.mark.parametrize("node", ["sobol", "random", "latin_hypercube"])
def test_designs_consist_of_candidates_that_fill_the_space(node):
    points = [one.parameters for one in dispatch.suggest(asked(node=node, count=32, design=Design(size=32))).proposals]
    quarters = {(point["x"] > 0.5, point["y"] > 0.5, point["s"]) for point in points}

    assert all(SPACE.contains(point) for point in points)
    assert len({SPACE.signature(point) for point in points}) == 32
    assert len(quarters) >= 10


def test_candidates_come_out_the_same_one_by_one():
    together = dispatch.suggest(asked(count=6)).proposals
    position, taken = 0, ()
    for one in together:
        (single,) = dispatch.suggest(asked(position=position, taken=taken)).proposals
        assert (single.parameters, single.position) == (one.parameters, one.position)
        position, taken = single.position, (*taken, single.parameters)


def test_a_used_up_pool_gives_what_is_left_and_says_so():
    reply = dispatch.suggest(asked(space=FEW, count=9))

    assert sorted(str(one.parameters) for one in reply.proposals) == sorted(str(FEW.check(row)) for row in ROWS[:7])
    assert reply.short_reason == "the candidates are used up: 7 of 9 suggestions made, every other was tried already"


@pytest.mark.parametrize("method", ["fast", "quality", "turbo", "thompson"])
def test_models_suggest_candidates_that_are_new(method):
    points = [one.parameters for one in dispatch.suggest(asked(count=12)).proposals]
    reply = dispatch.suggest(
        asked(node="bo", method=method, optimization=optimization_config("w"), observed=measured(points), count=3)
    )
    made = [one.parameters for one in reply.proposals]

    assert all(one.fallback is None for one in reply.proposals)
    assert all(SPACE.contains(point) and point not in points for point in made)
    assert len({SPACE.signature(point) for point in made}) == 3


def test_several_objectives_are_sought_among_candidates():
    points = [one.parameters for one in dispatch.suggest(asked(count=8)).proposals]
    observed = tuple(
        Point(trial=i, parameters=point, observations=(Observation("u", point["x"]), Observation("v", point["y"])))
        for i, point in enumerate(points)
    )
    (made,) = dispatch.suggest(asked(node="bo", optimization=optimization_config("u, v"), observed=observed)).proposals

    assert made.fallback is None
    assert SPACE.contains(made.parameters)


def test_the_best_candidate_is_found_in_a_fraction_of_the_trials():
    points = [one.parameters for one in dispatch.suggest(asked(count=6)).proposals]
    for _ in range(18):
        request = asked(node="bo", optimization=optimization_config("w"), observed=measured(points))
        points.append(dispatch.suggest(request).proposals[0].parameters)

    assert max(map(worth, points)) == max(map(worth, ROWS))


def test_a_model_gives_the_last_candidates_and_then_none():
    observed = measured(ROWS[:5])
    request = asked(space=FEW, node="bo", optimization=optimization_config("w"), observed=observed, count=4)
    reply = dispatch.suggest(request)

    assert sorted(one.parameters["x"] for one in reply.proposals) == sorted(row["x"] for row in ROWS[5:7])
    assert "used up" in reply.short_reason


def test_what_is_held_leaves_the_candidates_that_have_it():
    points = [one.parameters for one in dispatch.suggest(asked(count=8, fixed={"s": "b"})).proposals]

    assert {point["s"] for point in points} == {"b"}
    assert all(SPACE.contains(point) for point in points)


def test_the_centre_is_the_candidate_next_to_it():
    made, how = centre.centre(SPACE, {}, 0)
    of_a = (row for row in ROWS if row["s"] == "a")
    nearest = min(of_a, key=lambda row: (row["x"] - 0.5) ** 2 + (row["y"] - 0.5) ** 2)

    assert made == nearest
    assert how == "candidate next to the centre"


def test_wishes_of_other_generators_become_the_candidates_next_to_them():
    wishes = [{"x": 0.1, "y": 0.9, "s": "c"}] * 2
    reply = settled(asked(node="bo", count=2), wishes, "somebody", {})

    assert all(SPACE.contains(one.parameters) and one.parameters["s"] == "c" for one in reply.proposals)
    assert reply.proposals[0].parameters != reply.proposals[1].parameters


def test_a_sampler_of_candidates_knows_their_order():
    sampler = sampler_of(SPACE, {}, 3)

    assert isinstance(sampler, PoolSampler)
    assert len(sampler.pool) == 3000
