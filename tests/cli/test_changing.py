"""An experiment changed in mid-course from a terminal."""

import pytest

from titrant import (
    ChoiceParameterConfig,
    Client,
    FixedParameterConfig,
    RangeParameterConfig,
)
from titrant.log.replay import read_log
from titrant.messages import events as e
from titrant.model.approval import ApprovalRule
from titrant.model.space import LinearConstraint


@pytest.fixture
def log(tmp_path):
    """An experiment with two results."""
    path = tmp_path / "one.titrant"
    with Client(path, random_seed=1) as client:
        client.configure_experiment(
            [RangeParameterConfig("t", (20, 100)), ChoiceParameterConfig("solvent", ("DMF", "MeCN"))],
            parameter_constraints=["t <= 95"],
        )
        client.configure_optimization("y", ["z <= 3"])
        client.configure_generation_strategy(initialization_budget=7)
        for t in (30, 90):
            client.attach_trial({"t": t, "solvent": "DMF"})
            client.complete_trial(client.state.next_index - 1, {"y": t / 100, "z": 1})
    return path


def state(path):
    with Client.open(path) as client:
        return client.state


def parameter(path, name):
    return state(path).experiment.space.parameter(name)


def changes(path):
    return [record for record in read_log(path) if isinstance(record.event, e.SpaceChanged)]


def test_bounds_are_changed_and_the_event_says_what_they_are_now(titrant, log):
    told = titrant("change", "--bounds", "t=40:80", "-m", "the seal softens", "--by", "kim", "--role", "chemist")

    assert told.code == 0, told.err
    (line,) = told.out.splitlines()
    assert "space.changed" in line
    assert "user:kim (chemist): t [40, 80], solvent DMF|MeCN; t <= 95 (the seal softens)" in line
    assert parameter(log, "t").bounds == (40, 80)
    assert "bounds: 20, 100 → 40, 80" in titrant("acts").out


@pytest.mark.parametrize(("text", "bounds"), [("t=:80", (20, 80)), ("t=-5:", (-5, 100)), ("t=1e1:50", (10, 50))])
def test_a_bound_that_is_not_named_stays(titrant, log, text, bounds):
    assert titrant("change", "--bounds", text, "-m", "x").code == 0
    assert parameter(log, "t").bounds == bounds


def test_a_parameter_is_fixed_and_varies_again(titrant, log):
    titrant("change", "--fix", "t=50", "-m", "x")
    assert parameter(log, "t") == FixedParameterConfig("t", 50.0)

    titrant("change", "--bounds", "t=:90", "-m", "x")
    assert parameter(log, "t").bounds == (20, 90)


def test_a_choice_gets_other_values(titrant, log):
    assert titrant("change", "--values", "solvent=DMF,water", "-m", "no MeCN left").code == 0
    assert parameter(log, "solvent").values == ("DMF", "water")


@pytest.mark.parametrize(
    ("what", "backfill", "value", "made"),
    [
        ("p=1:5", "p=2", 2.0, RangeParameterConfig("p", (1, 5))),
        ("p=[1, 5]", "p=2", 2.0, RangeParameterConfig("p", (1, 5))),
        (
            'p={ bounds = [1, 9], parameter_type = "int", step_size = 2 }',
            "p=3",
            3,
            RangeParameterConfig("p", (1, 9), "int", 2),
        ),
        ("p=Et3N,K2CO3", "p=Et3N", "Et3N", ChoiceParameterConfig("p", ("Et3N", "K2CO3"))),
        ("p=1,2,4", "p=2", 2, ChoiceParameterConfig("p", (1, 2, 4), "int")),
        ("p=250", "p=250", 250, FixedParameterConfig("p", 250)),
    ],
)
def test_a_parameter_is_added_and_was_something_in_the_trials_so_far(titrant, log, what, backfill, value, made):
    told = titrant("change", "--add", what, "--backfill", backfill, "-m", "x")

    assert told.code == 0, told.err
    assert parameter(log, "p") == made
    assert state(log).backfill == {"p": value}


def test_a_new_constant_needs_no_backfill(titrant, log):
    assert titrant("change", "--add", "flask=250", "-m", "x").code == 0
    assert state(log).backfill == {"flask": 250}


def test_several_changes_are_one_event(titrant, log):
    """Taken one by one, the space would be empty in between."""
    told = titrant(
        "change", "--remove", "solvent", "--bounds", "t=96:120", "--free", "t <= 95", "--constraint", "t <= 110",
        "--add", "p=1:5", "--backfill", "p=2", "-m", "another rig", "--json",
    )  # fmt: skip

    assert told.code == 0, told.out
    space = changes(log)[0].event.space
    assert len(changes(log)) == 1
    assert space.names == ("t", "p")
    assert space.constraints == (LinearConstraint.parse("t <= 110"),)
    (event,) = told.json["events"]
    assert event["reason"] == "another rig"


def test_of_changes_one_of_which_cannot_be_made_none_is(titrant, log):
    assert titrant("change", "--bounds", "t=:80", "--remove", "speed", "-m", "x").code == 2
    assert not changes(log)


def test_a_trial_that_waits_and_no_longer_fits_is_dropped_and_named(titrant, log):
    with Client.open(log) as client:
        client.configure_approval([ApprovalRule(when="t > 85")])
        client.attach_trial({"t": 90, "solvent": "DMF"})

    told = titrant("change", "--bounds", "t=:80", "-m", "the seal softens").out.splitlines()

    assert "trial.stale" in told[1]
    assert "the search space changed: parameter 't' is 90.0" in told[1]


def test_what_is_sought_is_changed_and_what_is_not_named_stays(titrant, log):
    assert titrant("change", "--objective", "y - 0.1*z", "-m", "x").code == 0
    assert state(log).optimization.text == "y - 0.1*z"
    assert [one.text for one in state(log).optimization.constraints] == ["z <= 3"]

    assert titrant("change", "--outcome-constraint", "z <= 2", "-m", "x").code == 0
    assert state(log).optimization.text == "y - 0.1*z"
    assert [one.text for one in state(log).optimization.constraints] == ["z <= 2"]

    assert titrant("change", "--outcome-constraint", "none", "-m", "x").code == 0
    assert not state(log).optimization.constraints


def test_the_strategy_is_changed_field_by_field(titrant, log):
    told = titrant("change", "--strategy", "method=quality", "--strategy", "initialize_with_center=false", "-m", "x")

    assert told.code == 0

    now = state(log).strategy
    assert (now.method, now.initialize_with_center, now.initialization_budget) == ("quality", False, 7)


def test_a_graph_stays_until_a_design_takes_its_place(titrant, log):
    with Client.open(log) as client:
        client.configure_generation_strategy(nodes=[{"name": "only", "generator": "bo"}])

    assert titrant("change", "--strategy", "policy=ready", "--strategy", "method=quality", "-m", "x").code == 0
    now = state(log).strategy
    assert ([node.name for node in now.nodes], now.policy, now.method) == (["only"], "ready", "quality")
    assert "only (bo, quality), ready suggestions" in titrant("log").out

    assert titrant("change", "--strategy", "initialization_budget=4", "-m", "x").code == 0
    now = state(log).strategy
    assert (now.nodes, now.initialization_budget, now.policy) == ((), 4, "ready")


def test_an_engine_that_holds_the_log_changes_at_once(titrant, log):
    with Client.open(log) as client:
        before = client.state.space_changes
        assert titrant("change", "--bounds", "t=:80", "-m", "x").code == 0
        assert client.state.space_changes == before + 1


def test_what_is_so_already_is_said(titrant, log):
    assert "nothing changed" in titrant("change", "--bounds", "t=20:100", "-m", "x").out


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ([], "what is to change? Give --bounds"),
        (["--bounds", "t=:80", "--objective", "y"], "one subject in one call"),
        (["--objective", "y", "--strategy", "method=fast"], "one subject in one call"),
        (["--bounds", "t"], "--bounds: 't' is no NAME=VALUE: write it as temperature_c=30:100"),
        (["--bounds", "t=80"], "give two numbers, as t=30:100"),
        (["--bounds", "t=:"], "give two numbers"),
        (["--bounds", "t=nan:80"], "give two numbers"),
        (["--bounds", "t=20:inf"], "give two numbers"),
        (["--bounds", "t=hot:80"], "give two numbers"),
        (["--bounds", "t=80:20"], "the lower must be below the upper"),
        (["--bounds", "t=98:99"], "cannot be met"),
        (["--bounds", "speed=1:2"], "there is no parameter 'speed'"),
        (["--bounds", "solvent=1:2"], "has no bounds, since it is no range"),
        (["--bounds", "t=:80", "--bounds", "t=30:"], "'t' is given twice"),
        (["--bounds", "t=:80", "--fix", "t=50"], "is to be changed in two ways"),
        (["--values", "solvent"], "--values: 'solvent' is no NAME=VALUE"),
        (["--values", "t=1,2"], "'t' is a range"),
        (["--values", "speed=1,2"], "there is no parameter 'speed'"),
        (["--fix", "t=hot"], "is no float"),
        (["--fix", "t=nan"], "finite"),
        (["--fix", "solvent=water"], "'water'"),
        (["--add", "t=1:2", "--backfill", "t=1"], "more than one parameter is called 't'"),
        (["--add", "p=1:2"], "as --backfill p=VALUE"),
        (["--add", "p=1:x"], "write bounds, as p=200:800"),
        (["--add", "p=[1, 2"], "write bounds, as p=200:800"),
        (["--add", "p={ bond = [1, 2] }"], "did you mean 'bounds'?"),
        (["--add", "p=nan:2", "--backfill", "p=1"], "finite"),
        (["--add", "p=1:2", "--backfill", "p=much"], "is no float"),
        (["--add", "p=1:2", "--backfill", "p=nan"], "'p'"),
        (["--backfill", "p=1"], "--add p=… adds it"),
        (["--remove", "speed"], "there is no parameter 'speed'"),
        (["--remove", "t"], "'t'"),
        (["--constraint", "t + speed <= 3"], "'speed' is none of"),
        (["--constraint", "t <"], "t <"),
        (["--free", "t <= 1"], "there is no constraint 't <= 1'"),
        (["--objective", "y *"], "cannot read"),
        (["--outcome-constraint", "z"], "z"),
        (["--strategy", "method=slow"], "'slow' is none of fast, quality,"),
        (["--strategy", "budget=3"], "no field of this name"),
        (["--strategy", "initialization_budget=-1"], "initialization_budget"),
        (["--strategy", "suggestion_deadline_seconds=nan"], "suggestion_deadline_seconds"),
    ],
    ids=" ".join,
)
def test_bad_input_is_named_and_changes_nothing(titrant, log, args, why):
    before = state(log).experiment, state(log).optimization, state(log).strategy

    told = titrant("change", *args, "-m", "x")

    assert told.code == 2
    assert why in told.err
    assert len(told.err.strip().splitlines()) == 1
    assert (state(log).experiment, state(log).optimization, state(log).strategy) == before


def test_a_change_needs_a_reason(titrant, log):
    told = titrant("change", "--bounds", "t=:80")

    assert told.code == 2
    assert "change needs a reason" in told.err
