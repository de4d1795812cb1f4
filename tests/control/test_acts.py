"""The one table of acts: what each takes, does, answers and refuses."""

import math
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest
from tests.control.lab import KIM, Slow, make_experiment

from titrant import AsyncClient, RangeParameterConfig
from titrant.control.acts import ACTS, perform
from titrant.control.caller import act_on
from titrant.errors import CommandRefused, ConfigurationError, LogMissing, ObservationError, TrialNotFound
from titrant.log.replay import read_log
from titrant.messages.commands import By

ALL = """pause unpause drain stop halt reset approve reject hold retry abandon fail resolve void unvoid correct
    learn note tell attach attach-data ask sign executed replicate restore quarantine change-space change-bounds
    add-parameter remove-parameter fix-parameter add-constraint remove-constraint approval strategy objective status
    compare next-comparison withdraw-comparison"""


def tags(outcome):
    return [str(type(record.event).__struct_config__.tag) for record in outcome.events]


@pytest.fixture
def do(experiment, path):
    """Acts on an open experiment, through its door."""

    def act(act, by=KIM, /, **arguments):
        return act_on(path, act, arguments, by)

    return act


def finished(do, value=0.5):
    """A trial with a result."""
    return do("attach", parameters={"x": 0.3}, data=value).value["trial"]


def test_the_table_has_every_act_and_says_what_it_does():
    assert set(ACTS) == set(ALL.split())
    assert all(act.summary.endswith(".") and len(act.summary) < 100 for act in ACTS.values())


@pytest.mark.parametrize(
    ("act", "arguments", "told"),
    [
        ("fail", {}, "fail: it needs the argument `trial`"),
        ("fail", {"trial": "3"}, r"fail: Expected `int`, got `str` \(at trial\)"),
        ("fail", {"trial": True}, "Expected `int`, got `bool`"),
        ("fail", {"trial": 3, "trail": 3}, "there is no argument `trail`: it takes reason, trial"),
        ("resolve", {"trial": 3, "outcome": "gone"}, r"'gone' \(at outcome\)"),
        ("tell", {"trial": 3, "data": {"y": [1, 2, 3]}}, r"\(at data\[...\]\)"),
        ("change-bounds", {"name": "x", "bounds": [1]}, r"length 2.*\(at bounds\)"),
        ("approval", {"rules": [{"frist": 3}]}, r"there is no argument rules\[0\].frist: there are name, when, first"),
        ("add-parameter", {"parameter": {"type": "range", "name": "t", "bounds": [2, 1]}, "backfill": 1}, "'t'"),
        ("add-parameter", {"parameter": {"type": "range", "name": "t", "bound": [1, 2]}, "backfill": 1}, "bounds"),
        ("paus", {}, "there is no act 'paus': did you mean 'pause'?"),
        ("xyz", {}, "there is no act 'xyz': there are abandon, "),
    ],
)
def test_bad_arguments_are_named_wherever_they_come_in(experiment, path, act, arguments, told):
    with pytest.raises(ConfigurationError, match=told):
        act_on(path, act, arguments, KIM)
    experiment.close()
    before = len(list(read_log(path)))

    with pytest.raises(ConfigurationError, match=told):
        act_on(path, act, arguments, KIM)
    assert len(list(read_log(path))) == before  # the log was not even opened


@pytest.mark.parametrize("actor", ["runner:pump", "user:", "", "metric:y"])
def test_only_people_and_agents_act(experiment, path, actor):
    with pytest.raises(ConfigurationError, match="nobody can act as"):
        act_on(path, "pause", {}, By(actor))


def test_a_reason_among_the_arguments_wins_over_the_callers(do):
    (first,) = do("pause", By("user:kim", None, "to lunch")).events
    (second,) = do("unpause", By("user:kim", None, "to lunch"), reason="back").events

    assert (first.reason, second.reason) == ("to lunch", "back")


def test_asking_and_telling(do):
    made = do("ask", count=2)
    told = do("tell", trial=0, data={"y": [1.5, 0.1]})
    attached = do("attach", parameters={"x": 0.25}, arm_name="mine", data=2.0)

    assert tags(made) == ["trial.created", "trial.created"]
    assert set(made.value["trials"]) == {"0", "1"}
    assert told.value == {"status": "COMPLETED"}
    assert attached.value == {"trial": 2}
    assert tags(attached) == ["trial.created", "trial.data_attached", "trial.completed"]
    assert len({record.correlation for record in attached.events}) == 1


def test_asking_with_fixed_parameters(do):
    assert do("ask", fixed={"x": 0.5}).value == {"trials": {"0": {"x": 0.5}}}


@pytest.mark.parametrize(
    ("sent", "status"), [(math.nan, "nan"), ("nan", "nan"), (None, "nan"), (math.inf, "inf"), (-math.inf, "-inf")]
)
def test_numbers_that_json_does_not_have_arrive(do, experiment, sent, status):
    do("ask")
    do("tell", trial=0, data={"y": sent})

    assert [one.status for one in experiment.state.trial(0).observations] == [status]


def test_marks_of_people(do, experiment):
    do("ask", count=2)
    do("fail", trial=0, reason="spilled")
    do("abandon", trial=1)

    assert [experiment.state.trial(index).status.name for index in (0, 1)] == ["FAILED", "ABANDONED"]
    assert experiment.state.trial(0).reason == "spilled"


def test_results_are_voided_restored_and_corrected(do, experiment):
    trial = finished(do)

    assert tags(do("void", trial=trial, reason="dry")) == ["trial.voided"]
    assert tags(do("unvoid", trial=trial, reason="not dry")) == ["trial.unvoided"]
    assert tags(do("correct", trial=trial, data=0.75, reason="misread")) == ["trial.corrected"]
    assert experiment.state.trial(trial).observations[-1].mean == 0.75


def test_notes_late_data_what_was_executed_and_signatures(do, experiment):
    trial = finished(do)

    assert tags(do("note", text="smells", trial=trial)) == ["note.added"]
    assert "trial.data_attached" in tags(do("attach-data", trial=trial, data=0.6, progression=2))
    assert tags(do("executed", trial=trial, parameters={"x": 0.31})) == ["trial.executed"]
    signed = do("sign", meaning="reviewed")
    assert tags(signed) == ["log.signed"]
    assert signed.value["seq"] == signed.events[0].event.seq
    assert len(bytes.fromhex(signed.value["hash"])) == 32


def test_replicates(do, experiment):
    trial = finished(do)

    made = do("replicate", trial=trial, count=2).value["trials"]

    assert [experiment.state.trial(index).replicate_of for index in made] == [trial, trial]


def test_objective_strategy_and_search_space_change_in_mid_experiment(do, experiment):
    finished(do)

    do("objective", objective="-y", constraints=["z <= 1"])
    do("strategy", method="random_search", initialization_budget=3)
    do("change-bounds", name="x", bounds=[0.1, 2])
    do("add-parameter", parameter={"type": "range", "name": "t", "bounds": [20, 80]}, backfill=25.0)
    do("add-constraint", text="x + t <= 70")
    do("remove-constraint", text="x + t <= 70")
    do("fix-parameter", name="t", value=40.0)
    do("remove-parameter", name="t")

    state = experiment.state
    assert state.optimization.text == "-y"
    assert state.strategy.initialization_budget == 3
    assert state.experiment.space.parameters == (RangeParameterConfig("x", (0.1, 2.0)),)


def test_a_strategy_may_be_a_graph(do, experiment):
    once = {"criterion": "MinTrials", "threshold": 1, "transition_to": "rest"}
    nodes = [
        {"name": "first", "generator": "centre", "transition_criteria": [once]},
        {"name": "rest", "generator": "random"},
    ]
    do("strategy", nodes=nodes, policy="fresh")

    assert [node.name for node in experiment.state.strategy.nodes] == ["first", "rest"]
    with pytest.raises(ConfigurationError, match=r"there is no argument `colour` \(at nodes\[0\]\)$"):
        do("strategy", nodes=[{**nodes[1], "colour": "red"}])


def test_approval(do, experiment):
    do("approval", rules=[{"first": 2}])
    with pytest.raises(CommandRefused):
        do("ask", count=2)
    do("approve", trial=0)
    do("reject", trial=1, reason="too hot")

    assert [experiment.state.trial(index).status.name for index in (0, 1)] == ["RUNNING", "REJECTED"]


def test_a_waiting_trial_is_held_back_and_a_failed_one_begins_again(do, experiment):
    experiment.configure_runner(Slow(0.0))
    do("approval", rules=[{"first": 1}])
    with pytest.raises(CommandRefused):
        do("ask")
    do("approve", trial=0)
    do("fail", trial=0, reason="spilled")

    with pytest.raises(CommandRefused):
        do("hold", trial=0, reason="wait")
    assert do("retry", trial=0, reason="mopped up").events
    with pytest.raises(CommandRefused, match="not UNKNOWN"):
        do("resolve", trial=0, outcome="failed", reason="saw it")


def test_a_runner_is_quarantined_and_restored(do, experiment):
    experiment.configure_runner(Slow(0.0))

    assert tags(do("quarantine", name="slow", reason="leaks")) == ["runner.quarantined"]
    assert do("status").value["runners"][0]["quarantined"] == "leaks"
    assert tags(do("restore", name="slow", reason="sealed")) == ["runner.restored"]
    for act in ("quarantine", "restore"):
        with pytest.raises(ConfigurationError, match="there is no runner 'fast': there are 'slow'"):
            do(act, name="fast")


def test_errors_arrive_as_they_were_raised(do):
    with pytest.raises(TrialNotFound, match="there is no trial 7: there are no trials yet") as unknown:
        do("fail", trial=7)
    with pytest.raises(ObservationError, match="there is no metric 'w'"):
        do("attach", parameters={"x": 0.5}, data={"w": 1})

    assert unknown.value.trial == 7


def test_what_has_nothing_to_do_says_so(do):
    assert do("drain").value == "no run is under way: there is nothing to drain"
    assert do("stop").value == "no run is under way: there is nothing to stop"
    assert do("pause").events
    assert not do("pause").events
    assert do("halt").value["warning"].startswith("no runner is connected here")
    assert do("status").value["halted"]


def test_status_is_the_same_from_the_engine_and_from_the_log_which_it_leaves_alone(do, experiment, path):
    finished(do)
    do("ask")
    running = do("status").value
    experiment.close()
    before = path.read_bytes()

    left = act_on(path, "status", {}, KIM).value

    assert {**left, "seq": 0} == {**running, "seq": 0}
    assert running["trials"] == {"COMPLETED": 1, "RUNNING": 1}
    assert path.read_bytes() == before


def test_an_act_on_a_log_nobody_holds_leaves_it_closed_in_good_order(experiment, path):
    experiment.close()

    (paused,) = act_on(path, "pause", {"reason": "night"}, KIM).events

    *_, opened, stored, closed = read_log(path)
    assert [type(record.event).__struct_config__.tag for record in (opened, closed)] == [
        "session.opened",
        "session.closed",
    ]
    assert (stored.seq, stored.actor, stored.correlation) == (paused.seq, "user:kim", paused.correlation)


def test_several_terminals_act_on_a_log_nobody_holds_one_after_the_other(experiment, path):
    experiment.close()

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda n: act_on(path, "note", {"text": str(n)}, KIM), range(8)))

    assert [outcome.events[0].event.text for outcome in outcomes] == [str(n) for n in range(8)]


def test_a_log_that_does_not_exist_is_not_made(path):
    with pytest.raises(LogMissing):
        act_on(path, "pause", {}, KIM)

    assert not path.exists()


def test_acts_are_blocking_calls_where_a_loop_is_running_already(experiment, path):
    async def notebook_cell():
        return act_on(path, "pause", {}, KIM), (experiment.close(), act_on(path, "unpause", {}, KIM))[1]

    first, second = anyio.run(notebook_cell)

    assert tags(first) == ["experiment.paused"]
    assert tags(second) == ["experiment.unpaused"]


def test_an_experiment_in_memory_is_acted_on_by_its_own_program():
    async def program():
        async with AsyncClient(random_seed=1) as client:
            await client.configure_experiment([RangeParameterConfig("x", (0.0, 1.0))])
            return await perform(client, "ask", {"count": 2}, By("agent:planner"))

    outcome = anyio.run(program)

    assert {record.actor for record in outcome.events} == {"agent:planner"}
    assert len(outcome.value["trials"]) == 2


def test_virtual_time_has_no_door(path):
    with make_experiment(path, virtual_time=True):
        assert not path.with_name("lab.titrant.control").exists()
