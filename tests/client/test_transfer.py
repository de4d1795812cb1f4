"""Learning from past experiments' logs: what is said, what is kept, and what is refused."""

from __future__ import annotations

import math
import sqlite3

import pytest

from titrant import (
    ChoiceParameterConfig,
    Client,
    CommandRefused,
    ConfigurationError,
    FixedParameterConfig,
    RangeParameterConfig,
)
from titrant.control.status import status
from titrant.errors import LogCorrupt, LogMissing, LogTooNew, NotALog
from titrant.log.replay import read_log
from titrant.messages.events import PastLearned
from titrant.replay.decisions import verify_decisions
from titrant.replay.diff import changes
from titrant.replay.moment import state_at

WARMTH = RangeParameterConfig("temperature_c", (20.0, 120.0))
SHARE = RangeParameterConfig("share", (0.0, 1.0))
SOLVENT = ChoiceParameterConfig("solvent", ["water", "THF", "DMSO"])


def reaction(best_c=70.0, height=1.0):
    def run(at):
        away = (at["temperature_c"] - best_c) / 40.0
        return {"yield": height * math.exp(-(away**2) - 4.0 * (at["share"] - 0.4) ** 2)}

    return run


def done(path, *parameters, runner=None, trials=12, objective="yield", name="last year's", seed=1):
    """The log of an experiment that was carried out before."""
    with Client(path, random_seed=seed, virtual_time=True) as client:
        client.configure_experiment(parameters or [WARMTH, SHARE], name=name)
        client.configure_optimization(objective)
        client.configure_runner(runner or reaction())
        client.run_trials(trials, progress=False)
    return path


@pytest.fixture(scope="module")
def past(tmp_path_factory):
    return done(tmp_path_factory.mktemp("past") / "old.titrant")


def opened(path=None, *parameters, objective="yield", seed=2):
    client = Client(path, random_seed=seed, virtual_time=True)
    client.configure_experiment(parameters or [WARMTH, SHARE], name="new")
    client.configure_optimization(objective)
    return client


def test_the_first_trial_is_where_the_past_was_best_and_names_it(past):
    with opened() as client:
        client.learn_from(past)
        ((index, trial),) = client.get_next_trials(1).items()
        suggestion = client.state.trial(index)

    assert trial["temperature_c"] == pytest.approx(70.0, abs=15.0)
    assert trial["share"] == pytest.approx(0.4, abs=0.15)
    assert suggestion.node == "bo"


def test_each_suggestion_says_how_much_it_took_from_which_experiment(past, tmp_path):
    path = tmp_path / "new.titrant"
    with opened(path) as client:
        client.configure_runner(reaction(80.0, 2.0))
        client.learn_from(past)
        client.run_trials(3, progress=False)

    said = [
        record.event.suggestion.generator
        for record in read_log(path)
        if record.event.__class__.__name__ == "TrialCreated"
    ]
    assert all('of "last year\'s"' in one and one.startswith("transfer GP (") for one in said)


def test_what_was_taken_is_told_and_kept_with_its_origin(past, tmp_path):
    path = tmp_path / "new.titrant"
    with opened(path) as client:
        (told,) = client.learn_from(past)
        kept = client.state.past
        stands = status(client.state, 1)["past"]

    (event,) = [record.event for record in read_log(path) if isinstance(record.event, PastLearned)]
    end = list(read_log(past))[-1]
    assert kept == (told,) == (event.past,)
    assert str(told) == '12 of 12 trials of "last year\'s" (old.titrant)'
    assert (told.file, told.seq, told.hash) == ("old.titrant", end.seq, end.hash.hex())
    assert stands == [{"name": "last year's", "file": "old.titrant", "trials": 12, "of": 12}]


def test_a_difference_between_two_moments_names_what_was_learned_from(past, tmp_path):
    path = tmp_path / "new.titrant"
    with opened(path) as client:
        client.learn_from(past)
    (seq,) = [record.seq for record in read_log(path) if isinstance(record.event, PastLearned)]

    (change,) = changes(state_at(path, seq - 1).state, state_at(path, seq).state)

    assert (change.path, change.old, change.new) == ("past", [], ['12 of 12 trials of "last year\'s" (old.titrant)'])


def test_decisions_are_made_again_without_the_past_log_also_after_a_restart(tmp_path):
    old, path = done(tmp_path / "old.titrant"), tmp_path / "new.titrant"
    with opened(path) as client:
        client.configure_runner(reaction(85.0))
        client.learn_from(old)
        client.run_trials(3, parallelism=2, progress=False)
    old.unlink()
    with Client.open(path, virtual_time=True) as client:
        client.configure_runner(reaction(85.0))
        client.run_trials(3, parallelism=2, progress=False)

    found = verify_decisions(path)
    assert (found.equal, found.divergences) == (6, [])


def test_a_log_read_anew_takes_the_place_of_what_it_gave_before(tmp_path):
    old = done(tmp_path / "old.titrant", trials=6)
    with opened() as client:
        client.learn_from(old)
        before = client.state.results
        client.learn_from(old)
        assert client.state.results == before
        with Client.open(old, virtual_time=True) as again:
            again.configure_runner(reaction())
            again.run_trials(2, progress=False)
        client.learn_from(old)

        assert [one.count for one in client.state.past] == [8]
        assert client.state.results == before + 1


def test_several_logs_are_learned_from_at_once_or_not_at_all(past, tmp_path):
    other = done(tmp_path / "other.titrant", runner=reaction(90.0), name="the other line", seed=4)
    with opened() as client:
        with pytest.raises(LogMissing):
            client.learn_from([past, tmp_path / "gone.titrant"])
        assert client.state.past == ()
        client.learn_from([past, other])

        assert [one.name for one in client.state.past] == ["last year's", "the other line"]
        assert len(client.get_next_trials(2)) == 2


def test_the_past_may_come_in_while_the_experiment_is_under_way(past):
    with opened() as client:
        client.configure_runner(reaction(75.0))
        client.run_trials(2, progress=False)
        client.learn_from(past)
        client.run_trials(2, progress=False)

        assert [trial.node for trial in client.state.trials()] == ["centre", "sobol", "bo", "bo"]


def test_an_initial_design_that_was_asked_for_is_made_all_the_same(past):
    with opened() as client:
        client.configure_generation_strategy(initialization_budget=2)
        client.configure_runner(reaction(75.0))
        client.learn_from(past)
        client.run_trials(3, progress=False)

        assert [trial.node for trial in client.state.trials()] == ["centre", "sobol", "bo"]


def test_other_names_other_units_and_what_is_new_are_said(tmp_path):
    old = done(
        tmp_path / "old.titrant",
        RangeParameterConfig("T_kelvin", (293.15, 393.15)),
        SHARE,
        RangeParameterConfig("stirring", (0.0, 1.0)),
        runner=lambda at: {"Y_percent": 100 * reaction()({"temperature_c": at["T_kelvin"] - 273.15, **at})["yield"]},
        objective="Y_percent",
    )
    with opened(None, WARMTH, SHARE, RangeParameterConfig("pressure_bar", (1.0, 5.0))) as client:
        (told,) = client.learn_from(
            old,
            names={"T_kelvin": "temperature_c", "Y_percent": "yield"},
            scaled={"temperature_c": (1.0, -273.15), "yield": 0.01},
            fill={"pressure_bar": 1.0},
        )
        (trial,) = client.get_next_trials(1).values()

    assert 20.0 <= min(told.parameters["temperature_c"]) <= max(told.parameters["temperature_c"]) <= 120.0
    assert max(told.metrics["yield"]) <= 1.0
    assert (told.dropped, told.filled) == (("stirring",), {"pressure_bar": 1.0})
    assert "called otherwise there: T_kelvin for temperature_c" in str(told)
    assert trial["temperature_c"] == pytest.approx(70.0, abs=20.0)


def test_what_is_fixed_may_have_been_fixed_elsewhere(tmp_path):
    old = done(tmp_path / "old.titrant", WARMTH, SHARE, FixedParameterConfig("scale_ml", 5.0))
    with opened(None, WARMTH, SHARE, FixedParameterConfig("scale_ml", 500.0)) as client:
        (told,) = client.learn_from(old)
        (trial,) = client.get_next_trials(1).values()

    assert told.count == 12
    assert trial["scale_ml"] == 500.0


def test_trials_in_a_solvent_that_is_gone_are_left_out(tmp_path):
    def run(at):
        return {"yield": reaction()(at)["yield"] + (at["solvent"] == "THF")}

    old = done(tmp_path / "old.titrant", WARMTH, SHARE, SOLVENT, runner=run, trials=15)
    with opened(None, WARMTH, SHARE, ChoiceParameterConfig("solvent", ["THF", "water"])) as client:
        (told,) = client.learn_from(old)

    assert 0 < told.left_out < 15
    assert told.count + told.left_out == 15
    assert set(told.parameters["solvent"]) == {"THF", "water"}
    assert f"{told.left_out} have no place in the present search space" in str(told)


@pytest.mark.parametrize(
    ("parameters", "objective", "said", "message"),
    [
        ([WARMTH, SHARE], "purity", {}, r"no finished trial has data of purity, which is sought here; it has yield"),
        (
            [WARMTH, SHARE, SOLVENT],
            "yield",
            {},
            r"has no parameter 'solvent': say at which value .* fill=\{'solvent': value\}",
        ),
        (
            [RangeParameterConfig("temperature_c", (293.0, 393.0)), SHARE],
            "yield",
            {},
            r"'temperature_c' was .* to 120 there and is 293 to 393 here: no trial lies inside",
        ),
        (
            [WARMTH, ChoiceParameterConfig("share", ["low", "high"])],
            "yield",
            {},
            r"'share' was .*, and is one of 'low', 'high'",
        ),
        (
            [WARMTH, SHARE],
            "yield",
            {"names": {"T": "temperature_c"}},
            r"neither a parameter nor a metric 'T': it has temper",
        ),
        (
            [WARMTH, SHARE],
            "yield",
            {"names": {"share": "portion"}},
            r"'share' cannot be 'portion': this experiment has temp",
        ),
        (
            [WARMTH, SHARE],
            "yield",
            {"names": {"share": "temperature_c"}},
            r"two names .* would be 'temperature_c' here",
        ),
        ([WARMTH, SHARE], "yield", {"scaled": {"share": 0.0}}, r"'share' cannot be scaled by \(0.0, 0.0\): give"),
        ([WARMTH, SHARE], "yield", {"scaled": {"share": "x"}}, r"'share' cannot be scaled by 'x': give a factor"),
        ([WARMTH, SHARE], "yield", {"fill": {"q": 1}}, r"fill names 'q'"),
        ([WARMTH, SHARE], "yield", {"fill": {"share": 1}}, r"fill names 'share'"),
        ([WARMTH, SHARE, SOLVENT], "yield", {"fill": {"solvent": "air"}}, r"fill gives 'solvent' the value 'air'"),
    ],
)
def test_a_past_that_does_not_fit_is_refused_before_anything_is_recorded(past, parameters, objective, said, message):
    with opened(None, *parameters, objective=objective) as client:
        with pytest.raises(ConfigurationError, match=message):
            client.learn_from(past, **said)
        assert (client.state.past, client.state.results) == ((), 0)


def test_what_is_no_sound_log_is_refused(past, tmp_path):
    text = tmp_path / "notes.titrant"
    text.write_text("nothing of the kind\n" * 100)
    broken = tmp_path / "broken.titrant"
    data = bytearray(past.read_bytes())
    place = data.index(b'"yield"', len(data) // 4)
    data[place : place + 7] = b'"yiold"'
    broken.write_bytes(data)
    newer = tmp_path / "newer.titrant"
    newer.write_bytes(past.read_bytes())
    with sqlite3.connect(newer) as log:
        log.execute("PRAGMA user_version = 99")
    log.close()
    faults = ((text, NotALog), (broken, LogCorrupt), (tmp_path / "none.titrant", LogMissing), (newer, LogTooNew))
    with opened() as client:
        for path, error in faults:
            with pytest.raises(error):
                client.learn_from(path)
        assert client.state.past == ()


def test_nobody_learns_from_themselves_from_nothing_or_before_they_know_what_they_seek(past, tmp_path):
    path = tmp_path / "own.titrant"
    with opened(path) as client:
        with pytest.raises(ConfigurationError, match="this experiment's own log"):
            client.learn_from(path)
        with pytest.raises(ConfigurationError, match="was given no log"):
            client.learn_from([])
        with pytest.raises(ConfigurationError, match="the same log twice"):
            client.learn_from([past, past])
    with Client(virtual_time=True) as client:
        client.configure_experiment([WARMTH, SHARE])
        with pytest.raises(CommandRefused, match="call configure_optimization first"):
            client.learn_from(past)


def test_botorch_cannot_learn_from_the_past_and_says_so(past):
    with opened() as client:
        client.configure_generation_strategy(method="botorch")
        with pytest.raises(CommandRefused, match="'botorch' learns from one experiment only"):
            client.learn_from(past)
        client.configure_generation_strategy(method="fast")
        client.learn_from(past)
        with pytest.raises(CommandRefused, match="'botorch' learns from one experiment only"):
            client.configure_generation_strategy(method="botorch")


def test_a_parameter_that_comes_in_later_has_its_value_in_the_past_too(past):
    with opened() as client:
        client.learn_from(past)
        for index in client.get_next_trials(2):
            client.complete_trial(index, {"yield": 0.5})
        client.add_parameter(SOLVENT, backfill="THF")

        ((index, _),) = client.get_next_trials(1).items()
        assert client.state.trial(index).parameters.keys() == {"temperature_c", "share", "solvent"}
        assert client.state.trial(index).node == "bo"


def test_of_a_past_too_large_for_one_event_the_later_trials_are_kept(tmp_path):
    names = [f"a molecule with a very long name, number {i:04d} {'C' * 400}" for i in range(40)]
    molecule = [ChoiceParameterConfig(f"molecule_{i}", names) for i in range(8)]
    with Client(tmp_path / "old.titrant", random_seed=1, virtual_time=True) as client:
        client.configure_experiment([*molecule, SHARE], name="library")
        client.configure_optimization("yield")
        for i in range(300):
            at = {**{one.name: names[(i * (k + 1)) % 40] for k, one in enumerate(molecule)}, "share": i / 300}
            client.complete_trial(client.attach_trial(at), {"yield": float(i)})
    with opened(None, *molecule, SHARE) as client:
        (told,) = client.learn_from(tmp_path / "old.titrant")

    assert 100 < told.count < 300
    assert (told.found, max(told.metrics["yield"])) == (300, 299.0)


def test_predictions_know_the_past_from_the_start(past):
    points = [{"temperature_c": 70.0, "share": 0.4}, {"temperature_c": 25.0, "share": 0.9}]
    with opened() as client:
        client.learn_from(past)
        good, bad = client.predict(points)

    assert good["yield"][0] > 0.8 > 0.3 > bad["yield"][0]
