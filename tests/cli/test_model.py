"""What the model says, on the command line."""

import pytest

from titrant import Client, FunctionRunner, RangeParameterConfig


def make(path, objective, trials=8):
    """The log of a quick experiment."""
    with Client(path, random_seed=1, virtual_time=True) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1)), RangeParameterConfig("z", (0, 1))])
        client.configure_optimization(objective)
        client.configure_tracking_metrics(["cost"] if "cost" not in objective else [])
        client.configure_generation_strategy(method="random_search")
        client.configure_runner(FunctionRunner(lambda p: {"y": p["x"] + 0.1 * p["z"], "cost": p["z"]}, name="lab"))
        client.run_trials(trials)
    return path


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return make(tmp_path_factory.mktemp("logs") / "one.titrant", "y")


def test_fit_importance_and_advice_are_shown_and_nothing_is_written(titrant, log):
    before = log.read_bytes()

    told = titrant("model", log)

    assert told.code == 0, told.err
    for words in ("fitted to 8 trials", "R²", "shares of the variance", "with probability", "expected improvement"):
        assert words in told.out
    assert "advice: " in told.out
    assert log.read_bytes() == before


def test_the_document_has_all_numbers(titrant, log):
    document = titrant("model", log, "--json").json

    (fit,) = document["fit"]["metrics"]
    assert len(fit["left_out"]) == 8
    assert [one["parameter"] for one in document["importance"]["outputs"][0]["indices"]] == ["x", "z"]
    assert document["optimality"]["advice"]
    assert document["optimality"]["expected_improvement"].keys() == {"value", "low", "high"}


def test_a_moment_in_the_past_has_the_model_of_then(titrant, log):
    now = titrant("model", log, "--json").json
    then = titrant("model", log, "--at", "-4", "--json").json

    assert then["seq"] == now["seq"] - 4
    assert len(then["fit"]["metrics"][0]["left_out"]) < 8


def test_with_several_objectives_the_front_and_what_may_be_added_are_told(titrant, tmp_path):
    log = make(tmp_path / "two.titrant", "y, -cost")

    told = titrant("model", log).out
    for words in ("on the front of the trials made are", "hypervolume", "expected gain", "advice: "):
        assert words in told
    document = titrant("model", log, "--json").json
    assert [one["metric"] for one in document["fit"]["metrics"]] == ["y", "cost"]
    assert document["optimality"]["advice"]
    assert {"trial", "probability"} == document["optimality"]["front"][0].keys()


def test_where_there_is_no_answer_to_what_is_left_the_rest_is_told(titrant, tmp_path):
    log = make(tmp_path / "many.titrant", "y, -cost, y + cost, y - 2*cost, 2*y + cost")

    assert "with 5 objectives" in titrant("model", log).out
    assert "with 5 objectives" in titrant("model", log, "--json").json["optimality"]["none_because"]


def test_a_log_with_too_few_data_says_so(titrant, tmp_path):
    told = titrant("model", make(tmp_path / "few.titrant", "y", trials=1))

    assert told.code != 0
    assert "a model needs 2" in told.err
