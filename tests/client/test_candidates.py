"""Experiments with a catalogue: only what stands in it is suggested, until it is used up."""

from __future__ import annotations

import numpy as np
import pytest

from titrant import ChoiceParameterConfig, Client, CommandRefused, ConfigurationError, RangeParameterConfig
from titrant.definition import apply, connect, load
from titrant.errors import ApprovalRequired, DefinitionError
from titrant.log.replay import read_log
from titrant.messages.events import CandidatesKept
from titrant.model.approval import ApprovalRule
from titrant.model.space import search_space
from titrant.replay.decisions import verify_decisions

PARAMETERS = [RangeParameterConfig("t", (0.0, 100.0)), ChoiceParameterConfig("solvent", ["THF", "water"])]
CATALOGUE = [{"t": 7.0 * i % 101, "solvent": ["THF", "water"][i % 2]} for i in range(14)]


def opened(path=None, **strategy):
    client = Client(path, random_seed=1, virtual_time=True)
    client.configure_experiment(PARAMETERS, candidates=CATALOGUE)
    client.configure_optimization("y")
    client.configure_generation_strategy(**strategy)
    client.configure_runner(lambda parameters: {"y": -((parameters["t"] - 42.0) ** 2)})
    return client


def test_a_run_ends_when_the_catalogue_is_used_up_and_every_suggestion_follows_from_the_log_alone(tmp_path):
    path = tmp_path / "catalogue.titrant"
    with opened(path) as client:
        client.run_trials(8, parallelism=2, progress=False)
    with Client.open(path, virtual_time=True) as client:
        client.configure_runner(lambda parameters: {"y": -((parameters["t"] - 42.0) ** 2)})
        ended = client.run_trials(20, parallelism=2, progress=False)
        tried = [trial.parameters for trial in client.state.trials()]

    assert sorted(map(str, tried)) == sorted(map(str, CATALOGUE))
    assert "used up" in str(ended)
    found = verify_decisions(path)
    assert (found.equal, found.divergences) == (14, [])


def test_points_outside_the_catalogue_may_be_attached_and_inform_the_model():
    with opened(initialization_budget=0) as client:
        for t in (10.0, 41.5, 90.0):
            client.complete_trial(client.attach_trial({"t": t, "solvent": "THF"}), {"y": -((t - 42.0) ** 2)})
        made = client.get_next_trials(2).values()

        assert all(trial in CATALOGUE for trial in made)


def test_narrowed_bounds_leave_the_candidates_within_them():
    with opened() as client:
        client.change_bounds("t", (40.0, None))
        made = list(client.get_next_trials(20).values())

    assert sorted(map(str, made)) == sorted(str(one) for one in CATALOGUE if one["t"] >= 40)


def test_candidates_that_do_not_fit_are_refused_before_anything_is_in_the_log():
    with Client(random_seed=1, virtual_time=True) as client:
        with pytest.raises(ConfigurationError, match="candidate 0 does not fit"):
            client.configure_experiment(PARAMETERS, candidates=[{"t": 1000.0, "solvent": "THF"}])
        assert client.state.experiment is None


def test_a_grid_of_candidates_is_refused():
    with opened() as client, pytest.raises(CommandRefused, match="candidates have no grid: choose another"):
        client.configure_generation_strategy(initialization="grid")


def test_a_pool_that_is_too_large_for_one_event_is_kept_in_several_and_read_back(tmp_path):
    path = tmp_path / "large.titrant"
    numbers = np.random.default_rng(0).random((30_000, 4)).round(12).tolist()
    rows = [dict(zip("abcd", row, strict=True)) for row in numbers]
    parameters = [RangeParameterConfig(name, (0.0, 1.0)) for name in "abcd"]
    with Client(path, random_seed=1, virtual_time=True) as client:
        client.configure_experiment(parameters, candidates=rows)
        client.change_bounds("a", (0.25, 1.0))
        space = client.state.experiment.space
        made = client.get_next_trials(2).values()
    with Client.open(path, virtual_time=True) as client:
        assert client.state.experiment.space == space
        more = client.get_next_trials(2).values()

    assert space.candidates.count == sum(row["a"] >= 0.25 for row in rows)
    assert all(space.contains(point) for point in (*made, *more))
    kept = [record for record in read_log(path) if isinstance(record.event, CandidatesKept)]
    assert len(kept) >= 2
    found = verify_decisions(path)
    assert (found.equal, found.divergences) == (4, [])


# --- experiment files -----------------------------------------------------------------------------------------------


def written(folder, table):
    (folder / "catalogue.csv").write_text(table, encoding="utf-8")
    path = folder / "lab.toml"
    path.write_text(
        'objective = "y"\ncandidates = "catalogue.csv"\n[parameters]\nt = [0, 100]\nn = { bounds = [1, 5], '
        'parameter_type = "int" }\nsolvent = ["THF", "water"]\ndry = { values = [true, false] }\n',
        encoding="utf-8",
    )
    return path


def test_a_file_names_a_table_of_candidates(tmp_path):
    path = written(tmp_path, "t,solvent,n,dry\n20,THF,1,true\n30.5,water,2,False\n")
    loaded = load(path)

    assert loaded.experiment.space.candidates.points() == [
        {"t": 20.0, "n": 1, "solvent": "THF", "dry": True},
        {"t": 30.5, "n": 2, "solvent": "water", "dry": False},
    ]
    with Client(tmp_path / "lab.titrant", random_seed=1, virtual_time=True) as client:
        apply(client, loaded, connect(loaded))
        assert client.state.experiment.space == loaded.experiment.space
    (tmp_path / "catalogue.csv").unlink()
    with Client.open(tmp_path / "lab.titrant", virtual_time=True) as client:
        assert len(client.get_next_trials(5)) == 2


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("t,cas\n1,2\n", "its column 'cas' is no parameter: leave it out"),
        ("t,solvent,n,dry\n20,THF,1\n", "row 2 has 3 fields, and the first line 4"),
        ("t,solvent,n,dry\nwarm,THF,1,true\n", "row 2 has the t 'warm', which is no number"),
        ("t,solvent,n,dry\n20,THF,1,yes\n", "candidate 0 does not fit the search space: parameter 'dry'"),
        ("t,solvent,n,dry\n20,DMF,1,true\n", "candidate 0 does not fit the search space: parameter 'solvent' is 'DMF'"),
        ("t,solvent,n,dry\n", "there are 0 candidates"),
    ],
)
def test_a_table_that_cannot_be_used_is_named(tmp_path, table, message):
    with pytest.raises(DefinitionError, match=message):
        load(written(tmp_path, table))


def test_what_waits_and_is_no_candidate_any_more_gives_way():
    with opened() as client:
        client.configure_approval([ApprovalRule(approvers=("user:kim",))])
        with pytest.raises(ApprovalRequired):
            client.get_next_trials(3)
        own = client.attach_trial({"t": 3.25, "solvent": "THF"})
        kept = client.state.trial(0).parameters
        client.change_search_space(search_space(PARAMETERS, candidates=[kept, {"t": 99.5, "solvent": "water"}]))
        statuses = [client.state.trial(i).status.name for i in (0, 1, 2, own)]
        reason = client.state.trial(1).reason

    assert statuses == ["PROPOSED", "STALE", "STALE", "PROPOSED"]
    assert reason == "the search space changed: it is none of the candidates any more"
