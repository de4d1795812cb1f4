"""Ax's tutorial "Automating Orchestration" on titrant: Hartmann6, 30 trials, three at a time, five seconds each.

The runner mimics an external system: it writes each result to a file and says COMPLETED once five seconds have passed.
It differs from the tutorial's in two details.  A file is named after its trial, so that trials which begin in the same
second do not share one, and the time that has passed is counted from when the trial began.  (The original is in
``ax_mock_verbatim.py`` and runs too.)

    python examples/hartmann6_tutorial.py                    # about a minute
    python examples/hartmann6_tutorial.py --resume lab.titrant
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping
from os.path import relpath
from pathlib import Path
from typing import Any

import numpy as np

from titrant import Client, Metric, RangeParameterConfig, Runner, TrialStatus


def hartmann6(x1, x2, x3, x4, x5, x6):
    alpha = np.array([1.0, 1.2, 3.0, 3.2])
    A = np.array(
        [
            [10, 3, 17, 3.5, 1.7, 8],
            [0.05, 10, 17, 0.1, 8, 14],
            [3, 3.5, 1.7, 10, 17, 8],
            [17, 8, 0.05, 10, 0.1, 14],
        ]
    )
    P = 10**-4 * np.array(
        [
            [1312, 1696, 5569, 124, 8283, 5886],
            [2329, 4135, 8307, 3736, 1004, 9991],
            [2348, 1451, 3522, 2883, 3047, 6650],
            [4047, 8828, 8732, 5743, 1091, 381],
        ]
    )
    outer = 0.0
    for i in range(4):
        inner = 0.0
        for j, x in enumerate([x1, x2, x3, x4, x5, x6]):
            inner += A[i, j] * (x - P[i, j]) ** 2
        outer += alpha[i] * np.exp(-inner)
    return -outer


class MockRunner(Runner):
    def __init__(self, folder: Path, seconds: float) -> None:
        self.folder = folder
        self.seconds = seconds

    def run_trial(self, trial_index: int, parameterization: dict[str, Any]) -> dict[str, Any]:
        path = self.folder / f"trial-{trial_index}.txt"
        path.write_text(f"{hartmann6(**parameterization)}")
        # What is returned here is kept in the log: after a crash the trial is polled again with it.
        return {"file_name": str(path), "began": time.time()}

    def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> TrialStatus:
        if time.time() - trial_metadata["began"] < self.seconds:
            return TrialStatus.RUNNING
        return TrialStatus.COMPLETED


class MockMetric(Metric):
    def fetch(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> tuple[int, float]:
        return 0, float(Path(trial_metadata["file_name"]).read_text())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=30, help="new trials (default: 30)")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each takes (default: 5)")
    parser.add_argument("--parallelism", type=int, default=3, help="trials at once (default: 3)")
    parser.add_argument("--log", type=Path, help="where the log goes (default: a new temporary folder)")
    parser.add_argument("--resume", type=Path, metavar="LOG", help="go on with the experiment in LOG instead")
    parser.add_argument("--seed", type=int, help="seed of everything by chance (default: drawn)")
    options = parser.parse_args()

    folder = Path(tempfile.mkdtemp(prefix="hartmann6-"))
    log = options.resume or options.log or folder / "hartmann6.titrant"
    client = Client.open(log) if options.resume else Client(log, random_seed=options.seed)
    with client:
        if not options.resume:
            client.configure_experiment(
                parameters=[
                    RangeParameterConfig(name=f"x{i + 1}", parameter_type="float", bounds=(0, 1)) for i in range(6)
                ],
                name="hartmann6_experiment",
                description="Optimization of the Hartmann6 function",
                owner="developer",
            )
            client.configure_optimization(objective="-hartmann6")
        client.configure_runner(runner=MockRunner(folder, options.seconds))
        client.configure_metrics(metrics=[MockMetric(name="hartmann6")])

        began = time.monotonic()
        client.run_trials(
            max_trials=options.trials,
            parallelism=options.parallelism,
            tolerated_trial_failure_rate=0.1,
            initial_seconds_between_polls=1,
        )
        elapsed = time.monotonic() - began

        best_parameters, prediction, index, name = client.get_best_parameterization()
        print(client.summarize())
        print(f"\n{options.trials} trials in {elapsed:.1f} s")
        print(f"Best parameters (trial {index}, arm {name}):", best_parameters)
        print("Prediction (mean, SEM):", prediction)
    print(f"\nThe log: {log}")
    print(f"Go on with it: {relpath(sys.executable)} {sys.argv[0]} --resume {log}")


if __name__ == "__main__":
    main()
