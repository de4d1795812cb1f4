"""A space without a point is refused when it is defined, with as few of its constraints as clash."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.generators.strategies import every_point, few_values

from titrant import Client
from titrant.definition import check
from titrant.errors import SearchSpaceError
from titrant.generators.emptiness import is_settled, refuse_empty
from titrant.model.space import ChoiceParameterConfig, LinearConstraint, RangeParameterConfig, search_space


def numbers(names, upper=1.0, **fields):
    return [RangeParameterConfig(name, (0.0, upper), **fields) for name in names]


TRIANGLE = ["a + b <= 1", "b + c <= 1", "a + c <= 1", "a + b + c >= 1.6"]


def test_a_clash_that_takes_a_linear_program_names_the_constraints_that_clash_and_no_other():
    with pytest.raises(SearchSpaceError) as caught:
        refuse_empty(search_space(numbers("abc"), ["a <= 0.9", *TRIANGLE]))

    assert str(caught.value) == (
        "the constraints 'a + b <= 1', 'b + c <= 1', 'a + c <= 1' and 'a + b + c >= 1.6' clash: no point within the "
        "bounds keeps all of them, and without any one of them some would; relax one of them, or widen the bounds"
    )


def test_a_sum_that_no_steps_reach_is_refused_with_the_nearest_that_they_do():
    with pytest.raises(SearchSpaceError, match=r"on the steps of a, b, c .* reach are 1 and 1.5"):
        refuse_empty(search_space(numbers("abc", step_size=0.5), ["a + b + c == 1.25"]))


def test_of_constraints_that_clash_on_the_steps_only_it_is_said_that_points_between_them_would_do():
    grade = ChoiceParameterConfig("g", (0.1, 0.5, 2.0), "float")

    with pytest.raises(SearchSpaceError, match=r"'x . g . n == 3' and 'g - x >= 0.2' clash.*steps of g, n.*finer"):
        refuse_empty(
            search_space(
                [
                    RangeParameterConfig("x", (1e-3, 1.0), scaling="log"),
                    RangeParameterConfig("n", (1, 9), "int"),
                    grade,
                ],
                ["x + g + n == 3", "g - x >= 0.2", "n <= 5"],
            )
        )


@pytest.mark.parametrize(
    "space",
    [
        search_space(numbers("abc"), ["a + b + c == 1"]),
        search_space(numbers("abcd"), ["a + b <= 0.5", "c - d >= 0.2"]),
        search_space(numbers("abcdefgh", step_size=0.05), ["a + b + c + d + e + f + g + h == 1", "a <= 0.5"]),
        search_space(numbers("abc")),
    ],
)
def test_what_people_usually_write_is_settled_without_a_solver(space):
    assert is_settled(space)


def test_settling_a_usual_space_loads_no_arrays():
    code = (
        "import sys\n"
        "from titrant.generators.emptiness import refuse_empty\n"
        "from titrant.model.space import RangeParameterConfig, search_space\n"
        "parts = [RangeParameterConfig(n, (0.0, 1.0), step_size=0.1) for n in 'abc']\n"
        "refuse_empty(search_space(parts, ['a + b + c == 1', 'a <= 0.5']))\n"
        "print([name for name in ('numpy', 'scipy') if name in sys.modules])"
    )

    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


@st.composite
def small(draw):
    """A finite space of whole numbers and choices with a few constraints, which may well be empty."""
    configs = [draw(few_values(name)) for name in "abcd"[: draw(st.integers(1, 4))]]
    constraints = []
    for number in range(draw(st.integers(1, 4))):
        names = draw(st.lists(st.sampled_from(configs), min_size=1, unique_by=lambda one: one.name))
        terms = tuple((one.name, float(draw(st.sampled_from([-2, -1, 1, 2, 3])))) for one in names)
        bound = draw(st.sampled_from([-2.0, -0.5, 0.0, 0.1, 0.2, 1.0, 1.4, 3.0]))
        constraints.append(
            LinearConstraint(f"number {number}", terms, draw(st.sampled_from(["<=", ">=", "=="])), bound)
        )
    return configs, constraints


def points(configs, constraints):
    """Whether a point of the grid keeps the constraints, by looking at all."""
    return any(not any(one.excess(row) for one in constraints) for row in every_point(configs))


@given(small())
@settings(max_examples=150, deadline=None)
def test_exactly_the_empty_spaces_are_refused_and_what_clashes_is_irreducible(given_space):
    configs, constraints = given_space
    try:
        refuse_empty(search_space(configs, constraints))
    except SearchSpaceError as error:
        named = [one for one in constraints if one.text in str(error)]
        assert not points(configs, constraints)
        if "clash" in str(error):
            assert not points(configs, named)
            for left_out in named:
                assert points(configs, [one for one in named if one is not left_out])
    else:
        assert points(configs, constraints)


def test_a_client_refuses_it_and_nothing_is_in_the_log():
    with Client(random_seed=1, virtual_time=True) as client:
        with pytest.raises(SearchSpaceError, match="clash"):
            client.configure_experiment(numbers("abc"), TRIANGLE)

        assert client.state.experiment is None


def test_a_change_that_leaves_nothing_is_refused_and_the_space_stays():
    with Client(random_seed=1, virtual_time=True) as client:
        client.configure_experiment(numbers("abc"), TRIANGLE[:3])
        before = client.state.experiment.space
        with pytest.raises(SearchSpaceError, match="clash"):
            client.add_constraint(TRIANGLE[3])

        assert client.state.experiment.space == before


def test_a_check_of_a_file_says_it_where_the_constraints_stand(tmp_path):
    path = tmp_path / "empty.toml"
    bounds = "\n".join(f"{name} = [0, 1]" for name in "abc")
    listed = ", ".join(f'"{text}"' for text in TRIANGLE)
    path.write_text(f'constraints = [{listed}]\nobjective = "y"\n[parameters]\n{bounds}\n', encoding="utf-8")

    (problem,) = [one for one in check(path).problems if one.level == "error"]

    assert (problem.where, problem.line) == ("constraints", 1)
    assert "clash" in problem.text
