"""The benchmarks run: every case at tiny sizes, titrant's side only; and their arithmetic is right."""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def lab(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import _lab  # noqa: PLC0415

    return _lab


@pytest.fixture
def cases(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import _cases  # noqa: PLC0415

    return _cases.CASES


def ran(script, *words):
    """What a benchmark prints."""
    done = subprocess.run(
        [sys.executable, BENCHMARKS / script, *words], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_case_runs_and_fills_its_rows(tmp_path, cases):
    out = tmp_path / "results.json"
    ran("orchestration.py", "--smoke", "--skip-ax", "--json", out)
    document = json.loads(out.read_text())
    filled = {(row["case"], row["key"]) for row in document["rows"]}
    assert filled == {(case.name, row.key) for case in cases for row in case.rows}
    assert all("error" not in sample and sample["watch"]["load_before"] for sample in document["samples"])
    assert document["machine"]["cores"]
    assert document["versions"]["titrant"]["titrant"]


def test_list_schedule_gives_the_ideal_of_each_workload(lab, cases):
    ideal = {
        case.name: lab.list_schedule(lab.trial_durations(case.plan), case.plan["slots"])
        for case in cases
        if case.name in ("tutorial", "random8", "utilisation16", "utilisation40")
    }
    assert ideal == {"tutorial": 50.0, "random8": 4.0, "utilisation16": 7.0, "utilisation40": 17.5}


def test_the_utilisation_workloads_can_fill_every_slot(lab, cases):
    for case in cases:
        if case.name.startswith("utilisation"):
            durations = lab.trial_durations(case.plan)
            assert sum(durations) == lab.list_schedule(durations, case.plan["slots"]) * case.plan["slots"]


def test_hartmann6_at_its_minimum(lab):
    point = dict(zip(lab.NAMES, (0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573), strict=True))
    assert lab.hartmann6(point) == pytest.approx(-3.32237, abs=1e-5)


def test_fifths_add_up_to_the_run(lab):
    starts = [0.1 * i for i in range(10)]
    fifths = lab.by_fifths(0.0, starts, 2.0)
    assert fifths == pytest.approx([100, 100, 100, 100, 600])


def test_quantile_never_hides_the_worst_of_few(lab):
    assert lab.quantile([1.0, 2.0, 9.0], 0.999) == 9.0
    assert lab.quantile(list(range(1, 1001)), 0.99) == 990


def test_a_trial_started_twice_is_noticed(lab):
    bench = lab.Lab([1.0], None, "running", "completed")
    point = dict.fromkeys(lab.NAMES, 0.5)
    metadata = bench.run_trial(0, point)
    assert bench.poll_trial(0, metadata) == "running"
    with pytest.raises(AssertionError, match="twice"):
        bench.run_trial(0, point)


async def _stand_still(seconds):
    await asyncio.sleep(0.02)
    time.sleep(seconds)  # noqa: ASYNC251  # the stall that is to be seen


def test_ticks_that_fall_due_in_a_stall_count_once_each(lab):
    import _titrant_side  # noqa: PLC0415

    ticker = _titrant_side.Ticker()
    asyncio.run(ticker.during(_stand_still(0.1)))
    late = sorted(ticker.late, reverse=True)[:15]
    assert 0.09 < late[0] < 0.3
    assert all(0.004 < before - after < 0.006 for before, after in itertools.pairwise(late))


def test_the_policies_are_compared_on_the_same_trials(tmp_path):
    out = tmp_path / "policies.json"
    sizes = ["--problem", "branin", "--trials", "8", "--slots", "2", "--seeds", "1", "--json", out]
    ran("policies.py", *sizes)
    runs = json.loads(out.read_text())["runs"]["2"]
    assert {policy: len(found) for policy, found in runs.items()} == {"auto": 1, "fresh": 1, "ready": 1}
    (fresh,), (ready,) = runs["fresh"], runs["ready"]
    assert fresh["unseen"] == 0 < ready["unseen"]
    assert fresh["makespan_s"] > ready["makespan_s"]


def test_a_plate_is_timed_and_its_wells_are_counted(tmp_path):
    out = tmp_path / "plates.json"
    said = ran("plates.py", "--only", "2 objectives", "--seeds", "1", "--json", out)
    document = json.loads(out.read_text())
    assert [(row["case"], row["known"], row["different"]) for row in document["rows"]] == [
        ("2 objectives", 16, 96),
        ("2 objectives", 60, 96),
    ]
    assert all(0 < row["searched"] < 96 and len(row["cpu_s"]) == 1 for row in document["rows"])
    assert said.count("| 2 objectives |") == 2
