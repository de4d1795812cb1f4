"""What-if on the command line."""

import pytest

from titrant import Client, FunctionRunner, RangeParameterConfig


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    path = tmp_path_factory.mktemp("logs") / "one.titrant"
    with Client(path, random_seed=1, virtual_time=True) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))], name="first")
        client.configure_optimization("y")
        client.configure_generation_strategy(method="random_search")
        client.configure_runner(FunctionRunner(lambda parameters: {"y": parameters["x"]}, name="lab"))
        client.run_trials(6)
    return path


def test_settings_are_compared_in_a_table_and_as_a_document(titrant, log, tmp_path):
    told = titrant("whatif", log, "-p", "1,2", "--seeds", 1, "--trials", 2, "--keep", tmp_path / "kept")

    assert told.code == 0
    assert "random_search" in told.out
    assert "the model's fit to 6 trials" in told.out
    assert len(list((tmp_path / "kept").glob("*.titrant"))) == 2
    document = titrant("whatif", log, "-p", "1", "--seeds", 1, "--trials", 2, "--from", "-3", "--json")
    assert document.json["settings"][0]["max_trials"] == 2
    assert document.json["start"] > 0


@pytest.mark.parametrize(
    "wrong",
    [["-p", "two"], ["-p", "0"], ["--method", "magic"], ["--seeds", "0"], ["--from", "noon"], ["--from", "99999"]],
)
def test_bad_input_is_refused_before_anything_runs(titrant, log, wrong):
    assert titrant("whatif", log, *wrong).code == 2


def test_a_log_that_is_not_there_is_bad_input(titrant):
    assert titrant("whatif", "nowhere").code == 2
