"""Attempts, and experiments on simulated labs in virtual time."""

import sqlite3
from contextlib import closing

import pytest

from titrant import Attempt, Client, RangeParameterConfig
from titrant.simulation.problems import HARTMANN6


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def attempt():
    def make(trial=0, number=1, **parameters):
        return Attempt(trial=trial, number=number, key=f"{trial}/{number}", parameters=parameters or {"x": 1.0})

    return make


@pytest.fixture
def experiment(tmp_path):
    """Open a client on an experiment with one parameter, in virtual time."""

    def make(path=None, objective="y", seed=3):
        client = Client(path, random_seed=seed, virtual_time=True)
        client.configure_experiment([RangeParameterConfig(name="x", bounds=(0.0, 1.0))])
        client.configure_optimization(objective)
        client.configure_generation_strategy("random_search")
        return client

    return make


@pytest.fixture
def hartmann(tmp_path):
    """Run Hartmann6 on some labs in a log of its own, and give all rows of its events."""

    def run(name, labs, trials, parallelism):
        path = tmp_path / f"{name}.titrant"
        with Client(path, random_seed=3, virtual_time=True) as client:
            client.configure_experiment(HARTMANN6.parameters)
            client.configure_optimization(HARTMANN6.objective)
            client.configure_generation_strategy("random_search")
            client.configure_runners(labs)
            report = client.run_trials(trials, parallelism=parallelism, tolerated_trial_failure_rate=1.0)
            assert report.outcome == "finished"
        with closing(sqlite3.connect(path)) as database:
            return database.execute("SELECT * FROM events ORDER BY seq").fetchall()

    return run
