"""What people do to an experiment from a terminal."""

import pytest

from titrant import ChoiceParameterConfig, Client, RangeParameterConfig
from titrant.model.approval import ApprovalRule
from titrant.model.trial import TrialStatus


@pytest.fixture
def log(tmp_path):
    """An experiment with a finished trial, one in somebody's hands, and one that awaits approval."""
    path = tmp_path / "one.titrant"
    with Client(path, random_seed=1) as client:
        client.configure_experiment(
            [RangeParameterConfig("x", (0, 1)), ChoiceParameterConfig("solvent", ("DMF", "MeCN"))]
        )
        client.configure_optimization("y")
        client.configure_tracking_metrics(["z"])
        client.configure_approval([ApprovalRule(when="x > 0.9")])
        client.attach_trial({"x": 0.5, "solvent": "DMF"})
        client.complete_trial(0, {"y": 0.25})
        client.attach_trial({"x": 0.2, "solvent": "MeCN"})
        client.attach_trial({"x": 0.95, "solvent": "DMF"})
    return path


def trial(path, index):
    with Client.open(path) as client:
        return client.state.trial(index)


def test_an_act_prints_the_event_it_wrote(titrant, log):
    told = titrant("void", 0, "-m", "the vial leaked", "--by", "kim", "--role", "chemist")

    assert told.code == 0
    (line,) = told.out.splitlines()
    assert "trial.voided" in line
    assert "user:kim (chemist): the vial leaked" in line
    assert trial(log, 0).status is TrialStatus.VOIDED


def test_a_voided_result_can_be_let_count_again(titrant, log):
    titrant("void", 0, "-m", "leak")

    assert titrant("unvoid", 0, "-m", "no leak after all").code == 0
    assert trial(log, 0).status is TrialStatus.COMPLETED


def test_a_result_is_corrected_with_its_error(titrant, log):
    assert titrant("correct", 0, "y=0.75±0.05", "-m", "wrong dilution").code == 0

    (y,) = trial(log, 0).observations
    assert (y.mean, y.sem) == (0.75, 0.05)


@pytest.mark.parametrize(("text", "mean", "sem"), [("y=2", 2, None), ("y=2+-0.5", 2, 0.5), ("y=nan", None, None)])
def test_a_result_is_told(titrant, log, text, mean, sem):
    assert titrant("tell", 1, text, "z=3").code == 0

    y, z = trial(log, 1).observations
    assert (y.mean, y.sem, z.mean) == (mean, sem, 3)


def test_trials_are_asked_for_and_shown(titrant, log):
    told = titrant("ask", "-n", 2, "--fix", "solvent=DMF", "--json")

    assert told.code == 0
    made = told.json["value"]["trials"]
    assert set(made) == {"3", "4"}
    assert {conditions["solvent"] for conditions in made.values()} == {"DMF"}


def test_a_trial_is_attached_with_its_result(titrant, log):
    assert titrant("attach", "x=0.1", "solvent=DMF", "y=4").code == 0
    assert trial(log, 3).status is TrialStatus.COMPLETED


def test_a_proposal_is_approved_by_a_person(titrant, log):
    assert titrant("approve", 2, "--by", "agent:planner").code == 3
    assert titrant("approve", 2, "--by", "kim").code == 0
    assert trial(log, 2).status is TrialStatus.RUNNING


def test_a_proposal_is_rejected_with_a_reason(titrant, log):
    assert titrant("reject", 2, "-m", "too hot").code == 0
    assert trial(log, 2).status is TrialStatus.REJECTED


def test_a_trial_is_abandoned(titrant, log):
    assert titrant("abandon", 1, "-m", "no stock").code == 0
    assert trial(log, 1).status is TrialStatus.ABANDONED


def test_words_are_noted_on_a_trial_and_on_the_experiment(titrant, log):
    assert "note.added" in titrant("note", 0, "-m", "cloudy").out
    assert "new lamp" in titrant("note", "new", "lamp").out


def test_pause_halt_and_reset_are_in_the_log(titrant, log):
    assert "experiment.paused" in titrant("pause").out
    assert "experiment.unpaused" in titrant("unpause").out
    assert "experiment.halted" in titrant("halt", "-m", "smoke").out
    assert "experiment.reset" in titrant("reset", "-m", "it was toast").out


def test_what_is_so_already_is_said(titrant, log):
    titrant("pause")

    assert "nothing changed" in titrant("pause").out
    assert "no run is under way" in titrant("drain").out
    assert "no run is under way" in titrant("stop").out


def test_a_signature_covers_the_head(titrant, log):
    told = titrant("sign", "--meaning", "reviewed", "--by", "kim", "--json")

    assert told.code == 0
    (signed,) = told.json["events"]
    assert signed["event"]["seq"] == told.json["value"]["seq"] == signed["seq"] - 1


def test_a_running_engine_is_asked(titrant, log):
    with Client.open(log) as client:
        assert titrant("void", 0, "-m", "leak", "--log", log).code == 0
        assert client.state.trial(0).status is TrialStatus.VOIDED


def test_a_table_is_imported(titrant, log, tmp_path):
    table = tmp_path / "results.csv"
    table.write_text("x,solvent,y,y_sem\n0.1,DMF,1.5,0.1\n0.2,MeCN,2.5,\n0.3,DMF,,\n")

    assert titrant("import", table, "--dry-run").code == 0
    assert titrant("import", table).code == 0

    with Client.open(log) as client:
        first, second, third = (client.state.trial(index) for index in (3, 4, 5))
    assert first.observations[0].sem == 0.1
    assert second.observations[0].mean == 2.5
    assert third.status is TrialStatus.RUNNING


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("x,solvent,y\n0.1,DMF,1\n7,DMF,1\n", "row 3: parameter 'x' is 7.0"),
        ("x,solvent,y\n0.1,DMF,high\n", "row 2: y='high' is no number"),
        ("x,solvent,colour\n0.1,DMF,1\n", "the column 'colour'"),
        ("x,solvent,y\n0.1,DMF\n", "more or fewer values"),
        ("x,solvent,y\n", "has no rows"),
    ],
)
def test_a_bad_row_keeps_all_rows_out(titrant, log, tmp_path, content, why):
    table = tmp_path / "results.csv"
    table.write_text(content)

    told = titrant("import", table)

    assert told.code == 2
    assert why in told.err
    with Client.open(log) as client:
        assert client.state.next_index == 3


@pytest.mark.parametrize(
    ("args", "code", "why"),
    [
        (("void", 99, "-m", "x"), 2, "there is no trial 99"),
        (("void", "first", "-m", "x"), 2, "valid integer"),
        (("void", 0), 2, "void needs a reason"),
        (("void", 1, "-m", "x"), 3, "trial 1 is RUNNING"),
        (("tell", 1, "y=high"), 2, "is no number"),
        (("tell", 1, "w=1"), 2, "there is no metric 'w'"),
        (("tell", 1, "y"), 2, "no NAME=VALUE"),
        (("tell", 0, "y=1"), 3, "trial 0 is COMPLETED"),
        (("correct", 0, "-m", "x"), 2, "correct needs the values"),
        (("attach", "x=2", "solvent=DMF"), 2, "outside its bounds"),
        (("attach", "x=a", "solvent=DMF"), 2, "is no float"),
        (("attach", "w=1"), 2, "there is no parameter 'w'"),
        (("ask", "-n", 0), 2, "greater than or equal to 1"),
        (("approve", 1), 3, "trial 1"),
        (("retry", 0, "-m", "x"), 3, "trial 0"),
        (("hold", 1, "-m", "x"), 3, "trial 1"),
        (("reset",), 2, "reset needs a reason"),
        (("reset", "-m", "x"), 3, "not halted"),
        (("sign",), 2, "needs a meaning"),
        (("sign", "--meaning", "liked"), 2, "liked"),
        (("note",), 2, "note needs words"),
        (("import", "nowhere.csv"), 2, "nowhere.csv"),
        (("pause", "--by", "engine:x"), 2, "neither"),
        (("pause", "nowhere.titrant"), 2, "no log at nowhere.titrant"),
    ],
)
def test_bad_input_is_named_with_an_exit_code(titrant, log, args, code, why):
    told = titrant(*args)

    assert told.code == code
    assert why in told.err
    assert len(told.err.strip().splitlines()) == 1
