"""Each initial design as its user sees it: carried out, gone on with after a restart, told, and derived again."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from titrant import ChoiceParameterConfig, Client, CommandRefused, ConfigurationError, RangeParameterConfig
from titrant.errors import GenerationError
from titrant.replay.decisions import verify_decisions
from titrant.replay.telling import text
from titrant.replay.why import why

SPACE = [RangeParameterConfig("x", (0.0, 1.0)), ChoiceParameterConfig("base", ("K2CO3", "Et3N"))]


def opened(path: Path | None, **strategy) -> Client:
    if path is not None and path.exists():
        client = Client.open(path, virtual_time=True)
    else:
        client = Client(path, random_seed=5, virtual_time=True)
        client.configure_experiment(SPACE)
        client.configure_optimization("y")
        client.configure_generation_strategy(**strategy)
    client.configure_runner(lambda parameters: {"y": -((parameters["x"] - 0.3) ** 2)})
    return client


def made(client: Client) -> list[tuple[str, dict]]:
    return [(trial.node, trial.parameters) for trial in client.state.trials()]


def run(path: Path | None, *parts: int, **strategy) -> list[tuple[str, dict]]:
    """The trials of one experiment that is closed and opened again between its parts."""
    trials = []
    for part in parts:
        with opened(path, **strategy) as client:
            client.run_trials(part, progress=False)
            trials = made(client)
    return trials


@pytest.mark.parametrize(
    ("initialization", "said"),
    [("latin_hypercube", "a point of a latin hypercube"), ("random", "a random point"), ("grid", "a point of a grid")],
)
def test_a_design_goes_on_where_it_was_after_a_restart(initialization, said, tmp_path):
    strategy = {"initialization": initialization, "initialization_budget": 6, "method": "random_search"}
    whole = run(None, 6, **strategy)
    path = tmp_path / "parts.titrant"

    assert run(path, 1, 3, 2, **strategy) == whole
    assert Counter(node for node, _ in whole) == {"centre": 1, initialization: 5}
    found = verify_decisions(path)
    assert (found.equal, found.divergences) == (6, [])
    assert said in text(why(path, 3))


def test_a_grid_without_a_model_ends_the_run_when_it_is_used_up():
    with opened(None, initialization="grid", method="random_search", grid_levels=4) as client:
        report = client.run_trials(50, parallelism=3, progress=False)

        assert (report.outcome, report.trials_created) == ("exhausted", 9)  # the centre stands beside the grid
        assert "the grid is used up: each of its 8 points" in (report.reason or "")


def test_after_a_whole_grid_the_model_takes_over():
    with opened(None, initialization="grid") as client:
        client.run_trials(9, progress=False)

        nodes = [node for node, _ in made(client)]
        # The centre is one of the six points of the grid.
        assert nodes == ["centre"] + ["grid"] * 5 + ["bo"] * 3


def test_while_the_grids_results_are_on_the_way_nobody_waits():
    with opened(None, initialization="grid", initialize_with_center=False) as client:
        client.get_next_trials(max_trials=8)

        assert Counter(node for node, _ in made(client)) == {"grid": 6, "sobol": 2}


def test_a_budget_takes_a_share_of_a_grid():
    with opened(None, initialization="grid", initialization_budget=3) as client:
        client.run_trials(5, progress=False)

        assert [node for node, _ in made(client)] == ["centre", "grid", "grid", "bo", "bo"]


def test_a_latin_hypercube_is_of_the_budgets_size():
    with opened(None, initialization="latin_hypercube", initialization_budget=9) as client:
        client.run_trials(10, progress=False)

        strata = sorted(int(parameters["x"] * 8) for node, parameters in made(client) if node == "latin_hypercube")
        assert strata == list(range(8))
        assert made(client)[-1][0] == "bo"


def test_a_grid_that_cannot_be_is_refused():
    with opened(None) as client, pytest.raises(CommandRefused, match="grid_levels names 'z'"):
        client.configure_generation_strategy(initialization="grid", grid_levels={"z": 2})


def test_what_is_held_fixed_against_a_constraint_is_told_to_whoever_asked():
    with Client(random_seed=5, virtual_time=True) as client:
        client.configure_experiment([RangeParameterConfig(name, (0.0, 1.0)) for name in "ab"], ["a + b <= 1.2"])
        client.configure_generation_strategy(initialization="grid", initialize_with_center=False)

        with pytest.raises(GenerationError, match="held fixed breaks the constraint"):
            client.get_next_trials(1, fixed_parameters={"a": 1.0, "b": 1.0})
        assert len(client.get_next_trials(1)) == 1


def test_a_seed_below_0_is_refused_by_name():
    with pytest.raises(ConfigurationError, match="random_seed is -5: give a whole number from 0 on, or None"):
        Client(random_seed=-5, virtual_time=True)
    with pytest.raises(ConfigurationError, match="random_seed is 'a': give a whole number from 0 on, or None"):
        Client(random_seed="a", virtual_time=True)
    with Client(random_seed=0, virtual_time=True) as client:
        client.configure_experiment(SPACE)
        with pytest.raises(ConfigurationError, match="initialization_random_seed is -1: give a whole number"):
            client.configure_generation_strategy(initialization_random_seed=-1)

        client.configure_generation_strategy(initialization_random_seed=0)
