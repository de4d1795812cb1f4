"""Examples are run as a reader runs them: as a program, in a folder of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def run_example(tmp_path):
    """Run an example with warnings as errors, let somebody say something to it, and give what it printed."""

    def run(name, *options, said=None):
        ran = subprocess.run(
            [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py"), *map(str, options)],
            cwd=tmp_path,
            env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONIOENCODING": "utf-8"},
            input=said,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    return run
