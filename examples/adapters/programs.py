"""A program as the instrument: called for each trial, here in two processes at once.

The program is this file with ``--heat``: the lab twin's reactor, which takes a while and prints JSON.  With
``SlurmRunner`` in the place of ``ShellRunner`` each call is a batch job of a cluster.

    python examples/adapters/programs.py
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from random import Random

from titrant import Client, RangeParameterConfig
from titrant_adapters.shell import ShellRunner
from titrant_adapters.twin.physics.kinetics import Kinetics


def program(heat: float) -> None:
    """Measure once; what stands in the last line of the output is the result."""
    conditions = {"temperature": heat, "residence_time": 5.0, "equivalents": 1.2}
    print("heating ...")
    print(json.dumps({"temperature": heat, "yield": Kinetics().measure(conditions, Random(0))["yield"]}))


def main(trials: int) -> None:
    runner = ShellRunner(
        command=[sys.executable, __file__, "--heat", "{temperature}"],
        runs=tempfile.mkdtemp(prefix="runs-"),  # a folder for each run, with its order, output and exit code
        settings={"heat": {"to": "temperature", "unit": "degC", "read_back": "temperature"}},
        measure={"product": "yield"},
        rerun_safe=True,  # it only computes: a program that was killed may be called again
        workers=2,
    )
    with Client(random_seed=1) as client:
        client.configure_experiment([RangeParameterConfig("heat", (30.0, 140.0))])
        client.configure_optimization("product")
        client.configure_runner(runner)
        client.run_trials(trials, parallelism=2, progress=False)
        best, values, index, _ = client.get_best_parameterization()
    print(f"best: trial {index} at {best['heat']:.0f} degC gave {values['product'][0]:.1f} %")
    print(f"{len(list(Path(runner.config.runs).glob('*/ended')))} runs are in {runner.config.runs}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=12, help="trials in all (default: 12)")
    parser.add_argument("--heat", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.heat is not None:
        program(options.heat)
    else:
        main(options.trials)
