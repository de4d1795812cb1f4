"""What docs/preference.md shows can be run."""

from __future__ import annotations

from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "preference.md"


def test_the_examples_run_one_after_the_other():
    blocks = [part.split("```")[0] for part in PAGE.read_text(encoding="utf-8").split("```python\n")[1:]]
    names: dict = {}
    try:
        for block in blocks:
            exec(block, names)
    finally:
        if "client" in names:
            names["client"].close()

    assert len(blocks) == 3
    assert names["best"].source == "model"
    assert [trial.node for trial in names["client"].state.trials()][-1] == "bo"
