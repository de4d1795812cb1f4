"""The lab behind the protocols: its runs, its ledger, its time and its faults."""

import anyio
import pytest

from titrant.errors import ConfigurationError
from titrant_adapters.twin import (
    Behaviour,
    ByHand,
    Fault,
    FaultPlan,
    LabTwin,
    Ledger,
    Pace,
    Refused,
    Unknown,
    read_plan,
)
from titrant_adapters.twin.physics import Input, Output

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


class Doubling:
    inputs = (Input(name="x", unit="V", low=0.0, high=10.0, start=1.0), Input(name="solvent", choices=("a", "b")))
    outputs = (Output(name="y"),)

    def truth(self, conditions):
        return {"y": 2 * conditions["x"]}

    def measure(self, conditions, draws):
        return self.truth(conditions)


def make_lab(*faults, ledger=None, seed=1, **behaviour):
    return LabTwin(
        Doubling(),
        behaviour=Behaviour(duration_s=60.0, **behaviour),
        faults=FaultPlan(faults=faults),
        seed=seed,
        ledger=ledger,
        clock=ByHand(),
    )


def carry_out(lab, **parameters):
    run = lab.start("key", parameters)
    lab.clock.advance(60.0)
    return lab.runs.look(run.number)


async def test_a_run_goes_on_as_long_as_it_takes_and_measures_what_was_set():
    lab = make_lab()
    lab.settings.set("x", 3.0)
    run = lab.start("k")
    lab.clock.advance(30.0)
    half = lab.runs.look(run.number)
    lab.clock.advance(30.0)
    done = lab.runs.look(run.number)

    assert (run.state, half.state, half.progress, done.state) == ("running", "running", 0.5, "done")
    assert done.values == {"y": 6.0}
    assert done.conditions == {"x": 3.0, "solvent": "a"}


async def test_waiting_for_a_run_ends_with_it():
    lab = make_lab()
    run = lab.start()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lab.clock.sleep, 60.0)
        tasks.start_soon(lab.runs.finish, run.number)
        await anyio.wait_all_tasks_blocked()
        lab.clock.advance(60.0)

    assert lab.runs.look(run.number).state == "done"


async def test_a_faster_pace_shortens_the_wait():
    lab = LabTwin(Doubling(), behaviour=Behaviour(duration_s=3600.0), clock=Pace(speed=1e6))

    with anyio.fail_after(5):
        assert (await lab.runs.finish(lab.start().number)).state == "done"


@pytest.mark.parametrize(
    ("parameters", "error", "said"),
    [
        ({"x": 11.0}, Refused, "x takes 0 to 10 V, not 11"),
        ({"x": float("nan")}, Refused, "x takes numbers"),
        ({"solvent": "c"}, Refused, "solvent takes a, b"),
        ({"z": 1.0}, Unknown, "no setting z; there are x, solvent"),
    ],
)
async def test_what_cannot_be_set_is_refused_before_anything_starts(parameters, error, said):
    lab = make_lab()
    with pytest.raises(error, match=said):
        lab.start("k", parameters)

    assert await lab.starts() == 0
    assert lab.settings.points == {"x": 1.0, "solvent": "a"}


async def test_a_full_lab_refuses():
    lab = make_lab(places=2)
    lab.start()
    lab.start()

    with pytest.raises(Refused, match="2 of 2 places"):
        lab.start()


async def test_the_same_key_starts_twice_unless_keys_are_honoured():
    careless, careful = make_lab(places=2), make_lab(places=2, honours_keys=True)
    for lab in (careless, careful):
        lab.start("k")
        lab.start("k")

    assert (await careless.starts("k"), await careful.starts("k")) == (2, 1)


async def test_the_ledger_outlives_the_lab_and_knows_what_was_lost(tmp_path):
    path = tmp_path / "ledger.jsonl"
    lab = make_lab(ledger=Ledger(path), places=2)
    done = carry_out(lab, x=2.0)
    lab.start("lost")
    with path.open("ab") as file:
        file.write(b'{"type":"start","num')  # killed in the middle of a line
    again = make_lab(ledger=Ledger(path))

    assert again.find("key") == done
    assert again.find("lost").state == "lost"
    assert again.start("third").number == 3
    assert Ledger(path).starts() == 3


async def test_a_file_that_is_no_ledger_is_refused(tmp_path):
    (tmp_path / "ledger").write_text("a,b\n1,2\n")

    with pytest.raises(ConfigurationError, match="is no ledger of a lab twin"):
        Ledger(tmp_path / "ledger")


async def test_the_same_seed_measures_the_same_and_another_does_not():
    same, again, other = (
        [carry_out(lab, x=2.0).values["y"] for _ in range(3)]
        for lab in (make_lab(noise_sd=0.5), make_lab(noise_sd=0.5), make_lab(noise_sd=0.5, seed=2))
    )

    assert same == again
    assert len({*same, *other}) == 6


async def test_fouling_takes_a_share_with_each_run_before():
    lab = make_lab(fouling_per_run=0.1)

    assert [carry_out(lab, x=5.0).values["y"] for _ in range(3)] == pytest.approx([10.0, 9.0, 8.1])


async def test_drift_grows_with_time():
    lab = make_lab(drift_per_hour=0.5)
    carry_out(lab, x=5.0)
    lab.clock.advance(3540.0)

    assert carry_out(lab, x=5.0).values["y"] == pytest.approx(15.0)


async def test_what_was_set_is_followed_with_a_lag_and_the_run_tells_where_it_really_was():
    lab = make_lab(lag_s=60.0)
    lab.settings.set("x", 2.0)
    lab.clock.advance(60.0)

    assert lab.settings.points["x"] == 2.0
    assert lab.settings.actual()["x"] == pytest.approx(2.0 - 0.3679, abs=1e-3)
    assert lab.start().conditions["x"] == pytest.approx(2.0 - 0.3679 * 0.6321, abs=1e-3)


async def test_a_lag_that_is_over_leaves_nothing_behind():
    lab = make_lab(lag_s=1.0)
    lab.settings.set("x", 2.0)
    lab.clock.advance(1000.0)

    assert lab.settings.actual()["x"] == 2.0


async def test_runs_fail_and_pumps_stall_as_often_as_said():
    lab = make_lab(failure_probability=0.3, stall_probability=0.2)
    reasons = [carry_out(lab).reason for _ in range(600)]

    assert reasons.count("the run failed") == pytest.approx(180, abs=40)
    assert reasons.count("pump stalled: no flow") == pytest.approx(0.7 * 0.2 * 600, abs=30)


async def test_a_stopped_run_gives_no_values():
    lab = make_lab()
    run = lab.start()
    lab.runs.stop(run.number)
    lab.clock.advance(100.0)

    assert (lab.runs.look(run.number).state, lab.runs.look(run.number).values) == ("stopped", {})


async def test_the_safe_state_ends_runs_and_goes_back_to_the_beginning():
    lab = make_lab()
    run = lab.start("k", {"x": 9.0})
    lab.safe_state()

    assert lab.runs.look(run.number).state == "stopped"
    assert lab.settings.points["x"] == 1.0


async def test_a_run_that_nobody_knows_is_unknown():
    with pytest.raises(Unknown, match="no run 1"):
        make_lab().runs.look(1)


# Faults of a run


async def test_a_refusal_happens_once_and_starts_nothing():
    lab = make_lab()
    await lab.arm("refuse")
    with pytest.raises(Refused, match="interlock"):
        lab.start()

    assert await lab.starts() == 0
    assert lab.start().number == 1


async def test_an_alarm_makes_the_result_bad():
    lab = make_lab()
    await lab.arm("alarm")

    run = carry_out(lab)

    assert (run.state, run.quality, run.values) == ("done", "bad", {})
    assert carry_out(lab).quality == "good"


async def test_a_defined_error_ends_the_run():
    lab = make_lab()
    await lab.arm("defined_error")
    run = carry_out(lab)

    assert (run.state, run.reason) == ("failed", "the nozzle is clogged")


async def test_a_drift_shifts_the_values():
    lab = make_lab()
    await lab.arm("drift")

    assert carry_out(lab, x=5.0).values["y"] == pytest.approx(11.0)


@pytest.mark.parametrize(
    ("fault", "seconds", "state"), [("crash_in_run", 30.0, "lost"), ("crash_after_done", 60.0, "done")]
)
async def test_a_crash_cuts_the_lines_when_it_happens(fault, seconds, state):
    lab, cuts = make_lab(), []
    lab.runs.on_crash.append(cuts.append)
    await lab.arm(fault, seconds=2.0)
    run = lab.start()
    lab.clock.advance(seconds - 1.0)
    before = (lab.runs.look(run.number).state, list(cuts))
    lab.clock.advance(1.0)

    assert before == ("running", [])
    assert (lab.runs.look(run.number).state, cuts) == (state, [2.0])


async def test_a_stuck_setting_is_accepted_and_not_taken():
    lab = make_lab()
    await lab.arm("stuck")
    lab.settings.set("x", 5.0)
    stuck = lab.settings.points["x"]
    run = lab.start()
    lab.clock.advance(60.0)
    lab.settings.set("x", 5.0)

    assert (stuck, run.conditions["x"], lab.settings.points["x"]) == (1.0, 1.0, 5.0)


async def test_who_sees_that_a_setting_is_stuck_may_set_it_again():
    lab = make_lab()
    await lab.arm("stuck")
    for name, value in {"x": 5.0, "solvent": "b"}.items():
        lab.settings.set(name, value)
    lab.settings.set("x", 6.0)

    assert lab.settings.points == {"x": 6.0, "solvent": "a"}


async def test_a_fault_of_a_reply_is_met_once_by_the_exchange_it_names():
    lab = make_lab()
    lab.faults.arm(Fault(kind="mute", on="result"))
    lab.start()

    assert lab.faults.of_reply("start") is None
    assert lab.faults.of_reply("result").kind == "mute"
    assert lab.faults.of_reply("result") is None


async def test_a_start_without_a_reply_hands_its_fault_to_the_next_reply_of_the_run():
    lab = make_lab()
    await lab.arm("late_reply", seconds=1.0)
    before = lab.faults.of_reply("read")
    lab.start()

    assert (before, lab.faults.of_reply("status").kind) == (None, "late_reply")


async def test_the_plan_depends_on_seed_and_run_alone():
    plan = FaultPlan(seed=3, faults=(Fault(kind="alarm", probability=0.5), Fault(kind="drop", run=2)))
    hit = [[fault.kind for fault in plan.of(run)] for run in range(1, 41)]

    assert "drop" in hit[1]
    assert sum("alarm" in kinds for kinds in hit) == pytest.approx(20, abs=9)
    assert hit == [[fault.kind for fault in plan.of(run)] for run in range(1, 41)]


async def test_a_plan_is_read_from_toml(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text('seed = 4\n[[faults]]\nkind = "late_reply"\nrun = 3\nseconds = 2.0\n')

    assert read_plan(path) == FaultPlan(seed=4, faults=(Fault(kind="late_reply", run=3, seconds=2.0),))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('[[faults]]\nkind = "late"\n', r"'late'.*crash_in_run"),
        ('[[faults]]\nkind = "mute"\nprobability = 2\n', "probability is 2"),
        ('[[faults]]\nkind = "alarm"\non = "read"\n', "belongs to a run"),
        ('[[faults]]\nkind = "mute"\nrun = 0\n', "counted from 1"),
        ("faults = 3\n[", "cannot be read"),
    ],
)
async def test_a_plan_that_cannot_be_read_says_where(tmp_path, content, said):
    path = tmp_path / "plan.toml"
    path.write_text(content)

    with pytest.raises(ConfigurationError, match=said):
        read_plan(path)
