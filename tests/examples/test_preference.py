"""The example of preferences, judged by a program and by a person."""

import os
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "preference.py"


def test_the_simulated_judge_is_led_to_a_glass_it_likes(run_example):
    printed = run_example("preference", "--rounds", 10)
    liking = float(printed.split("liking of it: ")[1].split()[0])

    assert "best of 10 comparisons: trial" in printed
    assert liking > -4


def test_a_person_is_asked_and_may_be_unable_to_tell(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLE), "--ask", "--rounds", "3"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        input="1\n=\n2\n",
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("Which tastes better") == 3
