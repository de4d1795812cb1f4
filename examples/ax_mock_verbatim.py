"""The mock runner of Ax's tutorial, word for word, on titrant: classes written for Ax need no change and no base class.

Its file is named after the second in which the trial begins, so that two trials of the same second share a file and one
of them reads the other's result.  That is why trials run one by one here, each begun in a second of its own; its time
that has "elapsed" is counted from the first four digits of that second, so every trial is complete at its first poll.
``hartmann6_tutorial.py`` has both mended.

    python examples/ax_mock_verbatim.py --trials 6
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from titrant import Client, RangeParameterConfig, TrialStatus
from titrant.simulation.problems import hartmann6


class MockRunner:  # was: MockRunner(IRunner)
    def run_trial(self, trial_index: int, parameterization: dict[str, Any]) -> dict[str, Any]:
        file_name = f"{int(time.time())}.txt"

        result = hartmann6(parameterization)["hartmann6"]

        with open(file_name, "w") as f:
            f.write(f"{result}")

        return {"file_name": file_name}

    def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> TrialStatus:
        file_name = trial_metadata["file_name"]
        time_elapsed = time.time() - int(file_name[:4])

        if time_elapsed < 5:
            return TrialStatus.RUNNING

        return TrialStatus.COMPLETED


class MockMetric:  # was: MockMetric(IMetric)
    def __init__(self, name: str) -> None:
        self.name = name

    def fetch(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> tuple[int, float | tuple[float, float]]:
        file_name = trial_metadata["file_name"]

        with open(file_name) as file:
            value = float(file.readline())
            return (0, value)


class OnePerSecond(MockRunner):
    """The pause between submissions that hides the runner's flaw: the next trial begins in the next second."""

    def run_trial(self, trial_index: int, parameterization: dict[str, Any]) -> dict[str, Any]:
        time.sleep(1.001 - time.time() % 1)
        return super().run_trial(trial_index, parameterization)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=6, help="new trials (default: 6)")
    options = parser.parse_args()

    os.chdir(tempfile.mkdtemp(prefix="ax-mock-"))  # the runner writes to the folder it is in
    with Client() as client:
        client.configure_experiment(
            parameters=[RangeParameterConfig(name=f"x{i + 1}", parameter_type="float", bounds=(0, 1)) for i in range(6)]
        )
        client.configure_optimization(objective="-hartmann6")
        client.configure_runner(runner=OnePerSecond())
        client.configure_metrics(metrics=[MockMetric(name="hartmann6")])
        client.run_trials(max_trials=options.trials, parallelism=1, initial_seconds_between_polls=1)

        table = client.summarize()
        print(table)
        told = dict(zip(table["trial_index"], table["hartmann6"], strict=True))
        right = sum(told[trial.index] == hartmann6(trial.parameters)["hartmann6"] for trial in client.state.trials())
        print(f"\n{right} of {len(told)} trials carry their own result; files in {Path.cwd()}")


if __name__ == "__main__":
    main()
