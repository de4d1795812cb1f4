"""Many suggestions to one request: the later ones are shared out among the points that the first ones looked at."""

import math

import numpy as np
import pytest

from titrant.generators import dispatch
from titrant.generators.base import Point, Request
from titrant.generators.gp import plate
from titrant.generators.gp.goal import Goal
from titrant.generators.gp.paths import least_broken
from titrant.generators.gp.plate import Plate
from titrant.generators.pareto.build import scalarized
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.space import RangeParameterConfig, search_space

WELLS = 96
CUBE = search_space([RangeParameterConfig(f"x{i}", (0.0, 1.0)) for i in range(4)])
SUM = " + ".join(f"x{i}" for i in range(6))
WHOLE = search_space([RangeParameterConfig(f"x{i}", (0, 20), "int") for i in range(6)], [f"{SUM} = 40"])
MIXTURE = search_space(
    [RangeParameterConfig(f"x{i}", (0.0, 1.0), step_size=0.05) for i in range(6)],
    [f"{SUM} = 1", f"at most 3 of {SUM.replace(' + ', ', ')}"],
)
FIDELITY = search_space(
    [
        *CUBE.parameters[:2],
        RangeParameterConfig("mesh", (4, 400), "int", scaling="log", is_fidelity=True, target_value=400),
    ]
)


@pytest.fixture(autouse=True)
def _soon_shared_out(monkeypatch):
    """A few wells are searched for, so that these tests take moments."""
    monkeypatch.setattr(plate, "_ALLOWED", 400.0)


def measured(parameters):
    a, b, *_ = parameters.values()
    return {
        "y": -((a - 0.3) ** 2) - (b - 0.7) ** 2,
        "z": a + b,
        "u": a - b * b,
        "v": b - a * a,
        "w": math.sin(a + b),
        "x": a * b,
    }


def asked(space, objective, *constraints, known=12, count=WELLS, method="fast", **more):
    points = dispatch.suggest(Request(space=space, count=known, seed=5)).proposals
    observed = tuple(
        Point(i, one.parameters, tuple(Observation(*pair) for pair in measured(one.parameters).items()))
        for i, one in enumerate(points)
    )
    goal = optimization_config(objective, list(constraints))
    return Request(
        space=space, node="bo", method=method, optimization=goal, observed=observed, seed=5, count=count, **more
    )


def shared_out(reply):
    return [one for one in reply.proposals if Plate.name in one.generator]


CASES = {
    "several objectives": (CUBE, "u, v"),
    "four objectives": (CUBE, "u, v, w, x"),
    "averaged models": (CUBE, "y", "z <= 1"),
    "whole numbers with a sum": (WHOLE, "-y"),
    "a stepped mixture": (MIXTURE, "y"),
    "fidelities": (FIDELITY, "y"),
}


@pytest.mark.parametrize("case", CASES)
def test_all_wells_of_a_plate_are_different_fit_the_space_and_tell_who_found_them(case):
    space, *goal = CASES[case]
    request = asked(space, *goal, method="quality" if case == "averaged models" else "fast")

    reply = dispatch.suggest(request)

    tried = {space.signature(point.parameters) for point in request.observed}
    wells = [space.signature(one.parameters) for one in reply.proposals]
    assert len(set(wells)) == WELLS
    assert not tried & set(wells)
    assert all(space.contains(one.parameters) for one in reply.proposals)
    assert all(one.fallback is None and one.predicted and one.acquisition_value is not None for one in reply.proposals)
    assert 0 < len(shared_out(reply)) < WELLS


def test_the_first_wells_are_those_of_a_smaller_request():
    few, all_of_them = (dispatch.suggest(asked(CUBE, "u, v", count=count)).proposals for count in (3, WELLS))

    assert [one.parameters for one in all_of_them[:3]] == [one.parameters for one in few]


def test_the_more_points_a_front_has_the_fewer_wells_are_searched_for():
    """Each of them makes boxes, whose number a search's time grows with."""
    few, many = (dispatch.suggest(asked(CUBE, goal, known=80)) for goal in ("y, z", "w, -z"))  # 12 and 74 on it

    assert len(shared_out(many)) > len(shared_out(few))


def test_a_plate_is_filled_the_same_way_again():
    one, another = (dispatch.suggest(asked(CUBE, "u, v")) for _ in range(2))

    assert one == another


def test_a_request_that_searching_is_quick_enough_for_is_not_shared_out(monkeypatch):
    assert not shared_out(dispatch.suggest(asked(CUBE, "u, v", count=24)))
    assert shared_out(dispatch.suggest(asked(CUBE, "y", count=30)))

    monkeypatch.setattr(plate, "_ALLOWED", 2500.0)

    assert not shared_out(dispatch.suggest(asked(CUBE, "y", count=30)))


def test_wells_that_are_shared_out_are_far_better_than_chance():
    request = asked(CUBE, "y", "z <= 1.2", known=40, method="quality")
    wells = [measured(one.parameters) for one in shared_out(dispatch.suggest(request))]
    chance = [measured(one.parameters) for one in dispatch.suggest(Request(space=CUBE, count=256, seed=8)).proposals]

    assert np.median([one["y"] for one in wells]) > np.quantile([one["y"] for one in chance], 0.9)
    assert np.mean([one["z"] <= 1.25 for one in wells]) > 0.8


def test_wells_keep_to_what_is_held_fixed():
    reply = dispatch.suggest(asked(CUBE, "u, v", fixed={"x2": 0.25}))

    assert {one.parameters["x2"] for one in reply.proposals} == {0.25}


def test_what_is_under_way_is_not_suggested_again():
    request = asked(WHOLE, "-y")
    under_way = tuple(Point(-1, one.parameters) for one in dispatch.suggest(request).proposals)

    again = dispatch.suggest(asked(WHOLE, "-y", pending=under_way))

    taken = {WHOLE.signature(point.parameters) for point in under_way}
    assert not taken & {WHOLE.signature(one.parameters) for one in again.proposals}


def test_a_plate_larger_than_the_space_takes_what_there_is():
    space = search_space([RangeParameterConfig("a", (0, 6), "int"), RangeParameterConfig("b", (0, 6), "int")])
    request = asked(space, "u, v", known=9)

    reply = dispatch.suggest(request)

    assert len({space.signature(one.parameters) for one in reply.proposals}) == len(reply.proposals) == 49 - 9
    assert reply.short_reason


def test_a_plate_finds_what_is_left_of_a_space_of_which_most_was_tried(monkeypatch):
    """More points are known than fit the pool; none of them may take a new one's place there."""
    monkeypatch.setattr(plate, "_POOL", 50)
    space = search_space([RangeParameterConfig("a", (0, 14), "int"), RangeParameterConfig("b", (0, 14), "int")])
    request = asked(space, "u, v", known=180, count=44)

    reply = dispatch.suggest(request)

    tried = {space.signature(point.parameters) for point in request.observed}
    wells = {space.signature(one.parameters) for one in reply.proposals}
    assert len(wells) == 44
    assert not wells & tried
    assert [one.fallback for one in reply.proposals] == [None] * 44


def test_wells_for_which_the_pool_is_too_small_are_searched_for(monkeypatch):
    monkeypatch.setattr(plate, "_POOL", 10)

    reply = dispatch.suggest(asked(CUBE, "u, v", count=30))

    assert len({CUBE.signature(one.parameters) for one in reply.proposals}) == 30
    assert [one.fallback for one in reply.proposals] == [None] * 30
    assert 0 < len(shared_out(reply)) <= 10


def test_draws_that_break_a_constraint_are_worth_less_than_all_that_keep_it_the_less_the_farther():
    goal = Goal(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), np.array([0.5]), np.array([np.nan]))
    y = np.array([[-50.0, 0.4], [90.0, 0.6], [90.0, 0.9]])

    worth = least_broken(y, goal, y[:, 0])

    assert worth[0] == -50.0
    assert worth[0] > worth[1] > worth[2]


def test_each_draw_is_measured_along_a_direction_of_its_own():
    goal = Goal(np.eye(2), np.empty((0, 2)), np.empty(0), np.full(2, np.nan))
    y = np.broadcast_to(np.array([[[0.2, 0.9]], [[0.9, 0.2]], [[0.1, 0.1]]]), (3, 40, 2))

    worth = scalarized(y, goal, np.array([[0.0, 1.0], [1.0, 0.0]]), np.random.default_rng(1))

    assert worth.shape == (3, 40)
    assert {0, 1} == set(worth.argmax(0))
