"""What docs/preference.md shows can be run, in Python and at a terminal."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from .console import Shell, fits, steps
from .pages import ran, shown, text_of


def test_the_examples_run_one_after_the_other():
    count, names = ran("preference.md")

    assert count == 3
    assert names["best"].source == "model"
    assert [trial.node for trial in names["client"].state.trials()][-1] == "bo"


@pytest.mark.skipif(sys.platform == "win32", reason="the commands are written for a POSIX shell")
def test_the_file_can_be_run_and_its_trials_compared_at_a_terminal(tmp_path):
    (tmp_path / "lemonade.toml").write_text(shown("preference.md", "toml"), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TITRANT_")}
    path = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    shell = Shell(tmp_path, environment | {"PATH": path, "PYTHONIOENCODING": "utf-8"})
    try:
        found = steps(text_of("preference.md"))
        assert len(found) == 7
        for step in found:
            code, printed = shell.run(step.command)
            at = f"docs/preference.md:{step.line}: $ {step.command}\n" + "\n".join(printed)
            assert code == 0, at
            assert fits(step.shown, printed), at
    finally:
        shell.close()
