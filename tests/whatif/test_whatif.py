"""An experiment of which a log tells, run otherwise."""

import pytest

from titrant import ChoiceParameterConfig, Client, CommandRefused, RangeParameterConfig
from titrant.errors import ConfigurationError, LogExists
from titrant.log.heads import head
from titrant.log.scanning import scan
from titrant.log.verify import verify
from titrant.messages.events import LogDerived
from titrant.replay.moment import state_at
from titrant.simulation import SimulatedLab
from titrant.whatif import whatif


@pytest.fixture(scope="module")
def told(parent, tmp_path_factory):
    kept = tmp_path_factory.mktemp("kept")
    before = parent.read_bytes()
    report = whatif(parent, parallelism=(1, 2, 4), seeds=3, log_dir=kept)
    assert parent.read_bytes() == before
    return report, kept


def test_more_parallelism_takes_fewer_virtual_hours(told):
    report, _ = told

    assert [one.hours.median for one in report.settings] == pytest.approx([8, 4, 2], abs=0.01)


def test_the_same_seeds_give_the_same_report(parent, told):
    report, _ = told
    again = whatif(parent, parallelism=(2,), seeds=3)

    mine, first = again.settings[0], report.settings[1]
    assert (mine.hours, mine.best, mine.needed) == (first.hours, first.best, first.needed)
    assert again.trust == report.trust


def test_a_derived_log_names_its_parent_and_is_sound(parent, told):
    report, kept = told

    logs = [path for one in report.settings for path in one.logs]
    assert len(logs) == 9
    assert len({head(path).log_id for path in logs} | {report.log_id}) == 10
    assert verify(logs[0]).ok
    (derived,) = [event for _, _, event in scan(logs[0]) if isinstance(event, LogDerived)]
    assert (derived.log_id, derived.seq, derived.hash) == (report.log_id, report.seq, head(parent).hash.hex())
    assert (derived.purpose, derived.changes["parallelism"]) == ("what-if", 1)
    with pytest.raises(LogExists):
        whatif(parent, parallelism=(1,), seeds=1, log_dir=kept)


def test_the_model_is_examined_on_trials_that_it_has_not_seen(told):
    report, _ = told

    assert report.trust.method == "leave-one-out"
    assert report.trust.r2 is not None
    assert report.trust.r2 > 0.9
    assert report.trust.noise == pytest.approx(0.05)
    assert report.target == pytest.approx(5, abs=0.3)
    assert "good" in report.cautions[0]


def test_a_variation_begins_with_the_data_of_its_moment(parent, tmp_path):
    middle = next(seq for seq in range(1, head(parent).seq) if len(state_at(parent, seq).state.closed) == 5)

    report = whatif(parent, parallelism=(1,), from_seq=middle, seeds=1, log_dir=tmp_path)

    assert (report.start, report.given, report.settings[0].max_trials) == (middle, 5, 3)
    assert state_at(report.settings[0].logs[0]).state.attached == 5


def test_what_is_too_little_or_too_much_is_refused_in_words(parent, tmp_path):
    path = tmp_path / "few.titrant"
    with Client(path, random_seed=1, virtual_time=True) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))])
        with pytest.raises(CommandRefused, match="no search space and objective"):
            whatif(path)
        client.configure_optimization("y")
        client.complete_trial(client.attach_trial({"x": 0.5}), raw_data=1.0)
        with pytest.raises(CommandRefused, match="what-if needs 5"):
            whatif(path)
        client.configure_optimization("y, -z")
        with pytest.raises(CommandRefused, match="not supported yet"):
            whatif(path)
    for wrong in ({"parallelism": (0,)}, {"method": "magic"}, {"seeds": 0}, {"max_trials": 0}, {"from_seq": 10_000}):
        with pytest.raises(ConfigurationError):
            whatif(parent, **wrong)


def test_a_finite_space_is_answered_by_what_was_measured(tmp_path):
    path = tmp_path / "finite.titrant"
    measured = {"a": 1.0, "b": 4.0, "c": 2.5, "d": 3.0, "e": 0.5}
    with Client(path, random_seed=1, virtual_time=True) as client:
        client.configure_experiment(
            [ChoiceParameterConfig("solvent", list(measured), parameter_type="str", is_ordered=False)]
        )
        client.configure_optimization("-y")
        client.configure_generation_strategy(method="random_search")
        client.configure_runner(SimulatedLab(lambda p: {"y": measured[p["solvent"]]}, duration_s=60.0))
        client.run_trials(5)

    (setting,) = whatif(path, parallelism=(1,), seeds=2).settings

    assert setting.best.median == 0.5
    assert setting.needed.median is not None
    assert (setting.censored, setting.extrapolated, setting.failed) == (0, 0.0, 0.0)
