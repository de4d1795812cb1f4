"""What a suggestion records is exactly what its generator was asked: the state at ``data_seq``, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from titrant import Client, ConfigurationError, TrialStatus
from titrant.errors import CommandRefused
from titrant.generators.base import Point, Request
from titrant.generators.requests import PARTS, digest, fingerprint, prediction_request, suggestion_request
from titrant.messages import events as e
from titrant.model.observation import Observation
from titrant.model.space import RangeParameterConfig, search_space
from titrant.model.trial import Suggestion
from titrant.replay.decisions import Stamped, verify_decisions
from titrant.rules.evolve import evolve
from titrant.rules.state import State
from titrant.simulation import SimulatedLab
from titrant.simulation.behaviour import Lognormal
from titrant.simulation.problems import BRANIN

from .conftest import lab
from .recorder import Recorder


def log_of(client: Client) -> list[Stamped]:
    return [(one.seq, one.recorded_at, one.event) for one in client._async.engine.log.read()]


def suggestions(events: list[Stamped]) -> list[Suggestion]:
    made = [event.suggestion for _, _, event in events if isinstance(event, e.TrialCreated)]
    return [one for one in made if one is not None]


acts = st.lists(
    st.one_of(
        st.tuples(st.just("run"), st.integers(1, 6), st.integers(1, 4)),
        st.tuples(st.just("ask"), st.integers(1, 3), st.booleans()),
        st.tuples(st.just("attach"), st.floats(-5, 10), st.floats(0, 15)),
        st.tuples(st.just("void"), st.integers(0, 20), st.none()),
        st.tuples(st.just("correct"), st.integers(0, 20), st.floats(0, 50)),
        st.tuples(st.just("bounds"), st.floats(-5, -1), st.floats(5, 10)),
        st.tuples(st.just("executed"), st.integers(0, 20), st.floats(-5, 10)),
    ),
    min_size=3,
    max_size=8,
)


def do(client: Client, act: tuple[str, Any, Any]) -> None:
    """One act; those that the state does not allow are refused, which is recorded too."""
    kind, one, two = act
    try:
        match kind:
            case "run":
                client.run_trials(one, parallelism=two, tolerated_trial_failure_rate=1.0)
            case "ask":
                fixed = {"x2": 3.0} if two else None
                for number, index in enumerate(client.get_next_trials(one, fixed_parameters=fixed)):
                    if number:
                        client.complete_trial(index, raw_data=5.0 + index)
            case "attach":
                client.complete_trial(client.attach_trial({"x1": one, "x2": two}), raw_data=one)
            case "void":
                client.void_trial(one, "a guess")
            case "correct":
                client.correct_trial(one, two, "a guess")
            case "bounds":
                client.change_bounds("x1", (one, two))
            case "executed":
                client.record_executed(one, {"x1": two})
    except (CommandRefused, ConfigurationError):
        assert kind not in ("run", "ask")


@given(script=acts, seed=st.integers(0, 2**31 - 1), fails_every=st.integers(0, 3), failures=st.floats(0, 0.5))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_state_at_data_seq_gives_the_very_request_back(
    script: list[tuple[str, Any, Any]], seed: int, fails_every: int, failures: float
):
    recorder = Recorder(fails_every)
    with Client(random_seed=seed, generator=recorder, virtual_time=True) as client:
        client.configure_experiment(list(BRANIN.parameters))
        client.configure_optimization(BRANIN.objective)
        client.configure_generation_strategy(initialization_budget=2)
        client.configure_runner(
            SimulatedLab(BRANIN.evaluate, duration_s=Lognormal(60, 0.5), failure_probability=failures, seed=seed)
        )
        for act in [("run", 4, 2), *script]:
            do(client, act)
        events = log_of(client)

    asked = set(recorder.asked)
    found = verify_decisions(events, generator=recorder)
    assert not found.divergences
    assert found.equal == len(suggestions(events))
    assert {one.request for one in suggestions(events)} <= asked


def test_suggestions_made_ahead_are_made_again_as_well(tmp_path: Path):
    recorder = Recorder()
    quick = SimulatedLab(BRANIN.evaluate, duration_s=0.3, seed=1)  # longer than a suggestion takes
    with Client(tmp_path / "quick.titrant", random_seed=3, generator=recorder, control=False) as client:
        client.configure_experiment(list(BRANIN.parameters))
        client.configure_optimization(BRANIN.objective)
        client.configure_generation_strategy(initialization_budget=2)
        client.configure_runner(quick)
        client.run_trials(16, parallelism=4)
        events = log_of(client)

    assert any(one.held for one in suggestions(events))
    assert verify_decisions(tmp_path / "quick.titrant", generator=recorder).equal == 16


def test_a_generator_that_is_not_at_hand_is_named_and_counted(tmp_path: Path):
    with Client(tmp_path / "own.titrant", random_seed=3, generator=Recorder(), virtual_time=True) as client:
        client.configure_experiment(list(BRANIN.parameters))
        client.configure_optimization(BRANIN.objective)
        client.configure_runner(lab(0.0))
        client.run_trials(3)
        made = suggestions(log_of(client))

    found = verify_decisions(tmp_path / "own.titrant")
    assert made[0].maker.endswith("recorder:Recorder")
    assert (found.external, found.equal, found.ok) == (3, 0, True)


def test_a_resumed_experiment_is_made_again_across_its_sessions(tmp_path: Path):
    path, recorder = tmp_path / "resumed.titrant", Recorder()
    with Client(path, random_seed=3, generator=recorder, virtual_time=True) as client:
        client.configure_experiment(list(BRANIN.parameters))
        client.configure_optimization(BRANIN.objective)
        client.configure_runner(lab())
        client.run_trials(7, parallelism=3)
    with Client.open(path, generator=recorder, virtual_time=True) as client:
        client.configure_runner(lab())
        client.run_trials(4, parallelism=2)

    assert verify_decisions(path, generator=recorder).equal == 11


# --- what is recorded -----------------------------------------------------------------------------------------------


def test_the_first_suggestion_of_each_request_names_what_had_a_part_in_it(events: list[Stamped]):
    first = [one for one in suggestions(events) if one.place == 0]

    assert all({"titrant", "python"} <= one.versions.keys() for one in first)
    models = [one for one in first if one.node == "bo"]
    named = {"numpy", "scipy", "platform", "cpu", "blas", "threads"}
    assert models
    assert all(named <= one.versions.keys() for one in models)
    assert all(one.parts.keys() == PARTS.keys() for one in first)


def test_what_was_held_fixed_and_how_many_were_asked_for_is_recorded(events: list[Stamped]):
    held = [one for one in suggestions(events) if one.fixed]

    assert [(one.fixed, one.count, one.place) for one in held] == [({"x2": 4.0}, 2, 0), ({"x2": 4.0}, 2, 1)]


def test_only_those_who_looked_at_results_record_their_count(events: list[Stamped]):
    assert all((one.results > 0) == (one.node == "bo") for one in suggestions(events))


# --- fingerprints ---------------------------------------------------------------------------------------------------

REQUEST = Request(
    space=search_space([RangeParameterConfig("x", (0.0, 1.0)), RangeParameterConfig("n", (1, 5), "int")]),
    node="bo",
    observed=(Point(0, {"x": 0.5, "n": 2}, (Observation("y", 1.5, 0.1),)),),
    seed=42,
)


def test_the_fingerprint_of_a_request_never_changes():
    """Logs of today must verify with every later version: fields may be added with a default that is omitted."""
    assert digest(REQUEST) == "5959c48f8c0fd829e20eb9a74b4d12426b957a97d8bd9112f1478710c84da6c6"


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("space", {"space": search_space([RangeParameterConfig("x", (0.0, 2.0))])}),
        ("goal", {"method": "quality"}),
        ("data", {"observed": ()}),
        ("pending", {"pending": (Point(1, {"x": 0.1, "n": 1}),)}),
        ("draw", {"seed": 43}),
    ],
)
def test_each_part_of_a_request_has_a_fingerprint_of_its_own(part: str, other: dict[str, Any]):
    one, changed = fingerprint(REQUEST).parts, fingerprint(replace(REQUEST, **other)).parts

    assert [name for name in one if one[name] != changed[name]] == [part]


def test_an_integer_where_a_float_belongs_makes_no_difference():
    point = Point(0, {"x": 0.5, "n": 2}, (Observation("y", 2, 0.1),))  # type: ignore[arg-type]
    same = Point(0, {"x": 0.5, "n": 2}, (Observation("y", 2.0, 0.1),))

    assert digest(replace(REQUEST, observed=(point,))) == digest(replace(REQUEST, observed=(same,)))


def test_there_is_nothing_to_predict_before_an_objective_is_set():
    assert prediction_request(State(), ()) is None


def test_points_of_the_sequence_that_waiting_suggestions_used_up_are_passed_over(events: list[Stamped]):
    state = State()
    for _, at, event in events:
        state = evolve(state, event, at)

    request = suggestion_request(state, node="sobol", count=1, fixed={}, start=state.position + 5)

    assert request.position == state.position + 5
    assert state.trial(0).status is TrialStatus.VOIDED
