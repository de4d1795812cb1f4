"""Constraints that are formulas or functions hold in every generator."""

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.generators import own_rules

from titrant import Client
from titrant.errors import GenerationError
from titrant.generators import dispatch
from titrant.generators.base import Design, Point, Request
from titrant.generators.encoding import encoding_of
from titrant.generators.external import settled
from titrant.generators.nonlinear import Nonlinear, resolved
from titrant.generators.process import WorkerProcess
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.space import ChoiceParameterConfig, RangeParameterConfig, search_space

XY = [RangeParameterConfig("x", (0.0, 1.0)), RangeParameterConfig("y", (0.0, 1.0))]
RING = ["(x - 0.5)**2 + (y - 0.5)**2 <= 0.16", "(x - 0.5)**2 + (y - 0.5)**2 >= 0.158"]
SPACES = {
    "wide": search_space(XY, ["x*y <= 0.3"]),
    "ring": search_space(XY, RING),
    "with a plane": search_space([*XY, RangeParameterConfig("z", (0.0, 1.0))], ["x + y + z == 1", "x*y >= 0.05"]),
    "mixed": search_space(
        [RangeParameterConfig("n", (1, 500), "int"), *XY, ChoiceParameterConfig("s", ("u", "v"))],
        ["n*x <= 3", "n*x >= 2.9", "log(y) >= -1"],
    ),
    "components": search_space(
        [RangeParameterConfig(name, (0.0, 1.0)) for name in "xyzw"],
        ["x + y + z + w == 1", "at most 2 of x, y, z, w, each 0 or >= 0.1", "x**2 + y**2 <= 0.3"],
    ),
    "function": search_space(XY, ["tests.generators.own_rules:below_the_curve"]),
    "small": search_space(XY, [own_rules.room]),
}


def modelled(space, method="fast", objective="y"):
    made = dispatch.suggest(Request(space=space, count=6, seed=3)).proposals
    observed = tuple(
        Point(i, one.parameters, (Observation("y", float(sum(map(float, list(one.parameters.values())[:2])))),))
        for i, one in enumerate(made)
    )
    return Request(
        space=space,
        node="bo",
        method=method,
        optimization=optimization_config(objective),
        observed=observed,
        taken=tuple(point.parameters for point in observed),
        count=2,
        seed=5,
    )


def kept(space, reply):
    assert reply.proposals
    for one in reply.proposals:
        assert space.contains(one.parameters)
        for function in (own_rules.below_the_curve, own_rules.room):
            if any(function.__name__ in constraint.text for constraint in space.every_constraint):
                assert float(function(one.parameters)) >= 0


@pytest.mark.parametrize("node", ["centre", "sobol", "random", "latin_hypercube"])
@pytest.mark.parametrize("name", SPACES)
def test_designs_keep_them(name, node):
    space = SPACES[name]
    kept(space, dispatch.suggest(Request(space=space, node=node, count=8, seed=1, design=Design(size=8))))


@pytest.mark.parametrize("name", SPACES)
def test_the_model_keeps_them_and_says_so_twice(name):
    request = modelled(SPACES[name])
    reply = dispatch.suggest(request)

    kept(request.space, reply)
    assert [one.fallback for one in reply.proposals] == [None, None]
    assert dispatch.suggest(request) == reply


@pytest.mark.parametrize("method", ["turbo", "thompson", "quality"])
@pytest.mark.parametrize("name", ["ring", "mixed", "function", "small"])
def test_every_method_of_the_model_keeps_them(name, method):
    kept(SPACES[name], dispatch.suggest(msgspec.structs.replace(modelled(SPACES[name], method=method), count=4)))


@pytest.mark.parametrize("name", ["ring", "components"])
def test_the_model_with_botorch_keeps_them(name):
    kept(SPACES[name], dispatch.suggest(modelled(SPACES[name], method="botorch")))


@pytest.mark.parametrize("name", SPACES)
def test_wishes_from_outside_are_moved_inside(name):
    space = SPACES[name]
    wishes = [space.centre() | {"x": x} for x in (0.9, 0.1, 0.5)]
    reply = settled(Request(space=space, count=2, seed=1), wishes, "wishes", {})

    kept(space, reply)
    assert any(one.generator == "wishes" for one in reply.proposals)


def test_a_grid_keeps_them():
    space = search_space(XY, ["x*y <= 0.3", "tests.generators.own_rules:below_the_curve"])
    reply = dispatch.suggest(Request(space=space, node="grid", count=25, design=Design(levels=5, last=True)))

    kept(space, reply)
    assert len(reply.proposals) == 25 - sum(x * y > 0.2 for x in np.linspace(0, 1, 5) for y in np.linspace(0, 1, 5))


def test_points_spread_along_a_ring_that_hardly_any_point_is_on():
    reply = dispatch.suggest(Request(space=SPACES["ring"], count=40, seed=2))
    angles = [np.arctan2(p.parameters["y"] - 0.5, p.parameters["x"] - 0.5) for p in reply.proposals]

    assert "hardly any point keeps" in reply.proposals[0].generator
    assert all((np.histogram(angles, bins=6, range=(-np.pi, np.pi))[0]) > 0)


def test_the_model_goes_to_the_rim():
    request = modelled(search_space(XY, ["x**2 + y**2 <= 1"]))
    best = max(sum(one.parameters.values()) for one in dispatch.suggest(request).proposals)

    assert best == pytest.approx(2**0.5, abs=0.03)


GRID = [RangeParameterConfig("x", (0, 9), "int"), RangeParameterConfig("y", (0, 9), "int")]
MODULE = "tests.generators.own_rules"


@pytest.mark.parametrize("node", ["centre", "sobol"])
@pytest.mark.parametrize(
    ("parameters", "constraints", "said"),
    [
        (
            GRID,
            [own_rules.never, "x*y <= 30", "x + y <= 12"],
            f"constraint '{MODULE}:never' cannot be met: none of the 100 points keeps it; ",
        ),
        (
            GRID,
            [own_rules.rising, "x*y <= 30", "x - y >= 1"],
            f"the constraints 'x - y >= 1' and '{MODULE}:rising' clash: none of the 100 points keeps all of them, and ",
        ),
        (
            XY,
            [own_rules.never, "x*y <= 0.3"],
            f"no point found that keeps the constraint '{MODULE}:never', by searching, which is no proof: ",
        ),
        (
            XY,
            ["x*y <= 0.9", own_rules.far, "x + y <= 1.2", own_rules.rising],
            f"no point found that keeps the constraints 'x + y <= 1.2', '{MODULE}:far' and '{MODULE}:rising', by sea",
        ),
        (
            XY,
            ["x*y >= 0.9", "(x - y)**2 >= 0.5", "x <= 0.99"],
            "the constraints 'x*y >= 0.9' and '(x - y)**2 >= 0.5' clash: no point within the bounds ",
        ),
    ],
    ids=["a function", "a function and a plane", "a function anywhere", "functions anywhere", "formulas"],
)
def test_where_no_point_is_found_the_constraints_that_clash_are_named_and_no_other(parameters, constraints, said, node):
    with pytest.raises(GenerationError) as caught:
        dispatch.suggest(Request(space=search_space(parameters, constraints), count=1, node=node))

    assert str(caught.value).startswith(said)


def test_what_is_held_fixed_is_told_where_it_leaves_no_point():
    space = search_space(XY, ["x*y >= 0.2", "(x - y)**2 >= 0.12", "x + y <= 1.3", "x <= 0.9"])

    with pytest.raises(GenerationError, match=r"^with x = 0.5 held fixed: .* 1.3', 'x\*y >= 0.2' and '.* 0.12' clash"):
        dispatch.suggest(Request(space=space, count=1, fixed={"x": 0.5}))


def test_a_function_is_asked_about_each_point_of_a_grid_once_to_find_that_it_allows_none(monkeypatch):
    asked = []
    monkeypatch.setattr(own_rules, "never", lambda values: bool(asked.append(tuple(values.values()))))
    resolved.cache_clear()
    with pytest.raises(GenerationError, match="none of the 100 points"):
        dispatch.suggest(Request(space=search_space(GRID, [f"{MODULE}:never", "x + y <= 17"]), count=1))
    resolved.cache_clear()

    assert len(asked) == len(set(asked)) == 100


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("tests.generators.own_rules:broken", r"raised KeyError: 'no such solvent', at \{'x': "),
        ("tests.generators.own_rules:missing", "cannot be imported .* no attribute 'missing'"),
        ("no_such_module:allowed", "cannot be imported .* No module named 'no_such_module'; put its module"),
        ("tests.generators.own_rules:NO_FUNCTION", "cannot be called"),
    ],
)
def test_a_function_that_cannot_be_asked_is_named_with_what_to_do(reference, said):
    with pytest.raises(GenerationError, match=said):
        dispatch.suggest(Request(space=search_space(XY, [reference]), count=1))


def test_a_suggestion_tells_which_source_of_the_function_it_was_made_with():
    versions = dispatch.suggest(Request(space=SPACES["function"], count=1)).versions

    assert versions["tests.generators.own_rules:below_the_curve"].startswith("source ")


def test_the_worker_process_imports_what_the_engine_can(tmp_path, monkeypatch):
    (tmp_path / "rules_of_this_lab.py").write_text("def allowed(values):\n    return values['x'] >= 0.9\n")
    monkeypatch.syspath_prepend(tmp_path)
    worker = WorkerProcess()
    try:
        worker.start()
        reply = worker.call(Request(space=search_space(XY, ["rules_of_this_lab:allowed"]), count=4))
    finally:
        worker.kill()

    assert all(one.parameters["x"] >= 0.9 for one in reply.proposals)


def test_a_client_gives_the_function_itself():
    with Client(random_seed=2, virtual_time=True) as client:
        client.configure_experiment(XY, [own_rules.below_the_curve, "x**2 + y**2 <= 1"])
        client.configure_optimization("z")
        client.configure_runner(lambda at: {"z": at["x"] + at["y"]})
        client.run_trials(8, progress=False)
        trials = client.state.trials()

    assert len(trials) == 8
    assert all(own_rules.below_the_curve(trial.parameters) for trial in trials)


@given(
    st.lists(
        st.sampled_from(["x*y <= {}", "x**2 + y >= {}", "abs(x - y) <= {}", "max(x, y, z) >= {}", "exp(-z)*x <= {}"]),
        min_size=1,
        max_size=3,
        unique=True,
    ),
    st.floats(0.05, 0.6),
    st.booleans(),
    st.integers(0, 2**31),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_suggestion_violates_a_formula(texts, bound, stepped, seed):
    parameters = [*XY, RangeParameterConfig("z", (0.0, 1.0), step_size=0.05 if stepped else None)]
    space = search_space(parameters, [text.format(bound) for text in texts])
    try:
        made = dispatch.suggest(Request(space=space, count=4, seed=seed))
    except GenerationError:  # some of these leave no point at all
        at = {
            name: values.ravel() for name, values in zip("xyz", np.meshgrid(*[np.linspace(0, 1, 41)] * 3), strict=True)
        }
        assert not _any_kept(space, at)
        return
    kept(space, made)


def _any_kept(space, at):
    rows = np.stack(list(at.values()), axis=1)
    encoding = encoding_of(space, {})
    assert isinstance(encoding.nonlinear, Nonlinear)
    return bool(encoding.holds(encoding.snap(rows)).any())


def test_they_hold_in_each_branch_of_a_conditional_space_and_among_candidates():
    mode = ChoiceParameterConfig("mode", ["p", "q"], dependent_parameters={"p": ["a"], "q": ["b"]})
    below = [RangeParameterConfig(name, (0.0, 1.0)) for name in "abw"]
    among = [{"x": i / 20, "y": j / 20} for i in range(21) for j in range(21)]
    spaces = [
        search_space(
            [mode, *below, *XY],
            ["a + x <= 1", "x*w <= 0.3", own_rules.below_the_curve, "at most 2 of x, y, w"],
        ),
        search_space(XY, [own_rules.room], candidates=among),
    ]
    for space in spaces:
        for node in ("centre", "sobol", "random"):
            kept(space, dispatch.suggest(Request(space=space, node=node, count=5, seed=2)))
