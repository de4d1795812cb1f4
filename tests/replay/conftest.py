"""One experiment in which much happens, run once in virtual time with real models, and read by all tests here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from titrant import Client, CommandRefused
from titrant.errors import ApprovalRequired
from titrant.log.scanning import scan
from titrant.model.approval import ApprovalRule
from titrant.replay.decisions import Decisions, Stamped, verify_decisions
from titrant.replay.derivation import Deriver
from titrant.simulation import SimulatedLab
from titrant.simulation.behaviour import Lognormal
from titrant.simulation.problems import BRANIN


def lab(failure_probability: float = 0.15) -> SimulatedLab:
    """A lab for Branin's function that takes about a minute a trial."""
    return SimulatedLab(
        BRANIN.evaluate, duration_s=Lognormal(60.0, 0.3), noise_sd=0.1, failure_probability=failure_probability, seed=3
    )


@pytest.fixture(scope="session")
def lively(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of runs, people's acts of every kind, failures, and a search space that changed in the middle."""
    path = tmp_path_factory.mktemp("replay") / "lively.titrant"
    with Client(path, random_seed=7, virtual_time=True) as client:
        client.configure_experiment(list(BRANIN.parameters), name="branin")
        client.configure_optimization(BRANIN.objective)
        client.configure_generation_strategy(initialization_budget=3)
        client.configure_runner(lab())
        client.complete_trial(client.attach_trial({"x1": 0.0, "x2": 5.0}), raw_data=(17.0, 0.1))
        client.run_trials(6, parallelism=2)
        with client.acting_as("kim", role="chemist"):
            client.void_trial(0, "the flask leaked")
            client.correct_trial(2, {"branin": (25.0, 0.2)}, "read off the wrong scale")
            client.add_note("looks odd", trial_index=2)
            client.change_bounds("x1", (-4.0, 10.0), "the stirrer stalls below")
            with pytest.raises(CommandRefused):
                client.void_trial(0, "again")
        for index in client.get_next_trials(2, fixed_parameters={"x2": 4.0}):
            client.complete_trial(index, raw_data={"branin": (12.0 + index, 0.1)})
        client.configure_approval([ApprovalRule(name="every one", approvers=("role:chemist",))])
        with pytest.raises(ApprovalRequired):
            client.get_next_trials(1)
        with client.acting_as("kim", role="chemist"):
            client.approve_trial(9, "looks safe")
        client.complete_trial(9, raw_data=3.0)
        client.configure_approval([])
        client.pause("tea")
        client.unpause()
        client.run_trials(3, parallelism=2)
        client.sign("reviewed", "all looked at")
    return path


@pytest.fixture(scope="session")
def events(lively: Path) -> list[Stamped]:
    """The same, in memory."""
    return list(scan(lively))


@pytest.fixture(scope="session")
def deriver() -> Iterator[Deriver]:
    """Asks each request once in all tests."""
    with Deriver() as shared:
        yield shared


@pytest.fixture(scope="session")
def decisions(lively: Path, deriver: Deriver) -> Decisions:
    """The lively experiment's suggestions, made again."""
    return verify_decisions(lively, deriver=deriver)
