"""The search space, the objective and the strategy change in mid-experiment, under a real model."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path
from typing import Any

import pytest

from titrant import (
    ChoiceParameterConfig,
    Client,
    CommandRefused,
    ConfigurationError,
    FixedParameterConfig,
    RangeParameterConfig,
    TrialStatus,
)
from titrant.errors import SearchSpaceError
from titrant.generators import dispatch
from titrant.generators.base import PredictionReply, PredictionRequest, Reply, Request
from titrant.messages import events as e
from titrant.model.approval import ApprovalRule
from titrant.model.trial import Parameterization

from .conftest import MakeClient
from .labs import Takes
from .test_durable import fold

T = RangeParameterConfig("t", (20.0, 100.0))
C = RangeParameterConfig("c", (0.1, 10.0), scaling="log")
S = ChoiceParameterConfig("solvent", ("water", "DMF", "THF"))
WORTH = {"water": 0.0, "DMF": 1.0, "THF": 0.5}


def measured(conditions: Parameterization) -> float:
    """A yield that is best at 70 °C in DMF."""
    t, solvent = float(conditions.get("t", 60.0)), str(conditions.get("solvent", "water"))
    return 10 - ((t - 70) / 20) ** 2 + WORTH.get(solvent, 0.0) + float(conditions.get("c", 1.0)) / 10


class Here:
    """titrant's own generator in this process, where torch is loaded once for all tests."""

    def __init__(self) -> None:
        dispatch.warm()

    def suggest(self, request: Request) -> Reply:
        return dispatch.suggest(request)

    def predict(self, request: PredictionRequest) -> PredictionReply:
        return dispatch.predict(request)


@pytest.fixture
def client(tmp_path: Path):
    """An experiment with eight results, so that a model makes the next suggestions."""
    with Client(tmp_path / "log.titrant", random_seed=3, virtual_time=True, generator=Here()) as client:
        begin(client)
        yield client


def begin(client: Client) -> None:
    """Configure the experiment and make its first eight results, by design."""
    client.configure_experiment([T, C, S])
    client.configure_optimization("yield")
    client.configure_runner(lambda conditions: {"yield": measured(conditions)})
    client.configure_generation_strategy("random_search")
    client.run_trials(max_trials=8)
    client.configure_generation_strategy("fast")


def suggested(client: Client, count: int = 2) -> list[Parameterization]:
    """What a model suggests next, made by a model indeed and fitting the space of now."""
    made = client.get_next_trials(max_trials=count)
    state = client.state
    assert state.experiment is not None
    for index, conditions in made.items():
        assert state.trial(index).node == "bo"
        assert state.experiment.space.contains(conditions)
    return list(made.values())


def run_on(client: Client, count: int = 2) -> list[Parameterization]:
    """More trials of the closed loop by the model."""
    first = client.state.next_index
    assert client.run_trials(max_trials=count).outcome == "finished"
    trials = client.state.trials()[first:]
    assert {trial.node for trial in trials} == {"bo"}
    return [trial.parameters for trial in trials]


# --- each kind of change, under a real model ------------------------------------------------------------------------


def test_narrowed_bounds_are_kept_and_data_beyond_them_inform_the_model(client: Client):
    client.change_bounds("t", (20.0, 50.0))

    assert all(20 <= conditions["t"] <= 50 for conditions in (*suggested(client), *run_on(client)))
    (low, high) = client.predict([{"t": 20.0, "c": 1.0, "solvent": "DMF"}, {"t": 50.0, "c": 1.0, "solvent": "DMF"}])
    assert low["yield"][0] < high["yield"][0]


def test_widened_bounds_are_used(client: Client):
    client.change_bounds("c", (0.1, 1000.0))

    assert max(conditions["c"] for conditions in run_on(client, count=4)) > 10


def test_steps_are_kept_and_data_between_them_inform_the_model(client: Client):
    client.change_search_space([RangeParameterConfig("t", (20.0, 100.0), step_size=20.0), C, S])

    assert {conditions["t"] for conditions in suggested(client)} <= {20.0, 40.0, 60.0, 80.0, 100.0}


def test_another_scaling_goes_on_with_the_same_data(client: Client):
    client.change_search_space([T, RangeParameterConfig("c", (0.1, 10.0)), S])

    run_on(client)


def test_a_category_that_is_gone_is_suggested_no_more(client: Client):
    client.change_search_space([T, C, ChoiceParameterConfig("solvent", ("water", "THF"))])

    assert "DMF" not in {conditions["solvent"] for conditions in (*suggested(client), *run_on(client))}


def test_a_category_may_be_added(client: Client):
    client.change_search_space([T, C, ChoiceParameterConfig("solvent", ("water", "DMF", "THF", "MeCN"))])

    run_on(client)


def test_a_constraint_comes_and_goes(client: Client):
    client.add_constraint("t + 2*c <= 60")
    assert all(conditions["t"] + 2 * conditions["c"] <= 60 + 1e-6 for conditions in run_on(client))

    client.remove_constraint("2*c + t <= 60")
    assert client.state.experiment.space.constraints == ()
    run_on(client)


def test_a_parameter_is_added_with_the_value_that_it_had(client: Client):
    client.add_parameter(RangeParameterConfig("minutes", (5, 60), parameter_type="int"), 30)

    assert all("minutes" in conditions for conditions in (*suggested(client), *run_on(client)))
    at = {"t": 70.0, "c": 1.0, "solvent": "DMF"}
    usual, longer = client.predict([{**at, "minutes": 30}, {**at, "minutes": 60}])
    assert usual["yield"][1] < longer["yield"][1]


def test_a_parameter_is_removed(client: Client):
    client.remove_parameter("solvent")

    assert all(set(conditions) == {"t", "c"} for conditions in (*suggested(client), *run_on(client)))


def test_a_number_is_fixed_and_data_at_other_values_inform_the_model(client: Client):
    client.fix_parameter("t", 30)

    assert {conditions["t"] for conditions in (*suggested(client), *run_on(client))} == {30.0}
    assert set(client.state.trials()[-1].parameters) == {"t", "c", "solvent"}
    at = {"c": 1.0, "solvent": "DMF"}
    assert client.predict([at]) == client.predict([{**at, "t": 30.0}])
    with pytest.raises(ConfigurationError, match="parameter 't' is 70"):
        client.predict([{**at, "t": 70.0}])


def test_a_text_is_fixed(client: Client):
    client.fix_parameter("solvent", "DMF")

    assert {conditions["solvent"] for conditions in run_on(client)} == {"DMF"}


def test_a_number_that_was_fixed_varies_again(client: Client):
    client.fix_parameter("t", 30.0)
    client.change_bounds("t", (60.0, 90.0))

    assert all(60 <= conditions["t"] <= 90 for conditions in run_on(client))


def test_a_held_value_is_kept_beside_a_fixed_one(client: Client):
    client.fix_parameter("t", 30.0)

    (conditions,) = client.get_next_trials(fixed_parameters={"solvent": "THF"}).values()
    assert (conditions["t"], conditions["solvent"]) == (30.0, "THF")
    with pytest.raises(Exception, match="does not fit the search space"):
        client.get_next_trials(fixed_parameters={"t": 70.0})


def test_everything_may_change_one_after_the_other_and_across_a_restart(tmp_path: Path):
    path = tmp_path / "log.titrant"
    with Client(path, random_seed=3, virtual_time=True) as client:  # with worker processes, as people have it
        begin(client)
        client.change_bounds("t", (40.0, 80.0))
        run_on(client)
        client.add_parameter(ChoiceParameterConfig("stirrer", ("a", "b")), "a")
        client.fix_parameter("c", 2.0)
        run_on(client)
    with Client.open(path, virtual_time=True) as client:
        client.configure_runner(lambda conditions: {"yield": measured(conditions)})
        run_on(client)
        client.remove_parameter("solvent")
        client.remove_parameter("c")
        run_on(client)

        state = client.state
        assert set(state.trials()[-1].parameters) == {"t", "stirrer"}
        assert fold(path) == state
        best, _, index, _ = client.get_best_parameterization()
    assert set(best) == {"t", "stirrer"}
    assert 40 <= state.trial(index).parameters["t"] <= 80


# --- the answers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_model", [True, False])
def test_the_best_is_one_that_could_be_made_now(client: Client, by_model: bool):
    client.change_bounds("t", (20.0, 50.0))
    run_on(client)

    conditions, _, _, _ = client.get_best_parameterization(use_model_predictions=by_model)

    assert conditions["t"] <= 50


@pytest.mark.parametrize("by_model", [True, False])
def test_while_none_could_be_made_now_the_best_of_all_is_told(client: Client, by_model: bool):
    before = client.get_best_parameterization(use_model_predictions=False)

    client.fix_parameter("t", 21.5)

    assert client.get_best_parameterization(use_model_predictions=False)[2] == before[2]
    assert client.get_best_parameterization(use_model_predictions=by_model)[0]["t"] != 21.5


def test_the_best_says_what_was_backfilled(client: Client):
    client.add_parameter(FixedParameterConfig("vessel", "flask"))

    assert client.get_best_parameterization()[0]["vessel"] == "flask"


# --- in the middle of a run -----------------------------------------------------------------------------------------


def in_mid_run(client: Client, after: int, act: Any, measure: Any, **run: Any) -> Any:
    """Run, and have another thread act once trial *after* is created: the next ones wait for it; returns the report."""
    acted, calls = threading.Event(), itertools.count()

    def measured(conditions: Parameterization) -> Any:
        assert next(calls) <= after or acted.wait(30)
        return measure(conditions)

    def watch() -> None:
        for record in client.subscribe():
            if isinstance(record.event, e.TrialCreated) and record.event.trial == after:
                act(client)
                acted.set()
                return

    client.configure_runner(measured)

    thread = threading.Thread(target=watch)
    thread.start()
    while not client._async.engine.hub._boxes:
        pass
    report = client.run_trials(**run)
    thread.join(timeout=30)
    assert not thread.is_alive()
    return report


def test_bounds_change_while_the_run_goes_on(make_client: MakeClient):
    client = make_client(virtual_time=False)
    first_after: list[int] = []

    def act(client: Client) -> None:
        client.change_bounds("x", (0.0, 0.25))
        first_after.append(client.state.next_index)

    report = in_mid_run(client, 5, act, lambda conditions: float(conditions["x"]), max_trials=30, parallelism=3)

    assert (report.outcome, report.trials_created) == ("finished", 30)
    assert first_after[0] < 20
    assert all(trial.parameters["x"] <= 0.25 for trial in client.state.trials()[first_after[0] :])


def test_what_waits_is_replaced_when_the_space_narrows(make_client: MakeClient):
    client = make_client()
    client.configure_runner(Takes(1))
    client.configure_approval([ApprovalRule()])
    client.run_trials(max_trials=4, parallelism=4, timeout_seconds=5)

    client.change_bounds("x", (0.0, 0.4))

    stale = [trial for trial in client.state.trials() if trial.status is TrialStatus.STALE]
    assert stale
    assert all(trial.parameters["x"] > 0.4 for trial in stale)
    assert all("outside its bounds" in (trial.reason or "") for trial in stale)


def test_the_objective_changes_while_the_run_goes_on(make_client: MakeClient):
    client = make_client(virtual_time=False)
    client.configure_tracking_metrics(["cost"])

    report = in_mid_run(
        client,
        3,
        lambda client: client.configure_optimization("y - cost"),
        lambda conditions: {"y": conditions["x"], "cost": 1.0},
        max_trials=20,
    )

    assert report.outcome == "finished"
    assert client.state.optimization.metric_names == ("y", "cost")
    assert client.state.trials()[-1].missing == ()


def test_an_objective_that_nobody_measures_is_refused_in_mid_run(make_client: MakeClient):
    client = make_client(virtual_time=False)
    refused: list[str] = []

    def act(client: Client) -> None:
        try:
            client.configure_optimization("purity")
        except CommandRefused as exc:
            refused.append(str(exc))

    in_mid_run(client, 3, act, lambda conditions: {"y": conditions["x"]}, max_trials=20)

    assert len(refused) == 1
    assert "to one of 'purity' while run_trials is under way: no trial has it; drain the run first" in refused[0]


def test_the_strategy_changes_while_the_run_goes_on(make_client: MakeClient):
    client = make_client(virtual_time=False, method="fast")

    # A model is due at once; a suggestion of it that is under way then is none of the new strategy's.
    in_mid_run(
        client,
        4,
        lambda client: client.configure_generation_strategy("random_search"),
        lambda conditions: conditions["x"],
        max_trials=9,
    )

    assert client.state.strategy.method == "random_search"
    assert client.state.trials()[-1].node == "sobol"


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda one: one.change_bounds("q", (0, 1)), SearchSpaceError, "there is no parameter 'q'"),
        (
            lambda one: one.change_bounds("solvent", (0, 1)),
            ConfigurationError,
            "'solvent' has no bounds, since",
        ),
        (lambda one: one.change_bounds("t", (5, 1)), SearchSpaceError, "the lower must be below the upper"),
        (lambda one: one.add_parameter(T), SearchSpaceError, "more than one parameter is called 't'"),
        (
            lambda one: one.add_parameter(RangeParameterConfig("z", (0, 1))),
            ConfigurationError,
            "'z' is new, and 8",
        ),
        (lambda one: one.remove_parameter("q"), SearchSpaceError, "there is no parameter 'q'"),
        (lambda one: one.fix_parameter("t", "hot"), ConfigurationError, "'t' cannot be fixed at 'hot': give a finite"),
        (
            lambda one: one.fix_parameter("solvent", "oil"),
            ConfigurationError,
            "'solvent' is 'oil', not among",
        ),
        (lambda one: one.add_constraint("t + q <= 3"), SearchSpaceError, "'q' is none of t, c, solvent"),
        (lambda one: one.add_constraint("t <= 3"), SearchSpaceError, "cannot be met"),
        (
            lambda one: one.remove_constraint("t <= 50"),
            SearchSpaceError,
            "there is no constraint 't <= 50'",
        ),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_and_changes_nothing(
    client: Client, change: Any, error: Any, message: str
):
    before = client.state.experiment

    with pytest.raises(error, match=message):
        change(client)

    assert client.state.experiment == before


def test_without_a_search_space_nothing_changes():
    with Client(virtual_time=True) as client, pytest.raises(CommandRefused, match="call configure_experiment first"):
        client.change_bounds("x", (0, 1))


def test_two_changes_at_once_both_hold(client: Client):
    threads = [
        threading.Thread(target=client.change_bounds, args=("t", (30.0, 90.0))),
        threading.Thread(target=client.change_bounds, args=("c", (0.2, 5.0))),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    space = client.state.experiment.space
    assert (space.parameter("t").bounds, space.parameter("c").bounds) == ((30.0, 90.0), (0.2, 5.0))


@pytest.mark.parametrize("bounds", [(0,), (0, 1, 2), 5, "01", None])
def test_bounds_are_two_numbers(client: Client, bounds: Any):
    with pytest.raises(ConfigurationError, match=r"bounds.*two numbers, the lower"):
        client.change_bounds("t", bounds)


def test_a_single_parameter_is_no_search_space(client: Client):
    with pytest.raises(ConfigurationError, match="give a list of parameters"):
        client.change_search_space(T)


def test_a_new_parameter_is_not_called_as_a_metric_of_the_objective(client: Client):
    with pytest.raises(ConfigurationError, match="names 'yield', which is a parameter and no metric"):
        client.add_parameter(RangeParameterConfig("yield", (0, 1)), 0.5)
