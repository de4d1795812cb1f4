"""The best lemonade, though nobody can measure taste: somebody compares two glasses at a time.

    python examples/preference.py              # a simulated judge, who errs now and then
    python examples/preference.py --ask        # you are the judge

Each round titrant suggests a glass, and names the two glasses whose comparison tells most.
"""

import argparse
import random

from titrant import Client, RangeParameterConfig

PARAMETERS = [
    RangeParameterConfig("sugar_g", (0.0, 40.0), step_size=1.0),
    RangeParameterConfig("lemon_ml", (0.0, 60.0), step_size=1.0),
    RangeParameterConfig("mint_leaves", (0, 8), parameter_type="int"),
]
TASTE = {"sugar_g": (11.0, 8.0), "lemon_ml": (44.0, 12.0), "mint_leaves": (2.0, 3.0)}


def liking(glass):
    """What the simulated judge likes: at best 0."""
    return -sum(((glass[name] - best) / width) ** 2 for name, (best, width) in TASTE.items())


def tasted(first, second, chance):
    """Whether the first glass tastes better to the simulated judge, whose tongue errs by about a half."""
    return liking(first) + chance.gauss(0, 0.5) >= liking(second) + chance.gauss(0, 0.5)


def asked(first, second):
    """The same from a person; None where both taste alike."""
    answer = input(f"\n  1: {first}\n  2: {second}\nWhich tastes better (1, 2, or = where you cannot tell)? ")
    return {"1": True, "2": False}.get(answer.strip())


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--ask", action="store_true", help="ask at the terminal instead of a simulated judge")
    arguments.add_argument("--rounds", type=int, default=20)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    chance = random.Random(given.seed)
    with Client(random_seed=given.seed) as client:
        client.configure_experiment(PARAMETERS, name="lemonade")
        client.configure_preference()
        for number in range(given.rounds):
            for trial in client.get_next_trials(1 if number else 4):  # the first four are spread over the space
                client.complete_trial(trial)  # mixed; there is nothing to measure
            one, other = client.get_next_comparison().trials
            glasses = client.state.trial(one).parameters, client.state.trial(other).parameters
            first = asked(*glasses) if given.ask else tasted(*glasses, chance)
            if first is None:
                client.attach_tie(one, other)
            else:
                client.attach_comparison(better=one if first else other, worse=other if first else one)
        best = client.get_best_parameterization()
    print(f"\nbest of {given.rounds} comparisons: trial {best[2]}, {best[0]} ({best.probability:.0%} sure)")
    print(f"the simulated judge's liking of it: {liking(best[0]):.2f}")
