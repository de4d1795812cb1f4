"""What people do through the clients, and what the log keeps of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from titrant import (
    AsyncClient,
    ChoiceParameterConfig,
    Client,
    CommandRefused,
    ConfigurationError,
    PushedRunner,
    RangeParameterConfig,
    TrialStatus,
)
from titrant.errors import ObservationError
from titrant.log.base import Record
from titrant.messages import events as e
from titrant.ports import Result

from .conftest import MakeClient
from .labs import Polled, Square, Takes


def records(client: Client, kind: type = object) -> list[Record]:
    """The client's durable events of one kind."""
    return [record for record in client._async.engine.log.read() if isinstance(record.event, kind)]


@pytest.fixture(params=["memory", "file"])
def client(request: Any, tmp_path: Path, make_client: MakeClient) -> Client:
    return make_client(None if request.param == "memory" else tmp_path / "log.titrant", objective="y")


def told(client: Client, *values: float) -> None:
    """Trials with these values of y."""
    for index in client.get_next_trials(max_trials=len(values)):
        client.complete_trial(index, raw_data=values[index])


# --- results --------------------------------------------------------------------------------------------------------


def test_a_bad_result_is_voided_and_comes_back(client: Client):
    told(client, 1.0, 9.0)
    client.void_trial(1, "spilled")

    assert client.get_best_parameterization()[2] == 0
    assert client.state.trial(1).status is TrialStatus.VOIDED

    client.unvoid_trial(1, "it was another flask")

    assert client.get_best_parameterization()[2] == 1


def test_who_and_why_stand_in_the_envelope(client: Client):
    told(client, 1.0)
    client.void_trial(0, "spilled", actor="user:kim")

    (record,) = records(client, e.ResultVoided)

    assert (record.actor, record.reason, record.trial) == ("user:kim", "spilled", 0)


def test_a_correction_keeps_what_stood_there(client: Client):
    told(client, 1.0)
    client.correct_trial(0, {"y": (2.0, 0.1)}, "comma misplaced")

    (record,) = records(client, e.ResultCorrected)

    assert [one.mean for one in record.event.before] == [1.0]
    assert client.get_best_parameterization()[1] == {"y": (2.0, 0.1)}


def test_a_correction_that_cannot_be_read_is_refused(client: Client):
    told(client, 1.0)

    with pytest.raises(ObservationError, match="yield"):
        client.correct_trial(0, {"yield": 2.0}, "comma misplaced")


def test_a_voided_result_is_voided_after_opening_again(tmp_path: Path, make_client: MakeClient):
    client = make_client(tmp_path / "log.titrant", objective="y")
    told(client, 1.0, 2.0)
    client.void_trial(0, "spilled")
    client.close()

    with Client.open(tmp_path / "log.titrant", virtual_time=True) as again:
        assert again.state.trial(0).voided_from is TrialStatus.COMPLETED
        again.unvoid_trial(0, "it was another flask")
        assert again.state.trial(0).status is TrialStatus.COMPLETED


def test_the_suggestions_of_a_model_that_saw_a_voided_value_are_marked(make_client: MakeClient):
    client = make_client(objective="y", method="fast")
    client.configure_generation_strategy(initialization_budget=2, initialize_with_center=False)
    told(client, 1.0, 2.0)
    suggested = client.get_next_trials(max_trials=3)
    assert {client.state.trial(index).node for index in suggested} == {"bo"}

    client.void_trial(1, "spilled")
    marks = dict(zip(client.summarize()["trial_index"], client.summarize()["saw_withdrawn"], strict=True))
    assert marks == {0: "", 1: "", 2: "1", 3: "1", 4: "1"}

    client.unvoid_trial(1, "it was another flask")
    assert "saw_withdrawn" not in client.summarize().columns

    client.correct_trial(1, 1.5, "misread")
    assert client.summarize()["saw_withdrawn"] == ["", "", "1", "1", "1"]


# --- notes, signatures, refusals ------------------------------------------------------------------------------------


def test_notes_are_kept(client: Client):
    told(client, 1.0)
    client.add_note("turned blue", 0)
    client.add_note("new bottle of DMF")

    assert [(one.event.text, one.trial) for one in records(client, e.NoteAdded)] == [
        ("turned blue", 0),
        ("new bottle of DMF", None),
    ]


def test_a_signature_covers_the_head(client: Client):
    told(client, 1.0)
    before = records(client)[-1]
    head = client.sign("reviewed", "all traces looked at", actor="user:kim")

    (record,) = records(client, e.HeadSigned)

    assert (head.seq, head.hash) == (before.seq, before.hash)
    assert (record.event.seq, record.event.hash) == (before.seq, before.hash.hex())
    assert (record.actor, record.reason) == ("user:kim", "all traces looked at")


def test_an_agent_does_not_sign_and_its_attempt_is_recorded(client: Client):
    told(client, 1.0)

    with client.acting_as("agent:planner"), pytest.raises(CommandRefused, match="agent:planner cannot sign"):
        client.sign("approved")

    (record,) = records(client, e.CommandWasRefused)
    assert record.actor == "agent:planner"
    assert (record.event.command, record.event.arguments["meaning"]) == ("Sign", "approved")
    assert "cannot sign" in record.event.why


def test_a_refused_attempt_is_durable_before_the_caller_knows(client: Client):
    with pytest.raises(CommandRefused, match="trial 7"):
        client.void_trial(7, "spilled", actor="user:kim")

    (record,) = records(client, e.CommandWasRefused)
    assert (record.actor, record.reason) == ("user:kim", "spilled")
    assert (record.event.command, record.event.arguments) == ("VoidResult", {"trial": 7, "reason": "spilled"})


def test_a_refused_configuration_is_recorded_too(client: Client):
    with pytest.raises(ConfigurationError):
        client.attach_trial({"x": 5.0})

    assert [record.event.command for record in records(client, e.CommandWasRefused)] == ["AttachTrial"]


@pytest.mark.parametrize("poison", ["\ud800", float("nan"), 1 << 80, "long" * 5_000, object()])
def test_whatever_was_asked_the_refusal_is_told_and_recorded(client: Client, poison: Any):
    with pytest.raises(ConfigurationError):
        client.attach_trial({"x": poison})

    (record,) = records(client, e.CommandWasRefused)
    assert record.event.command == "AttachTrial"


@pytest.mark.parametrize("call", ["complete_trial", "attach_data", "correct_trial"])
def test_data_that_cannot_be_read_are_a_refused_attempt(client: Client, call: str):
    told(client, 1.0)
    index = client.attach_trial({"x": 0.5}) if call != "correct_trial" else 0
    more = ("typed wrongly",) if call == "correct_trial" else ()

    with client.acting_as("user:kim"), pytest.raises(ObservationError):
        getattr(client, call)(index, {"y": "twelve"}, *more)

    (record,) = records(client, e.CommandWasRefused)
    assert record.actor == "user:kim"
    assert (record.event.arguments["trial"], record.event.arguments["raw_data"]) == (index, {"y": "twelve"})


@pytest.mark.parametrize(("said", "about"), [({"reason": 0.2}, "reason"), ({"reason": "spilled", "actor": 7}, "actor")])
def test_who_and_why_are_texts_and_nothing_else_harms_the_engine(client: Client, said: dict[str, Any], about: str):
    told(client, 1.0)

    with pytest.raises(ConfigurationError, match=f"{about}=.*say it as text"):
        client.void_trial(0, **said)

    client.void_trial(0, "spilled", actor="user:kim")
    assert client.summarize().rows[0]["trial_status"] == "VOIDED"


@pytest.mark.parametrize("said", [{"actor": 7}, {"actor": "kim", "role": 7}, {"actor": "kim", "reason": 0.2}])
def test_nobody_acts_under_what_is_no_text(client: Client, said: dict[str, Any]):
    with pytest.raises(ConfigurationError, match="say it as text"), client.acting_as(**said):
        pass


def test_a_reset_without_a_reason_is_a_refused_attempt(client: Client):
    client.halt("smoke")

    with pytest.raises(CommandRefused, match="say how you know"):
        client.reset(" ", actor="user:kim")

    (record,) = records(client, e.CommandWasRefused)
    assert (record.actor, record.event.command) == ("user:kim", "Reset")


def test_asking_for_trials_before_there_is_a_space_is_recorded():
    with Client(virtual_time=True) as client:
        with pytest.raises(CommandRefused, match="no search space"):
            client.get_next_trials(2)

        assert [record.event.arguments["count"] for record in records(client, e.CommandWasRefused)] == [2]


# --- who acts -------------------------------------------------------------------------------------------------------


def test_every_call_inside_is_by_that_actor(client: Client):
    with client.acting_as("agent:planner", role="night shift", reason="it is late"):
        client.get_next_trials(1)
        client.add_note("quiet")
        client.mark_trial_failed(0)
    client.add_note("morning")

    last = records(client)[-4:]
    assert [record.actor for record in last[:3]] == ["agent:planner"] * 3
    assert {(record.role, record.reason) for record in last[:3]} == {("night shift", "it is late")}
    assert last[3].actor.startswith("user:")
    assert (last[3].role, last[3].reason) == (None, None)


def test_a_reason_of_the_call_wins(client: Client):
    told(client, 1.0)
    with client.acting_as("kim", reason="clearing up"):
        client.void_trial(0, "spilled")

    assert [(record.actor, record.reason) for record in records(client)[-1:]] == [("user:kim", "spilled")]


def test_the_one_who_is_named_in_a_call_wins(client: Client):
    with client.acting_as("user:kim", role="chemist"):
        client.pause(actor="user:ada")
        client.unpause(actor="user:kim")

    assert [(record.actor, record.role) for record in records(client)[-2:]] == [
        ("user:ada", None),
        ("user:kim", "chemist"),
    ]


@pytest.mark.parametrize("name", ["engine:x", "runner:lab", "", "user:", "agent: "])
def test_nobody_acts_as_a_part_of_the_engine(client: Client, name: str):
    with pytest.raises(ConfigurationError, match="nobody can act as"), client.acting_as(name):
        pass


@pytest.mark.anyio
async def test_acting_as_works_in_an_event_loop():
    async with AsyncClient() as client:
        with client.acting_as("user:kim"):
            await client.add_note("hello")

        assert [record.actor for record in client.engine.log.read()][-1] == "user:kim"


# --- planned and executed -------------------------------------------------------------------------------------------


def test_what_was_executed_is_kept_beside_the_plan(client: Client):
    client.get_next_trials(1)
    client.complete_trial(0, 1.0, executed={"x": 0.52})

    assert client.get_best_parameterization()[0] == {"x": 0.52}
    assert client.summarize()["executed"] == ["x=0.52"]
    assert client.summarize()["x"] == [0.5]


def test_what_was_executed_can_be_told_afterwards(client: Client):
    told(client, 1.0)
    client.record_executed(0, {"x": 0.52}, "from the balance's print-out")

    (record,) = records(client, e.ParametersExecuted)
    assert (record.event.parameters, record.reason) == ({"x": 0.52}, "from the balance's print-out")


def test_a_wrong_name_completes_nothing(client: Client):
    client.get_next_trials(1)

    with pytest.raises(ConfigurationError, match="'q' is no parameter of it: use x"):
        client.complete_trial(0, 1.0, executed={"q": 1.0})
    assert client.state.trial(0).status is TrialStatus.RUNNING


def test_a_solvent_that_is_in_no_list_does_not_keep_a_model_from_ranking_the_others():
    with Client(virtual_time=True, random_seed=1) as client:
        solvents = ChoiceParameterConfig("solvent", ("water", "DMF", "THF"))
        client.configure_experiment([RangeParameterConfig("x", (0.0, 1.0)), solvents])
        client.configure_optimization("y")
        told(client, 1.0, 2.0, 3.0, 2.5)
        client.record_executed(3, {"solvent": "toluene"})

        parameters, values, index, _ = client.get_best_parameterization()

        assert index == 2
        assert values["y"][1] is not None, "it is a model's word"
        assert parameters == client.state.trial(2).parameters


class Doses(PushedRunner):
    """A pump that doses 2 % too much, and says so."""

    def __init__(self, executed: Any = None) -> None:
        self.executed = executed

    async def run(self, attempt: Any) -> Result:
        x = attempt.parameters["x"] * 1.02
        return Result(data=x, executed={"x": x} if self.executed is None else self.executed)


def test_a_pushed_runner_says_what_it_executed(client: Client):
    client.configure_runner(Doses())
    client.run_trials(max_trials=2)

    assert client.state.trial(0).executed == {"x": 0.51}


@pytest.mark.parametrize("nonsense", ["much", {"x": "much"}, {"q": 1.0}, {"x": [1]}])
def test_nonsense_from_a_runner_is_noted_and_costs_no_result(client: Client, nonsense: Any):
    client.configure_runner(Doses(nonsense))
    client.run_trials(max_trials=1)

    assert client.state.trial(0).status is TrialStatus.COMPLETED
    (record,) = records(client, e.NoteAdded)
    assert (record.actor, record.trial) == ("runner:Doses", 0)
    assert "executed" in record.event.text


class Weighs(Polled):
    """A polled runner that can say what it executed; counts how often it is asked."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer
        self.asked = 0

    def executed(self, trial_index: int, trial_metadata: Any) -> Any:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(("answer", "executed"), [({"x": 0.48}, {"x": 0.48}), (None, None), ({}, None)])
def test_a_polled_runner_is_asked_once_what_it_executed(client: Client, answer: Any, executed: Any):
    runner = Weighs(answer)
    client.configure_runner(runner)
    client.configure_metrics([Square("y")])
    client.run_trials(max_trials=1)

    assert (client.state.trial(0).executed, runner.asked) == (executed, 1)


def test_a_polled_runner_that_cannot_say_costs_no_result(client: Client):
    client.configure_runner(Weighs(TypeError("no balance")))
    client.configure_metrics([Square("y")])
    client.run_trials(max_trials=1)

    assert client.state.trial(0).status is TrialStatus.COMPLETED
    assert "no balance" in records(client, e.NoteAdded)[0].event.text


# --- replicates -----------------------------------------------------------------------------------------------------


def test_replicates_are_asked_and_told_like_other_trials(client: Client):
    told(client, 1.0)

    assert client.replicate_trial(0, 2) == [1, 2]
    client.complete_trial(1, 2.0)
    client.complete_trial(2, 3.0)
    parameters, values, index, _ = client.get_best_parameterization()

    assert (parameters, index) == ({"x": 0.5}, 0)
    assert values["y"] == pytest.approx((2.0, 3**-0.5))


def test_replicates_run_in_a_closed_loop_beside_its_own_trials(client: Client):
    class Repeats(Takes):
        async def run(self, attempt: Any) -> Any:
            if attempt.trial == 0:
                await client._async.replicate_trial(0, 3)
            return await super().run(attempt)

    client.configure_runner(Repeats(1.0))
    report = client.run_trials(max_trials=2)

    assert (report.trials_created, report.outcome) == (2, "finished")
    assert client.summarize()["replicate_of"] == [None, 0, 0, 0, None]
    assert set(client.summarize()["trial_status"]) == {"COMPLETED"}


def test_a_finite_space_that_is_used_up_does_not_refuse_replicates():
    with Client(virtual_time=True) as client:
        client.configure_experiment([RangeParameterConfig("n", (1, 2), "int")])
        client.configure_optimization("y")
        told(client, 1.0, 2.0)

        assert client.replicate_trial(1) == [2]
