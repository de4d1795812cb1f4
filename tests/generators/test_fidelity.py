"""Spaces with fidelities: what trials cost, where they are made, and which of them may be the best."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from scipy.stats import norm

from titrant import ChoiceParameterConfig, Client, CommandRefused, ConfigurationError, RangeParameterConfig
from titrant.definition.examining import faults
from titrant.errors import GenerationError, SearchSpaceError
from titrant.generators import dispatch
from titrant.generators.base import Design, Point, Request
from titrant.generators.encoding import encoding_of
from titrant.generators.fidelity import generator
from titrant.generators.fidelity.cost import MeasuredCost, costs_of
from titrant.generators.fidelity.gain import Pair, _log_information
from titrant.generators.fidelity.level import Level
from titrant.generators.fidelity.model import FidelityDensity
from titrant.model.fidelity import AffineCost, at_target, cost_of, flaw
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.space import SearchSpace, search_space
from titrant.progress.best import Leaderboard
from titrant.replay.decisions import verify_decisions

X = [RangeParameterConfig("a", (0.0, 1.0)), RangeParameterConfig("b", (0.0, 1.0))]
MINUTES = RangeParameterConfig("minutes", (2.0, 60.0), scaling="log", is_fidelity=True, target_value=60.0)
MESH = RangeParameterConfig("mesh", (1, 9), "int", is_fidelity=True, target_value=1)
LEVEL = ChoiceParameterConfig("level", [1, 2, 8], "int", is_fidelity=True, target_value=8)
DEAR = AffineCost(fixed_cost=20.0, fidelity_weights={"minutes": 1.0})
AFFINE = AffineCost(fixed_cost=5.0, fidelity_weights={"minutes": 1.0})


def valley(at):
    """Least at (0.7, 0.3); seen through less and less as the minutes go down, and lower everywhere."""
    short = 1.0 - math.log(at["minutes"] / 2.0) / math.log(30.0)
    return -((at["a"] - 0.7 + 0.1 * short) ** 2) - (at["b"] - 0.3) ** 2 - 0.5 * short


def request_of(points, metrics=valley, **changes):
    """Ask for one suggestion after what was measured at points of ``a``, ``b`` and ``minutes``."""
    observed = tuple(
        Point(i, dict(at), (Observation("y", metrics(at)), Observation("spent", 3.0 * at["minutes"])))
        for i, at in enumerate(points)
    )
    basis = Request(
        space=search_space([*X, MINUTES]),
        node="bo",
        optimization=optimization_config("y"),
        observed=observed,
        cost=AFFINE,
        seed=1,
    )
    return replace(basis, **changes)


def spread(count, minutes, seed=0):
    rng = np.random.default_rng(seed)
    return [
        {"a": float(rng.random()), "b": float(rng.random()), "minutes": float(minutes[i % len(minutes)])}
        for i in range(count)
    ]


def only(reply):
    (proposal,) = reply.proposals
    return proposal


# --- what trials cost -----------------------------------------------------------------------------------------------


def test_a_cost_is_affine_in_the_parameters_own_units():
    assert cost_of(search_space([*X, MINUTES]), AFFINE, {"minutes": 12.0}) == 17.0


def test_without_a_word_of_costs_the_target_costs_one_and_what_is_far_from_it_a_twentieth():
    space = search_space([*X, MESH])

    assert [cost_of(space, None, {"mesh": mesh}) for mesh in (1, 5, 9)] == pytest.approx([1.0, 0.525, 0.05])


@pytest.mark.parametrize("cost", [None, AFFINE])
def test_the_generator_reckons_with_the_same_costs(cost):
    space = search_space([*X, MINUTES])
    whole = encoding_of(space, {})
    costs = costs_of(Request(space=space, cost=cost), whole)
    for minutes in (2.0, 7.3, 41.0, 60.0):
        x = whole.to_model(np.array([[0.2, 0.4, minutes]]))

        assert math.exp(costs.logs(x)[0]) == pytest.approx(cost_of(space, cost, {"minutes": minutes}), rel=2e-3)


@pytest.mark.parametrize("fidelity", [MESH, LEVEL])
def test_costs_of_few_fidelities_are_exact(fidelity):
    space = search_space([*X, fidelity])
    whole, wanted = encoding_of(space, {}), AffineCost(fidelity_weights={fidelity.name: 3.0})
    costs = costs_of(Request(space=space, cost=wanted), whole)
    for value in (1, 2, 8):
        x = whole.to_model(whole.numbers({"a": 0.5, "b": 0.5, fidelity.name: value})[None])

        assert math.exp(costs.logs(x)[0]) == pytest.approx(0.01 + 3.0 * value)


def test_measured_costs_are_learnt_with_their_slope():
    request = request_of(spread(9, (2, 8, 60)), cost="spent")
    whole = encoding_of(request.space, {})
    costs = costs_of(request, whole)
    x = whole.to_model(np.array([[0.3, 0.3, 4.0], [0.3, 0.3, 60.0]]))
    _, slope = costs.log_and_slope(x[0] + 1e-4)
    told = [(costs.logs((x[0] + 1e-4 + d)[None])[0]) for d in (1e-6 * np.eye(3)[2], -1e-6 * np.eye(3)[2])]

    assert isinstance(costs, MeasuredCost)
    assert np.exp(costs.logs(x)) == pytest.approx([12.0, 180.0], rel=0.35)
    assert slope[2] == pytest.approx((told[0] - told[1]) / 2e-6, rel=1e-3)


def test_too_few_measured_costs_count_for_nothing():
    request = request_of(spread(2, (2,)), cost="spent")

    assert not isinstance(costs_of(request, encoding_of(request.space, {})), MeasuredCost)


@pytest.mark.parametrize(
    ("cost", "said"),
    [
        (AffineCost(fidelity_weights={}), "the same at every fidelity: give fidelity_weights"),
        (AffineCost(fidelity_weights={"a": 1.0}), "a weight of 'a', which is no fidelity: there are 'minutes'"),
        (AffineCost(fidelity_weights={"minutes": math.inf}), "not finite"),
        (AffineCost(fidelity_weights={"minutes": -1.0}), "a trial at minutes = 60 would cost -59.99"),
    ],
)
def test_what_cannot_be_a_cost_is_refused(cost, said):
    assert said in flaw(search_space([*X, MINUTES]), cost)


def test_a_cost_without_a_fidelity_is_refused():
    assert "there is a cost and no fidelity" in flaw(search_space(X), "minutes")


# --- the model and what is maximized --------------------------------------------------------------------------------


def test_the_density_of_hyperparameters_has_the_slope_that_it_says():
    rng = np.random.default_rng(3)
    level = Level(encoding_of(search_space([*X, MINUTES]), {}))
    density = FidelityDensity(rng.random((12, 3)), rng.standard_normal(12), None, level)
    theta = density.start() + 0.2 * rng.standard_normal(5)
    steps = 1e-6 * np.eye(5)
    numeric = [(density(theta + step)[0] - density(theta - step)[0]) / 2e-6 for step in steps]

    assert density(theta)[1] == pytest.approx(numeric, abs=1e-5)


@settings(max_examples=8, deadline=None)
@given(place=st.lists(st.floats(0.02, 0.98), min_size=3, max_size=3), constrained=st.booleans())
def test_information_has_the_slope_that_it_says(place, constrained):
    config = optimization_config("y", ["spent <= 90"] if constrained else [])
    known = generator._known(request_of(spread(10, (2, 8, 60))), config)
    function = generator._function(known, np.empty((0, 3)), 5, there=False)
    point = np.array(place)
    value, slope = function.value_and_slope(point)
    steps = 1e-6 * np.eye(3)
    sides = np.array(
        [
            [(function.values((point + sign * step)[None])[0] - value) / (sign * 1e-6) for sign in (-1, 1)]
            for step in steps
        ]
    )

    assert value == pytest.approx(function.values(point[None])[0])
    # Costs are tabulated: their slope jumps from one stretch to the next, and between both sides anything is right.
    slack = 2e-2 + 1e-3 * np.abs(sides).max(1)
    assert (sides.min(1) - slack <= slope).all()
    assert (slope <= sides.max(1) + slack).all()


def test_moments_at_two_fidelities_are_those_of_the_process():
    request = request_of(spread(10, (2, 8, 60)))
    known = generator._known(request, request.optimization)
    (process,), level = known.model.fitted.posteriors, known.model.level
    points = np.random.default_rng(2).random((5, 3))
    told = Pair([process], np.array([-2.0]), level).at(points)
    for i, point in enumerate(points):
        mean, covariance = process.joint(np.stack([point, level.moved(point)]))

        assert told.mean[i] == pytest.approx(-2.0 * mean[1])
        assert (told.here[i], told.there[i]) == pytest.approx(tuple(4.0 * np.diag(covariance)))
        assert told.both[i] == pytest.approx(4.0 * covariance[0, 1])


@settings(max_examples=30, deadline=None)
@given(gap=st.floats(-2.0, 5.0), correlation=st.floats(0.05, 0.99))
def test_information_is_bounded_by_what_the_skewed_density_tells(gap, correlation):
    y = np.linspace(-12.0, 12.0, 20001)
    below = norm.cdf((gap - correlation * y) / math.sqrt(1.0 - correlation**2))
    density = norm.pdf(y) * below / norm.cdf(gap)
    entropy = -np.trapezoid(density * np.log(np.maximum(density, 1e-300)), y)
    exact = 0.5 * math.log(2.0 * math.pi * math.e) - entropy
    told = math.exp(_log_information(np.array([gap]), np.array([correlation**2]))[0])

    assert 0.0 < told <= exact + 1e-9
    assert told == pytest.approx(exact, rel=0.5, abs=1e-7)


def test_what_is_known_exactly_at_a_fidelity_tells_nothing_more_there():
    request = request_of(spread(10, (2, 8, 60)))
    known = generator._known(request, request.optimization)
    function = generator._function(known, np.empty((0, 3)), 5, there=False)
    again, elsewhere = function.values(np.stack([known.found.data.x[0], [0.5, 0.5, 0.0]]))

    assert again < elsewhere


def test_a_shift_that_is_the_same_everywhere_is_taken_for_a_trend():
    points = spread(16, (2, 60), seed=4)
    told = generator._known(
        request_of(points, lambda at: valley({**at, "minutes": 60.0}) - (at["minutes"] < 60)), optimization_config("y")
    )
    gain = told.model.trends[0, 0] * told.model.fitted.data.scale[0]

    assert gain == pytest.approx(-1.0, abs=0.25)  # shrunk a little towards none


def test_predictions_know_fidelities_apart():
    request = request_of(spread(14, (2, 8, 60)))
    with Client(random_seed=1, virtual_time=True) as client:
        client.configure_experiment([*X, MINUTES])
        client.configure_optimization("y")
        for point in request.observed:
            index = client.attach_trial(point.parameters)
            client.complete_trial(index, {"y": point.observations[0].mean})
        low, high = client.predict([{"a": 0.7, "b": 0.3, "minutes": minutes} for minutes in (2.0, 60.0)])

    assert low["y"][0] < high["y"][0] - 0.3
    assert abs(high["y"][0]) < 0.15


# --- where trials are made ------------------------------------------------------------------------------------------


def test_a_design_is_mostly_cheap_and_every_fourth_point_is_at_the_target():
    space = search_space([*X, MINUTES])
    centre = only(dispatch.suggest(Request(space=space, node="centre")))
    reply = dispatch.suggest(Request(space=space, node="sobol", count=8, cost=AFFINE))
    minutes = [one.parameters["minutes"] for one in reply.proposals]

    assert centre.parameters["minutes"] == 60.0
    assert minutes == pytest.approx([2.0, math.sqrt(120.0), 2.0 * 30.0**0.25, 60.0] * 2)
    assert len({(one.parameters["a"], one.parameters["b"]) for one in reply.proposals}) == 8


@pytest.mark.parametrize("node", ["sobol", "random", "latin_hypercube"])
def test_a_design_asked_for_in_parts_is_the_same(node):
    request = Request(space=search_space([*X, MINUTES]), node=node, count=5, seed=2, design=Design(size=5))
    whole = dispatch.suggest(request).proposals
    parts, position = [], 0
    for _ in range(5):
        part = only(dispatch.suggest(replace(request, count=1, position=position)))
        parts.append(part)
        position = part.position

    assert [one.parameters for one in parts] == [one.parameters for one in whole]


@pytest.mark.parametrize("node", ["sobol", "random"])
def test_a_point_whose_fidelity_has_none_left_stands_at_another_one(node):
    space = search_space([ChoiceParameterConfig("c", ["x", "y"]), LEVEL])
    whole = dispatch.suggest(Request(space=space, node=node, count=9, seed=2))

    assert len({tuple(one.parameters.values()) for one in whole.proposals}) == 6
    assert "the search space is used up: 6 of 9 suggestions made" in whole.short_reason


def test_where_all_turns_have_no_point_left_any_fidelity_does():
    space = search_space([ChoiceParameterConfig("c", ["x", "y"]), MINUTES])
    reply = dispatch.suggest(Request(space=space, node="sobol", count=10, seed=2))

    assert reply.short_reason is None
    assert len({one.parameters["minutes"] for one in reply.proposals}) == 6


def test_a_design_is_made_where_constraints_leave_no_point_at_the_cheapest_fidelity():
    parts = [X[0], RangeParameterConfig("mesh", (4, 400), "int", is_fidelity=True, target_value=400)]
    space = search_space(parts, ["mesh + 100*a >= 150"])
    reply = dispatch.suggest(Request(space=space, node="sobol", count=8, seed=2))

    assert all(space.contains(one.parameters) for one in reply.proposals)
    assert {one.parameters["mesh"] for one in reply.proposals} == {103, 202, 400}


def test_where_no_fidelity_has_a_point_it_is_said_why():
    space = search_space([*X, LEVEL], ["a - b + level >= 8.5"])

    with pytest.raises(GenerationError, match=r"a - b \+ level >= 8\.5"):
        dispatch.suggest(Request(space=space, node="sobol", fixed={"a": 0.2, "b": 1.0}, seed=2))


def test_a_model_says_that_it_is_the_target_that_is_used_up():
    points = [{"c": c, "level": level} for c in "xy" for level in (2, 8)]
    request = request_of(
        (),
        space=search_space([ChoiceParameterConfig("c", ["x", "y"]), LEVEL]),
        cost=None,
        taken=tuple(points),
        observed=tuple(Point(i, at, (Observation("y", i + 0.1 * i * i),)) for i, at in enumerate(points)),
    )
    request = replace(request, observed=(*request.observed, *request.observed[:1]))
    made = []
    while (reply := dispatch.suggest(replace(request, taken=(*points, *made)))).proposals and len(made) < 3:
        made.append(only(reply).parameters)

    assert reply.short_reason.startswith("the target fidelity (level = 8) is used up: 0 of 1 suggestions made")


def test_a_fidelity_that_is_asked_for_is_kept():
    at = {"minutes": 8.0}
    design = dispatch.suggest(Request(space=search_space([*X, MINUTES]), node="sobol", count=2, fixed=at))
    model = dispatch.suggest(request_of(spread(10, (2, 8, 60)), fixed=at, count=2))

    assert {one.parameters["minutes"] for one in (*design.proposals, *model.proposals)} == {8.0}


def test_too_little_spent_at_the_target_sends_the_next_trial_there():
    proposal = only(dispatch.suggest(request_of([*spread(6, (2,)), *spread(1, (60,), seed=9)], cost=DEAR)))

    assert (proposal.parameters["minutes"], proposal.fallback) == (60.0, None)
    assert proposal.generator.endswith("LogNEI at the target")


def test_what_is_under_way_at_the_target_counts_as_spent():
    request = request_of([*spread(6, (2,)), *spread(1, (60,), seed=9)], cost=DEAR)
    under_way = Point(20, {"a": 0.5, "b": 0.5, "minutes": 60.0})
    proposal = only(dispatch.suggest(replace(request, pending=(under_way,))))

    assert proposal.parameters["minutes"] < 60.0
    assert "information on the best at the target / cost" in proposal.generator


def test_several_suggestions_of_one_request_are_different_points():
    proposals = dispatch.suggest(request_of(spread(9, (2, 8, 60)), count=4)).proposals

    assert len({tuple(one.parameters.values()) for one in proposals}) == 4


@settings(max_examples=6, deadline=None)
@given(fidelity=st.sampled_from([MINUTES, MESH, LEVEL]), data=st.data())
def test_every_suggestion_keeps_steps_and_constraints(fidelity, data):
    parts = [RangeParameterConfig("a", (0.0, 1.0), step_size=0.25), RangeParameterConfig("b", (0.0, 1.0)), fidelity]
    space = search_space(parts, ["a + b <= 1.2"])
    tried = dispatch.suggest(Request(space=space, count=6, seed=data.draw(st.integers(0, 50)))).proposals
    values = data.draw(st.lists(st.floats(-3, 3), min_size=6, max_size=6))
    observed = tuple(
        Point(i, one.parameters, (Observation("y", value),))
        for i, (one, value) in enumerate(zip(tried, values, strict=True))
    )
    request = Request(space=space, node="bo", optimization=optimization_config("y"), observed=observed, count=3, seed=1)
    for one in dispatch.suggest(request).proposals:
        assert list(one.parameters.items()) == list(space.check(one.parameters).items())


def test_several_objectives_are_sought_at_the_target_alone():
    request = request_of(spread(9, (2, 60)), optimization=optimization_config("y, -spent"))

    assert only(dispatch.suggest(request)).parameters["minutes"] == 60.0


def test_where_the_model_fails_points_at_the_target_stand_in():
    proposal = only(dispatch.suggest(request_of(spread(1, (2,)))))

    assert proposal.parameters["minutes"] == 60.0
    assert "1 trials have finite data of y" in proposal.fallback


@pytest.mark.parametrize(
    ("constraints", "candidates"), [(["a + s <= 0.8", "a >= 0.1"], None), ([], [{"a": 0.5, "s": 0.2}])]
)
def test_a_space_without_a_point_at_the_target_is_refused(constraints, candidates):
    parts = [X[0], RangeParameterConfig("s", (0.0, 1.0), is_fidelity=True, target_value=1.0)]
    with Client(virtual_time=True) as client:
        with pytest.raises(SearchSpaceError, match=r"no point at the target fidelity \(s = 1\)"):
            client.configure_experiment(parts, constraints, candidates=candidates)

        assert client.state.experiment is None


def test_candidates_at_the_target_are_found_whatever_the_context():
    parts = [X[0], LEVEL, RangeParameterConfig("ambient", (0.0, 1.0), is_context=True)]
    rows = [{"a": a, "level": level} for a in (0.0, 0.5, 1.0) for level in (1, 8)]
    with Client(random_seed=1, virtual_time=True) as client:
        client.configure_experiment(parts, ["a + ambient <= 1.4"], candidates=rows)
        (trial,) = client.get_next_trials(1, context={"ambient": 0.5}).values()

        assert trial["level"] == 8
        assert trial["a"] <= 0.9


def test_nothing_is_asked_where_there_could_be_no_answer():
    space = search_space(
        [*X, RangeParameterConfig("s", (0.0, 1.0), is_fidelity=True, target_value=1.0)], ["a + s <= 1.2"]
    )
    tried = dispatch.suggest(Request(space=space, count=8, seed=4)).proposals
    observed = tuple(Point(i, one.parameters, (Observation("y", one.parameters["a"]),)) for i, one in enumerate(tried))
    request = Request(space=space, node="bo", optimization=optimization_config("y"), observed=observed, count=4, seed=1)

    assert max(one.parameters["a"] for one in dispatch.suggest(request).proposals) <= 0.2 + 1e-6


def test_candidates_are_suggested_at_the_fidelities_that_they_have():
    pool = [{"a": place / 10, "mesh": mesh} for place in range(10) for mesh in (1, 3, 9)]
    with Client(random_seed=1, virtual_time=True) as client:
        client.configure_experiment([X[0], MESH], candidates=pool)
        client.configure_optimization("y")
        client.configure_runner(lambda at: {"y": -((at["a"] - 0.6) ** 2) - 0.1 * at["mesh"]})
        client.run_trials(12, progress=False)
        best = client.get_best_parameterization()[0]

        assert all(trial.parameters in pool for trial in client.state.trials())
        assert best == {"a": 0.6, "mesh": 1}


# --- which trials may be the best -----------------------------------------------------------------------------------


@pytest.fixture
def client():
    with Client(random_seed=3, virtual_time=True) as client:
        client.configure_experiment([*X, MINUTES])
        client.configure_optimization("y")
        yield client


def told(client, minutes, y):
    index = client.attach_trial({"a": 0.1 * minutes / 60, "b": 0.5, "minutes": minutes})
    client.complete_trial(index, {"y": y})
    return index


@pytest.mark.parametrize("model", [True, False])
def test_a_cheap_trial_is_never_the_best(client, model):
    told(client, 2.0, 9.0)
    best = told(client, 60.0, 1.0)
    told(client, 30.0, 8.0)

    assert client.get_best_parameterization(use_model_predictions=model)[2] == best


def test_without_a_trial_at_the_target_there_is_no_best(client):
    told(client, 2.0, 9.0)
    with pytest.raises(CommandRefused, match="none was carried out at the fidelity minutes = 60"):
        client.get_best_parameterization()
    with pytest.raises(CommandRefused, match="at the fidelity"):
        client.optimality()


def test_a_cheap_trial_never_leads_the_live_view(client):
    told(client, 2.0, 9.0)
    best = told(client, 60.0, 1.0)
    board = Leaderboard(client.state)

    assert [point.trial for point in board.front] == [best]
    assert len(board.trace) == 2


def test_no_front_has_a_cheap_trial(client):
    client.configure_optimization("y, -z")
    for minutes, y in ((2.0, 9.0), (60.0, 1.0)):
        index = client.attach_trial({"a": 0.5, "b": 0.5, "minutes": minutes})
        client.complete_trial(index, {"y": y, "z": 1.0})

    assert [trial[2] for trial in client.get_pareto_frontier(use_model_predictions=False)] == [1]


def test_the_advice_whether_to_stop_looks_at_the_target(client):
    for at in spread(12, (2, 8, 60), seed=5):
        index = client.attach_trial(at)
        client.complete_trial(index, {"y": valley(at)})
    found = client.optimality()
    at_the_target = {trial.index for trial in client.state.trials() if trial.parameters["minutes"] == 60.0}

    assert found.at["minutes"] == 60.0
    assert found.incumbent.trial in at_the_target
    assert {one.trial for one in found.contenders} <= at_the_target


def test_the_summary_tells_what_each_trial_costs(client):
    client.configure_generation_strategy(cost=AFFINE)
    told(client, 2.0, 9.0)
    told(client, 60.0, 1.0)

    assert [row["trial_cost"] for row in client.summarize()] == [7.0, 65.0]


def test_an_older_log_whose_fidelity_depends_on_a_choice_can_still_be_read(tmp_path, monkeypatch):
    path = tmp_path / "older.titrant"
    solver = ChoiceParameterConfig("solver", ["fast", "fine"], dependent_parameters={"fine": ["level"]})
    monkeypatch.setattr(SearchSpace, "no_target", lambda _: "")
    with Client(path, random_seed=1, virtual_time=True) as client:
        client.configure_experiment([solver, X[0], LEVEL])
        client.configure_optimization("y")
        for at in ({"solver": "fast"}, {"solver": "fine", "level": 1}):
            client.complete_trial(client.attach_trial({"a": 0.5, **at}), {"y": 1.0})
    monkeypatch.undo()

    with Client.open(path, virtual_time=True) as client:
        assert [row["trial_cost"] for row in client.summarize()] == [1.0, pytest.approx(0.05)]
        client.change_bounds("a", (0.0, 0.8))
        assert client.get_next_trials(1)


def test_what_was_carried_out_decides_on_the_fidelity(client):
    index = client.attach_trial({"a": 0.5, "b": 0.5, "minutes": 60.0})
    client.complete_trial(index, {"y": 1.0}, executed={"minutes": 31.0})

    assert not at_target(client.state.experiment.space, {"minutes": 31.0})
    with pytest.raises(CommandRefused, match="at the fidelity minutes = 60"):
        client.get_best_parameterization()


# --- said, kept and read again --------------------------------------------------------------------------------------


@pytest.mark.parametrize("cost", [{"fidelity_weights": {"minutes": "much"}}, {"weights": 3}, 3, ""])
def test_a_cost_that_cannot_be_read_is_refused(client, cost):
    with pytest.raises(ConfigurationError, match=r"the cost cannot be read: .* give .* or a metric's name"):
        client.configure_generation_strategy(cost=cost)


@pytest.mark.parametrize("cost", ["spent", {"fixed_cost": 5.0, "fidelity_weights": {"minutes": 1.0}}])
def test_an_experiment_file_says_it_as_well(cost):
    parameters = {"a": [0.0, 1.0], "minutes": {"bounds": [2.0, 60.0], "is_fidelity": True, "target_value": 60.0}}
    said = {"parameters": parameters, "strategy": {"cost": cost}}

    assert faults(said) == []
    assert faults(said | {"strategy": {"cost": 3}}) == [
        (("strategy", "cost"), "expected a text or a table, got a whole number")
    ]
    assert faults(said | {"strategy": {"cost": {"fixed": 3.0}}})[0][0] == ("strategy", "cost", "fixed")


def test_a_cost_that_makes_no_sense_is_refused_before_anything_is_in_the_log(client):
    seq = client.state.seq if hasattr(client.state, "seq") else None
    with pytest.raises(CommandRefused, match="which is no fidelity"):
        client.configure_generation_strategy(cost={"fidelity_weights": {"a": 1.0}})

    assert client.state.strategy.cost is None
    assert seq is None or client.state.seq == seq


def test_botorch_is_refused_where_there_are_fidelities(client):
    with pytest.raises(CommandRefused, match="method='botorch' knows no fidelities"):
        client.configure_generation_strategy("botorch")


def test_a_fidelity_that_is_fixed_is_a_number_like_any_other_from_then_on(client):
    for at in spread(8, (2, 8, 60), seed=6):
        client.complete_trial(client.attach_trial(at), {"y": valley(at)})
    client.fix_parameter("minutes", 8.0)
    index = client.attach_trial({"a": 0.6, "b": 0.3, "minutes": 8.0})
    client.complete_trial(index, {"y": 3.0})
    ((_, suggested),) = client.get_next_trials(1).items()

    assert client.get_best_parameterization(use_model_predictions=False)[2] == index
    assert suggested["minutes"] == 8.0


@pytest.mark.parametrize("cost", [{"fixed_cost": 5.0, "fidelity_weights": {"minutes": 1.0}}, "spent"])
def test_a_run_goes_on_from_its_log_and_every_decision_is_made_again(tmp_path, cost):
    def lab(at):
        return {"y": valley(at), "spent": 1.0 + at["minutes"]}

    def begun(path):
        client = Client(path, random_seed=5, virtual_time=True)
        client.configure_experiment([*X, MINUTES])
        client.configure_optimization("y")
        client.configure_tracking_metrics(["spent"])
        client.configure_generation_strategy(cost=cost)
        client.configure_runner(lab)
        return client

    with begun(tmp_path / "whole") as client:
        client.run_trials(10, progress=False)
        whole = [trial.parameters for trial in client.state.trials()]
    with begun(tmp_path / "parts") as client:
        client.run_trials(7, progress=False)
    with Client.open(tmp_path / "parts", virtual_time=True) as client:
        client.configure_runner(lab)
        client.run_trials(3, progress=False)
        parts = [trial.parameters for trial in client.state.trials()]
    found = verify_decisions(tmp_path / "parts")

    assert parts == whole
    assert len({at["minutes"] for at in whole}) > 2
    assert (found.ok, found.equal) == (True, 10), str(found)
