"""Results withdrawn, restored and corrected; conditions carried out otherwise than planned."""

import pytest

from titrant.analysis.marks import saw_withdrawn
from titrant.analysis.results import best_observed, eligible, pareto_observed, summary
from titrant.errors import CommandRefused, ConfigurationError, TrialNotFound
from titrant.generators.requests import observed, pending, suggestion_request, taken
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.model.experiment import Experiment
from titrant.model.objective import optimization_config
from titrant.model.observation import Observation
from titrant.model.space import ChoiceParameterConfig, RangeParameterConfig, search_space
from titrant.model.trial import Suggestion, TrialStatus
from titrant.rules.conditions import carried_out
from titrant.rules.strategy import next_node

from .world import NAN, SETUP, Y1, after, asked, finished, fold, lab, running, start, status, suggested, then

WHY = "the probe was dirty"
Y2 = Observation("y", 2.0)


def completed(*values, state=None):
    """Trials in somebody's hands, COMPLETED with these values of y."""
    state = asked(len(values)) if state is None else state
    return after(state, *(c.CompleteTrial(trial=i, observations=(y,)) for i, y in enumerate(values)))


def void(trial=0, reason=WHY):
    return c.VoidResult(trial=trial, reason=reason)


def unvoid(trial=0, reason="it was clean after all"):
    return c.UnvoidResult(trial=trial, reason=reason)


def correct(*observations, trial=0):
    return c.CorrectResult(trial=trial, observations=observations, reason="misread")


def ran(trial=0, **parameters):
    return c.RecordExecuted(trial=trial, parameters=parameters)


def by_model(state, count=1):
    """*state* with trials that a model has just suggested from all that counts in it."""
    one = Suggestion(parameters={"x": 0.5}, node="bo", generator="GP", results=state.results)
    return after(state, c.AddTrials(suggestions=(one,) * count, asked=True))


# --- voiding --------------------------------------------------------------------------------------------------------


def test_a_finished_result_is_withdrawn_with_its_reason():
    state = completed(Y1)

    assert then(state, void()) == (e.ResultVoided(trial=0, reason=WHY),)
    state = after(state, void())
    assert (status(state), state.trial(0).reason) == ("VOIDED", WHY)
    assert state.trial(0).observations == (Y1,)


@pytest.mark.parametrize("end", [c.CompleteTrial(trial=0), c.MarkEarlyStopped(trial=0, reason="enough")])
def test_a_result_restored_has_the_status_and_reason_it_had(end):
    before = after(asked(), c.AttachData(trial=0, observations=(Y1,)), end)

    state = after(before, void(), unvoid())

    assert (status(state), state.trial(0).reason) == (status(before), before.trial(0).reason)
    assert state.trial(0).voided_from is None
    assert state.counts == before.counts


def test_the_counts_by_status_follow():
    state = after(completed(Y1, Y2), void())

    assert (state.count(TrialStatus.COMPLETED), state.count(TrialStatus.VOIDED)) == (1, 1)


@pytest.mark.parametrize("command", [void(reason=" "), c.CorrectResult(trial=0, observations=(Y2,), reason="")])
def test_withdrawing_and_correcting_need_a_reason(command):
    with pytest.raises(CommandRefused, match="needs a reason"):
        then(completed(Y1), command)


def test_restoring_needs_a_reason():
    with pytest.raises(CommandRefused, match="needs a reason"):
        then(after(completed(Y1), void()), unvoid(reason=""))


def test_only_a_finished_result_is_voided():
    with pytest.raises(CommandRefused, match="trial 0 is RUNNING: only a result of a COMPLETED"):
        then(running(), void())


def test_what_is_voided_is_not_voided_twice():
    with pytest.raises(CommandRefused, match=f"trial 0 is VOIDED already: {WHY}"):
        then(after(completed(Y1), void()), void())


def test_what_counts_is_not_restored():
    with pytest.raises(CommandRefused, match="trial 0 is COMPLETED, not VOIDED"):
        then(completed(Y1), unvoid())


def test_a_trial_that_does_not_exist_is_not_voided():
    with pytest.raises(TrialNotFound):
        then(lab(), void(7))


def test_a_late_datum_of_a_voided_trial_is_recorded_and_changes_nothing_else():
    state = after(completed(Y1), void(), c.AttachData(trial=0, observations=(Y2,)))

    assert state.trial(0).observations == (Y1, Y2)
    assert (status(state), state.trial(0).reason) == ("VOIDED", WHY)


def test_data_fetched_again_for_a_trial_that_was_voided_meanwhile_leave_it_voided():
    state = after(running(metrics=("y",)), finished(), c.RecordFetchFailure(trial=0, metric="y", reason="off"))
    state = after(state, c.RefetchData(trial=0), void(), c.RecordFetch(trial=0, metric="y", observations=(Y1,)))

    assert (status(state), state.trial(0).reason, state.trial(0).missing) == ("VOIDED", WHY, ())
    assert after(state, unvoid()).trial(0).reason is None


def test_a_fetch_that_fails_on_a_voided_trial_does_not_hide_why_it_was_voided():
    state = after(running(metrics=("y",)), finished(), c.RecordFetchFailure(trial=0, metric="y", reason="off"))
    state = after(state, c.RefetchData(trial=0), void(), c.RecordFetchFailure(trial=0, metric="y", reason="still off"))

    assert state.trial(0).reason == WHY


# --- what forgets it ------------------------------------------------------------------------------------------------


def test_the_generator_forgets_a_voided_result_and_may_suggest_its_conditions_again():
    state = after(completed(Y1, Y2), void())

    assert [point.trial for point in observed(state)] == [1]
    assert pending(state) == ()
    assert len(taken(state)) == 1


def test_a_restored_result_is_known_again():
    assert len(observed(after(completed(Y1), void(), unvoid()))) == 1


def test_best_front_and_summary_leave_a_voided_result_out():
    state = after(completed(Y1, Y2), void(1))

    assert best_observed(state).trial.index == 0
    assert [trial.index for trial in pareto_observed(state)] == [0]
    assert [trial.index for trial in eligible(state)] == [0]
    assert summary(state)["y"] == [1.0, None]
    assert summary(state)["failure_reason"] == [None, WHY]


def test_a_voided_trial_of_the_initial_design_is_made_up_for():
    state = completed(*[Y1] * 5)

    assert next_node(state, 1)[0] == "bo"
    assert next_node(after(state, void()), 1)[0] == "sobol"


def test_a_voided_baseline_bounds_nothing():
    relative = e.OptimizationConfigured(optimization=optimization_config("y", ["y >= 2*baseline"]))
    state = after(fold(*SETUP, relative), c.AttachTrial(parameters={"x": 0.1}, baseline=True))
    state = after(state, suggested(asked=True), c.CompleteTrial(trial=0, observations=(Y1,)))
    state = after(state, c.CompleteTrial(trial=1, observations=(Observation("y", 1.5),)))

    def bounds(known):
        return suggestion_request(known, node="bo", count=1, fixed={}).optimization.constraints

    assert best_observed(state) is None
    assert [constraint.relative for constraint in bounds(state)] == [False]
    state = after(state, void())
    assert best_observed(state).trial.index == 1
    assert [constraint.relative for constraint in bounds(state)] == [True]


# --- correcting -----------------------------------------------------------------------------------------------------


def test_a_correction_replaces_metric_by_metric_and_tells_what_stood_there():
    t = Observation("t", 5.0)
    state = after(asked(), c.CompleteTrial(trial=0, observations=(Y1, t)))

    corrected = e.ResultCorrected(trial=0, observations=(Y2,), before=(Y1,), reason="misread")
    assert then(state, correct(Y2)) == (corrected,)
    assert set(after(state, correct(Y2)).trial(0).observations) == {Y2, t}


def test_a_voided_result_is_corrected_and_stays_voided_until_it_is_restored():
    state = after(completed(Y1), void(), correct(Y2))

    assert status(state) == "VOIDED"
    assert observed(after(state, unvoid()))[0].observations == (Y2,)


def test_a_correction_fills_a_gap():
    state = after(completed(NAN), correct(Y1))

    assert state.trial(0).missing == ()
    assert len(observed(state)) == 1


def test_a_correction_to_no_number_makes_a_gap():
    assert after(completed(Y1), correct(NAN)).trial(0).missing == ("y",)


def test_a_correction_that_says_the_same_is_none():
    assert then(completed(Y1), correct(Y1)) == ()


def test_a_correction_names_a_value():
    with pytest.raises(ConfigurationError, match="names no value"):
        then(completed(Y1), correct())


def test_what_is_not_finished_is_not_corrected():
    with pytest.raises(CommandRefused, match="trial 0 is RUNNING: only results of finished trials are corrected"):
        then(asked(), correct(Y2))


# --- who had seen it ------------------------------------------------------------------------------------------------


def test_suggestions_that_had_seen_a_value_are_marked_while_it_does_not_count():
    state = by_model(completed(Y1, Y2), 3)

    assert saw_withdrawn(state) == {}
    voided = after(state, void())
    assert saw_withdrawn(voided) == {2: (0,), 3: (0,), 4: (0,)}
    restored = after(voided, unvoid())
    assert saw_withdrawn(restored) == {}
    assert saw_withdrawn(after(restored, correct(Y2))) == {2: (0,), 3: (0,), 4: (0,)}


def test_suggestions_from_before_and_after_are_not_marked():
    state = by_model(asked(1))
    state = after(state, c.CompleteTrial(trial=0, observations=(Y1,)))
    state = by_model(after(by_model(state), void()))

    assert saw_withdrawn(state) == {2: (0,)}


def test_a_suggestion_made_while_a_value_was_withdrawn_never_saw_it():
    state = by_model(after(by_model(completed(Y1)), void()))
    again = after(by_model(after(state, unvoid())), void())

    assert saw_withdrawn(again) == {1: (0,), 3: (0,)}


def test_a_value_corrected_while_it_was_withdrawn_is_not_vindicated_by_restoring_the_trial():
    state = after(by_model(completed(Y1)), void(), correct(Y2), unvoid())

    assert saw_withdrawn(state) == {1: (0,)}
    assert saw_withdrawn(after(by_model(state), void())) == {1: (0,), 2: (0,)}


def test_filling_a_gap_withdraws_nothing():
    assert saw_withdrawn(after(by_model(completed(NAN, Y1)), correct(Y1))) == {}


def test_a_late_first_value_is_seen_only_from_then_on():
    state = by_model(completed(NAN, Y1))
    state = by_model(after(state, c.AttachData(trial=0, observations=(Y1,))))

    assert saw_withdrawn(after(state, void())) == {3: (0,)}


def test_quasi_random_points_saw_nothing():
    state = after(completed(Y1), suggested(asked=True), void())

    assert saw_withdrawn(state) == {}


def test_the_summary_says_who_saw_what():
    state = after(by_model(completed(Y1, Y2)), void(), void(1))

    assert summary(state)["saw_withdrawn"] == ["", "", "0, 1"]


# --- planned and executed -------------------------------------------------------------------------------------------


def test_models_learn_from_what_was_executed_and_the_plan_is_kept():
    state = after(asked(), ran(x=0.52), c.CompleteTrial(trial=0, observations=(Y1,)))

    assert state.trial(0).parameters == {"x": 0.5}
    assert observed(state)[0].parameters == {"x": 0.52}
    assert summary(state)["executed"] == ["x=0.52"]


def test_while_it_runs_a_trial_is_pending_as_planned():
    assert pending(after(asked(), ran(x=0.52)))[0].parameters == {"x": 0.5}


def test_what_was_executed_may_come_with_the_result_or_afterwards():
    with_it = after(asked(), c.CompleteTrial(trial=0, observations=(Y1,), executed={"x": 0.4}))
    later = after(completed(Y1), ran(x=0.4))

    assert carried_out(with_it, with_it.trial(0)) == carried_out(later, later.trial(0)) == {"x": 0.4}


def test_what_was_executed_later_is_another_count_of_what_models_learn_from():
    state = completed(Y1)

    assert after(state, ran(x=0.4)).results == state.results + 1


@pytest.mark.parametrize("x", [-3.0, 1.7, 2])
def test_executed_values_may_lie_outside_the_bounds(x):
    assert after(asked(), ran(x=x)).trial(0).executed == {"x": float(x)}


@pytest.mark.parametrize("parameters", [{"x": "much"}, {"x": True}, {"x": float("nan")}, {"q": 1.0}])
def test_executed_values_of_another_type_or_name_are_refused(parameters):
    with pytest.raises(ConfigurationError, match="what was executed in trial 0 cannot be read"):
        then(asked(), ran(**parameters))


def test_nothing_is_executed_in_a_trial_that_waits():
    waiting = after(lab(), c.Pause(), c.StartRun(options=running().run.options), suggested())

    with pytest.raises(CommandRefused, match="it has not been carried out"):
        then(waiting, ran(x=0.4))


def test_carried_out_as_planned_is_no_news():
    assert then(asked(), ran(x=0.5)) == ()


def test_a_runner_says_what_it_executed():
    state = after(running(), finished(0, Y1, executed={"x": 0.49}))

    assert state.trial(0).executed == {"x": 0.49}


def test_what_a_runner_says_it_executed_and_cannot_be_read_is_noted_and_costs_no_result():
    events = then(running(), finished(0, Y1, executed={"x": "much"}))

    assert isinstance(events[0], e.NoteAdded)
    assert status(after(running(), finished(0, Y1, executed={"x": "much"}))) == "COMPLETED"


def test_a_new_attempt_knows_nothing_of_what_the_last_one_executed():
    state = after(running(), ran(x=0.4), c.ReportLost(trial=0, attempt=1, reason="unplugged"))
    state = after(state, c.Resolve(trial=0, outcome="rerun", reason="I looked"))

    assert state.trial(0).executed is None


def test_a_runner_that_tells_half_of_what_it_did_costs_nobody_the_result_and_misleads_no_model():
    mode = ChoiceParameterConfig("mode", ("batch", "flow"), dependent_parameters={"flow": ["rate"]})
    space = search_space([mode, RangeParameterConfig("rate", (0.0, 1.0))])
    one = Suggestion(parameters={"mode": "batch"}, node="sobol", generator="Sobol")
    state = fold(e.ExperimentConfigured(experiment=Experiment(space=space)), state=lab())
    state = after(state, start(), c.AddTrials(suggestions=(one,)))

    said, lacking, *_ = then(state, finished(0, Y1, executed={"mode": "flow"}))
    state = after(state, finished(0, Y1, executed={"mode": "flow"}))
    assert said == e.ParametersExecuted(trial=0, parameters={"mode": "flow"})
    assert lacking.text == "models leave trial 0 out: 'rate' is active at mode = 'flow': also say 'rate'"
    assert (status(state), observed(state)) == ("COMPLETED", ())

    state = after(state, ran(mode="flow", rate=0.5))
    assert [point.parameters for point in observed(state)] == [{"mode": "flow", "rate": 0.5}]


def test_what_is_not_active_at_the_choice_that_was_executed_is_no_part_of_what_was_carried_out():
    mode = ChoiceParameterConfig("mode", ("batch", "flow"), dependent_parameters={"flow": ["rate"]})
    space = search_space([mode, RangeParameterConfig("rate", (0.0, 1.0))])
    state = fold(e.ExperimentConfigured(experiment=Experiment(space=space)), state=lab())
    state = after(state, c.AttachTrial(parameters={"mode": "flow", "rate": 0.5}), ran(mode="batch"))

    assert carried_out(state, state.trial(0)) == {"mode": "batch"}
