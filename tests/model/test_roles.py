"""The parts that parameters play: design, context, task, fidelity."""

import msgspec
import pytest

from titrant.errors import SearchSpaceError
from titrant.model.space import ChoiceParameterConfig, RangeParameterConfig, SearchSpace, search_space

STEPS = RangeParameterConfig("steps", (10, 1000), "int", is_fidelity=True, target_value=1000)
SITE = ChoiceParameterConfig("site", ["Basel", "Lyon"], is_task=True, target_value="Lyon")
AMBIENT = RangeParameterConfig("ambient", (15, 30), is_context=True)
X = RangeParameterConfig("x", (0, 1))


def test_a_space_knows_which_parameter_plays_which_part():
    space = search_space([X, STEPS, SITE, AMBIENT])

    assert space.having("design") == ("x",)
    assert space.having("fidelity") == ("steps",)
    assert space.having("task") == ("site",)
    assert space.having("context") == ("ambient",)
    assert space.targets() == {"steps": 1000, "site": "Lyon"}


def test_a_space_without_parts_says_in_a_log_what_it_always_said():
    # Fingerprints of requests in older logs depend on it.
    space = search_space([X, ChoiceParameterConfig("c", ["a", "b"], is_task=False, is_context=None, target_value=None)])

    assert msgspec.json.decode(msgspec.json.encode(space)) == {
        "parameters": [
            {
                "type": "range",
                "name": "x",
                "bounds": [0.0, 1.0],
                "parameter_type": "float",
                "step_size": None,
                "scaling": None,
            },
            {"type": "choice", "name": "c", "values": ["a", "b"], "parameter_type": "str", "is_ordered": None},
        ],
        "constraints": [],
    }


def test_parts_go_through_a_log():
    space = search_space([X, STEPS, SITE, AMBIENT])

    assert msgspec.json.decode(msgspec.json.encode(space), type=SearchSpace) == space


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: RangeParameterConfig("x", (0, 1), is_fidelity=True),
            "'x' has is_fidelity and no target_value: say for which fidelity the best is sought",
        ),
        (
            lambda: RangeParameterConfig("x", (0, 1), is_fidelity=True, target_value=2),
            "the target_value of 'x' is none of its values: parameter 'x' is 2.0, outside its bounds",
        ),
        (
            lambda: RangeParameterConfig("x", (0, 1), target_value=1),
            "'x' has a target_value and is neither task nor fidelity: leave it out",
        ),
        (
            lambda: RangeParameterConfig("x", (0, 1), is_context=True, is_fidelity=True, target_value=1),
            "'x' has is_fidelity and is_context: it can play one part only",
        ),
        (
            lambda: RangeParameterConfig("x", (0, 1), is_context="yes"),
            "'x' has the is_context 'yes': say True or False",
        ),
        (
            lambda: ChoiceParameterConfig("c", ["a", "b"], is_fidelity=True, target_value="a"),
            "'c' has is_fidelity and no ordered numbers: give it numbers",
        ),
        (
            lambda: ChoiceParameterConfig("c", ["a", "b"], is_task=True, target_value="z"),
            "the target_value of 'c' is none of its values",
        ),
    ],
)
def test_a_part_that_makes_no_sense_is_refused(make, message):
    with pytest.raises(SearchSpaceError, match=message):
        make()


def test_a_target_has_the_type_of_its_parameter():
    assert type(RangeParameterConfig("x", (0, 1), is_fidelity=True, target_value=1).target_value) is float
