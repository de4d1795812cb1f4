"""Asking for trials and telling their results."""

from __future__ import annotations

import math

import pytest

from titrant import ChoiceParameterConfig, Client, CommandRefused, ConfigurationError, RangeParameterConfig, TrialStatus
from titrant.errors import TrialNotFound

from .conftest import MakeClient


def test_asked_trials_are_running_and_inside_the_space(make_client: MakeClient):
    client = make_client()

    asked = client.get_next_trials(max_trials=3)

    assert sorted(asked) == [0, 1, 2]
    assert asked[0] == {"x": 0.5}
    assert all(client.state.trial(i).status is TrialStatus.RUNNING for i in asked)


def test_fixed_parameters_are_kept(make_client: MakeClient):
    client = make_client()

    asked = client.get_next_trials(max_trials=3, fixed_parameters={"x": 0.25})

    assert all(parameters == {"x": 0.25} for parameters in asked.values())


@pytest.mark.parametrize("raw", [1.5, (1.5, 0.1), {"y": 1.5}, {"y": (1.5, 0.1)}, (1.5, None)])
def test_every_form_of_raw_data_is_read(make_client: MakeClient, raw):
    client = make_client()
    client.get_next_trials(max_trials=1)

    assert client.complete_trial(0, raw_data=raw) is TrialStatus.COMPLETED
    assert client.state.trial(0).observations[0].mean == 1.5


def test_an_unknown_metric_is_named_and_nothing_is_recorded(make_client: MakeClient):
    client = make_client()
    client.get_next_trials(max_trials=1)

    with pytest.raises(ConfigurationError, match="there is no metric 'yield'"):
        client.complete_trial(0, raw_data={"yield": 1.0})
    assert client.state.trial(0).status is TrialStatus.RUNNING


def test_a_trial_told_without_data_is_completed_and_says_what_is_missing(make_client: MakeClient):
    client = make_client()
    client.get_next_trials(max_trials=1)

    client.complete_trial(0)

    assert (client.state.trial(0).missing, client.state.trial(0).reason) == (("y",), "no value for y")


def test_data_may_come_in_parts(make_client: MakeClient):
    client = make_client()
    client.get_next_trials(max_trials=1)
    client.attach_data(0, raw_data=3.0, progression=1)
    client.attach_data(0, raw_data=2.0, progression=2)

    client.complete_trial(0)

    assert client.get_best_parameterization(use_model_predictions=False)[1] == {"y": (2.0, None)}


def test_a_late_result_is_recorded(make_client: MakeClient):
    client = make_client()
    client.get_next_trials(max_trials=1)
    client.mark_trial_failed(0, "the vial broke")

    client.attach_data(0, raw_data=2.0)

    assert client.state.trial(0).status is TrialStatus.FAILED
    assert client.state.trial(0).observations[0].mean == 2.0


def test_attached_trials_are_checked_against_the_space(make_client: MakeClient):
    client = make_client()

    assert client.attach_trial({"x": 0.1}, arm_name="mine") == 0
    assert client.state.trial(0).arm_name == "mine"
    with pytest.raises(ConfigurationError, match="x"):
        client.attach_trial({"x": 7.0})
    assert client.state.next_index == 1


def test_a_terminal_trial_is_not_completed_again(make_client: MakeClient):
    client = make_client()
    client.get_next_trials(max_trials=1)
    client.mark_trial_abandoned(0)

    with pytest.raises(CommandRefused, match="trial 0 is ABANDONED and cannot be completed"):
        client.complete_trial(0, raw_data=1.0)


def test_a_trial_that_is_not_there_is_named(make_client: MakeClient):
    with pytest.raises(TrialNotFound, match="there is no trial 5: there are no trials yet"):
        make_client().complete_trial(5, raw_data=1.0)


def test_early_stopping_needs_data(make_client: MakeClient):
    client = make_client()
    client.get_next_trials(max_trials=2)
    client.attach_data(0, raw_data=1.0, progression=3)

    client.mark_trial_early_stopped(0)

    assert client.state.trial(0).status is TrialStatus.EARLY_STOPPED
    with pytest.raises(CommandRefused, match="trial 1 has no data"):
        client.mark_trial_early_stopped(1)


def test_the_best_trial_keeps_the_constraints():
    with Client(random_seed=1, virtual_time=True) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))])
        client.configure_optimization("y", outcome_constraints=["impurity <= 0.05"])
        for y, impurity in [(1.0, 0.01), (9.0, 0.5), (2.0, 0.04)]:
            index = client.attach_trial({"x": y / 10})
            client.complete_trial(index, raw_data={"y": y, "impurity": impurity})

        parameters, values, index, _ = client.get_best_parameterization(use_model_predictions=False)

        assert (parameters, index) == ({"x": 0.2}, 2)
        assert values == {"y": (2.0, None), "impurity": (0.04, None)}


def test_before_any_data_there_is_no_best(make_client: MakeClient):
    with pytest.raises(CommandRefused, match="no trial has finished yet"):
        make_client().get_best_parameterization()


def test_with_several_objectives_there_is_a_front(make_client: MakeClient):
    client = make_client(objective="a, -b")
    for a, b in [(1, 1), (2, 2), (0.5, 3)]:
        client.complete_trial(client.attach_trial({"x": a / 4}), raw_data={"a": a, "b": b})

    assert [index for _, _, index, _ in client.get_pareto_frontier()] == [0, 1]
    with pytest.raises(CommandRefused, match="get_pareto_frontier"):
        client.get_best_parameterization()


def test_the_summary_has_one_row_a_trial_and_no_empty_columns(make_client: MakeClient):
    client = make_client()
    client.get_next_trials(max_trials=2)
    client.complete_trial(0, raw_data=1.0)

    table = client.summarize()

    assert table.columns == ("trial_index", "arm_name", "trial_status", "generation_node", "y", "x")
    assert table["trial_status"] == ["COMPLETED", "RUNNING"]
    assert list(table.to_pandas().columns) == list(table.columns)
    assert len(client.summarize(trial_statuses=["running"])) == 1


def test_values_that_are_no_numbers_never_win(make_client: MakeClient):
    client = make_client()
    for value in (math.nan, 3.0):
        client.complete_trial(client.attach_trial({"x": 0.5}), raw_data=value)

    assert client.get_best_parameterization(use_model_predictions=False)[2] == 1


def test_a_model_predicts_in_the_metrics_own_unit():
    with Client(random_seed=1) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 10)), ChoiceParameterConfig("c", ["a", "b"], "str")])
        client.configure_optimization("-cost")
        for x in (0.0, 2.0, 4.0, 6.0, 8.0, 10.0):
            client.complete_trial(client.attach_trial({"x": x, "c": "a"}), raw_data={"cost": 100 + x})

        (prediction,) = client.predict([{"x": 5.0, "c": "a"}])

        mean, sem = prediction["cost"]
        assert abs(mean - 105) < 1
        assert 0 <= sem < 5
        assert client.get_best_parameterization()[2] == 0


def test_a_search_space_stays_once_trials_exist(make_client: MakeClient):
    client = make_client()
    client.get_next_trials(max_trials=1)

    with pytest.raises(CommandRefused, match="cannot be replaced once trials exist"):
        client.configure_experiment([RangeParameterConfig("z", (0, 1))])


def test_without_a_search_space_nothing_can_be_asked():
    with Client() as client, pytest.raises(CommandRefused, match="call configure_experiment first"):
        client.get_next_trials(max_trials=1)


@pytest.mark.parametrize(
    ("objective", "constraints", "said"),
    [
        ("y", ["x <= 0.5"], "put it among the parameter constraints"),
        ("y + x", [], "which is a parameter and no metric"),
    ],
)
def test_a_parameter_is_no_metric(make_client: MakeClient, objective, constraints, said):
    with pytest.raises(ConfigurationError, match=said):
        make_client().configure_optimization(objective, constraints)


def test_a_single_tracking_metric_is_not_read_letter_by_letter(make_client: MakeClient):
    client = make_client()

    with pytest.raises(ConfigurationError, match="metric_names is the text 'ph': give a list of texts"):
        client.configure_tracking_metrics("ph")
    assert client.state.tracking == ()


def test_what_is_not_a_list_is_not_taken_for_a_search_space():
    x = RangeParameterConfig("x", (0.0, 1.0))
    with Client() as client:
        with pytest.raises(ConfigurationError, match="give a list of parameters"):
            client.configure_experiment(x)
        with pytest.raises(ConfigurationError, match="parameter_constraints is the text"):
            client.configure_experiment([x], "x <= 1")
        with pytest.raises(ConfigurationError, match=r"candidates is the text 'rack\.csv'"):
            client.configure_experiment([x], candidates="rack.csv")
