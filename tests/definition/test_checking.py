"""A check tells all that would go wrong, and writes nothing."""

import pytest

from titrant.definition import check
from titrant.definition.templates import TEMPLATES, template

from .conftest import FILE


def said(report):
    return [(one.level, one.where, one.text) for one in report.problems]


@pytest.mark.parametrize("kind", TEMPLATES)
def test_every_template_passes(written, tmp_path, kind):
    before = sorted(tmp_path.iterdir())
    path = written(template(kind, kind, f"{kind}.toml"), f"{kind}.toml")

    report = check(path)

    assert report.passed, report.problems
    assert len(report.suggested) == 8
    assert bool(report.measured) == (kind != "blank")
    assert sorted(tmp_path.iterdir()) == sorted([*before, path])


def test_a_real_lab_is_made_and_not_called(written):
    report = check(written(FILE.replace("own_lab:react", "own_lab:Reactor")))

    assert report.passed
    assert report.runners == ("Reactor",)
    assert report.measured == {}


def test_faults_of_names_and_of_metrics_are_told_together(written):
    faulty = FILE.replace('use = "own_lab:react"', 'use = "own_lab:Robot"\n[[metrics]]\nuse = "own_lab:Scales"')
    report = check(written(faulty))

    assert not report.passed
    assert [(level, where) for level, where, _ in said(report)] == [("error", "metrics[0]")]


def test_a_metric_that_nobody_gives_is_found(written):
    faulty = FILE.replace(
        'use = "own_lab:react"', 'use = "own_lab:Robot"\n[[metrics]]\nuse = "own_lab:Scale"\nname = "yield"'
    )

    ((level, where, text),) = said(check(written(faulty)))

    assert (level, where) == ("error", "metrics")
    assert "'impurity'" in text


def test_a_simulated_lab_that_measures_something_else_is_found(written):
    text = """
    objective = "height"
    [parameters]
    x1 = [-5, 10]
    x2 = [0, 15]
    [[runners]]
    use = "titrant.simulation:branin"
    """
    report = check(written(text))

    assert not report.passed
    assert any("height" in text for _, _, text in said(report))


def test_two_runners_of_one_name_are_found(written):
    twice = FILE + '    [[runners]]\n    use = "own_lab:react"\n'

    assert ("error", "runners") in [(level, where) for level, where, _ in said(check(written(twice)))]


def test_a_small_space_says_how_small(written):
    report = check(
        written('objective = "y"\n[parameters]\na = ["p", "q"]\nb = { bounds = [1, 2], parameter_type = "int" }\n')
    )

    assert report.points == 4
    assert len(report.suggested) == 4


def test_without_runner_or_objective_there_are_warnings_only(written):
    report = check(written("[parameters]\nx = [0, 1]\n"))

    assert report.passed
    assert [level for level, _, _ in said(report)] == ["warning", "warning"]


def test_a_parameter_that_is_taken_for_a_metric_is_found_where_it_is_named(written):
    wrong = FILE.replace("impurity <= 0.05", "minutes <= 50").replace('"yield"', '"yield - temperature_c"')

    found = said(check(written(wrong)))

    assert [(level, where) for level, where, _ in found] == [
        ("error", "objective"),
        ("error", "outcome_constraints[0]"),
    ]
    assert "names 'temperature_c', which is a parameter" in found[0][2]
    assert "put it among the parameter constraints" in found[1][2]


def test_a_metric_that_a_simulated_lab_lacks_is_told_where_it_is_named(written):
    text = """
    objective = "yield"
    outcome_constraints = ["impurity <= 3", "odour <= 2"]
    [parameters]
    temperature_c = [30, 120]
    time_min = [2, 40]
    equivalents = [1, 3]
    solvent = ["MeCN", "DMF"]
    [[runners]]
    use = "titrant.simulation:reaction"
    """

    ((level, where, words),) = said(check(written(text)))

    assert (level, where) == ("error", "outcome_constraints[1]")
    assert "the outcome constraint needs 'odour'; the lab measures " in words
