"""What people do to an experiment from a terminal."""

from pathlib import Path

import pytest

import titrant as titrant_package
from titrant import ChoiceParameterConfig, Client, OutcomeUnknown, PushedRunner, RangeParameterConfig
from titrant.cli.errors import IN_COMMANDS
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


def test_a_trial_in_hand_is_marked_as_failed(titrant, log):
    assert titrant("fail", 1, "-m", "the vial broke").code == 0
    assert trial(log, 1).status is TrialStatus.FAILED


def test_a_recipe_is_carried_out_once_more(titrant, log):
    told = titrant("replicate", 0, "-n", 2, "-m", "how much is noise?", "--by", "kim")

    assert told.code == 0
    assert [line.split()[-1] for line in told.out.splitlines()] == ["noise?)"] * 2
    assert titrant("replicate", 0, "--json").json["value"] == {"trials": [5]}
    assert trial(log, 4).replicate_of == 0
    assert trial(log, 4).parameters == trial(log, 0).parameters


def test_what_was_really_dosed_is_kept_beside_the_plan(titrant, log):
    told = titrant("executed", 0, "x=1.02", "-m", "the pump overshot")

    assert told.code == 0
    assert "trial.executed" in told.out
    assert trial(log, 0).executed["x"] == 1.02  # outside the bounds, as it was
    assert trial(log, 0).parameters["x"] == 0.5


class Silent(PushedRunner):
    """Does not say whether it began."""

    name = "silent"

    async def run(self, attempt):
        raise OutcomeUnknown("did it hear me?")


@pytest.fixture
def unknown(tmp_path):
    """An experiment that does not know what became of its only trial."""
    path = tmp_path / "lost.titrant"
    with Client(path, random_seed=1, virtual_time=True) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))])
        client.configure_optimization("y")
        client.configure_generation_strategy(method="random_search")
        client.configure_runner(Silent())
        client.run_trials(1)
        assert client.state.unknown
    return path


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (["completed", "y=2±0.1"], TrialStatus.COMPLETED),
        (["failed"], TrialStatus.FAILED),
        (["abandoned"], TrialStatus.ABANDONED),
    ],
)
def test_a_person_says_what_became_of_an_unknown_trial(titrant, unknown, said, status):
    told = titrant("resolve", 0, *said, "-m", "I looked into the hood", "--by", "kim")

    assert told.code == 0, told.err
    assert f"trial.resolved            0  user:kim: as {said[0]}: I looked into the hood" in told.out
    assert trial(unknown, 0).status is status


def test_an_unknown_trial_that_never_began_is_carried_out_again(titrant, unknown):
    assert titrant("resolve", 0, "rerun", "-m", "the vial is still full").code == 0
    assert not titrant("status", "--json").json["unknown"]


def test_the_doctor_names_the_command_that_settles_it(titrant, unknown, monkeypatch):
    monkeypatch.setattr("titrant.cli.health.machine.worker", lambda: iter(()))

    assert "titrant resolve 0 OUTCOME -m WHY" in titrant("doctor", unknown).out


def test_a_runner_is_taken_out_of_use_and_put_back(titrant, unknown):
    assert "runner.quarantined" in titrant("quarantine", "silent", "-m", "it does not answer").out
    assert "quarantined: it does not answer" in titrant("status").out
    assert "runner.restored" in titrant("restore", "silent", "-m", "new cable").out


@pytest.mark.parametrize(
    ("args", "code", "why"),
    [
        (("resolve", 0, "failed"), 2, "resolve needs a reason"),
        (("resolve", 0, "gone", "-m", "x"), 2, "gone"),
        (("resolve", 7, "failed", "-m", "x"), 2, "there is no trial 7"),
        (("resolve", 0, "completed", "z=1", "-m", "x"), 2, "there is no metric 'z'"),
        (("resolve", 0, "completed", "y=high", "-m", "x"), 2, "is no number"),
        (("retry", 0, "-m", "x", "--log", "nowhere"), 2, "no log at nowhere"),
        (("restore", "silent", "-m", "x"), 3, "not quarantined"),
        (("restore", "loud", "-m", "x"), 2, "there is no runner 'loud': there are 'silent'"),
        (("quarantine", "loud", "-m", "x"), 2, "there is no runner 'loud'"),
        (("quarantine", "silent"), 2, "quarantine needs a reason"),
    ],
)
def test_bad_input_about_runners_and_lost_trials_is_named(titrant, unknown, args, code, why):
    told = titrant(*args)

    assert told.code == code
    assert why in told.err


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
        (("fail", 1), 2, "fail needs a reason"),
        (("fail", 0, "-m", "x"), 3, "trial 0 is COMPLETED"),
        (("resolve", 1, "failed", "-m", "x"), 3, "not UNKNOWN"),
        (("replicate", 99), 2, "there is no trial 99"),
        (("replicate", 0, "-n", 0), 2, "greater than or equal to 1"),
        (("replicate", 0, "-n", 5000), 2, "ask for 1 to 1000"),
        (("executed", 0), 2, "executed needs"),
        (("executed", 0, "w=1"), 2, "there is no parameter 'w'"),
        (("executed", 0, "x=nan"), 2, "x"),
        (("executed", 99, "x=1"), 2, "there is no trial 99"),
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


def test_a_finished_trial_takes_what_it_lacks(titrant, log):
    told = titrant("tell", 0, "z=3")

    assert told.code == 0, told.err
    assert "trial.data_attached" in told.out
    assert [(one.metric, one.mean) for one in trial(log, 0).observations] == [("y", 0.25), ("z", 3)]
    assert trial(log, 0).status is TrialStatus.COMPLETED


def test_what_a_finished_trial_has_is_not_told_anew_and_it_is_said_how_it_is_replaced(titrant, log):
    told = titrant("tell", 0, "y=1", "z=3")

    assert told.code == 3
    assert "`titrant correct` replaces values" in told.err
    assert "attach_data" not in told.err
    assert len(trial(log, 0).observations) == 1


@pytest.mark.parametrize("call", [call for call, _ in IN_COMMANDS])
def test_what_is_put_into_commands_is_said_somewhere(call):
    sources = (Path(titrant_package.__file__).parent / folder for folder in ("api", "rules", "analysis"))

    assert any(call in path.read_text(encoding="utf-8") for folder in sources for path in folder.glob("*.py"))
