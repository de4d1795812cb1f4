"""A workcell of instruments in memory: order, places, what is recorded, what a restart makes of it, every way out."""

from __future__ import annotations

import json

import anyio
import msgspec
import pytest
from jsonschema import Draft202012Validator
from tests.adapters import workcell_bench
from tests.adapters.workcell_bench import FAILED, LOST, REFUSED, Bench

from titrant import ConfigurationError, RangeParameterConfig
from titrant.errors import NeverSeen, OutcomeUnknown, RunnerError, SubmissionRefused
from titrant.model.space import search_space
from titrant.runtime.calls import RetryPolicy
from titrant.testing.runner_contract import attempt_of
from titrant_adapters.workcell import Step, WorkcellConfig, WorkcellRunner
from titrant_adapters.workcell.entries import step_key

ASKED, MUTE = "tests.adapters.workcell_bench:BenchRunner", "tests.adapters.workcell_bench:MuteBenchRunner"
X = {"x": 2.0, "z": 3.0}
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(autouse=True)
def bench(monkeypatch):
    made = Bench()
    monkeypatch.setattr(workcell_bench, "BENCH", made)
    return made


def step(name, *takes, use=ASKED, at=None, places=1, **fields):
    settings = {one: {"to": one} for one in takes}
    with_ = {"at": at or name, "settings": settings, "measure": {f"{name}_y": "y"}, "places": places}
    return {"name": name, "use": use, "with": with_ | fields.pop("with_", {}), **fields}


def workcell(*steps, **fields):
    return WorkcellRunner(steps=list(steps) or three(), **fields)


def three(**supply):
    """The supply is on until the reactor is done."""
    return [step("supply", "x", **{"until": "reactor"} | supply), step("oven", "z"), step("reactor", "x")]


class Log:
    """What a workcell records, as the log keeps it."""

    def __init__(self, bench=None):
        self.recorded, self.reported, self.refuses, self._bench = [], [], False, bench

    async def record(self, metadata):
        if self.refuses:
            raise SubmissionRefused("the trial is not to be started any more")
        if self._bench is not None:
            self._bench.seen.append("record " + " ".join(f"{n}:{e['state']}" for n, e in metadata["steps"].items()))
        self.recorded.append(json.loads(msgspec.json.encode(metadata)))

    async def report(self, data, progression):
        self.reported.append((data, progression))


async def carried_out(runner, attempt=None, log=None):
    log = log or Log()
    async with runner:
        return await runner.run(attempt or attempt_of(X), log.record, log.report)


# --- step by step -----------------------------------------------------------------------------------------------------


async def test_a_trial_goes_through_the_steps_in_their_order_and_their_data_together_are_its_own(bench):
    result = await carried_out(workcell(), attempt_of(X))

    assert result.status == "completed"
    assert result.data == {"supply_y": (2.0, None), "oven_y": (3.0, None), "reactor_y": (2.0, None)}
    assert [what.split()[0] for what in bench.of("start")] == ["supply", "oven", "reactor"]


async def test_each_step_is_in_the_log_before_it_starts_and_its_result_after(bench):
    log, attempt = Log(bench), attempt_of(X)
    await carried_out(workcell(), attempt, log)
    course = [what for what in bench.seen if what.split()[0] in ("record", "start", "end", "safe")]
    named = log.recorded[-1]

    at = f" {attempt.trial}"
    assert course[:5] == [
        "record supply:begun", "record supply:begun", "start supply" + at, "end supply" + at, "record supply:done",
    ]  # fmt: skip
    assert course.index("record supply:done oven:done reactor:done") < course.index("safe supply")
    assert "record supply:left oven:done reactor:done" in course
    assert named["key"] == attempt.key
    assert named["oven"] == f"oven-{step_key(attempt.key, 'oven')}", "metrics find the instrument's name of the run"
    assert len({entry["key"] for entry in named["steps"].values()} | {attempt.key}) == 4


async def test_an_instrument_kept_until_a_later_step_is_safe_after_it_and_no_sooner(bench):
    await carried_out(workcell())
    ends = [what.split()[0] + " " + what.split()[1] for what in bench.seen if what.split()[0] in ("end", "safe")]

    assert ends[:4] == ["end supply", "end oven", "end reactor", "safe supply"]


async def test_an_instrument_that_a_further_step_keeps_is_not_made_safe_before(bench):
    steps = [
        step("light", "x", instrument="lamp", until="oven"),
        step("focus", "x", instrument="lamp", until="reactor"),
        step("oven", "z"),
        step("reactor", "x"),
    ]
    await carried_out(workcell(*steps))
    course = [what.split()[0] + " " + what.split()[1] for what in bench.seen if what.split()[0] in ("end", "safe")]

    assert course[:5] == ["end light", "end focus", "end oven", "end reactor", "safe focus"]


async def test_steps_may_be_given_as_objects():
    fields = step("oven", "x")
    made = WorkcellRunner(steps=[Step(name="oven", use=ASKED, with_=fields["with"])])

    assert (await carried_out(made, attempt_of({"x": 2.0}))).data == {"oven_y": (2.0, None)}


async def test_steps_together_begin_at_once_and_the_next_awaits_both(bench):
    steps = [step("supply", "x"), step("oven", "z", together=True), step("reactor", "x")]
    heat = bench.gate("oven")
    log = Log()
    async with workcell(*steps) as runner, anyio.create_task_group() as tasks:
        tasks.start_soon(runner.run, attempt_of(X), log.record, log.report)
        await bench.waiting["oven"].wait()
        while not bench.of("end"):
            await anyio.lowlevel.checkpoint()
        assert [what.split()[0] for what in bench.of("start")] == ["supply", "oven"]
        heat.set()

    assert [what.split()[0] for what in bench.of("start")] == ["supply", "oven", "reactor"]
    assert log.recorded[0]["steps"].keys() == {"supply", "oven"}, "both are in the log before either starts"


async def test_data_are_prefixed_renamed_or_left_out():
    steps = [
        step("supply", "x", prefix="psu_"),
        step("oven", "z", rename={"oven_y": "heat"}),
        step("reactor", "x", rename={"reactor_y": ""}),
    ]
    result = await carried_out(workcell(*steps))

    assert result.data == {"psu_supply_y": (2.0, None), "heat": (3.0, None)}


async def test_what_was_carried_out_otherwise_in_any_step_is_told(bench):
    bench.faults["oven", "executed"] = {"z": 2.5}

    assert (await carried_out(workcell())).executed == {"z": 2.5}


# --- several trials ---------------------------------------------------------------------------------------------------


async def test_the_next_trial_begins_while_this_one_is_further_on_and_no_instrument_has_two(bench):
    steps = [step("supply", "x"), step("oven", "z"), step("reactor", "x")]
    react = bench.gate("reactor")
    first, second, third = (attempt_of(X) for _ in range(3))
    async with workcell(*steps, places=3) as runner, anyio.create_task_group() as tasks:
        for attempt in (first, second, third):
            tasks.start_soon(runner.run, attempt, Log().record, Log().report)
        await bench.waiting["reactor"].wait()
        while len(bench.of("end")) < 6:
            await anyio.lowlevel.checkpoint()
        assert bench.of("start").count(f"reactor {first.trial}") == 1
        assert [what for what in bench.of("start") if what.startswith("reactor")] == [f"reactor {first.trial}"]
        assert f"oven {third.trial}" in bench.of("end")
        react.set()

    assert [what for what in bench.of("end") if what.startswith("reactor")] == [
        f"reactor {one.trial}" for one in (first, second, third)
    ]


async def test_an_instrument_kept_until_a_later_step_is_nobody_elses_meanwhile(bench):
    react = bench.gate("reactor")
    first, second = attempt_of(X), attempt_of(X)
    async with workcell(*three(), places=2) as runner, anyio.create_task_group() as tasks:
        for attempt in (first, second):
            tasks.start_soon(runner.run, attempt, Log().record, Log().report)
        await bench.waiting["reactor"].wait()
        await anyio.wait_all_tasks_blocked()
        assert f"supply {second.trial}" not in bench.of("start")
        react.set()

    order = [what for what in bench.seen if what in (f"start supply {second.trial}", "safe supply")]
    assert order[:2] == ["safe supply", f"start supply {second.trial}"]


async def test_steps_on_one_instrument_share_its_place(bench):
    steps = [step("prepare", "x", instrument="robot"), step("react", "z"), step("dilute", "x", instrument="robot")]
    hold = bench.gate("prepare")
    hold.set()
    react = bench.gate("react")
    first, second = attempt_of(X), attempt_of(X)
    async with workcell(*steps, places=2) as runner, anyio.create_task_group() as tasks:
        tasks.start_soon(runner.run, first, Log().record, Log().report)
        await bench.waiting["react"].wait()
        bench.hold["prepare"] = anyio.Event()
        bench.waiting["prepare"] = anyio.Event()
        tasks.start_soon(runner.run, second, Log().record, Log().report)
        await bench.waiting["prepare"].wait()
        react.set()
        await anyio.wait_all_tasks_blocked()
        assert f"dilute {first.trial}" not in bench.of("start")
        bench.hold["prepare"].set()

    assert f"dilute {first.trial}" in bench.of("end")


def test_capacity_is_the_least_of_the_instruments_unless_told():
    steps = [step("supply", "x", places=3), step("oven", "z", places=2)]

    assert workcell(*steps).capacity == 2
    assert workcell(*steps, places=5).capacity == 5


def test_what_it_declares_is_what_all_its_adapters_can():
    mute = [step("supply", "x", use=MUTE), step("oven", "z", use=MUTE)]

    assert workcell().can_report_status
    assert not workcell(*mute).can_report_status
    assert not workcell().honours_keys
    assert not workcell().rerun_safe
    assert workcell(*[one | {"rerun_safe": True} for one in mute]).rerun_safe


# --- what goes wrong --------------------------------------------------------------------------------------------------


async def test_a_step_that_fails_is_named_ends_the_trial_and_keeps_what_was_measured(bench):
    bench.faults["oven", "run"] = FAILED
    result = await carried_out(workcell())

    assert result.status == "failed"
    assert result.reason == f"step 'oven' (2 of 3, {ASKED}): overheated"
    assert result.data == {"supply_y": (2.0, None)}
    assert "safe supply" in bench.seen
    assert "safe oven" in bench.seen
    assert not any(what.startswith("reactor") for what in bench.of("start"))


async def test_a_refused_step_is_tried_again_by_the_engine_and_finished_ones_are_not(bench):
    bench.faults["oven", "refuse"] = [REFUSED, None]
    attempt, log = attempt_of(X), Log()
    async with workcell() as runner:
        with pytest.raises(SubmissionRefused, match=r"step 'oven' \(2 of 3, .*\): the door is open"):
            await runner.run(attempt, log.record, log.report)
        assert "safe supply" not in bench.seen, "it is the trial's, which goes on"
        result = await runner.run(attempt, log.record, log.report)

    assert result.status == "completed"
    assert [what.split()[0] for what in bench.of("start")] == ["supply", "oven", "reactor"]


async def test_a_step_refused_too_often_fails_the_trial_and_leaves_its_instruments_safe(bench):
    bench.faults["oven", "refuse"] = REFUSED
    attempt, log = attempt_of(X), Log()
    async with workcell() as runner:
        runner.retry = RetryPolicy(attempts=2)
        with pytest.raises(SubmissionRefused):
            await runner.run(attempt, log.record, log.report)
        result = await runner.run(attempt, log.record, log.report)
        assert "safe supply" in bench.seen
        del bench.faults["oven", "refuse"]
        after = await runner.run(attempt_of(X), log.record, log.report)

    assert (result.status, after.status) == ("failed", "completed")
    assert "the door is open" in result.reason


async def test_a_step_of_which_nobody_knows_leaves_the_trial_unknown_and_its_instruments_to_it(bench):
    bench.faults["oven", "run"] = LOST
    log = Log()
    async with workcell(*three(), places=2) as runner, anyio.create_task_group() as tasks:
        with pytest.raises(OutcomeUnknown, match=r"step 'oven' \(2 of 3, .*\): no answer"):
            await runner.run(attempt_of(X), log.record, log.report)
        assert "safe supply" not in bench.seen
        tasks.start_soon(runner.run, attempt_of(X), log.record, log.report)
        await anyio.wait_all_tasks_blocked()
        assert len(bench.of("start")) == 2, "the supply is still the first trial's"
        tasks.cancel_scope.cancel()


async def test_a_fault_in_an_adapters_code_is_no_outcome_and_leaves_its_instruments_safe(bench):
    bench.faults["oven", "run"] = KeyError("a bug")
    async with workcell() as runner:
        with pytest.raises(KeyError, match="a bug"):
            await runner.run(attempt_of(X), Log().record, Log().report)
        assert {"supply", "oven"} <= {*bench.of("safe")}


async def test_an_instrument_that_cannot_be_made_safe_afterwards_fails_the_trial_with_its_data(bench):
    bench.faults["supply", "safe"] = RunnerError("no answer")
    runner = workcell()
    runner.retry = RetryPolicy(attempts=1)
    async with runner:
        result = await runner.run(attempt_of(X), Log().record, Log().report)
        del bench.faults["supply", "safe"]

    assert result.status == "failed"
    assert "step 'supply' (1 of 3" in result.reason
    assert "could not be brought to its safe state" in result.reason
    assert result.data.keys() == {"supply_y", "oven_y", "reactor_y"}


async def test_no_step_begins_that_the_log_does_not_want(bench):
    log = Log()
    heat = bench.gate("oven")
    ended = []

    async def run(runner):
        ended.append(await runner.run(attempt_of(X), log.record, log.report))

    async with workcell() as runner, anyio.create_task_group() as tasks:
        tasks.start_soon(run, runner)
        await bench.waiting["oven"].wait()
        log.refuses = True
        heat.set()

    assert ended[0].status == "failed"
    assert "not to be started any more" in ended[0].reason
    assert not any(what.startswith("reactor") for what in bench.of("start"))
    assert "safe supply" in bench.seen


# --- stopped and left -------------------------------------------------------------------------------------------------


async def test_a_stop_ends_the_step_under_way_and_no_other_begins_and_all_is_safe(bench):
    bench.gate("oven")
    attempt = attempt_of(X)
    async with workcell() as runner, anyio.create_task_group() as tasks:
        tasks.start_soon(runner.run, attempt, Log().record, Log().report)
        await bench.waiting["oven"].wait()
        await runner.stop(attempt)
        assert bench.of("stop") == [f"oven {attempt.trial}"]
        assert {*bench.of("safe")} == {"supply", "oven"}, "the reactor was not touched"
        tasks.cancel_scope.cancel()

    assert not any(what.startswith("reactor") for what in bench.of("start"))


async def test_a_step_that_cannot_be_stopped_is_made_safe_and_that_is_said(bench):
    bench.gate("oven")
    attempt = attempt_of(X)
    steps = [step("supply", "x"), step("oven", "z", use=MUTE)]
    async with workcell(*steps) as runner, anyio.create_task_group() as tasks:
        tasks.start_soon(runner.run, attempt, Log().record, Log().report)
        await bench.waiting["oven"].wait()
        with pytest.raises(RunnerError, match=r"step 'oven' .*: it could not be stopped: .* cannot stop it"):
            await runner.stop(attempt)
        assert "oven" in bench.of("safe")
        tasks.cancel_scope.cancel()


async def test_another_process_can_stop_what_the_log_says_is_under_way(bench):
    attempt = attempt_of(X)
    recorded = await killed_in("oven", bench, attempt)
    async with workcell() as runner:
        await runner.stop(msgspec.structs.replace(attempt, metadata=recorded))

    assert bench.of("stop") == [f"oven {attempt.trial}"]


async def test_leaving_makes_every_instrument_safe_even_if_one_of_them_hangs(bench, monkeypatch):
    monkeypatch.setattr("titrant_adapters.shape.runner.SAFE_SECONDS", 0.05)
    runner = workcell()
    await runner.__aenter__()
    bench.faults["oven", "safe"] = "hang"
    with pytest.raises(RunnerError, match="step 'oven'"):
        await runner.__aexit__(None, None, None)

    assert {*bench.of("safe")} == {"supply", "reactor"}
    assert {*bench.of("disconnect")} == {"supply", "oven", "reactor"}


async def test_one_that_cannot_be_connected_is_named_and_the_others_are_left_safe(bench):
    bench.faults["oven", "connect"] = RunnerError("nobody answers")
    with pytest.raises(RunnerError, match=r"step 'oven' \(2 of 3, .*\): nobody answers"):
        async with workcell():
            pass

    assert {*bench.of("safe")} == {"supply", "reactor"}


async def test_leaving_keeps_the_instruments_of_a_trial_that_will_be_found_again(bench):
    await killed_in("oven", bench, attempt_of(X))

    assert bench.of("safe") == ["reactor"]


async def test_the_safe_state_is_every_instruments_own(bench):
    bench.faults["oven", "safe"] = RunnerError("no answer")
    async with workcell() as runner:
        with pytest.raises(RunnerError, match="step 'oven'"):
            await runner.safe_state()
        assert {*bench.of("safe")} == {"supply", "reactor"}
        del bench.faults["oven", "safe"]


# --- after a restart --------------------------------------------------------------------------------------------------


async def killed_in(name, bench, attempt, *steps):
    """Begin a trial, and lose the engine while a step is under way; what the log has then."""
    bench.gate(name)
    log = Log()
    async with workcell(*steps) as runner, anyio.create_task_group() as tasks:
        tasks.start_soon(runner.run, attempt, log.record, log.report)
        await bench.waiting[name].wait()
        tasks.cancel_scope.cancel()
    bench.hold.clear()
    return log.recorded[-1]


async def found_again(attempt, recorded, *steps, log=None):
    log = log or Log()
    async with workcell(*steps) as runner:
        return await runner.reattach(msgspec.structs.replace(attempt, metadata=recorded), log.record, log.report)


@pytest.mark.parametrize("name", ["supply", "oven", "reactor"])
async def test_the_step_under_way_is_found_the_next_follow_and_none_is_carried_out_twice(bench, name):
    attempt, log = attempt_of(X), Log()
    recorded = await killed_in(name, bench, attempt)
    result = await found_again(attempt, recorded, log=log)

    assert result.status == "completed"
    assert result.data == {"supply_y": (2.0, None), "oven_y": (3.0, None), "reactor_y": (2.0, None)}
    assert bench.of("found") == [f"{name} {attempt.trial}"]
    assert sorted(bench.starts.values()) == [["oven"], ["reactor"], ["supply"]]
    assert all(entry["state"] != "begun" for entry in log.recorded[-1]["steps"].values())


async def test_a_step_that_cannot_be_asked_leaves_the_trial_unknown_and_is_named(bench):
    steps, attempt = [step("supply", "x"), step("oven", "z", use=MUTE)], attempt_of(X)
    recorded = await killed_in("oven", bench, attempt, *steps)

    with pytest.raises(OutcomeUnknown, match=r"step 'oven' \(2 of 2, .*\): the engine went down .* cannot say"):
        await found_again(attempt, recorded, *steps)
    assert list(bench.starts.values()).count(["oven"]) == 1


async def test_a_step_that_does_no_harm_twice_is_carried_out_again(bench):
    steps, attempt = [step("supply", "x", use=MUTE, rerun_safe=True), step("oven", "z")], attempt_of(X)
    recorded = await killed_in("supply", bench, attempt, *steps)
    result = await found_again(attempt, recorded, *steps)

    assert result.status == "completed"
    assert sorted(bench.starts.values()) == [["oven"], ["supply", "supply"]]


async def test_a_step_that_was_about_to_begin_begins_where_its_adapter_had_recorded_nothing(bench):
    attempt, key = attempt_of(X), "supply"
    recorded = {"key": attempt.key, "steps": {key: {"state": "begun", "key": step_key(attempt.key, key)}}}
    result = await found_again(attempt, recorded)

    assert result.status == "completed"
    assert not bench.of("found")


async def test_a_run_that_its_instrument_does_not_know_any_more_is_unknown(bench):
    attempt = attempt_of(X)
    recorded = await killed_in("oven", bench, attempt)
    bench.starts.clear()

    with pytest.raises(OutcomeUnknown, match=r"step 'oven' .*does not know it"):
        await found_again(attempt, recorded)


async def test_a_step_refused_after_a_restart_is_tried_again(bench):
    attempt = attempt_of(X)
    recorded = await killed_in("oven", bench, attempt)
    bench.faults["reactor", "refuse"] = [REFUSED, None]
    result = await found_again(attempt, recorded)

    assert result.status == "completed"


async def test_a_trial_found_again_has_its_instruments_before_new_ones(bench):
    attempt = attempt_of(X)
    recorded = await killed_in("oven", bench, attempt)
    heat = bench.gate("oven")
    log = Log()
    async with workcell(*three(), places=2) as runner, anyio.create_task_group() as tasks:
        again = msgspec.structs.replace(attempt, metadata=recorded)
        tasks.start_soon(runner.reattach, again, log.record, log.report)
        tasks.start_soon(runner.run, attempt_of(X), log.record, log.report)
        await bench.waiting["oven"].wait()
        await anyio.wait_all_tasks_blocked()
        assert len([what for what in bench.of("start") if what.startswith("supply")]) == 1
        heat.set()

    assert len([what for what in bench.of("end") if what.startswith("reactor")]) == 2


async def test_nothing_recorded_is_proof_that_nothing_began():
    async with workcell() as runner:
        assert runner.absence_is_proof
        with pytest.raises(NeverSeen):
            await runner.reattach(attempt_of(X, metadata={}))


@pytest.mark.parametrize(
    ("metadata", "told"),
    [({"steps": {"kiln": {"state": "begun", "key": "k"}}}, "a step 'kiln'"), ({"steps": [1]}, "not a workcell's")],
)
async def test_what_another_runner_recorded_is_not_taken_for_its_own(metadata, told):
    with pytest.raises(OutcomeUnknown, match=told):
        await found_again(attempt_of(X), metadata)


# --- what cannot work -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([step("a"), step("a")], r"steps\[1\]\.name is 'a': another step is called so"),
        ([step("steps")], r"steps\[0\]\.name is 'steps': write letters"),
        ([step("a", until="b")], r"steps\[0\]\.until is 'b': name a step that comes after"),
        ([step("a", together=True)], r"there is no step before the first"),
        ([step("a"), step("b", instrument="a", together=True)], "begin together cannot be on one instrument"),
        ([step("a", use="scpy")], r"step 'a' \(1 of 1, scpy\): use is 'scpy': no adapter is called so: did you mean"),
        ([step("a", use="math:sqrt")], "it is no adapter"),
        ([step("a", use="nowhere:Runner")], "it cannot be imported"),
        ([step("a", with_={"places": 0})], r"step 'a' .*: places is 0"),
        ([step("a", use="workcell", with_={})], "step 'a'"),
        ([step("a"), step("b", with_={"measure": {"a_y": "y"}})], r"step 'b' .*: measure is 'a_y': step 'a' .* too"),
        ([step("a") | {"prefx": "p"}], "unknown field `prefx`"),
        (
            [step("a", instrument="A", until="b"), step("b", instrument="B", until="c"), step("c", instrument="A")],
            "steps is 'A and B': trials that hold one would wait for the other",
        ),
    ],
)
def test_steps_that_cannot_work_are_refused(steps, told):
    with pytest.raises(ConfigurationError, match=told):
        WorkcellRunner(steps=steps)


def test_instruments_that_are_always_taken_in_one_order_are_no_circle():
    workcell(step("a", until="c"), step("b"), step("c", instrument="b"), step("d", instrument="a"), places=2)


def test_no_secret_is_shown_by_configuration_or_error():
    told = step("a", with_={"token": "hush"})

    assert "hush" not in repr(workcell(told).config)
    del told["use"]
    with pytest.raises(ConfigurationError) as caught:
        WorkcellRunner(steps=[told])
    assert "hush" not in str(caught.value)
    assert "use" in str(caught.value)


@pytest.mark.parametrize(
    ("names", "steps", "told"),
    [
        ("xzw", three(), "no step takes 'w': add it to the settings of one, or to `ignored`"),
        ("x", three(), r"step 'oven' .*: it takes 'z', which the experiment does not vary"),
        ("xz", [step("a", "x", parameters=["x", "z"])], r"step 'a' .*nothing says how 'z' reaches the instrument"),
    ],
)
def test_parameters_that_go_nowhere_or_do_not_exist_are_told_before_the_first_trial(names, steps, told):
    space = search_space([RangeParameterConfig(name, (0.0, 1.0)) for name in names])
    with pytest.raises(ConfigurationError, match=told):
        workcell(*steps).check_space(space)


def test_a_parameter_may_be_ignored():
    space = search_space([RangeParameterConfig(name, (0.0, 1.0)) for name in "xzw"])

    workcell(*three(), ignored=["w"]).check_space(space)


async def test_the_doctor_goes_through_all_steps(bench):
    bench.faults["oven", "connect"] = RunnerError("nobody answers")
    found = await workcell().probe()

    assert [one.level for one in found] == ["ok", "fail", "ok"]
    assert [one.what.partition(" (")[0] for one in found] == ["step 'supply'", "step 'oven'", "step 'reactor'"]


def test_the_schema_of_a_step_is_that_of_its_adapter():
    schema = WorkcellConfig.schema()
    jsonschema = Draft202012Validator(schema)
    good = {"name": "a", "use": "scpi", "with": {"host": "h", "measure": {"y": "Y?"}}}
    secret = {"name": "b", "use": "rest", "with": {"url": "http://h", "start": {"path": "/"}, "measure": {"y": "/y"}}}

    assert jsonschema.is_valid({"steps": [good, secret]})
    assert not jsonschema.is_valid({"steps": [good | {"with": {"host": 5, "measure": {"y": "Y?"}}}]})
    assert not jsonschema.is_valid({"steps": [good | {"use": "rest"}]})
    assert {"type": "string", "format": "password"} in walked(schema)


def walked(value):
    """All that stands in a document."""
    found = [value]
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        found += walked(one)
    return found
