"""What may be configured when."""

import pytest
from msgspec.structs import replace

from titrant.errors import CommandRefused, ConfigurationError
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.model import candidates
from titrant.model.experiment import Definition, Experiment, GenerationStrategy, RunnerSpec
from titrant.model.objective import optimization_config
from titrant.model.space import RangeParameterConfig, search_space
from titrant.rules.state import State

from .world import LAB, LOG, SETUP, SPACE, after, asked, finished, fold, lab, running, start, submitted, then, unknown

OTHER = Experiment(space=search_space([RangeParameterConfig("z", (0.0, 1.0))]))


def test_the_first_session_gives_the_log_its_identity_and_seed():
    assert then(State(), c.OpenSession(engine="t", log_id=LOG, seed=7)) == (
        e.SessionOpened(engine="t", log_id=LOG, seed=7),
    )


def test_a_later_session_keeps_identity_and_seed():
    (opened,) = then(lab(), c.OpenSession(engine="t", log_id="cd" * 16, seed=9))

    assert (opened.log_id, opened.seed) == (LOG, 1)


def test_a_new_session_ends_a_run_that_another_process_left():
    _, ended = then(running(), c.OpenSession(engine="t", log_id=LOG, seed=1))

    assert ended.outcome == "interrupted"


def test_a_session_is_closed():
    assert then(lab(), c.CloseSession()) == (e.SessionClosed(),)


def test_a_search_space_is_set():
    assert then(State(), c.ConfigureExperiment(experiment=SPACE)) == (e.ExperimentConfigured(experiment=SPACE),)


def test_candidates_too_many_for_one_event_come_in_the_events_after_it(monkeypatch):
    monkeypatch.setattr(candidates, "_SMALL", 0)
    monkeypatch.setattr(candidates, "PART", 60)
    pool = Experiment(space=candidates.with_candidates(SPACE.space, [{"x": i / 40} for i in range(41)]))

    configured, *parts = then(State(), c.ConfigureExperiment(experiment=pool))

    assert len(parts) > 1
    assert all(isinstance(part, e.CandidatesKept) and len(part.text) <= 60 for part in parts)
    assert fold(configured, *parts).experiment == pool


def test_what_a_file_says_is_kept_with_the_search_space():
    definition = Definition(file="lab.toml", content={"name": "lab"})
    set_up = c.ConfigureExperiment(experiment=SPACE, definition=definition)

    assert then(State(), set_up) == (
        e.ExperimentConfigured(experiment=SPACE),
        e.ExperimentDefined(definition=definition),
    )


def test_what_a_file_says_is_kept_once():
    definition = Definition(file="lab.toml")

    kept = fold(*SETUP, e.ExperimentDefined(definition=definition))

    assert kept.definition == definition
    assert then(kept, c.DefineExperiment(definition=definition)) == ()
    assert then(kept, c.ConfigureExperiment(experiment=SPACE, definition=definition)) == ()


@pytest.mark.parametrize(
    "command",
    [
        c.ConfigureExperiment(experiment=SPACE),
        c.ConfigureOptimization(optimization=optimization_config("y")),
        c.ConfigureStrategy(strategy=GenerationStrategy()),
        c.ConfigureMetrics(names=()),
        c.ConfigureTrackingMetrics(names=("y",)),
        c.ConfigureRunners(runners=(LAB,)),
    ],
    ids=lambda command: type(command).__name__,
)
def test_the_same_again_changes_nothing(command):
    assert then(lab(), command) == ()


def test_a_search_space_stays_once_trials_exist():
    with pytest.raises(CommandRefused, match=r"cannot be replaced once trials exist \(1 do\): change_search"):
        then(asked(), c.ConfigureExperiment(experiment=OTHER))


def test_a_search_space_stays_while_a_run_is_under_way():
    with pytest.raises(CommandRefused, match="cannot be configured anew while run_trials is under way: use change_sea"):
        then(after(lab(), start()), c.ConfigureExperiment(experiment=OTHER))


@pytest.mark.parametrize(
    ("command", "call"),
    [
        (c.ConfigureOptimization(optimization=optimization_config("y")), "configure_optimization"),
        (c.ConfigureStrategy(strategy=GenerationStrategy(method="quality")), "configure_generation_strategy"),
    ],
)
def test_purpose_and_strategy_need_a_search_space(command, call):
    with pytest.raises(CommandRefused, match=f"{call} needs a search space: call configure_experiment first"):
        then(State(), command)


def test_the_objective_may_change_between_runs():
    assert then(lab(), c.ConfigureOptimization(optimization=optimization_config("-y"))) == (
        e.OptimizationConfigured(optimization=optimization_config("-y")),
    )


@pytest.mark.parametrize("objective", ["-y", "y - 0.5*colour", "mass, y"])
def test_the_objective_may_change_in_mid_run_to_what_is_measured(objective):
    given = after(running(metrics=("y", "colour")), c.ConfigureTrackingMetrics(names=("mass",)))

    configured, *_ = then(given, c.ConfigureOptimization(optimization=optimization_config(objective)))

    assert configured == e.OptimizationConfigured(optimization=optimization_config(objective))


def test_the_objective_cannot_change_in_mid_run_to_what_nobody_measures():
    with pytest.raises(CommandRefused, match="one of 'purity' while run_trials is under way: no trial has it; drain"):
        then(running(), c.ConfigureOptimization(optimization=optimization_config("y", ["purity >= 0.9"])))


def test_the_strategy_may_change_at_any_time():
    strategy = GenerationStrategy(method="random_search")

    assert then(running(), c.ConfigureStrategy(strategy=strategy)) == (e.StrategyConfigured(strategy=strategy),)


def test_a_metric_beside_the_objective_is_tracked():
    assert then(lab(), c.ConfigureMetrics(names=("y", "colour"))) == (
        e.MetricsConfigured(names=("y", "colour")),
        e.TrackingMetricsConfigured(names=("colour",)),
    )


def test_a_metric_configured_before_the_objective_is_tracked_too():
    given = fold(*SETUP[:2], e.MetricsConfigured(names=("y", "colour")))

    _, tracked = then(given, c.ConfigureOptimization(optimization=optimization_config("y")))

    assert tracked == e.TrackingMetricsConfigured(names=("colour",))


def test_metric_names_are_unique():
    with pytest.raises(ConfigurationError, match="metric names must be unique: 'y' given more than once"):
        then(lab(), c.ConfigureMetrics(names=("y", "y")))


def test_tracking_metrics_add_up_and_known_ones_are_skipped():
    given = fold(e.TrackingMetricsConfigured(names=("a",)), state=lab())

    assert then(given, c.ConfigureTrackingMetrics(names=("y", "a", "b", "b"))) == (
        e.TrackingMetricsConfigured(names=("a", "b")),
    )


def test_runners_are_set():
    two = (LAB, RunnerSpec(name="other", capacity=2))

    assert then(lab(), c.ConfigureRunners(runners=two)) == (e.RunnersConfigured(runners=two),)


@pytest.mark.parametrize(
    ("runners", "message"),
    [
        ((), "was given no runner: give at least one"),
        ((LAB, LAB), "runner names must be unique: 'lab' given more than once"),
        ((replace(LAB, capacity=0),), "runner 'lab' has capacity 0: it must be at least 1"),
        ((replace(LAB, on_unknown="rerun"),), "on_unknown='rerun' without declaring rerun_safe=True"),
        ((replace(LAB, on_unknown="rerun", honours_keys=True),), "without declaring rerun_safe=True"),
    ],
)
def test_runners_that_make_no_sense_are_refused(runners, message):
    with pytest.raises(ConfigurationError, match=message):
        then(lab(), c.ConfigureRunners(runners=runners))


def test_runners_stay_while_a_run_is_under_way():
    with pytest.raises(CommandRefused, match="runners cannot change while run_trials is under way"):
        then(submitted(), c.ConfigureRunners(runners=(RunnerSpec(name="other"),)))


def test_a_runner_that_still_has_a_trial_must_stay():
    given = after(unknown(), c.Drain())

    with pytest.raises(CommandRefused, match=r"trial 0 is on runner 'lab', which is not among \['other'\]"):
        then(given, c.ConfigureRunners(runners=(RunnerSpec(name="other"),)))


def test_a_runner_may_go_while_only_data_are_on_the_way():
    given = fold(e.RunEnded(outcome="timeout"), state=after(running(metrics=("y",)), finished()))

    assert then(given, c.ConfigureRunners(runners=(RunnerSpec(name="other"),)))
