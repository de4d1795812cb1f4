"""At the same cost, cheaper fidelities lead to better trials at the target, or hardly to worse ones.

Short campaigns of the benchmark's, with the cost of a twentieth at the cheapest fidelity; longer ones are in
``benchmarks/fidelity.py``.
"""

from __future__ import annotations

import statistics
from pathlib import Path

import numpy as np
import pytest

SEEDS = (1000, 1001, 1002)


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    import _fidelities  # noqa: PLC0415

    return _fidelities


def medians(bench, problem, budget):
    """Of the regret at the target with fidelities and without, over the seeds."""
    return [
        statistics.median(
            bench.regret(bench.campaign(problem, seed, budget, fidelities=fidelities), budget) for seed in SEEDS
        )
        for fidelities in (True, False)
    ]


def test_on_hartmann6_the_same_cost_goes_farther_with_cheaper_fidelities(bench):
    with_them, without = medians(bench, bench.PROBLEMS["hartmann6"], 10.0)

    assert with_them < without - 0.5


def test_on_branin_the_same_cost_goes_farther_with_cheaper_fidelities(bench):
    with_them, without = medians(bench, bench.PROBLEMS["branin"], 8.0)

    assert with_them < without


def test_fidelities_that_tell_nothing_cost_no_more_than_they_were_given(bench):
    def unrelated(x, s):
        return bench.branin(x, 1.0) if s == 1.0 else float(40.0 * np.sin(9.0 * x[0] + 5.0 * x[1]) - 60.0)

    branin = bench.PROBLEMS["branin"]
    with_them, without = medians(bench, bench.Problem(unrelated, 2, branin.optimum, branin.budget), 11.0)

    assert with_them < without + 2.0
