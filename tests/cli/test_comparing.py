"""An experiment of which nothing is measured, from its file on: a person compares finished trials at a terminal."""

import io

import pytest

from titrant.log.replay import read_log
from titrant.messages import events as e

from .files import FAST

MEASURED = 'preference = true\ntracking_metrics = ["yield", "impurity"]'
CONSTRAINED = 'outcome_constraints = ["impurity <= 3"]'

FILE = """
name = "lemonade"
seed = 1
preference = true

[parameters]
sugar_g = [0, 40]
lemon_ml = [0, 60]
"""


@pytest.fixture
def log(titrant, tmp_path):
    """Three glasses were mixed, and nobody has tasted one."""
    (tmp_path / "lemonade.toml").write_text(FILE)
    assert titrant("run", "lemonade.toml").code == 0
    assert titrant("ask", "-n", 3).code == 0
    for trial in range(3):
        assert titrant("tell", trial).code == 0
    return tmp_path / "lemonade.titrant"


@pytest.fixture
def answers(monkeypatch):
    """What a person types, a line an answer; afterwards nothing comes any more."""

    def typed(*lines):
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))

    return typed


def compared(path):
    return [record.event for record in read_log(path) if isinstance(record.event, e.ComparisonAttached)]


def test_a_preference_is_sought_from_the_file_on(titrant, log):
    assert titrant("status").out.splitlines()[0] == "lemonade: preference"


def test_a_comparison_is_told_in_somebodys_name(titrant, log):
    told = titrant("compare", 2, 0, "--judge", "Ada", "-m", "fresher", "--by", "kim")

    assert told.code == 0
    assert "user:kim" in told.out
    assert "trial 2 better than trial 0, says Ada: fresher" in told.out
    assert compared(log) == [e.ComparisonAttached(better=2, worse=0, judge="Ada", note="fresher")]
    assert titrant("best").out.splitlines()[0] == "100% of its comparisons won in trial 2"


def test_before_anybody_compared_there_is_no_best_and_it_is_said_who_asks(titrant, log):
    assert "`titrant compare` asks" in titrant("best").out


def test_a_run_says_who_asks_and_what_its_runner_measures_is_recorded(titrant, tmp_path):
    (tmp_path / "lab.toml").write_text(FAST.replace('objective = "yield"', MEASURED).replace(CONSTRAINED, ""))
    told = titrant("run", "lab.toml", "--speed", "max", "--trials", 2)

    assert told.code == 0
    assert "`titrant compare` asks" in told.out
    assert titrant("compare", 1, 0).code == 0
    assert "yield = " in titrant("show", 1).out


def test_a_tie_is_told(titrant, log):
    assert titrant("compare", 1, 0, "--tie").code == 0

    assert compared(log) == [e.ComparisonAttached(better=1, worse=0, tie=True)]


def test_a_comparison_is_withdrawn_for_a_reason(titrant, log):
    titrant("compare", 2, 0)

    assert "needs a reason" in titrant("compare", "--withdraw", 0).err
    assert titrant("compare", "--withdraw", 0, "-m", "glasses mixed up").code == 0
    assert "comparison 0: glasses mixed up" in titrant("log").out


def test_a_person_is_asked_about_one_pair_after_the_other(titrant, log, answers):
    pair = titrant("compare", "--json").json["value"]["trials"]
    answers("the first", pair[1], "=")
    told = titrant("compare", "-n", 2)
    first, second = compared(log)

    assert told.code == 0
    assert told.out.count("Which is better") == 3
    assert f"'the first' is no answer: {pair[0]}, {pair[1]}, = or q" in told.out
    assert "sugar_g=" in told.out
    assert (first.better, first.worse) == (pair[1], pair[0])
    assert second.tie
    assert {second.better, second.worse} != set(pair)
    assert told.out.endswith("2 of 2 answered\n")


@pytest.mark.parametrize("said", [["q"], []], ids=["q", "end of input"])
def test_a_person_may_end_it(titrant, log, answers, said):
    answers(*said)

    assert titrant("compare", "-n", 5).out.endswith("0 of 5 answered\n")
    assert compared(log) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([3], "name two trials"),
        (["--tie"], "--tie is of two trials"),
        ([1, 0, "--withdraw", 0], "give one of the two"),
        ([1, 1], "cannot be compared with itself"),
        ([1, 7], "7"),
    ],
)
def test_what_makes_no_sense_is_bad_input(titrant, log, arguments, said):
    told = titrant("compare", *arguments)

    assert told.code == 2
    assert said in told.err
    assert compared(log) == []


def test_a_preference_gets_no_outcome_constraint_afterwards(titrant, log):
    told = titrant("change", "--outcome-constraint", "y <= 3", "-m", "why")

    assert told.code == 2
    assert "cannot be bound" in told.err


def test_where_metrics_are_sought_nothing_is_compared(titrant, tmp_path):
    (tmp_path / "y.toml").write_text('objective = "y"\n[parameters]\nx = [0, 1]\n')
    titrant("run", "y.toml")

    for asked in (["compare"], ["compare", 0, 1]):
        told = titrant(*asked)
        assert told.code == 3
        assert "no preference is sought" in told.err
        assert "where the experiment's file says `preference = true`" in told.err


def test_a_file_without_faults_is_passed_and_gives_no_warning_of_its_objective(titrant, tmp_path):
    (tmp_path / "lemonade.toml").write_text(FILE)
    told = titrant("check", "lemonade.toml")

    assert told.code == 0
    assert "objective" not in told.out


def test_a_preference_beside_an_objective_is_refused_with_its_lines(titrant, tmp_path):
    (tmp_path / "lemonade.toml").write_text(
        FILE.replace("preference = true", 'preference = true\nobjective = "y"\noutcome_constraints = ["z <= 1"]')
    )
    told = titrant("run", "lemonade.toml")

    assert told.code == 2
    assert "line 4" in told.err
    assert "'y' is optimized: give one of the two" in told.err
    assert "line 6" in told.err
    assert "cannot be bound by outcome constraints" in told.err


def test_of_what_nobody_measures_the_model_says_that_best_answers(titrant, log):
    told = titrant("model")

    assert told.code == 3
    assert "`titrant best` answers" in told.err
    assert "get_best" not in told.err
