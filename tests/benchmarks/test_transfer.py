"""The benchmark of what a past experiment saves runs, and its file holds every run."""

import json
import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_a_small_comparison_is_made_and_written_down(tmp_path):
    out = tmp_path / "transfer.json"
    sizes = ("--problems", "branin", "--past", "8", "--trials", "2", "--seeds", "1", "--json", str(out))
    done = subprocess.run(
        [sys.executable, BENCHMARKS / "transfer.py", *sizes], capture_output=True, text=True, timeout=120, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "| related |" in done.stdout
    runs = json.loads(out.read_text())["runs"]["branin"]
    assert runs.keys() == {"none", "related", "unrelated", "inverted"}
    assert all(len(run["regret"]) == 2 for kind in runs.values() for run in kind)
