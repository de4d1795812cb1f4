"""The strategies that docs/strategies.md shows work as it says."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from titrant.definition import load
from titrant.definition.checking import check
from titrant.definition.file import Strategy
from titrant.definition.meaning import optimization

from .pages import shown

PAGE = "strategies.md"


def test_the_graph_that_is_shown_is_followed(capsys: pytest.CaptureFixture[str]):
    exec(shown(PAGE), {})

    assert capsys.readouterr().out == f"{['design'] * 6 + ['search'] * 6 + ['confirm'] * 2}\n"


def test_the_file_that_is_shown_would_run(tmp_path: Path):
    file = tmp_path / "lab.toml"
    file.write_text(shown(PAGE, "toml"), encoding="utf-8")

    assert check(file).passed


def test_the_file_that_is_shown_says_what_the_code_says(tmp_path: Path):
    file, said = tmp_path / "lab.toml", {}
    file.write_text(shown(PAGE, "toml"), encoding="utf-8")
    exec(shown(PAGE).partition("client.configure_runner")[0], said)
    with said["client"] as client:
        state = client.state
    loaded = load(file)

    assert loaded.experiment.space == state.experiment.space
    assert optimization(loaded.file) == state.optimization
    assert tuple(loaded.file.strategy.node) == state.strategy.nodes
    assert msgspec.structs.replace(loaded.file.strategy, node=[]) == Strategy()
    assert (loaded.file.seed, loaded.file.run.max_trials, loaded.file.run.parallelism) == (state.seed, 14, 2)


def test_a_file_with_both_a_graph_and_a_design_is_found_out(tmp_path: Path):
    file = tmp_path / "lab.toml"
    file.write_text(shown(PAGE, "toml").replace("[[", "[strategy]\ninitialization_budget = 9\n[[", 1), encoding="utf-8")

    (problem,) = (problem for problem in check(file).problems if problem.level == "error")
    assert (problem.where, problem.line) == ("strategy", 12)
    assert "either nodes or an initial design" in problem.text


def test_a_file_whose_graph_leads_nowhere_is_found_out(tmp_path: Path):
    file = tmp_path / "lab.toml"
    file.write_text(shown(PAGE, "toml").replace('name = "search"', 'name = "elsewhere"'), encoding="utf-8")

    (problem,) = (problem for problem in check(file).problems if problem.level == "error")
    assert "node 'design' leads to 'search', which is no node" in problem.text
