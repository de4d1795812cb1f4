"""Experiment files for the commands: quick, without a model, so that nothing waits for torch."""

FAST = """
name = "reaction"
seed = 1
objective = "yield"
outcome_constraints = ["impurity <= 3"]

[parameters]
temperature_c = [30, 120]
time_min = [2, 40]
equivalents = [1, 3]
solvent = ["MeCN", "DMF"]

[strategy]
method = "random_search"

[run]
max_trials = 6
parallelism = 2

[[runners]]
use = "titrant.simulation:reaction"
capacity = 2
with = { duration_s = 60, seed = 1 }
"""

OWN = """
objective = "y"
[parameters]
x = [0, 1]
[strategy]
method = "random_search"
[run]
max_trials = 3
[[runners]]
use = "own_lab:measure"
"""

OWN_LAB = """
def measure(parameters):
    return {"y": parameters["x"]}
"""
