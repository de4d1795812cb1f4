"""The problems' optima are where they say."""

import random

import pytest

from titrant.model.objective import optimization_config
from titrant.model.space import ChoiceParameterConfig, search_space
from titrant.simulation import ready
from titrant.simulation.problems import BRANIN, HARTMANN6, MIXTURE, REACTION, branin, hartmann6, reaction

PROBLEMS = pytest.mark.parametrize("problem", [BRANIN, HARTMANN6, REACTION], ids=lambda problem: problem.name)


def drawn(problem, draws):
    """Conditions at random."""
    return {
        p.name: draws.choice(p.values) if isinstance(p, ChoiceParameterConfig) else draws.uniform(*p.bounds)
        for p in problem.parameters
    }


def utility(problem, conditions):
    """What the objective is worth; None where a constraint is broken."""
    config = optimization_config(problem.objective, problem.outcome_constraints)
    values = problem.evaluate(conditions)
    return config.utilities(values)[0] if config.feasible(values) else None


@PROBLEMS
def test_the_optimum_is_what_the_function_gives_there(problem):
    config = optimization_config(problem.objective)
    sign = config.objectives[0].terms[0][1]

    assert utility(problem, problem.optimal) == pytest.approx(sign * problem.optimum, rel=1e-4)


@PROBLEMS
def test_nothing_drawn_at_random_beats_the_optimum(problem):
    draws = random.Random(5)
    best = max(filter(None, (utility(problem, drawn(problem, draws)) for _ in range(3_000))))

    assert best <= utility(problem, problem.optimal) + 1e-4


@PROBLEMS
def test_no_small_step_leads_from_the_optimum_to_anything_better(problem):
    space = search_space(problem.parameters)
    best = utility(problem, problem.optimal)
    for p in problem.parameters:
        if not isinstance(p, ChoiceParameterConfig):
            for step in (-1e-3, 1e-3):
                value = p.nearest(problem.optimal[p.name] + step * (p.bounds[1] - p.bounds[0]))
                there = utility(problem, space.check({**problem.optimal, p.name: value}))

                assert there is None or there <= best + 1e-3


def test_hartmann6_has_the_value_that_the_tutorial_prints():
    point = dict(zip(("x1", "x2", "x3", "x4", "x5", "x6"), (0.1, 0.45, 0.8, 0.25, 0.552, 1.0), strict=True))

    assert hartmann6(point)["hartmann6"] == pytest.approx(-0.4878737485613134, abs=1e-12)


@pytest.mark.parametrize(("x1", "x2"), [(-3.1416, 12.275), (3.1416, 2.275), (9.42478, 2.475)])
def test_branin_has_three_equal_minima(x1, x2):
    assert branin({"x1": x1, "x2": x2})["branin"] == pytest.approx(BRANIN.optimum, abs=1e-4)


def test_more_heat_than_the_optimum_makes_more_impurity():
    hotter = {**REACTION.optimal, "temperature_c": 110.0}

    assert reaction(hotter)["impurity"] > 10 * reaction(REACTION.optimal)["impurity"]


def test_product_and_impurity_are_never_more_than_all_of_it():
    draws = random.Random(1)
    for _ in range(500):
        values = reaction(drawn(REACTION, draws))

        assert min(values.values()) >= 0
        assert sum(values.values()) <= 100 + 1e-9


def test_no_feasible_mixture_beats_the_optimum():
    space = search_space(MIXTURE.parameters, MIXTURE.parameter_constraints)
    steps = [index / 200 for index in range(201)]
    mixtures = ({"ec": ec, "dmc": dmc, "additive": round(1 - ec - dmc, 6)} for ec in steps for dmc in steps)
    best = max(filter(None, (utility(MIXTURE, one) for one in mixtures if space.contains(one))))

    assert space.contains(MIXTURE.optimal)
    assert utility(MIXTURE, MIXTURE.optimal) == pytest.approx(MIXTURE.optimum, abs=1e-3)
    assert 0.99 * MIXTURE.optimum < best <= MIXTURE.optimum + 1e-3


@pytest.mark.parametrize("name", ["reaction", "hartmann6", "branin", "mixture"])
def test_each_problem_is_ready_as_a_lab(name):
    lab = getattr(ready, name)(duration_s=60, spread=0, capacity=2)
    problem = {one.name: one for one in (REACTION, HARTMANN6, BRANIN, MIXTURE)}[name]

    assert lab.capacity == 2
    assert lab.virtual_time
    assert lab.behaviour.objective is problem.evaluate
    assert lab.behaviour.duration_s == 60
