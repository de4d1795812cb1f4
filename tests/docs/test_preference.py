"""What docs/preference.md shows can be run."""

from __future__ import annotations

from .pages import ran


def test_the_examples_run_one_after_the_other():
    count, names = ran("preference.md")

    assert count == 3
    assert names["best"].source == "model"
    assert [trial.node for trial in names["client"].state.trials()][-1] == "bo"
