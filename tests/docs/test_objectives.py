"""What docs/objectives.md shows can be run."""

from __future__ import annotations

from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "objectives.md"


def test_the_examples_run_one_after_the_other():
    blocks = [part.split("```")[0] for part in PAGE.read_text(encoding="utf-8").split("```python\n")[1:]]
    names: dict = {}
    try:
        for block in blocks:
            exec(block, names)
    finally:
        if "client" in names:
            names["client"].close()

    trials = names["client"].state.trials()
    assert len(blocks) == 5
    assert {trial.node for trial in trials[6:]} == {"bo"}
    assert len(names["front"]) > 1
