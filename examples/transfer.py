"""Learning from last year's experiment: its log tells the new one where to begin.

    python examples/transfer.py

The new reactor is best ten degrees higher than the old one, and gives other yields: the old optimum is near, but not
the new one.  The same new experiment is made with the old log and without it.
"""

import argparse
import math
import tempfile
from pathlib import Path

from titrant import Client, RangeParameterConfig

PARAMETERS = [
    RangeParameterConfig("temperature_c", (20.0, 140.0)),
    RangeParameterConfig("minutes", (1.0, 60.0), scaling="log"),
    RangeParameterConfig("equivalents", (1.0, 3.0)),
]


def reactor(best_c, top):
    """A lab: a yield in percent that is best at one temperature, near 12 minutes and 1.6 equivalents."""

    def run(at):
        away = ((at["temperature_c"] - best_c) / 30) ** 2
        away += (math.log(at["minutes"] / 12) / 0.8) ** 2 + ((at["equivalents"] - 1.6) / 0.6) ** 2
        return {"yield": top * math.exp(-away / 2)}

    return run


def experiment(log, name, lab, trials, seed, past=None):
    """The best yield after each trial of an experiment in virtual time."""
    with Client(log, random_seed=seed, virtual_time=True) as client:
        client.configure_experiment(PARAMETERS, name=name)
        client.configure_optimization("yield")
        client.configure_runner(lab)
        if past is not None:
            print("learned from", *client.learn_from(past))
        client.run_trials(trials, progress=False)
        yields = [trial.observations[0].mean for trial in client.state.trials()]
    return [max(yields[: i + 1]) for i in range(trials)]


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--trials", type=int, default=6, help="trials of the new experiment")
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        old = Path(folder) / "old_reactor.titrant"
        experiment(old, "old reactor", reactor(85, 70), 20, given.seed)
        new = reactor(95, 90)
        without = experiment(None, "new reactor", new, given.trials, given.seed)
        learned = experiment(None, "new reactor", new, given.trials, given.seed, past=old)
    print("best yield after each trial, in %, without the past, and with it:")
    for course in (without, learned):
        print("  ".join(f"{best:5.1f}" for best in course))
