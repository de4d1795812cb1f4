"""Experiment files, written as people write them."""

import sys
import textwrap

import pytest

LAB = """
from titrant import Metric, PushedRunner, Runner, TrialStatus


def react(parameters, scale=1.0):
    return {"yield": scale * parameters["temperature_c"] / 120, "impurity": parameters["minutes"] / 2000}


class Reactor(PushedRunner):
    def __init__(self, port="COM1", token=None):
        self.port, self.token = port, token

    async def run(self, attempt):
        return {"yield": 0.5, "impurity": 0.01}


def make_reactor(port="COM1"):
    return Reactor(port)


class Robot(Runner):
    def run_trial(self, trial_index, parameterization):
        return {"job": trial_index}

    def poll_trial(self, trial_index, trial_metadata):
        return TrialStatus.COMPLETED


class Scale(Metric):
    def fetch(self, trial_index, trial_metadata):
        return None, 0.5


class Designs:
    def suggest(self, request):
        from titrant.generators import dispatch

        return dispatch.suggest(request)


ready = Reactor("COM9")
number = 7


def broken():
    raise OSError("no such port")
"""

FILE = """
    name = "reaction"
    seed = 1
    constraints = ["temperature_c + minutes <= 150"]
    objective = "yield"
    outcome_constraints = ["impurity <= 0.05"]

    [parameters]
    temperature_c = [20, 120]
    minutes = [5, 60]

    [run]
    max_trials = 3
    parallelism = 2

    [[runners]]
    use = "own_lab:react"
"""


@pytest.fixture(autouse=True)
def _lab(tmp_path, monkeypatch):
    """A module of the user's own beside the files, forgotten afterwards."""
    (tmp_path / "own_lab.py").write_text(LAB)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    yield
    sys.modules.pop("own_lab", None)


@pytest.fixture
def written(tmp_path):
    """Write a file: ``written(text)``, or ``written(text, "lab.yaml")``; old and new replace a part of FILE."""

    def write(text=FILE, name="lab.toml", **replaced):
        text = textwrap.dedent(text)
        for old, new in replaced.items():
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write
