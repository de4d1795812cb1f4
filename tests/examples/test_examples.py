"""Every example runs, and shows what it says it shows."""

import re
from pathlib import Path

import pytest

from titrant.log.replay import read_log
from titrant.messages import events as e

EXAMPLES = sorted(path.stem for path in (Path(__file__).parents[2] / "examples").glob("*.py"))


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_tells_its_options(run_example, name):
    assert "--help" in run_example(name, "--help")


def test_the_tutorial_runs_and_goes_on(run_example, tmp_path):
    log = tmp_path / "lab.titrant"
    first = run_example("hartmann6_tutorial", "--trials", 4, "--seconds", 0.05, "--log", log, "--seed", 1)
    second = run_example("hartmann6_tutorial", "--trials", 1, "--seconds", 0.05, "--resume", log)

    assert "Best parameters (trial" in first
    assert f"--resume {log}" in first
    assert len(re.findall(r"COMPLETED", second)) == 5


def test_the_original_mock_runner_works_where_each_trial_begins_in_a_second_of_its_own(run_example):
    assert "2 of 2 trials carry their own result" in run_example("ax_mock_verbatim", "--trials", 2)


def test_the_original_mock_runner_needs_nothing_of_titrant_but_the_status(tmp_path):
    source = (Path(__file__).parents[2] / "examples" / "ax_mock_verbatim.py").read_text()

    assert "class MockRunner:" in source
    assert "class MockMetric:" in source
    assert 'file_name = f"{int(time.time())}.txt"' in source
    assert "time_elapsed = time.time() - int(file_name[:4])" in source


def test_the_pushed_runner_reports_on_the_way(run_example):
    printed = run_example("pushed_runner", "--trials", 4, "--seconds", 0.05)

    assert "at progression 0.25" in printed
    assert "at progression None" in printed


def test_coarse_simulations_lead_to_an_answer_of_a_fine_one(run_example):
    printed = run_example("fidelity", "--seconds", 150)

    assert "best of 400 steps: trial" in printed
    assert "'steps': 400}" in printed


def test_ask_and_tell_gives_a_best_trial(run_example):
    printed = run_example("ask_tell", "--rounds", 1)

    assert "best: trial" in printed
    assert "the vial broke" in printed


def test_the_simulated_lab_is_the_same_every_time(run_example, tmp_path):
    for name in ("one", "two"):
        run_example("simulated_lab", "--trials", 30, "--log", tmp_path / name)
    logs = [[(r.recorded_at, r.actor, r.event, r.hash) for r in read_log(tmp_path / name)] for name in ("one", "two")]

    assert logs[0] == logs[1]


def test_after_a_kill_the_same_trials_are_found_again(run_example, tmp_path):
    printed = run_example("resume", "--trials", 6)
    [log] = tmp_path.glob("resume-*/lab.titrant")
    sessions = sum(isinstance(record.event, e.SessionOpened) for record in read_log(log))

    assert "the first process ended with code -9" in printed
    assert "finished: 6 trials" in printed
    assert "started on the instrument more than once: []" in printed
    assert sessions == 2


def test_the_demo_optimizes_goes_on_and_is_replayed(run_example, tmp_path):
    fast = ("--trials", 3, "--seconds", 0.05)
    run_example("demo", *fast)
    again = run_example("demo", *fast)
    resumed = run_example("demo", *fast, "--resume", "demo.titrant")
    replayed = run_example("demo", "--replay", "demo.titrant")

    assert "Everything is in demo-2.titrant" in again
    assert "Everything is in demo.titrant" in resumed
    assert re.search(r"trial\.created +5 ", replayed)
    assert len(re.findall(r"^ +\d+  ", replayed, re.MULTILINE)) == sum(1 for _ in read_log(tmp_path / "demo.titrant"))
