"""Candidate sets: what may be one, and how they are kept."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from titrant.errors import SearchSpaceError
from titrant.model.candidates import MOST, refitted, with_candidates
from titrant.model.space import (
    ChoiceParameterConfig,
    FixedParameterConfig,
    RangeParameterConfig,
    SearchSpace,
    search_space,
)

SOLVENT = ChoiceParameterConfig("solvent", ["THF", "water"])
T = RangeParameterConfig("t", (0, 100))
N = RangeParameterConfig("n", (1, 5), "int")
ROWS = [
    {"solvent": "THF", "t": 20, "n": 1},
    {"solvent": "water", "t": 80.5, "n": 5},
    {"solvent": "THF", "t": 20, "n": 1},
]
SPACE = search_space([SOLVENT, T, N], candidates=ROWS)


def test_each_candidate_is_kept_once_in_its_canonical_form():
    assert SPACE.candidates.points() == [
        {"solvent": "THF", "t": 20.0, "n": 1},
        {"solvent": "water", "t": 80.5, "n": 5},
    ]
    assert [type(one["t"]) for one in SPACE.candidates.points()] == [float, float]
    assert SPACE.size() == 2


def test_a_space_contains_its_candidates_only_though_it_has_room_for_others():
    other = {"solvent": "water", "t": 20, "n": 1}

    assert SPACE.contains({"solvent": "THF", "t": 20, "n": 1})
    assert not SPACE.contains(other)
    assert SPACE.check(other)


def test_candidates_go_through_a_log_and_are_not_spelled_out_in_messages():
    again = msgspec.json.decode(msgspec.json.encode(SPACE), type=SearchSpace)

    assert again == SPACE
    assert again.candidates.points() == SPACE.candidates.points()
    assert repr(SPACE.candidates).startswith("CandidateSet(2 of solvent, t, n, sha256 ")


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(1, 5)), min_size=1, max_size=30))
def test_looking_at_them_quickly_gives_what_looking_one_by_one_gives(rows):
    space = search_space([T, N])
    points = [{"t": t, "n": n} for t, n in rows]
    each: dict = {}
    for point in points:
        each.setdefault(tuple(point.values()), space.check(point))

    assert with_candidates(space, points).candidates.points() == list(each.values())


def test_a_space_without_candidates_says_in_a_log_what_it_always_said():
    assert b"candidates" not in msgspec.json.encode(search_space([T]))


def test_context_parameters_are_no_part_of_candidates_and_fixed_ones_need_not_be():
    ambient = RangeParameterConfig("ambient", (15, 30), is_context=True)
    dry = FixedParameterConfig(name="dry", value=True)
    space = search_space([T, ambient, dry], candidates=[{"t": 1}, {"t": 2, "dry": True}])

    assert space.candidates.points() == [{"t": 1.0, "dry": True}, {"t": 2.0, "dry": True}]
    assert space.size() is None
    assert space.contains({"t": 1, "ambient": 20.0})


def test_candidates_have_values_of_what_is_active():
    mode = ChoiceParameterConfig("mode", ["a", "b"], dependent_parameters={"a": ["t"]})
    space = search_space([mode, T], candidates=[{"mode": "a", "t": 5}, {"mode": "b", "t": None}])

    assert space.candidates.points() == [{"mode": "a", "t": 5.0}, {"mode": "b"}]
    assert space.contains({"mode": "b"})


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], f"there are 0 candidates: give 1 to {MOST}"),
        ([{"t": 1}] * (MOST + 1), f"there are {MOST + 1} candidates"),
        (
            [{"t": 1}, {"t": 101}],
            r"candidate 1 does not fit the search space: parameter 't' is 101.0, outside",
        ),
        ([{"t": 1}, {}], "candidate 1 does not fit the search space: parameter 't' has no value"),
        ([{"t": 1, "cas": 3}], "candidate 0 does not fit the search space: 'cas' is no parameter"),
        ([{"t": 90}], r"candidate 0 does not fit the search space: constraint 't <= 80' is violated"),
        ([7], "candidate 0 does not fit the search space"),
    ],
)
def test_candidates_that_do_not_fit_are_refused_with_their_places(rows, message):
    with pytest.raises(SearchSpaceError, match=message):
        search_space([T], ["t <= 80"], candidates=rows)


def test_a_changed_space_keeps_the_candidates_that_fit_it():
    narrow = search_space([SOLVENT, RangeParameterConfig("t", (50, 100)), N])

    assert refitted(SPACE, narrow).candidates.points() == [{"solvent": "water", "t": 80.5, "n": 5}]
    assert refitted(SPACE, search_space([T])).candidates.points() == [{"t": 20.0}, {"t": 80.5}]
    with pytest.raises(SearchSpaceError, match="none of the 2 candidates fits"):
        refitted(SPACE, search_space([RangeParameterConfig("t", (90, 100))]))
    with pytest.raises(SearchSpaceError, match="the candidates have no 'p'"):
        refitted(SPACE, search_space([T, RangeParameterConfig("p", (0, 1))]))


@pytest.mark.parametrize("given", ["rack.csv", ROWS[0], 3])
def test_candidates_that_are_no_list_are_refused(given):
    with pytest.raises(SearchSpaceError, match=r"candidates is .*: give a list of mappings"):
        with_candidates(search_space([SOLVENT, T, N]), given)
