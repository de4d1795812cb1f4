"""What docs/objectives.md shows can be run."""

from __future__ import annotations

from .pages import ran


def test_the_examples_run_one_after_the_other():
    count, names = ran("objectives.md")

    trials = names["client"].state.trials()
    assert count == 7
    assert names["left"].expected_improvement.value > 0
    assert names["left"].advice
    assert {trial.node for trial in trials[6:]} == {"bo"}
    assert len(names["front"]) > 1
    assert names["peak"].value.low < names["peak"].value.value < names["peak"].value.high
