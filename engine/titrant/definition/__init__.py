"""Experiment files: what an experiment is, in TOML, YAML or JSON, as the Python calls would say it.

>>> loaded = load("reaction.toml")  # every fault is named with its line
>>> with Client("reaction.titrant", random_seed=loaded.file.seed) as client:
...     apply(client, loaded, connect(loaded))
...     client.run_trials(**loaded.file.run.arguments())
"""

from titrant.definition.applying import apply, keep
from titrant.definition.checking import check
from titrant.definition.connecting import Connected, connect
from titrant.definition.file import ExperimentFile, schema
from titrant.definition.reading import Loaded, load, recall

__all__ = ["Connected", "ExperimentFile", "Loaded", "apply", "check", "connect", "keep", "load", "recall", "schema"]
