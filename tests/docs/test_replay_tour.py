"""``docs/replay.md``: every command in it does what the document shows."""

import os
import sys
from pathlib import Path

import pytest

from .console import Shell, fits, steps

DOCUMENT = Path(__file__).parents[2] / "docs" / "replay.md"


@pytest.fixture
def shell(tmp_path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TITRANT_")}
    environment |= {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONIOENCODING": "utf-8",
        "TZ": "UTC",
    }
    shell = Shell(tmp_path, environment)
    yield shell
    shell.close()


@pytest.mark.skipif(sys.platform == "win32", reason="the tour is written for a POSIX shell, and kills with kill -9")
def test_the_tour_shows_what_happens(shell):
    tour = steps(DOCUMENT.read_text(encoding="utf-8"))

    assert len(tour) > 20
    for step in tour:
        code, printed = shell.run(step.command)
        at = f"docs/replay.md:{step.line}: $ {step.command}\n" + "\n".join(printed)
        assert "Traceback" not in at
        assert code == 0, at
        assert fits(step.shown, printed), at
