"""Another search space in mid-experiment: what waits, what is asked, and how old trials are seen from it."""

import pytest
from msgspec.structs import replace

from titrant.errors import CommandRefused, ConfigurationError
from titrant.generators.encoding import encoding_of
from titrant.generators.requests import observed, pending, prediction_request, suggestion_request, taken
from titrant.messages import commands as c
from titrant.messages import events as e
from titrant.model.approval import ApprovalPolicy, ApprovalRule
from titrant.model.experiment import Experiment
from titrant.model.space import (
    ChoiceParameterConfig,
    FixedParameterConfig,
    ParameterConfig,
    RangeParameterConfig,
    search_space,
)
from titrant.model.trial import Parameterization, Suggestion
from titrant.rules.changing import is_inside, project, sight
from titrant.rules.running import wanted
from titrant.rules.state import State

from .world import Y1, after, asked, finished, fold, lab, lost, running, start, status, submitted, suggested, then

X = RangeParameterConfig("x", (0.0, 1.0))
NARROW = RangeParameterConfig("x", (0.0, 0.4))
LOG = RangeParameterConfig("x", (0.1, 1.0), scaling="log")
WIDE = RangeParameterConfig("x", (0.0, 2.0))
Z = RangeParameterConfig("z", (1, 4), parameter_type="int")
K = ChoiceParameterConfig("k", ("a", "b"))


def change(*parameters: ParameterConfig, constraints: tuple[str, ...] = (), **backfill: object) -> c.ChangeSpace:
    """Go on in the space of these parameters."""
    return c.ChangeSpace(space=search_space(parameters, constraints), backfill=backfill)


def told(*trials: Parameterization, space: tuple[ParameterConfig, ...] = (X,)) -> State:
    """An experiment in a space, with finished trials of these conditions."""
    given = fold(e.ExperimentConfigured(experiment=Experiment(space=search_space(space))), state=lab())
    for index, parameters in enumerate(trials):
        given = after(given, c.AttachTrial(parameters=parameters), c.CompleteTrial(trial=index, observations=(Y1,)))
    return given


def places(state: State) -> list[Parameterization]:
    """Where a model sees the finished trials."""
    return [point.parameters for point in observed(state)]


def proposing(*parameters: Parameterization) -> c.AddTrials:
    """Suggestions of these conditions."""
    made = (Suggestion(parameters=one, node="sobol", generator="Sobol") for one in parameters)
    return c.AddTrials(suggestions=tuple(made))


# --- what may be changed --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        change(NARROW),
        change(WIDE),
        change(replace(X, step_size=0.1)),
        change(RangeParameterConfig("x", (0.1, 1.0), scaling="log")),
        change(X, constraints=("x <= 0.7",)),
        change(FixedParameterConfig("x", 0.5)),
        change(X, Z, z=2),
        change(X, FixedParameterConfig("vessel", "flask")),
        change(Z, z=2),
    ],
)
def test_the_space_may_become_another(command):
    changed, *_ = then(asked(), command)

    assert changed.space == command.space
    assert after(asked(), command).experiment.space == command.space


def test_the_space_may_change_while_a_run_is_under_way():
    given = after(running(), change(WIDE))

    assert (given.experiment.space, status(given)) == (search_space([WIDE]), "RUNNING")


def test_the_rest_of_the_experiment_stays_as_it_is():
    given = fold(e.ExperimentConfigured(experiment=replace(lab().experiment, name="dye", owner="ada")), state=lab())

    assert after(given, change(WIDE)).experiment == Experiment(space=search_space([WIDE]), name="dye", owner="ada")


def test_the_same_space_again_changes_nothing():
    assert then(asked(), change(X)) == ()


def test_without_a_space_there_is_nothing_to_change():
    with pytest.raises(CommandRefused, match="no search space to change: call configure_experiment first"):
        then(State(), change(X))


def test_the_policy_must_fit_the_new_space():
    given = after(lab(), c.ConfigureApproval(policy=ApprovalPolicy((ApprovalRule(when="x > 0.4"),))))

    with pytest.raises(CommandRefused, match=r"cannot change: approval rule 'x > 0.4': there is no parameter 'x'"):
        then(given, change(Z))
    assert then(given, change(NARROW)) != ()


def test_a_category_may_go_that_the_policy_names():
    given = told(space=(X, K))
    given = after(given, c.ConfigureApproval(policy=ApprovalPolicy((ApprovalRule(when="k == 'a'"),))))

    assert then(given, change(X, ChoiceParameterConfig("k", ("b", "c")))) != ()


# --- backfill -------------------------------------------------------------------------------------------------------


def test_a_new_parameter_needs_a_value_for_the_trials_so_far():
    with pytest.raises(ConfigurationError, match=r"parameter 'z' is new, and 1 trials .* as backfill=\{'z': value\}"):
        then(asked(), change(X, Z))


def test_a_new_parameter_needs_no_value_where_there_are_no_trials():
    assert then(lab(), change(X, Z)) == (e.SpaceChanged(space=search_space([X, Z])),)


def test_a_new_fixed_parameter_has_always_had_its_value():
    (changed,) = then(asked(), change(X, FixedParameterConfig("vessel", "flask")))

    assert changed.backfill == {"vessel": "flask"}


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (change(X, Z, z="much"), "backfill gives 'z' the value 'much': give a value of type int"),
        (change(X, Z, z=float("nan")), "backfill gives 'z' the value nan"),
        (change(X, K, k="c"), "backfill gives 'k' the value 'c': give one of 'a', 'b'"),
        (change(X, K, k=True), "backfill gives 'k' the value True"),
        (change(X, q=1), "backfill names 'q', which the new search space has not"),
        (change(WIDE, x=1.0), "backfill names 'x', which is no new parameter"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(command, message):
    with pytest.raises(ConfigurationError, match=message):
        then(asked(), command)


@pytest.mark.parametrize(("value", "kept"), [(9, 9), (0, 0), (2.5, 2.5), (2.0, 2)])
def test_a_value_of_old_trials_may_lie_outside_the_bounds_and_steps(value, kept):
    (changed,) = then(asked(), change(X, Z, z=value))

    assert changed.backfill == {"z": kept}
    assert type(changed.backfill["z"]) is type(kept)


def test_a_value_given_may_be_given_anew():
    given = after(told({"x": 0.5}), change(X, Z, z=2), change(X, Z, z=3))

    assert places(given) == [{"x": 0.5, "z": 3}]


def test_a_parameter_that_comes_back_keeps_what_trials_had_of_it():
    given = after(told({"x": 0.5, "z": 3}, space=(X, Z)), change(X), change(X, Z, z=1))

    assert places(given) == [{"x": 0.5, "z": 3}]


def test_a_parameter_that_comes_back_needs_a_value_for_trials_without_it():
    given = after(told({"x": 0.5}), change(X, Z, z=2), change(X))

    with pytest.raises(ConfigurationError, match="parameter 'z' is new"):
        then(given, change(X, Z))


# --- trials that wait -----------------------------------------------------------------------------------------------


def waiting(*parameters: Parameterization) -> State:
    """A paused run with trials in its queue."""
    return after(lab(), start(parallelism=4), c.Pause(), proposing(*parameters))


def test_a_waiting_trial_that_fits_no_more_is_stale_and_says_why():
    _, stale = then(waiting({"x": 0.3}, {"x": 0.5}), change(NARROW))

    assert stale.trial == 1
    assert stale.reason.startswith("the search space changed: parameter 'x' is 0.5, outside its bounds [0.0, 0.4]")


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (change(X, Z, z=2), "it has no value of 'z'"),
        (change(X, FixedParameterConfig("vessel", "jar")), "it has no value of 'vessel'"),
        (change(Z, z=2), "it has no value of 'z'"),
        (change(FixedParameterConfig("x", 0.2)), "parameter 'x' is 0.5, not among its values"),
        (change(X, constraints=("x <= 0.2",)), "constraint 'x <= 0.2' is violated"),
        (change(replace(X, step_size=0.2)), "parameter 'x' is 0.5, between the steps"),
    ],
)
def test_whatever_was_changed_what_waits_must_fit_it(command, why):
    given = after(waiting({"x": 0.5}), command)

    assert status(given) == "STALE"
    assert why in given.trial(0).reason
    assert (given.queue, given.in_loop, given.run.taken, given.run.failures) == ((), 0, 0, ())


def test_what_waits_and_still_fits_goes_on_waiting():
    given = after(waiting({"x": 0.3}), change(NARROW), c.Unpause())

    assert status(given) == "SUBMITTING"


def test_another_trial_takes_the_place_of_a_stale_one():
    given = after(lab(), start(max_trials=1), c.Pause(), suggested(), change(NARROW), c.Unpause())

    assert (given.run.created, wanted(given)) == (0, 1)


def test_what_runs_goes_on_in_its_old_space():
    given = after(submitted(), change(NARROW), finished(0, Y1))

    assert status(given) == "COMPLETED"


def test_what_is_in_hand_goes_on_in_its_old_space():
    given = after(asked(), change(NARROW), c.CompleteTrial(trial=0, observations=(Y1,)))

    assert status(given) == "COMPLETED"


@pytest.mark.parametrize("in_hand", [True, False])
def test_what_awaits_approval_and_fits_no_more_is_stale(in_hand):
    held = c.ConfigureApproval(policy=ApprovalPolicy((ApprovalRule(),)))
    given = after(lab(), held, start(), suggested(asked=in_hand), change(NARROW))

    assert (status(given), given.proposed, given.proposed_in_loop, given.in_loop) == ("STALE", (), 0, 0)


def test_what_was_in_hand_and_fits_no_more_is_not_given_to_a_runner():
    assert status(after(asked(), change(NARROW), start())) == "STALE"


def test_what_was_lost_and_fits_no_more_is_not_begun_again():
    spec = replace(lab().runners[0], rerun_safe=True, on_unknown="rerun")

    assert status(after(running(spec), change(NARROW), lost())) == "STALE"


def test_a_failed_trial_that_fits_no_more_is_not_retried():
    given = after(running(), finished(status="failed"), change(NARROW))

    with pytest.raises(CommandRefused, match="cannot be retried, since it does not fit the search space as it is now"):
        then(given, c.Retry(trial=0, reason="new column"))


# --- suggestions that were under way --------------------------------------------------------------------------------


def test_a_suggestion_of_the_old_space_that_does_not_fit_is_dropped():
    given = after(lab(), start(parallelism=3), change(NARROW))

    assert [event.parameters for event in then(given, proposing({"x": 0.5}, {"x": 0.3}))] == [{"x": 0.3}]
    assert wanted(after(given, proposing({"x": 0.5}, {"x": 0.3}))) == 2


def test_a_suggestion_becomes_a_trial_in_the_spaces_own_form():
    given = told(space=(X, FixedParameterConfig("z", 3)))

    (created,) = then(given, replace(proposing({"z": 3.0, "x": 0.5}), asked=True))

    assert list(created.parameters.items()) == [("x", 0.5), ("z", 3)]
    assert type(created.parameters["z"]) is int


def test_a_run_that_could_make_no_more_has_room_again():
    given = after(waiting({"x": 0.5}), c.Unpause(), c.ExhaustRun(reason="used up"))
    assert wanted(given) == 0

    assert wanted(after(given, change(WIDE))) == 3


# --- old trials, seen from the new space ----------------------------------------------------------------------------


def test_data_outside_narrowed_bounds_are_seen_where_they_were_made():
    given = after(told({"x": 0.2}, {"x": 0.9}), change(NARROW))

    assert places(given) == [{"x": 0.2}, {"x": 0.9}]
    assert [is_inside(given, trial) for trial in given.trials()] == [True, False]


def test_data_between_new_steps_are_seen_where_they_were_made():
    given = after(told({"x": 0.25}), change(replace(X, step_size=0.2)))

    assert places(given) == [{"x": 0.25}]


def test_data_that_lack_a_parameter_have_the_value_given_for_them():
    given = after(told({"x": 0.5}), change(X, Z, K, z=2, k="b"))

    assert places(given) == [{"x": 0.5, "z": 2, "k": "b"}]
    assert is_inside(given, given.trial(0))


def test_data_of_a_removed_parameter_lose_it():
    given = after(told({"x": 0.5, "z": 3}, space=(X, Z)), change(X))

    assert places(given) == [{"x": 0.5}]


def test_data_with_a_category_that_is_gone_are_left_out():
    given = after(
        told({"x": 0.1, "k": "a"}, {"x": 0.2, "k": "b"}, space=(X, K)), change(X, replace(K, values=("b", "c")))
    )

    assert places(given) == [{"x": 0.2, "k": "b"}]
    assert given.trial(0).observations == (Y1,)


def test_data_with_a_number_that_is_no_choice_any_more_are_still_seen():
    levels = ChoiceParameterConfig("n", (1, 2, 4), parameter_type="int")
    given = told({"n": 2}, {"n": 4}, space=(levels,))

    assert places(after(given, change(replace(levels, values=(1, 4))))) == [{"n": 2}, {"n": 4}]


def test_data_of_a_text_where_a_number_is_wanted_now_are_left_out():
    given = told({"k": "a"}, space=(K,))

    assert places(after(given, change(RangeParameterConfig("k", (0.0, 1.0))))) == []


def test_data_at_other_values_of_a_fixed_number_are_still_seen():
    given = after(told({"x": 0.2}, {"x": 0.9}), change(FixedParameterConfig("x", 0.5)))

    assert places(given) == [{"x": 0.2}, {"x": 0.9}]
    assert sight(given) == (search_space([replace(X, step_size=None)]), {"x": 0.5})


def test_data_at_other_values_of_a_fixed_text_are_left_out():
    given = after(
        told({"x": 0.1, "k": "a"}, {"x": 0.2, "k": "b"}, space=(X, K)), change(X, FixedParameterConfig("k", "b"))
    )

    assert places(given) == [{"x": 0.2, "k": "b"}]


def test_data_at_another_value_of_a_number_that_never_varied_are_still_seen():
    given = after(told({"x": 0.1}), change(X, FixedParameterConfig("z", 3)), change(X, FixedParameterConfig("z", 4)))

    assert places(given) == [{"x": 0.1, "z": 3}]
    assert sight(given) == (search_space([X, RangeParameterConfig("z", (3.0, 4.0))]), {"z": 4})


def test_data_at_another_value_than_a_new_constant_are_still_seen():
    given = after(told({"x": 0.1}), change(X, FixedParameterConfig("z", 3), z=1.5))

    assert places(given) == [{"x": 0.1, "z": 1.5}]
    assert sight(given).space.parameter("z") == RangeParameterConfig("z", (1.5, 3.0))


@pytest.mark.parametrize(
    ("before", "value", "domain"),
    [
        (X, 1.5, RangeParameterConfig("x", (0.0, 1.5))),
        (X, -0.5, RangeParameterConfig("x", (-0.5, 1.0))),
        (replace(X, step_size=0.2), 0.5, X),
        (
            RangeParameterConfig("x", (0.1, 1.0), scaling="log"),
            0.5,
            RangeParameterConfig("x", (0.1, 1.0), scaling="log"),
        ),
        (RangeParameterConfig("x", (0.1, 1.0), scaling="log"), 0.0, RangeParameterConfig("x", (0.0, 1.0))),
        (replace(Z, name="x"), 2, RangeParameterConfig("x", (1, 4), parameter_type="int")),
        (replace(Z, name="x"), 2.5, RangeParameterConfig("x", (1.0, 4.0))),
        (
            ChoiceParameterConfig("x", (1, 2), parameter_type="int"),
            2,
            ChoiceParameterConfig("x", (1, 2), parameter_type="int"),
        ),
        (
            ChoiceParameterConfig("x", (1, 2), parameter_type="int"),
            5,
            ChoiceParameterConfig("x", (1.0, 2.0, 5.0), parameter_type="float"),
        ),
    ],
)
def test_a_number_that_is_fixed_keeps_its_range_in_the_model(before, value, domain):
    given = after(told(space=(before, Z)), change(FixedParameterConfig("x", value), Z))

    space, held = sight(given)
    assert (space.parameter("x"), held) == (domain, {"x": value})


STAGES = ChoiceParameterConfig("n", (1, 2, 3), "int", dependent_parameters={2: ["x"], 3: ["x", "z"]})


def test_a_choice_that_was_fixed_forgets_what_depended_on_it_and_was_removed():
    given = after(
        told({"n": 1, "k": "a"}, space=(STAGES, X, Z, K)),
        change(FixedParameterConfig("n", 2, STAGES.dependent_parameters), X, Z, K),
        change(FixedParameterConfig("n", 2, {2: ["x"], 3: ["x"]}), X, K),
    )

    space, held = sight(given)
    assert held == {"n": 2}
    assert space.parameter("n") == replace(STAGES, dependent_parameters={2: ["x"], 3: ["x"]})
    assert places(given) == [{"n": 1, "k": "a"}]


@pytest.mark.parametrize(("value", "kind"), [(4, "int"), (2.5, "float")])
def test_a_choice_that_is_fixed_at_a_new_number_keeps_what_depends_on_it(value, kind):
    trials = ({"n": 1, "k": "a"}, {"n": 2, "k": "a", "x": 0.5})
    given = after(
        told(*trials, space=(STAGES, X, Z, K)),
        change(FixedParameterConfig("n", value, STAGES.dependent_parameters), X, Z, K),
    )

    space, _ = sight(given)
    assert space.parameter("n").parameter_type == kind
    assert [space.branch({"n": one}).names for one in space.parameter("n").values] == [
        ("n", "k"),
        ("n", "x", "k"),
        ("n", "x", "z", "k"),
        ("n", "k"),
    ]
    assert places(given) == list(trials)
    whole = encoding_of(space, {})
    assert all(whole.numbers(point) is not None for point in places(given))


def test_a_number_that_is_fixed_twice_keeps_the_range_it_had():
    given = after(
        told(space=(X, Z)), change(FixedParameterConfig("x", 0.5), Z), change(FixedParameterConfig("x", 0.7), Z)
    )

    assert sight(given).held == {"x": 0.7}
    assert sight(given).space.parameter("x") == X


def test_a_number_that_varies_again_is_held_no_more():
    given = after(told(space=(X, Z)), change(FixedParameterConfig("x", 0.5), Z), change(NARROW, Z))

    assert sight(given) == (search_space([NARROW, Z]), {})


def test_what_was_executed_is_what_is_seen():
    given = after(told({"x": 0.2}), c.RecordExecuted(trial=0, parameters={"x": 0.25}), change(NARROW))

    assert places(given) == [{"x": 0.25}]


def test_an_experiment_that_never_changed_sees_trials_as_they_are():
    given = told({"x": 0.2})

    assert project(given, given.trial(0)) == given.trial(0).parameters
    assert is_inside(given, given.trial(0))


# --- what a generator is asked --------------------------------------------------------------------------------------


def request(state: State, node: str = "bo", **fixed: object):
    """What the generator is asked."""
    return suggestion_request(state, node=node, count=1, fixed=fixed)


def test_a_model_is_asked_with_a_fixed_number_held_in_its_old_range():
    given = after(told({"x": 0.2, "z": 1}, space=(X, Z)), change(FixedParameterConfig("x", 0.5), Z))

    asked_for = request(given)

    assert (asked_for.space, asked_for.fixed) == (search_space([X, Z]), {"x": 0.5})
    assert prediction_request(given, []).space == search_space([X, Z])


def test_a_design_is_asked_in_the_present_space():
    given = after(told(space=(X, Z)), change(FixedParameterConfig("x", 0.5), Z))

    assert (request(given, "sobol").space, request(given, "sobol").fixed) == (given.experiment.space, {})


def test_a_value_asked_for_goes_with_a_fixed_number():
    given = after(told(space=(X, Z)), change(FixedParameterConfig("x", 0.5), Z))

    assert request(given, z=3).fixed == {"x": 0.5, "z": 3}
    assert request(given, x=0.5).fixed == {"x": 0.5}


def test_another_value_than_a_fixed_number_has_meets_the_present_space():
    given = after(told(space=(X, Z)), change(FixedParameterConfig("x", 0.5), Z))

    assert request(given, x=0.7).space == given.experiment.space


def test_what_is_proposed_approved_or_rejected_is_kept_away_from():
    held = c.ConfigureApproval(policy=ApprovalPolicy((ApprovalRule(),)))
    given = after(lab(), held, start(parallelism=4), c.Pause(), *(suggested(x=0.1 * k) for k in (1, 2, 3)))
    given = after(given, c.Approve(trial=1, actor="user:kim"), c.Reject(trial=2, reason="no", actor="user:kim"))

    assert [status(given, index) for index in range(3)] == ["PROPOSED", "APPROVED", "REJECTED"]
    assert [point.trial for point in pending(given)] == [0, 1, 2]
    assert len(taken(given)) == 3


def test_what_is_stale_may_be_suggested_again():
    given = after(waiting({"x": 0.5}), change(NARROW), change(X))

    assert (pending(given), taken(given)) == ((), ())


def test_what_is_pending_is_seen_from_the_new_space_too():
    given = after(asked(), change(X, Z, z=2))

    assert [point.parameters for point in pending(given)] == [{"x": 0.5, "z": 2}]
    assert taken(given) == ({"x": 0.5, "z": 2},)


def test_a_constant_that_was_missed_keeps_no_trial_from_the_model():
    given = told({"x": 0.2, "z": 80.0}, space=(X, FixedParameterConfig("z", 80.0)))

    given = after(given, c.RecordExecuted(trial=0, parameters={"z": 80.3}))

    assert places(given) == [{"x": 0.2, "z": 80.0}]


def test_data_of_another_category_than_there_is_are_left_out():
    given = after(told({"x": 0.2, "k": "a"}, space=(X, K)), c.RecordExecuted(trial=0, parameters={"k": "q"}))

    assert places(given) == []
