"""Objectives and outcome constraints from Ax's words."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from titrant.errors import ObjectiveError
from titrant.model.objective import Objective, OptimizationConfig, OutcomeConstraint, optimization_config


def test_a_minus_sign_minimizes():
    config = optimization_config("-cost")

    assert config.objectives == (Objective("-cost", (("cost", -1.0),)),)
    assert config.objectives[0].minimizes
    assert config.utilities({"cost": 3.0}) == (-3.0,)


@pytest.mark.parametrize(
    ("text", "utility"), [("yield - 0.1*cost", 0.5), ("yield + 2*cost", 11.0), ("-(yield + cost)", -6.0), ("cost+9", 5)]
)
def test_a_weighted_sum_is_one_objective(text, utility):
    config = optimization_config(text)

    assert config.utilities({"yield": 1.0, "cost": 5.0}) == (utility,)
    assert not config.is_multi_objective
    assert not config.objectives[0].minimizes


def test_commas_set_objectives_apart():
    config = optimization_config("yield, -cost")

    assert config.is_multi_objective
    assert [objective.text for objective in config.objectives] == ["yield", "-cost"]
    assert config.utilities({"yield": 2.0, "cost": 3.0, "other": 1.0}) == (2.0, -3.0)


def test_metrics_are_listed_once_objectives_first():
    config = optimization_config("b + a, -c", ["d <= 1", "a + e >= 0.3"])

    assert config.objective_metrics == ("b", "a", "c")
    assert config.metric_names == ("b", "a", "c", "d", "e")


@pytest.mark.parametrize(("impurity", "kept"), [(0.04, True), (0.05, True), (0.06, False), (math.nan, False)])
def test_a_constraint_bounds_what_is_feasible(impurity, kept):
    config = optimization_config("yield", ["impurity <= 0.05"])

    assert config.feasible({"yield": 1.0, "impurity": impurity}) is kept


def test_a_trial_without_the_metric_is_not_feasible():
    assert not optimization_config("yield", ["impurity <= 0.05"]).feasible({"yield": 1.0})


def test_without_constraints_all_is_feasible():
    assert optimization_config("yield").feasible({})


@pytest.mark.parametrize(
    "text", ["qps >= 0.95*baseline", "0.95*baseline <= qps", "-2*qps <= -1.9*baseline", "qps - 0.95*baseline >= 0"]
)
def test_a_relative_bound_is_a_multiple_of_the_baseline(text):
    config = optimization_config("-cost", [text])

    assert config.constraints == (OutcomeConstraint(text, (("qps", 1.0),), ">=", 0.95, relative=True),)
    assert config.feasible({"qps": 96.0}, baseline={"qps": 100.0})
    assert not config.feasible({"qps": 94.0}, baseline={"qps": 100.0})


@pytest.mark.parametrize(("baseline", "message"), [(None, "attach a baseline"), ({}, "needs a value of 'qps'")])
def test_a_relative_bound_needs_the_baselines_data(baseline, message):
    with pytest.raises(ObjectiveError, match=message):
        optimization_config("cost", ["qps >= 0.95*baseline"]).feasible({"qps": 1.0}, baseline)


def test_an_objective_needs_its_metrics():
    with pytest.raises(ObjectiveError, match="'a - b' needs a value of 'b': attach data of it first"):
        optimization_config("a - b").utilities({"a": 1.0})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("3", "objective '3' has no metric in it: name at least one"),
        ("0*a + b", "gives 'a' the weight 0: leave it out"),
        ("a, 2*a", "'a' and '2\\*a' are the same but for a factor: remove one"),
        ("a, -a", "are the same but for a factor"),
        ("a*b", "column 2: 'a' \\* 'b' is not linear"),
        ("a,", "column 3: a name, a number"),
        ("a <= 3", "column 3: '<=' is one relation too many"),
        ("a - baseline", "names the baseline: use it in outcome constraints only"),
    ],
)
def test_an_ill_defined_objective_is_refused(text, message):
    with pytest.raises(ObjectiveError, match=message):
        optimization_config(text)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["1 <= 2"], "outcome constraint '1 <= 2' has no metric in it"),
        (["a == 1"], "'a == 1' is an equality, which no measurement meets"),
        (["0*a <= 1"], "gives 'a' the weight 0"),
        (["a >= baseline + 1"], "only a multiple of the baseline can bound"),
        (["a + b >= 0.9*baseline"], "and only one metric: write it as"),
        (["baseline >= 1"], "has no metric in it"),
        (["a >= 0*baseline"], "only a multiple of the baseline"),
        (["a <= 1", "a  <=  1.0"], "'a  <=  1.0' stands twice: remove one"),
        ("a <= 1", "outcome_constraints is the text 'a <= 1': give a list of texts"),
    ],
)
def test_an_ill_defined_outcome_constraint_is_refused(texts, message):
    with pytest.raises(ObjectiveError, match=message):
        optimization_config("y", texts)


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(-9, 9).filter(bool), min_size=1), st.floats(-1e3, 1e3))
def test_a_config_survives_the_log(weights, bound):
    text = " + ".join(f"{weight}*{name}" for name, weight in weights.items())
    config = optimization_config(text, [f"{text} <= {bound!r}"])

    assert msgspec.json.decode(msgspec.json.encode(config), type=OptimizationConfig) == config


# --- thresholds -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("objective", "text", "reached"),
    [
        ("yield, -cost", "yield >= 0.6", (0.6, None)),
        ("yield, -cost", "cost <= 5", (None, -5.0)),
        ("yield, -cost", "-cost >= -5", (None, -5.0)),
        ("a + 2*b, c", "2*a + 4*b >= 3", (1.5, None)),
        ("yield, -cost", "cost <= 1.2 * baseline", (None, -12.0)),
    ],
)
def test_a_bound_from_an_objectives_bad_side_is_its_threshold(objective, text, reached):
    config = optimization_config(objective, [text])

    assert config.reference({"cost": 10.0}) == pytest.approx(reached)
    assert config.outcome_constraints == ()
    assert sum(one is not None for one in config.thresholds) == 1


@pytest.mark.parametrize(
    ("objective", "text"),
    [("yield, -cost", "yield <= 0.6"), ("yield, -cost", "purity >= 0.9"), ("a + 2*b, c", "a >= 1"), ("a", "a >= 1")],
)
def test_any_other_bound_is_an_outcome_constraint(objective, text):
    config = optimization_config(objective, [text])

    assert config.outcome_constraints == config.constraints
    assert set(config.thresholds) == {None}


def test_a_threshold_may_be_given_as_one():
    given = optimization_config("yield, -cost", ["purity >= 0.9"], ["yield >= 0.6"])

    assert given == optimization_config("yield, -cost", ["purity >= 0.9", "yield >= 0.6"])


@pytest.mark.parametrize("text", ["yield <= 0.6", "purity >= 0.9"])
def test_what_is_to_be_a_threshold_must_be_one(text):
    with pytest.raises(ObjectiveError, match="says of none of several objectives"):
        optimization_config("yield, -cost", None, [text])


def test_a_threshold_relative_to_an_unknown_baseline_counts_as_none():
    assert optimization_config("yield, -cost", ["cost <= 1.2*baseline"]).reference() == (None, None)


@pytest.mark.parametrize("bound", ["inf", "-inf", "nan", "NaN", "Infinity"])
def test_what_is_no_finite_number_bounds_nothing(bound):
    with pytest.raises(ObjectiveError, match="is no bound: give a finite one, or leave the constraint out"):
        optimization_config("yield", [f"impurity <= {bound}"])


def test_a_log_that_has_such_a_bound_is_read_as_it_was():
    old = OutcomeConstraint("a <= inf", (("a", 1.0), ("inf", -1.0)), "<=", 0.0)

    assert msgspec.json.decode(msgspec.json.encode(old), type=OutcomeConstraint) == old


@pytest.mark.parametrize("objective", [None, ["yield", "-cost"], 3])
def test_an_objective_that_is_no_text_is_refused_with_the_way_to_write_it(objective):
    with pytest.raises(ObjectiveError, match='give a text, such as "yield"; commas set several apart: "yield, -cost"'):
        optimization_config(objective)


@pytest.mark.parametrize("given", ["impurity <= 3", 3, {"impurity": 3}])
@pytest.mark.parametrize("name", ["outcome_constraints", "objective_thresholds"])
def test_constraints_that_are_no_list_are_refused(name, given):
    with pytest.raises(ObjectiveError, match=f"{name} is .*: give a list of texts"):
        optimization_config("yield, -cost", **{name: given})


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (optimization_config("yield", ["t <= 50"]), "'t <= 50' names 't'.*: put it among the parameter constraints"),
        (optimization_config("yield - 2*t"), "objective 'yield - 2\\*t' names 't', which is a parameter and no metric"),
    ],
)
def test_a_parameter_is_no_metric(config, said):
    with pytest.raises(ObjectiveError, match=said):
        config.require_measured(["s", "t"])
