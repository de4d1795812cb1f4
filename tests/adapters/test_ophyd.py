"""ophyd-async: its simulated stage and detector, and a detector of our own that fails when told to."""

from __future__ import annotations

import sys
from types import MappingProxyType

import anyio
import ophyd_async.core
import ophyd_async.epics.motor
import pytest
from tests.adapters import ophyd_devices
from tests.adapters.loops import killed_and_resumed
from tests.adapters.told import told

import titrant_adapters.ophyd
from titrant import ConfigurationError, RangeParameterConfig
from titrant.errors import RunnerError
from titrant.model.space import search_space
from titrant.testing.runner_contract import RunnerContract, attempt_of
from titrant_adapters.ophyd import OphydRunner

FIELDS = {
    "devices": "tests.adapters.ophyd_devices:devices",
    "settings": {"x": {"to": "motor", "unit": "mm", "read_back": "motor.user_readback"}},
    "trigger": ["detector"],
    "measure": {"y": "detector-y"},
}
SIMULATED = {
    "devices": "tests.adapters.ophyd_devices:simulated",
    "settings": {"x": {"to": "stage.x", "read_back": "stage.x"}},
    "trigger": ["counter"],
    "also_read": ["stage"],
    "measure": {"counts": "counter-channel-1-value", "at": "stage-x"},
    "safe": {"stage.x": 0.0},
}


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def lab(monkeypatch):
    made = ophyd_devices.devices()
    monkeypatch.setattr(ophyd_devices, "devices", lambda: made)
    return made["detector"]


class TestOphydKeepsTheContract(RunnerContract):
    deadline_s = 0.6
    cannot = MappingProxyType(
        dict.fromkeys(("half_frame", "duplicate"), "devices are objects in this process, without frames")
    )

    def expected(self, parameters):
        return parameters["x"] ** 2

    @pytest.fixture
    def make_runner(self, lab):
        return lambda: OphydRunner(**FIELDS, run_timeout_s=self.deadline_s)


@pytest.mark.anyio
async def test_a_killed_engine_with_two_stages_goes_on_and_starts_nothing_twice(tmp_path):
    ledger = tmp_path / "ledger"
    loop = await killed_and_resumed(
        "ophyd",
        [FIELDS, FIELDS],
        starts=lambda: len(ledger.read_text().splitlines()) if ledger.exists() else 0,
        folder=tmp_path,
        parallelism=2,
        env={"LEDGER": str(ledger)},
    )

    assert 1 <= len(loop.lost) <= 2, "what was under way died with the engine: a person is asked"


@pytest.mark.anyio
async def test_the_simulated_stage_and_detector_are_driven_and_left_safe():
    async with OphydRunner(**SIMULATED) as runner:
        ended = await runner.run(attempt_of({"x": 1.5}), None, None)
        stage = runner._devices.movable("stage.x")
        found = [one.what.partition(" is ")[0] async for one in runner.look()]

    assert ended.data["at"] == 1.5
    assert ended.data["counts"] > 0
    assert await stage.user_readback.get_value() == 0.0
    assert {"counter-channel-1-value", "stage-x"} <= set(found)


@pytest.mark.anyio
async def test_a_move_that_somebody_stops_fails_the_trial_and_cancels_nothing_else():
    async with OphydRunner(**SIMULATED) as runner, anyio.create_task_group() as tasks:
        motor = runner._devices.movable("stage.x")
        await motor.velocity.set(0.1)
        raised = []

        async def run():
            with pytest.raises(RunnerError, match="was stopped") as caught:
                await runner.run(attempt_of({"x": 5.0}), None, None)
            raised.append(caught)

        tasks.start_soon(run)
        async for position in ophyd_async.core.observe_value(motor.user_readback):
            if position > 0:
                break
        await motor.stop(success=False)

    assert raised


@pytest.mark.anyio
async def test_a_move_that_takes_too_long_is_stopped():
    async with OphydRunner(**SIMULATED, run_timeout_s=0.2) as runner:
        motor = runner._devices.movable("stage.x")
        await motor.velocity.set(0.1)
        with pytest.raises(RunnerError, match=r"setting stage\.x took longer than 0\.2 s"):
            await runner.run(attempt_of({"x": 5.0}), None, None)

        assert await motor.user_setpoint.get_value() < 1.0, "it would still be on its way"
        await motor.velocity.set(0)


# --- what cannot work is told before the first trial -----------


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"measure": {}}, "measure is {}: name a key of the readings"),
        ({"trigger": []}, "name the devices that measure"),
        ({"settings": {"x": {"to": "motor", "unit": "Grad"}}}, "'Grad' is no unit known here"),
        ({"motors": []}, "there is no field 'motors'"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(fields, told):
    with pytest.raises(ConfigurationError, match=told):
        OphydRunner(**FIELDS | fields)


def test_what_the_module_tells_to_write_is_a_configuration():
    runner = told(titrant_adapters.ophyd.__doc__)

    assert runner["use"] == "ophyd"
    assert OphydRunner(**runner["with"])


def test_a_parameter_without_a_setting_is_refused():
    space = search_space([RangeParameterConfig("x", (0, 1)), RangeParameterConfig("gas", (0, 1))])
    with pytest.raises(ConfigurationError, match="nothing says how 'gas' reaches the instrument"):
        OphydRunner(**FIELDS).check_space(space)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"devices": "tests.adapters.nowhere:devices"}, "it cannot be imported"),
        ({"devices": "tests.adapters.ophyd_devices:nothing"}, "it cannot be imported"),
        ({"devices": "tests.adapters.ophyd_devices:no_devices"}, "it has to give a dict"),
        ({"settings": {"x": {"to": "moter"}}}, "moter: there is none such among motor, detector"),
        ({"settings": {"x": {"to": "detector"}}}, "detector: it is a Detector, which cannot do that"),
        ({"settings": {"x": {"to": "motor", "unit": "K"}}}, "motor is in mm, not in K"),
        ({"trigger": ["motor"]}, "motor: it is a Motor, which cannot do that"),
        ({"measure": {"y": "detector-z"}}, "measure is 'detector-z': the devices tell detector-y"),
    ],
)
async def test_what_the_devices_are_not_is_told_before_the_first_trial(fields, told):
    with pytest.raises(ConfigurationError, match=told):
        async with OphydRunner(**FIELDS | fields):
            pass


@pytest.mark.anyio
async def test_the_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ophyd_async.core", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'titrant\[ophyd\]'"):
        async with OphydRunner(**FIELDS):
            pass


def test_every_error_of_the_library_has_a_meaning():
    assert OphydRunner.errors.unlisted(ophyd_async.core, ophyd_async.epics.motor) == []
    assert OphydRunner.errors.dangling() == []
