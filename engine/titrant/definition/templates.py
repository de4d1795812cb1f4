"""Commented experiment files to begin with."""

from __future__ import annotations

import json
import tomllib
from typing import Any

_HEAD = """\
# An experiment for titrant.  Check it, then run it:
#
#     titrant check @FILE@
#     titrant run @FILE@@FAST@
#
# All fields: docs/experiment-files.md; `titrant new --schema` prints the JSON Schema.

name = @NAME@
"""

_REACTION = """\
description = "A + B → P, then P + B → I: much product, little of the impurity I"
seed = 5                               # everything random is drawn from it; drawn and recorded where left out

# What is sought: large where a metric stands as it is, small with a minus; "yield, -cost" seeks a Pareto front.
objective = "yield"                    # per cent
outcome_constraints = ["impurity <= 3"]
# constraints = ["temperature_c + 2*time_min <= 180"]

# What is varied.  [lower, upper] is a range, a list of texts a choice, a single value is fixed.
[parameters]
temperature_c = [30, 120]              # °C
time_min = [2, 40]                     # min
equivalents = [1, 3]                   # of B
solvent = ["MeCN", "DMF", "EtOH", "toluene"]
# stirring_rpm = { bounds = [200, 1200], parameter_type = "int", step_size = 100 }
# catalyst_mol_percent = { bounds = [0.01, 10], scaling = "log" }
# flask = 250.0

[run]
max_trials = 24
parallelism = 4                        # trials under way at once
trial_ttl_seconds = 86400              # a trial that runs longer is stopped

# How trials are made: the centre, Sobol points, then Bayesian optimization.
[strategy]
initialization_budget = 8

# Who carries trials out.  This one is simulated; for your own write use = "my_lab:Reactor", with my_lab.py beside this
# file, or the name of an entry point of the group titrant.runners.
[[runners]]
use = "titrant.simulation:reaction"
capacity = 4                           # trials at once
[runners.with]
duration_s = 3600                      # median, in seconds; `titrant run --speed max` does not wait for them
failure_probability = 0.04
seed = 5
# password = { env = "LAB_PASSWORD" }  # secrets stay in the environment: this file is kept in the log

# A person approves what goes beyond this:
# [[approval]]
# name = "hot"
# when = "temperature_c > 100"
# approvers = ["role:chemist"]
"""

_MIXTURE = """\
description = "An electrolyte of three components: conductive, and not too viscous"
seed = 1

constraints = ["ec + dmc + additive == 1"]
objective = "conductivity"             # mS/cm, as large as can be; with a minus it would be made small
outcome_constraints = ["viscosity <= 1.7"]

# Mass fractions; [lower, upper] is a range.
[parameters]
ec = [0.1, 0.6]
dmc = [0.2, 0.9]
additive = [0.0, 0.3]

[run]
max_trials = 20
parallelism = 2

[strategy]
initialization_budget = 6

# A simulated mixing robot; your own: use = "my_lab:Mixer", with my_lab.py beside this file.
[[runners]]
use = "titrant.simulation:mixture"
capacity = 2
[runners.with]
duration_s = 900                       # median, in seconds
seed = 1
"""

_BRANIN = """\
description = "Branin's function: a test problem with three equal minima of 0.397887"
seed = 1
objective = "-branin"                  # the minus: as small as can be

[parameters]
x1 = [-5, 10]
x2 = [0, 15]

[run]
max_trials = 30
parallelism = 3

[[runners]]
use = "titrant.simulation:branin"
[runners.with]
duration_s = 5                         # median, in seconds
"""

_BLANK = """\
# description = ""
# owner = ""
# seed = 1                             # everything random is drawn from it; drawn and recorded where left out

objective = "y"                        # as large as can be; "-y" as small; "y, -cost" seeks a Pareto front
# outcome_constraints = ["cost <= 5"]
# constraints = ["x + dose <= 3"]

# What is varied.
[parameters]
x = [0, 1]                             # a range: [lower, upper]
# solvent = ["water", "ethanol"]       # a choice
# volume_ul = { bounds = [10, 200], parameter_type = "int", step_size = 10 }
# dose = { bounds = [0.01, 10], scaling = "log" }
# pH = { values = [5, 6, 7] }
# buffer = "PBS"                       # fixed

[run]
max_trials = 20
parallelism = 1                        # trials under way at once

# Without runners trials are asked for and told by hand: `titrant ask`, `titrant tell`.
# [[runners]]
# use = "my_lab:Robot"                 # my_lab.py beside this file, or an entry point's name
# with = { port = "COM3", password = { env = "ROBOT_PASSWORD" } }
# capacity = 1

# [[metrics]]                          # who fetches data, where the runner does not give them
# use = "my_lab:Plate"
# name = "y"
"""

_BODIES = {"reaction": _REACTION, "mixture": _MIXTURE, "branin": _BRANIN, "blank": _BLANK}

TEMPLATES = tuple(_BODIES)
"""Their names."""


def template(kind: str, name: str, file: str) -> str:
    """A commented TOML file.

    Args:
        kind: One of ``TEMPLATES``.
        name: The experiment's name.
        file: The file's own name, for the commands in its head.
    """
    text = _HEAD.replace("@FAST@", "" if kind == "blank" else " --speed max") + _BODIES[kind]
    return text.replace("@FILE@", file).replace("@NAME@", json.dumps(name, ensure_ascii=False))


def plain_template(kind: str) -> dict[str, Any]:
    """What such a file says, as plain values."""
    return tomllib.loads(template(kind, kind, f"{kind}.toml"))
