"""The file and the Python calls give the same events."""

import pytest

from titrant import ChoiceParameterConfig, Client, RangeParameterConfig
from titrant.definition import apply, connect, keep, load
from titrant.log.replay import open_reader, read_log
from titrant.messages import events as e
from titrant.model.approval import ApprovalRule
from titrant.simulation import reaction

FULL = """
    name = "reaction"
    description = "A + B"
    owner = "kim"
    experiment_type = "screening"
    seed = 7
    constraints = ["temperature_c + 2*minutes <= 180"]
    objective = "yield"
    outcome_constraints = ["impurity <= 3"]
    tracking_metrics = ["colour"]

    [parameters]
    temperature_c = [20, 120]
    minutes = { bounds = [5, 60], parameter_type = "int" }
    solvent = ["MeCN", "DMF"]

    [strategy]
    method = "quality"
    initialization_budget = 7

    [[approval]]
    name = "hot"
    when = "temperature_c > 100"
    approvers = ["role:chemist"]

    [[runners]]
    use = "titrant.simulation:reaction"
    name = "left"
    capacity = 2
    with = { seed = 3 }
"""


def python(path):
    """The same as FULL, said in Python."""
    with Client(path, random_seed=7, virtual_time=True) as client:
        client.configure_experiment(
            [
                RangeParameterConfig("temperature_c", (20, 120)),
                RangeParameterConfig("minutes", (5, 60), "int"),
                ChoiceParameterConfig("solvent", ("MeCN", "DMF")),
            ],
            ["temperature_c + 2*minutes <= 180"],
            name="reaction",
            description="A + B",
            owner="kim",
            experiment_type="screening",
        )
        client.configure_optimization("yield", ["impurity <= 3"])
        client.configure_tracking_metrics(["colour"])
        client.configure_generation_strategy(method="quality", initialization_budget=7)
        client.configure_approval([ApprovalRule(name="hot", when="temperature_c > 100", approvers=("role:chemist",))])
        lab = reaction(seed=3, name="left", capacity=2)
        client.configure_runner(lab)


def payloads(path, *, without=()):
    """Type and payload of each event, byte for byte as they are stored."""
    reader = open_reader(path)
    rows = reader.execute("SELECT type, payload FROM events ORDER BY seq").fetchall()
    reader.close()
    return [row for row in rows if row[0] not in without]


def made_from(path, log):
    loaded = load(path)
    with Client(log, loaded.file.seed, virtual_time=True) as client:
        apply(client, loaded, connect(loaded))


def test_the_file_and_the_python_calls_give_the_same_events(written, tmp_path):
    made_from(written(FULL), tmp_path / "file.titrant")
    python(tmp_path / "python.titrant")

    of_file = payloads(tmp_path / "file.titrant", without={"experiment.defined"})
    assert of_file == payloads(tmp_path / "python.titrant")
    assert [kind for kind, _ in of_file] == [
        "session.opened", "experiment.configured", "optimization.configured", "tracking_metrics.configured",
        "strategy.configured", "approval.configured", "runners.configured", "session.closed",
    ]  # fmt: skip


def test_what_the_file_says_is_in_the_log_with_the_search_space(written, tmp_path):
    made_from(written(FULL), tmp_path / "lab.titrant")

    second, third = list(read_log(tmp_path / "lab.titrant"))[1:3]
    assert isinstance(second.event, e.ExperimentConfigured)
    assert third.event.definition.file == "lab.toml"
    assert third.event.definition.content["runners"][0]["with"] == {"seed": 3}
    assert second.key == third.key  # one request: both, or none


@pytest.mark.parametrize("events", range(1, 8))
def test_setting_up_that_was_cut_off_is_finished_later(written, tmp_path, events):
    """Whatever had been said before a kill, the rest is said when the log is opened again."""
    whole, part = tmp_path / "whole.titrant", tmp_path / "part.titrant"
    loaded = load(written(FULL))
    made_from(loaded.path, whole)
    steps = ("experiment", "optimization", "tracking_metrics", "generation_strategy", "approval", "runners")
    with Client(part, 7, virtual_time=True) as client, pytest.MonkeyPatch.context() as patch:
        for step in steps[events - 1 :]:
            patch.setattr(client, f"configure_{step}", lambda *_args, **_kwargs: None)
        if events > 1:
            apply(client, loaded, connect(loaded))

    with Client.open(part, virtual_time=True) as client:
        apply(client, loaded, connect(loaded))

    without = {"session.opened", "session.closed"}
    assert sorted(payloads(part, without=without)) == sorted(payloads(whole, without=without))


def test_what_a_person_changed_is_not_changed_back(written, tmp_path):
    loaded = load(written(FULL))
    made_from(loaded.path, tmp_path / "lab.titrant")
    with Client.open(tmp_path / "lab.titrant", virtual_time=True) as client:
        client.configure_optimization("-impurity")
        client.configure_generation_strategy(method="random_search")

    with Client.open(tmp_path / "lab.titrant", virtual_time=True) as client:
        apply(client, loaded, connect(loaded))

        assert client.state.optimization.text == "-impurity"
        assert client.state.strategy.method == "random_search"


def test_another_file_is_kept_from_then_on(written, tmp_path):
    made_from(written(FULL), tmp_path / "lab.titrant")
    other = load(written(FULL.replace("seed = 3", "seed = 4"), "other.toml"))

    with Client.open(tmp_path / "lab.titrant", virtual_time=True) as client:
        keep(client, other)

        assert client.state.definition.file == "other.toml"
