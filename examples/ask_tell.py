"""Ask and tell: titrant suggests, you (or another program) carry trials out and tell what came of them.

python examples/ask_tell.py
"""

from __future__ import annotations

import argparse

from titrant import Client, RangeParameterConfig
from titrant.simulation.problems import branin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="rounds of three trials (default: 5)")
    options = parser.parse_args()

    with Client() as client:
        client.configure_experiment(
            [
                RangeParameterConfig(name="x1", bounds=(-5.0, 10.0)),
                RangeParameterConfig(name="x2", bounds=(0.0, 15.0)),
            ]
        )
        client.configure_optimization("-branin")

        # What is known already goes in first.
        known = {"x1": 0.0, "x2": 5.0}
        client.complete_trial(client.attach_trial(known), branin(known))

        for _ in range(options.rounds):
            trials = client.get_next_trials(max_trials=3)  # durable in the log before they are handed out
            for index, parameters in trials.items():
                client.complete_trial(index, branin(parameters))

        # A trial that went wrong is told as well: its conditions may be suggested again.
        [index] = client.get_next_trials()
        client.mark_trial_failed(index, "the vial broke")

        print(client.summarize())
        parameters, values, index, _arm = client.get_best_parameterization(use_model_predictions=False)
        print(f"\nbest: trial {index}, branin = {values['branin'][0]:.4f} at {parameters} (the optimum is 0.3979)")


if __name__ == "__main__":
    main()
