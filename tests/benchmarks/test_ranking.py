"""Who is ahead is counted rightly: on made-up runs whose ranks, wins and intervals are known."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def ranking(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import ranking  # noqa: PLC0415

    return ranking


def one(optimizer, final, *, seed=0, problem="bowl", parallel=4, seconds=0.0, **more):
    """A run as ``optimization.py`` keeps it."""
    kept = {"optimizer": optimizer, "problem": problem, "parallel": parallel, "seed": seed, "seconds": seconds}
    return {**kept, "regret": [9.0, final], **more}


@pytest.fixture
def found(ranking, tmp_path):
    """Runs that were written to a file and read again."""

    def read(*runs):
        file = tmp_path / "runs.json"
        file.write_text(json.dumps({"runs": runs}))
        return ranking.gathered([file])

    return read


def columns(problem, **finals):
    """Runs on a problem: of each optimizer the regrets at the end, seed by seed; None where it has no run."""
    return [
        one(name.replace("_", "-"), final, seed=seed, problem=problem)
        for name, values in finals.items()
        for seed, final in enumerate(values)
        if final is not None
    ]


def test_runs_of_several_files_are_put_together_and_a_later_one_replaces_its_like(ranking, tmp_path):
    files = [tmp_path / "first.json", tmp_path / "second.json"]
    files[0].write_text(json.dumps({"runs": [one("titrant", 1.0), one("titrant", 2.0, seed=1)]}))
    files[1].write_text(json.dumps({"runs": [one("titrant", 3.0, seed=1), one("ax", 4.0, parallel=16)]}))

    found = ranking.gathered(files)

    assert {cell: {name: sorted(runs) for name, runs in table.items()} for cell, table in found.items()} == {
        ("bowl", 4, 0.0): {"titrant": [0, 1]},
        ("bowl", 16, 0.0): {"ax": [0]},
    }
    assert found["bowl", 4, 0.0]["titrant"][1]["regret"][-1] == 3.0


def test_runs_with_other_trials_at_once_or_of_another_length_are_never_compared(ranking, found):
    finals = found(one("titrant", 1.0), one("ax", 2.0, parallel=16), one("ax", 2.0, seconds=10.0))

    assert ranking.wins(finals, "ax") is None


def test_only_seeds_that_all_have_run_are_paired(ranking, found):
    runs = found(*columns("bowl", titrant=[1.0, None, 3.0], ax=[4.0, 5.0, 6.0]))["bowl", 4, 0.0]

    assert ranking.paired(runs, ["ax", "titrant"]).tolist() == [[4.0, 1.0], [6.0, 3.0]]
    assert ranking.paired(runs, ["titrant", "sobol"]) is None


def test_runs_without_a_seed_in_common_are_not_paired(ranking, found):
    runs = found(*columns("bowl", titrant=[1.0, None], ax=[None, 5.0]))["bowl", 4, 0.0]

    assert ranking.paired(runs, ["titrant", "ax"]) is None


def test_ranks_are_by_the_regret_at_the_end_and_ties_share_theirs(ranking, found):
    finals = found(*columns("bowl", a=[1.0], b=[2.0], c=[3.0]), *columns("hills", a=[2.0], b=[2.0], c=[1.0]))

    cells, (mean, _, _) = ranking.ranks(finals, ["a", "b", "c"])

    assert cells == [("bowl", 4, 0.0), ("hills", 4, 0.0)]
    assert mean.tolist() == [(1 + 2.5) / 2, (2 + 2.5) / 2, (3 + 1) / 2]


def test_a_problem_that_one_of_them_left_out_is_not_ranked(ranking, found):
    finals = found(*columns("bowl", a=[1.0], b=[2.0]), *columns("hills", a=[2.0]))

    assert ranking.ranks(finals, ["a", "b"])[0] == [("bowl", 4, 0.0)]


def test_nothing_feasible_to_the_end_is_the_last_rank(ranking, found):
    finals = found(*columns("bowl", a=[float("inf")], b=[1e9]))

    assert ranking.ranks(finals, ["a", "b"])[1][0].tolist() == [2.0, 1.0]


def test_cells_count_alike_however_many_seeds_they_have(ranking, found):
    finals = found(*columns("bowl", titrant=[1.0] * 9, ax=[2.0] * 9), *columns("hills", titrant=[2.0], ax=[1.0]))

    cells, pairs, (share, _, _) = ranking.wins(finals, "ax")

    assert (cells, pairs) == (2, 10)
    assert share.tolist() == [0.5]


def test_a_tie_is_half_a_win(ranking, found):
    finals = found(*columns("bowl", titrant=[1.0, 1.0, 1.0, 1.0], ax=[2.0, 2.0, 1.0, 0.5]))

    assert ranking.wins(finals, "ax")[2][0].tolist() == [(1 + 1 + 0.5 + 0) / 4]


def test_without_scatter_the_interval_is_a_point(ranking):
    middle, low, high = ranking.interval([np.full((5, 2), [1.0, 3.0]), np.full((2, 2), [1.0, 3.0])])

    assert middle.tolist() == low.tolist() == high.tolist() == [1.0, 3.0]


def test_the_interval_of_one_cell_is_that_of_its_seeds(ranking):
    """Of 100 runs half are won: the share of a sample is binomial, with a deviation of 0.05."""
    half = np.repeat([[0.0], [1.0]], 50, axis=0)

    middle, low, high = ranking.interval([half])

    assert middle.tolist() == [0.5]
    assert low[0] == pytest.approx(0.5 - 1.96 * 0.05, abs=0.011)
    assert high[0] == pytest.approx(0.5 + 1.96 * 0.05, abs=0.011)


def test_the_interval_tells_that_other_problems_might_have_been_chosen(ranking):
    """All runs on one problem are won, all on the other lost: seeds tell nothing, and a quarter of all draws is 0."""
    middle, low, high = ranking.interval([np.zeros((1000, 1)), np.ones((1000, 1))])

    assert (middle.tolist(), low.tolist(), high.tolist()) == ([0.5], [0.0], [1.0])


def test_the_same_runs_give_the_same_interval(ranking):
    cells = [np.random.default_rng(1).random((7, 2)), np.random.default_rng(2).random((4, 2))]

    assert np.array_equal(ranking.interval(cells), ranking.interval(cells))


def test_the_table_shows_medians_and_counts_with_the_best_in_bold(ranking, found):
    finals = found(*columns("bowl", titrant=[1.0, 2.0, 9.0], ax=[3.0, 4.0]))

    assert ranking.medians(finals, ["titrant", "ax", "sobol"]).splitlines() == [
        "| problem | at once | titrant | ax | sobol |",
        "|---|---|---|---|---|",
        "| bowl | 4 | **2** (3) | 3.5 (2) | – |",
    ]


def test_a_course_is_the_median_of_what_each_seed_had_at_a_time(ranking, found):
    times = {0: [3600.0, 7200.0], 1: [3600.0, 10800.0], 2: [7200.0, 10800.0]}
    finals = found(*(one("titrant", float(seed), seed=seed, seconds=10.0, times=at) for seed, at in times.items()))

    course = ranking.courses(finals["bowl", 4, 10.0], np.array([0.5, 1.0, 2.0, 3.0]))

    assert course["titrant"].tolist() == [np.inf, 9.0, 9.0, 1.0]


def test_it_is_told_when_a_peer_was_ahead(ranking):
    hours = np.array([1.0, 2.0, 3.0])
    course = {"titrant": np.array([3.0, 2.0, 1.0]), "ax": np.array([3.0, 1.5, 0.5]), "sobol": np.array([9.0, 8.0, 7.0])}

    assert ranking.behind(course, hours) == ["ax at 2 of 3 times, 7200 to 10800 s"]


def run(script, *words):
    done = subprocess.run(
        [sys.executable, BENCHMARKS / script, *words], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_the_benchmark_writes_is_ranked(tmp_path):
    out = tmp_path / "quick.json"
    run("optimization.py", "--quick", "--json", str(out))

    said = run("ranking.py", str(out), "--optimizers", "titrant,sobol").splitlines()

    runs = json.loads(out.read_text())["runs"]
    finals = {(one["problem"], one["optimizer"], one["seed"]): one["regret"][-1] for one in runs}
    pairs = [(finals[problem, "titrant", seed], finals[problem, "sobol", seed]) for problem, _, seed in finals]
    share = np.mean([(np.sign(peer - ours) + 1) / 2 for ours, peer in pairs])
    (row,) = [line for line in said if line.startswith("| sobol |") and "pairs" in line]
    assert len(finals) == 8
    assert row.startswith(f"| sobol | {share:.0%} | [")
    assert row.endswith("| 4 pairs, 2 cells |")
    assert "Mean rank, 1 to 2, over the 2 cells in which all of them took part" in said


def test_the_time_that_suggestions_take_is_told_where_it_was_charged(tmp_path):
    file = tmp_path / "charged.json"
    ours = one("titrant", 2.0, seconds=10.0, times=[10.0, 20.0])
    file.write_text(json.dumps({"runs": [ours, one("ax", 1.0, seconds=10.0, times=[10.0, 40.0])]}))

    said = run("ranking.py", str(file), "--optimizers", "titrant,ax").splitlines()

    assert said[-2] == "bowl, 4 slots, trials of 10 s, time charged: ahead of titrant were"
    assert said[-1].startswith("ax at 1 of 400 times, 40 to 40 s")
