"""A process that is killed in the middle, and another that goes on: the trials under way are found again.

The instrument is a folder: a trial that was started there goes on whatever becomes of the program that started it, as a
reaction does in a real lab.  The first process is killed (SIGKILL, no farewell) while trials run; the second opens the
log, asks the instrument about every trial that was under way, and finishes the run.  Nothing is carried out twice.

    python examples/resume.py
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from titrant import Attempt, Client, Metric, RangeParameterConfig, Runner, TrialStatus
from titrant.simulation.problems import branin

SECONDS = 0.6
"""How long a trial takes."""


class Folder(Runner):
    """Starts a trial by writing a file named after the attempt's key; the file's age tells how far it is."""

    name = "folder"
    honours_keys = True  # the same key gives the same trial: being killed in mid-call does no harm either

    def __init__(self, path: Path) -> None:
        self.path = path

    def run_trial(self, trial_index: int, parameterization: dict[str, Any], attempt: Attempt) -> dict[str, Any]:
        file = self.path / f"{attempt.key}.json"
        if not file.exists():
            begun = file.with_suffix(".part")
            begun.write_text(json.dumps({"began": time.time(), **branin(parameterization)}))
            begun.rename(file)
            with (self.path / "started.txt").open("a") as started:
                started.write(f"{trial_index}\n")
        return {"file": str(file)}

    def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> TrialStatus:
        over = time.time() - json.loads(Path(trial_metadata["file"]).read_text())["began"] >= SECONDS
        return TrialStatus.COMPLETED if over else TrialStatus.RUNNING


class Result(Metric):
    def fetch(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> float:
        return json.loads(Path(trial_metadata["file"]).read_text())["branin"]


def connect(client: Client, folder: Path) -> None:
    """Runners and metrics are objects of this process: they are connected again after a log is opened."""
    client.configure_runner(Folder(folder))
    client.configure_metrics([Result("branin")])


def first(folder: Path, trials: int) -> None:
    """Begin, and be killed once a third is done."""
    client = Client(folder / "lab.titrant", random_seed=1)
    client.configure_experiment(
        [RangeParameterConfig(name="x1", bounds=(-5.0, 10.0)), RangeParameterConfig(name="x2", bounds=(0.0, 15.0))]
    )
    client.configure_optimization("-branin")
    client.configure_generation_strategy("random_search")
    connect(client, folder)

    def kill() -> None:
        while client.state.count(TrialStatus.COMPLETED) < trials // 3 or client.state.count(TrialStatus.RUNNING) < 2:
            time.sleep(0.01)
        under_way = [index for index, trial in client.state.open.items() if trial.status is TrialStatus.RUNNING]
        print(f"killed with {client.state.count(TrialStatus.COMPLETED)} trials done and {sorted(under_way)} under way")
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=kill, daemon=True).start()
    client.run_trials(trials, parallelism=3, initial_seconds_between_polls=0.1)


def second(folder: Path) -> None:
    """Go on where the log ends."""
    with Client.open(folder / "lab.titrant") as client:
        connect(client, folder)
        report = client.resume()
        print(client.summarize())
        attempts = {trial.index: trial.attempt for trial in client.state.trials()}
    started = Counter((folder / "started.txt").read_text().split())
    print(f"\n{report.outcome}: {len(attempts)} trials, {report.trials_created} of them made by the second process")
    print(f"started on the instrument more than once: {[index for index, times in started.items() if times > 1]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=12, help="trials in all (default: 12)")
    parser.add_argument("--first", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.first is not None:
        first(options.first, options.trials)
        return
    folder = Path(tempfile.mkdtemp(prefix="resume-"))
    child = subprocess.run(
        [sys.executable, __file__, "--trials", str(options.trials), "--first", str(folder)], check=False
    )
    print(f"the first process ended with code {child.returncode} (SIGKILL is {-signal.SIGKILL})\n")
    second(folder)


if __name__ == "__main__":
    main()
