"""How many of some parameters may be other than zero."""

import msgspec
import pytest

from titrant.errors import ParameterizationError, SearchSpaceError
from titrant.model.restrictions import Cardinality, constraint
from titrant.model.space import FixedParameterConfig, LinearConstraint, RangeParameterConfig, SearchSpace, search_space

PARTS = [RangeParameterConfig(name, (0.0, 1.0)) for name in "abc"]


@pytest.mark.parametrize(
    ("text", "names", "least", "most", "minimum"),
    [
        ("at most 2 of a, b, c", ("a", "b", "c"), 0, 2, 0.0),
        ("At least 1 of a,b", ("a", "b"), 1, 2, 0.0),
        ("exactly 2 of a, `odd, name`, c", ("a", "odd, name", "c"), 2, 2, 0.0),
        ("1 to 2 of a, b, c, each 0 or >= 0.05", ("a", "b", "c"), 1, 2, 0.05),
        ("any of a, b, each zero or at least 5e-2", ("a", "b"), 0, 2, 0.05),
    ],
)
def test_texts_are_read(text, names, least, most, minimum):
    assert constraint(text) == Cardinality(text, names, most, least, minimum)


def test_other_texts_are_linear_as_ever():
    assert constraint("a + b <= 1") == LinearConstraint.parse("a + b <= 1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("at most 2 a, b", "how many of which"),
        ("at most 2 of a,, b", "set apart by commas"),
        ("at most 2 of a, a", "twice"),
        ("at least 4 of a, b, c", "wants 4 of 3"),
        ("2 to 1 of a, b, c", "exchange"),
        ("at most 1 of a, b, each 0 or >= 1e", "is no number"),
    ],
)
def test_texts_that_make_no_sense_are_refused_with_what_to_write(text, said):
    with pytest.raises(SearchSpaceError, match=said):
        constraint(text)


@pytest.mark.parametrize(
    ("parameter", "text", "said"),
    [
        (RangeParameterConfig("d", (0.1, 1.0)), "at most 1 of a, d", r"begin at 0.1.*each 0 or >= 0.1"),
        (RangeParameterConfig("d", (-1.0, 1.0)), "at most 1 of a, d", "begin at -1"),
        (FixedParameterConfig("d", "water"), "at most 1 of a, d", "no ordered number"),
        (FixedParameterConfig("d", 0.0), "at most 1 of a, e", "'e' is none of"),
    ],
)
def test_parameters_that_cannot_be_components_are_refused(parameter, text, said):
    with pytest.raises(SearchSpaceError, match=said):
        search_space([*PARTS, parameter], [text])


def test_a_parameterization_with_too_many_or_too_little_of_one_is_refused_in_words():
    space = search_space(PARTS, ["at most 2 of a, b, c, each 0 or >= 0.05"])

    assert space.contains({"a": 0.5, "b": 0.05, "c": 0.0})
    with pytest.raises(ParameterizationError, match=r"3 are other than zero \(a, b, c\)"):
        space.check({"a": 0.5, "b": 0.3, "c": 0.2})
    with pytest.raises(ParameterizationError, match=r"b = 0.01 is neither 0 nor at least 0.05"):
        space.check({"a": 0.5, "b": 0.01, "c": 0.0})


def test_it_comes_back_from_the_log_and_a_space_without_says_nothing_of_it():
    space = search_space(PARTS, ["a + b + c == 1", "at most 2 of a, b, c"])

    assert msgspec.json.decode(msgspec.json.encode(space), type=SearchSpace) == space
    assert [one.text for one in space.every_constraint] == ["a + b + c == 1", "at most 2 of a, b, c"]
    assert b"restrictions" not in msgspec.json.encode(search_space(PARTS, ["a + b + c == 1"]))
