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
    return {**kept, "regret": [9.0, final], "recommended": None, **more}


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


def test_where_there_is_noise_it_is_told_what_each_would_settle_on(ranking, found):
    noisy = {"problem": "hartmann6n", "regret": [9.0, 0.1]}
    finals = found(
        one("titrant", 0.1, recommended=0.2, peak=0.15, **noisy),
        one("titrant", 0.1, seed=1, recommended=0.4, peak=0.25, **noisy),
        one("ax", 0.1, recommended=0.3, peak=None, **noisy),
        one("sobol", 0.1, recommended=None, peak=None, **noisy),
        one("titrant", 0.1, problem="hartmann6", recommended=0.2, peak=0.1),
    )

    assert ranking.settled(finals, ["titrant", "ax", "sobol"]).splitlines()[2:] == [
        "| hartmann6n | 4 | titrant | 0.3 (2) | 0.2 (2) |",
        "| hartmann6n | 4 | ax | 0.3 (1) | – |",
    ]


def test_tables_are_put_between_the_marks_of_a_page(ranking, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- ranking:begin -->\nold\n<!-- ranking:end -->\nafter\n")

    ranking.write_into(page, "new")
    ranking.write_into(page, "newer")

    assert page.read_text() == "before\n<!-- ranking:begin -->\nnewer\n<!-- ranking:end -->\nafter\n"


@pytest.mark.parametrize("content", ["", "<!-- ranking:begin -->", "<!-- ranking:end --> <!-- ranking:begin -->"])
def test_a_page_without_both_marks_is_left_as_it_is(ranking, tmp_path, content):
    page = tmp_path / "page.md"
    page.write_text(content)

    with pytest.raises(ValueError, match="write both where the tables are to stand"):
        ranking.write_into(page, "new")

    assert page.read_text() == content


@pytest.fixture
def courses(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import _courses  # noqa: PLC0415

    return _courses


def charged(regret, times, *, seed=0, parallel=1):
    """A run on whose clock suggestions counted, too."""
    return {"regret": regret, "times": times, "seed": seed, "parallel": parallel}


def test_a_course_is_what_each_seed_had_at_a_time(courses):
    runs = {0: charged([9.0, 1.0], [10.0, 20.0]), 1: charged([8.0, 2.0], [10.0, 30.0])}

    found = courses.course(runs, [0, 1], np.array([5.0, 10.0, 25.0, 30.0]))

    assert found.tolist() == [[np.inf, 9.0, 1.0, 1.0], [np.inf, 8.0, 8.0, 2.0]]


def test_a_run_is_looked_at_until_its_last_trial_begins(courses):
    """With two slots the last of five trials begins when the third is over, and one slot is idle after the fourth."""
    ended = [10.0, 11.0, 20.0, 22.0, 30.0]
    runs = {0: charged([1.0] * 5, ended, parallel=2), 1: charged([1.0] * 5, [2 * t for t in ended], parallel=2)}

    assert courses.horizon(runs) == 20.0


def test_a_peer_is_compared_until_the_first_of_both_has_no_more_trials_to_begin(courses):
    ours = {0: charged([3.0, 2.0, 1.0], [10.0, 20.0, 30.0])}
    theirs = {0: charged([3.0, 2.0, 1.0], [10.0, 40.0, 90.0])}

    (found,) = courses.compared(ours, {"ax": theirs})

    assert (found.peer, found.seeds, found.seconds[-1]) == ("ax", 1, 20.0)


def test_it_is_told_when_a_peer_was_ahead_and_when_that_was_no_chance(courses):
    """Up to 20 s the peer has the smaller regret on every seed, from then on titrant."""
    ours = {seed: charged([5.0, 1.0, 1.0], [10.0, 20.0, 41.0], seed=seed) for seed in range(9)}
    theirs = {seed: charged([4.0, 4.0, 4.0], [10.0, 40.0, 41.0], seed=seed) for seed in range(9)}

    (found,) = courses.compared(ours, {"ax": theirs})

    early = (found.seconds >= 10.0) & (found.seconds < 20.0)
    assert found.ahead.tolist() == found.sure.tolist() == early.tolist()
    assert found.behind.tolist() == (found.seconds >= 20.0).tolist()
    assert str(found) == "| ax | 9 | 20 s | 50% (10 to 20 s) | 50% (10 to 20 s) | 0% (20 to 20 s) |"


def test_a_lead_on_some_seeds_alone_may_be_chance(courses):
    """On five of nine seeds the peer is ahead, on four titrant: the median is the peer's, but a draw may turn it."""
    ours = {seed: charged([2.0, 2.0], [10.0, 40.0], seed=seed) for seed in range(9)}
    theirs = {seed: charged([1.0 if seed < 5 else 3.0] * 2, [10.0, 40.0], seed=seed) for seed in range(9)}

    (found,) = courses.compared(ours, {"ax": theirs})

    assert found.ahead[-1]
    assert not found.sure.any()
    assert not found.behind.any()


def test_before_the_first_results_nobody_is_ahead(courses):
    runs = {0: charged([2.0, 2.0], [10.0, 40.0])}

    (found,) = courses.compared(runs, {"ax": {0: charged([1.0, 1.0], [10.0, 40.0])}})

    assert found.seconds[-1] == 10.0
    assert not (found.ahead[:-1] | found.behind[:-1]).any()


def test_peers_without_a_seed_in_common_are_not_compared(courses):
    runs = {0: charged([2.0, 2.0], [10.0, 40.0])}

    assert list(courses.compared(runs, {"ax": {1: charged([1.0, 1.0], [10.0, 40.0])}})) == []


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
    ours = one("titrant", 2.0, parallel=1, seconds=10.0, times=[10.0, 20.0])
    file.write_text(json.dumps({"runs": [ours, one("ax", 1.0, parallel=1, seconds=10.0, times=[10.0, 40.0])]}))

    said = run("ranking.py", str(file), "--optimizers", "titrant,ax").splitlines()

    assert "bowl, 1 slots, trials of 10 s, time charged: share of the times until the end" in said
    assert said[-1] == "| ax | 1 | 10 s | never | never | never |"


def test_the_first_points_of_every_design_are_compared():
    said = run("first_points.py", "--problems", "branin,reaction", "--seeds", "3", "--count", "4").splitlines()

    assert {len(line.split("|")) for line in said} == {9}
    assert [line.split(" |")[0] for line in said[2:]] == ["| branin", "| reaction"]


def test_an_optimizer_has_the_same_colour_in_every_picture_and_nobody_elses(courses):
    known = courses.coloured(["titrant", "ax", "optuna-gp", "optuna-tpe", "baybe", "sobol", "mine", "yours"])

    assert courses.coloured(["mine", "ax"])["ax"] == known["ax"]
    assert len(set(known.values())) == 8
