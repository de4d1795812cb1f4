"""The strategies that docs/strategies.md shows work as it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from titrant.definition.checking import check

from .pages import shown

PAGE = "strategies.md"


def test_the_graph_that_is_shown_is_followed(capsys: pytest.CaptureFixture[str]):
    exec(shown(PAGE), {})

    assert capsys.readouterr().out == f"{['design'] * 6 + ['search'] * 6 + ['confirm'] * 2}\n"


def test_the_file_that_is_shown_would_run(tmp_path: Path):
    file = tmp_path / "lab.toml"
    file.write_text(shown(PAGE, "toml"), encoding="utf-8")

    assert check(file).passed


def test_a_file_with_both_a_graph_and_a_design_is_found_out(tmp_path: Path):
    file = tmp_path / "lab.toml"
    file.write_text(shown(PAGE, "toml").replace('policy = "ready"', "initialization_budget = 9"), encoding="utf-8")

    (problem,) = (problem for problem in check(file).problems if problem.level == "error")
    assert (problem.where, problem.line) == ("strategy", 5)
    assert "either nodes or an initial design" in problem.text


def test_a_file_whose_graph_leads_nowhere_is_found_out(tmp_path: Path):
    file = tmp_path / "lab.toml"
    file.write_text(shown(PAGE, "toml").replace('name = "search"', 'name = "elsewhere"'), encoding="utf-8")

    (problem,) = (problem for problem in check(file).problems if problem.level == "error")
    assert "node 'design' leads to 'search', which is no node" in problem.text
