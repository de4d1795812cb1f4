"""Constraints of every kind from the client's call to the log and back."""

import pytest
from tests.generators import own_rules

from titrant import Client, RangeParameterConfig
from titrant.definition import check
from titrant.errors import CommandRefused, ParameterizationError, SearchSpaceError
from titrant.replay.decisions import verify_decisions

PARTS = [RangeParameterConfig(name, (0.0, 1.0)) for name in "xyz"]
KINDS = [
    "x + y + z = 1",
    "at most 2 of x, y, z, each 0 or >= 0.1",
    "x**2 + y**2 <= 0.9",
    own_rules.below_the_curve,
]


def configured(client):
    client.configure_experiment(PARTS, KINDS)
    client.configure_optimization("gain")
    client.configure_runner(lambda at: {"gain": at["x"] + 0.5 * at["y"]})


def fits(values):
    return sum(value > 0 for value in values.values()) <= 2 and own_rules.below_the_curve(values)


def test_every_suggestion_is_made_again_from_the_log(tmp_path):
    path = tmp_path / "kinds.titrant"
    with Client(path, random_seed=3, virtual_time=True) as client:
        configured(client)
        client.run_trials(9, progress=False)
        trials = client.state.trials()

    assert all(fits(trial.parameters) for trial in trials)
    decisions = verify_decisions(path)
    assert (decisions.ok, decisions.equal) == (True, 9), str(decisions)


def test_an_experiment_goes_on_after_it_was_closed(tmp_path):
    path = tmp_path / "kinds.titrant"
    with Client(path, random_seed=3, virtual_time=True) as client:
        configured(client)
        space = client.state.experiment.space
    with Client.open(path, virtual_time=True) as client:
        assert client.state.experiment.space == space
        assert all(fits(values) for values in client.get_next_trials(3).values())


def test_constraints_of_every_kind_come_and_go_in_mid_experiment():
    with Client(random_seed=3, virtual_time=True) as client:
        client.configure_experiment(PARTS)
        for text in (
            "at most 1 of x, y, z",
            "x*y + z <= 0.5",
            "tests.generators.own_rules:below_the_curve",
            "x/3 <= z",
        ):
            client.add_constraint(text)
        with pytest.raises(
            SearchSpaceError, match="there is no constraint 'at most 2 of x, y, z': there are 'x/3 <= z'"
        ):
            client.remove_constraint("at most 2 of x, y, z")
        client.remove_constraint("at  most 1 of z, y, x")
        client.remove_constraint("x*y+z<=0.5")
        client.remove_constraint("x/3 <= z")

        assert [one.text for one in client.state.experiment.space.every_constraint] == [
            "tests.generators.own_rules:below_the_curve"
        ]


def test_an_attached_trial_that_breaks_one_is_refused_in_words():
    with Client(virtual_time=True) as client:
        configured(client)
        with pytest.raises((ParameterizationError, CommandRefused), match=r"3 are other than zero \(x, y, z\)"):
            client.attach_trial({"x": 0.5, "y": 0.3, "z": 0.2})


def test_an_experiment_file_names_them_and_a_check_finds_their_faults(tmp_path):
    parameters = "[parameters]\n" + "\n".join(f"{name} = [0, 1]" for name in "xyz")
    path = tmp_path / "good.toml"
    path.write_text(f'constraints = ["x + y + z = 1", "at most 2 of x, y, z", "x*y <= 0.2"]\n{parameters}\n')
    report = check(path)

    assert report.passed, report.problems
    assert all(fits(values) for values in report.suggested)

    path.write_text(f'constraints = [\n"at most 2 of x, w",\n"sin(x) <= 0.2",\n"x*y <= 1",\n]\n{parameters}\n')
    said = {(one.line, one.text.split(":")[0]) for one in check(path).problems if one.level == "error"}

    assert said == {
        (2, "'at most 2 of x, w' names 'w', which is no parameter"),
        (3, "cannot read 'sin(x) <= 0.2' at column 1"),
    }
