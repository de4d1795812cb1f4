"""Every kind of parameter in one experiment file: checked, run, asked about, and derived again from its log."""

from __future__ import annotations

import pytest

from titrant import Client
from titrant.definition import apply, check, connect, load
from titrant.replay.decisions import verify_decisions

FILE = """
name = "modes"
seed = 5
objective = "y"
constraints = ["t - 10*rate <= 100"]
candidates = "rack.csv"
[parameters]
mode = { values = ["batch", "flow"], dependent_parameters = { flow = ["rate"], batch = ["rpm"] } }
rate = [0, 5]
rpm = { bounds = [100, 900], parameter_type = "int" }
t = [20, 120]
solvent = { descriptors = "solvents.csv" }
ambient = { bounds = [15, 30], is_context = true }
[run]
max_trials = 10
parallelism = 2
context = { ambient = 22.5 }
[[runners]]
use = "lab_of_modes:react"
"""
LAB = """
def react(p):
    return {"y": -(p["t"] - 70) ** 2 / 1000 + (p["mode"] == "flow") + p["ambient"] / 10}
"""
SOLVENTS = "name,dielectric,logP\nTHF,7.5,0.46\nwater,80.1,-1.38\ntoluene,2.4,2.73\n"


@pytest.fixture
def path(tmp_path):
    rows = [
        f"{('batch', 'flow')[i % 2]},{0.4 * (i % 11) if i % 2 else ''},{'' if i % 2 else 100 + 25 * i},{20 + 2.5 * i},"
        f"{('THF', 'water', 'toluene')[i % 3]}"
        for i in range(30)
    ]
    (tmp_path / "rack.csv").write_text("\n".join(["mode,rate,rpm,t,solvent", *rows]), encoding="utf-8")
    (tmp_path / "solvents.csv").write_text(SOLVENTS, encoding="utf-8")
    (tmp_path / "lab_of_modes.py").write_text(LAB, encoding="utf-8")
    path = tmp_path / "modes.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_the_file_makes_sense_and_its_dry_run_keeps_to_the_candidates(path):
    report = check(path)
    space = load(path).experiment.space

    assert [str(one) for one in report.problems] == []
    assert len(report.suggested) == 8
    assert all(space.contains(point) for point in report.suggested)


def test_a_file_that_does_not_say_the_context_of_its_run_is_warned_of(path):
    path.write_text(FILE.replace("context = { ambient = 22.5 }", ""), encoding="utf-8")
    (problem,) = check(path).problems

    assert problem.level == "warning"
    assert "its context is not known: say what it is, as context={'ambient': …}" in str(problem)


def test_it_runs_answers_questions_and_every_suggestion_follows_from_its_log(path):
    loaded = load(path)
    log = path.with_suffix(".titrant")
    with Client(log, random_seed=5) as client:
        apply(client, loaded, connect(loaded))
        client.run_trials(**loaded.file.run.arguments(), progress=False)
        tried = [trial.parameters for trial in client.state.trials()]
        left = client.optimality()
        mattering = client.parameter_importance()

    assert all(loaded.experiment.space.contains(point) for point in tried)
    assert {point["ambient"] for point in tried} == {22.5}
    assert left.at["ambient"] == 22.5
    assert "ambient" in {one.parameter for one in mattering.outputs[0].indices}
    found = verify_decisions(log)
    assert (found.equal, found.divergences) == (10, [])
