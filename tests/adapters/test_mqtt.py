"""MQTT: the twin as a device at Debian's broker, and a plain device at two brokers."""

from __future__ import annotations

import json
import sys
from typing import ClassVar

import aiomqtt.exceptions
import anyio
import pytest
from msgspec import structs
from tests.adapters.loops import killed_and_resumed
from tests.adapters.servers import mqtt as servers
from tests.adapters.servers.reactor import yield_at
from tests.adapters.stopping import RUN_S, StopOfSeveralContract, begun
from tests.adapters.twin.wiring import make_lab, opened

from titrant import AsyncClient, ConfigurationError, RangeParameterConfig
from titrant.errors import NeverSeen, OutcomeUnknown, RunnerError, SubmissionRefused
from titrant.model.space import search_space
from titrant.testing.metric_contract import MetricContract
from titrant.testing.runner_contract import RunnerContract, attempt_of
from titrant_adapters.mqtt import MqttMetric, MqttRunner

SHORT = {"host": "127.0.0.1", "timeout_s": 0.8, "run_timeout_s": 2.0, "poll_s": 0.15}
REACTOR = {
    "command": {"topic": servers.COMMAND, "json": {"id": "{key}", "temperature": "{x}"}},
    "settings": {"x": {"to": "temperature", "unit": "degC"}},
    "result": servers.DATA,
    "measure": {"y": "/yield"},
    "presence": servers.STATUS,
}


def twin_at(prefix):
    """The messages of the twin; it can be asked for a key."""
    command = f"{prefix}/cmd"
    start = {"id": "{key}", "do": "start", "key": "{key}", "parameters": {"volt": "{volt}"}}
    return {
        "command": {"topic": command, "json": start},
        "settings": {"volt": {"to": "volt", "unit": "V", "read_back": "/conditions/volt"}},
        "result": f"{prefix}/result",
        "key": "/key",
        "measure": {"y": "/values/power"},
        "reason": "/reason",
        "reply": f"{prefix}/data",
        "status": {"topic": command, "json": {"id": "{question}", "do": "status", "key": "{key}"}},
        "absence_is_proof": True,
        "presence": f"{prefix}/status",
        "safe": [{"topic": command, "json": {"id": "safe", "do": "stop"}}],
    }


@pytest.fixture
def anyio_backend():
    return "asyncio"  # aiomqtt knows no other


@pytest.fixture
async def door(mosquitto, request):
    prefix = f"test/{abs(hash(request.node.nodeid))}"
    async with opened("mqtt", make_lab(0.1, places=2), broker_port=mosquitto.port, prefix=prefix) as door:
        yield door


@pytest.fixture
def lab(door):
    return door.lab


@pytest.fixture
def make_runner(door, mosquitto):
    return lambda **fields: MqttRunner(port=mosquitto.port, **(twin_at(door.prefix) | SHORT | fields))


class TestMqttKeepsTheContract(RunnerContract):
    deadline_s = 0.8
    run_deadline_s = 2.0
    points = ({"volt": 2.0}, {"volt": 3.0})

    def expected(self, parameters):
        return parameters["volt"] ** 2

    @pytest.fixture
    def make_runner(self, make_runner):
        return make_runner


class TestASensorKeepsTheContract(MetricContract):
    expected = 21.5
    deadline_s = 0.3

    @pytest.fixture
    async def sensor(self, mosquitto):
        """Tells its reading again and again, as sensors do."""
        self.says = b'{"celsius": 21.5}'
        async with (
            aiomqtt.Client("127.0.0.1", mosquitto.port) as client,
            anyio.create_task_group() as tasks,
        ):

            async def tell():
                while True:
                    if self.says:
                        await client.publish("room/7", self.says)
                    await anyio.sleep(0.02)

            tasks.start_soon(tell)
            yield
            tasks.cancel_scope.cancel()

    @pytest.fixture
    def metric(self, sensor, mosquitto):
        return MqttMetric(
            "y", host="127.0.0.1", port=mosquitto.port, topic="room/7", value="/celsius", timeout_s=self.deadline_s
        )

    @pytest.fixture
    def silenced(self):
        async def silence():
            self.says = b""

        return silence

    @pytest.mark.anyio
    @pytest.mark.parametrize("said", [b"half a mess", b'{"kelvin": 294.65}', b'{"celsius": null}'])
    async def test_what_is_no_reading_is_no_value(self, metric, mosquitto, said):
        async with metric:
            self.says = said
            async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client:  # until the last sound one has passed
                await client.subscribe("room/7")
                while (await anext(client.messages)).payload != said:
                    pass
            with pytest.raises(RunnerError, match=r"no reading|no measured number"):
                await metric.fetch(0, {})


@pytest.mark.anyio
async def test_a_sensor_can_be_asked_and_what_it_said_before_is_not_its_answer(mosquitto):
    async with (
        aiomqtt.Client("127.0.0.1", mosquitto.port) as sensor,
        anyio.create_task_group() as tasks,
        MqttMetric(
            "y", host="127.0.0.1", port=mosquitto.port, topic="scale/1", ask={"topic": "scale/1/measure"}
        ) as metric,
    ):
        await sensor.subscribe("scale/1/measure")
        await sensor.publish("scale/1", "1.0", qos=1, retain=True)

        async def answer():
            async for _ in sensor.messages:
                await sensor.publish("scale/1", "2.0")

        tasks.start_soon(answer)

        assert await metric.fetch(0, {}) == 2.0
        tasks.cancel_scope.cancel()


# --- stopping ---------------------------------------------------------------------------------------------------------


class TestStopping(StopOfSeveralContract):
    parameters: ClassVar = {"volt": 2.0}
    other: ClassVar = {"volt": 3.0}

    @pytest.fixture
    async def door(self, mosquitto, request):
        prefix = f"test/{abs(hash(request.node.nodeid))}"
        async with opened("mqtt", make_lab(RUN_S, places=2), broker_port=mosquitto.port, prefix=prefix) as door:
            yield door

    @pytest.fixture
    def stoppable(self, door, mosquitto):
        stop = {"topic": f"{door.prefix}/cmd", "json": {"id": "{question}", "do": "stop", "key": "{key}"}}
        more = {"places": 2, "timeout_s": 2.0, "run_timeout_s": 60.0, "stop": stop, "stop_timeout_s": 5.0, "safe": ()}
        return lambda **fields: MqttRunner(port=mosquitto.port, **(twin_at(door.prefix) | SHORT | more | fields))

    @pytest.mark.anyio
    async def test_a_device_that_does_not_answer_stops_is_believed_by_its_result(self, door, stoppable):
        stop = {"topic": f"{door.prefix}/cmd", "json": {"id": "no question", "do": "stop", "key": "{key}"}}
        async with stoppable(stop=stop) as runner, anyio.create_task_group() as tasks:
            under = await begun(door.lab, runner, tasks, self.parameters)
            await runner.stop(under.recorded)

        assert (door.lab.latest().state, under.ended.outcome) == ("stopped", "failed")


# --- a plain device at two brokers ------------------------------------------------------------------------------------


@pytest.fixture(params=["mosquitto", "amqtt"])
def device(request):
    return request.getfixturevalue(f"{request.param}_reactor")


@pytest.fixture
def at_device(device):
    return lambda **fields: MqttRunner(port=device.broker.port, **(REACTOR | SHORT | fields))


@pytest.mark.anyio
async def test_a_run_gives_its_result(device, at_device):
    before = device.starts()
    async with at_device() as runner:
        result = await runner.run(attempt_of({"x": 64.0}), None, None)

    assert (result.data, result.executed) == ({"y": yield_at(64.0)}, None)
    assert device.starts() == before + 1


@pytest.mark.anyio
async def test_what_the_device_says_is_why_it_failed(at_device):
    async with at_device() as runner:
        with pytest.raises(RunnerError, match=r"230\.0 degrees are too hot"):
            await runner.run(attempt_of({"x": 230.0}), None, None)


@pytest.mark.anyio
async def test_a_device_that_says_nothing_and_cannot_be_asked_leaves_its_run_unknown(at_device):
    async with at_device(run_timeout_s=0.3) as runner:
        assert not runner.can_report_status
        with pytest.raises(OutcomeUnknown, match=r"the run took longer than 0\.3 s"):
            await runner.run(attempt_of({"x": -1.0}), None, None)


@pytest.mark.anyio
async def test_a_device_whose_will_says_that_it_is_gone_is_sent_nothing(device, at_device):
    before = device.starts()
    async with at_device() as runner:
        device.stop()
        try:
            await told(device, b"offline")
            with pytest.raises(SubmissionRefused, match=f"the device is offline, says {servers.STATUS}"):
                await runner.run(attempt_of({"x": 64.0}), None, None)
        finally:
            device.broker.stop()  # amqtt 0.12 passes nothing on any more once a client died
            device.broker.start()
            device.start()
    async with at_device() as runner:
        result = await runner.run(attempt_of({"x": 64.0}), None, None)

    assert result.data == {"y": yield_at(64.0)}
    assert device.starts() == before + 1


async def told(device, presence):
    """Wait until the broker says so to whoever comes."""
    with anyio.fail_after(20):
        async with aiomqtt.Client(device.host, device.broker.port) as client:
            await client.subscribe(servers.STATUS, qos=1)
            while (await anext(client.messages)).payload != presence:
                pass


# --- lines that break, and restarts -----------------------------------------------------------------------------------


@pytest.fixture
def broker(serve_a_module, tmp_path):
    """A broker of this test alone, to be restarted."""
    return serve_a_module("own_mosquitto", servers.mosquitto(tmp_path))


@pytest.mark.anyio
async def test_a_broker_that_restarts_costs_no_run(broker):
    async with (
        opened("mqtt", make_lab(0.1), broker_port=broker.port) as door,
        MqttRunner(port=broker.port, **(twin_at(door.prefix) | SHORT | {"run_timeout_s": 20.0})) as runner,
        anyio.create_task_group() as tasks,
    ):
        lab = door.lab
        results = []

        async def carry_out():
            results.append(await runner.run(attempt_of({"volt": 2.0}), None, None))

        tasks.start_soon(carry_out)
        with anyio.fail_after(20):
            while not await lab.starts():  # noqa: ASYNC110  # the lab says it to nobody
                await anyio.sleep(0.005)
        await anyio.to_thread.run_sync(broker.stop)
        await anyio.to_thread.run_sync(broker.start)

    assert (results[0].data, await lab.starts()) == ({"y": 4.0}, 1)


@pytest.mark.anyio
async def test_a_key_that_the_device_does_not_know_is_not_done(make_runner):
    async with make_runner() as runner:
        with pytest.raises(NeverSeen, match="the device knows no run nobody: it says none"):
            await runner.reattach(structs.replace(attempt_of({"volt": 1.0}, metadata={"key": "nobody"}), key="nobody"))


@pytest.mark.anyio
async def test_the_doctor_is_told_whether_the_device_is_there(make_runner, lab):
    (found,) = await make_runner().probe()
    (absent,) = await make_runner(presence="nobody/status").probe()

    assert (found.level, "the device says online" in found.what) == ("ok", True)
    assert (absent.level, "a sign of life on nobody/status took longer" in absent.what) == ("fail", True)
    assert await lab.starts() == 0


# --- what cannot work -------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_a_broker_that_is_not_there_is_told_before_the_first_trial():
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig("x", (0.0, 100.0))])
        await client.configure_optimization("y")
        await client.configure_runner(MqttRunner(port=1, **(REACTOR | SHORT)))
        with pytest.raises(RunnerError, match=r"connecting to the MQTT broker at 127\.0\.0\.1:1"):
            await client.run_trials(max_trials=1, progress=False)

        assert client.state.next_index == 0


@pytest.fixture
def strict(serve_a_module, tmp_path):
    """A broker that lets in only whom it knows, and knows nobody."""

    def command(port):
        plain = servers.mosquitto(tmp_path)(port)
        settings = tmp_path / "mosquitto.conf"
        settings.write_text(settings.read_text().replace("allow_anonymous true", "allow_anonymous false"))
        return plain

    return serve_a_module("strict", command)


@pytest.mark.anyio
async def test_a_broker_that_does_not_want_us_is_told_without_the_password(strict, monkeypatch):
    monkeypatch.setenv("BROKER_PASSWORD", "hush-hush")
    runner = MqttRunner(port=strict.port, username="me", password="env:BROKER_PASSWORD", **(REACTOR | SHORT))
    with pytest.raises(ConfigurationError, match=r"refuses: .*look at username and password") as refused:
        async with runner:
            pass

    assert "hush-hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"measure": {}}, "name a pointer for each metric"),
        ({"measure": {"y": "yield"}}, r"measure\.y is 'yield': write a JSON pointer"),
        ({"result": "reactor/#"}, r"result is 'reactor/#': write one topic, without \+ and #"),
        ({"command": {"topic": "c", "json": {"x": "{x}"}}}, 'write "{key}" where the device takes a name'),
        ({"command": {"topic": "c", "json": {"id": "{key}"}}}, 'write "{x}" where it belongs'),
        ({"command": {"topic": "c", "json": {"id": "{key}", "x": "{x}", "g": "{gas}"}}}, "{gas} is no setting"),
        ({"status": {"topic": "c", "json": {"id": "{key}"}}}, 'write "{key}" and "{question}" in it'),
        ({"stop": {"topic": "c", "json": {"do": "stop"}}}, "which says which run it ends"),
        ({"stop": {"topic": "c", "json": ["{key}", "{question}"]}}, "needs the topic of the `reply`"),
        ({"settings": {"x": {"to": "temperature", "unit": "degC", "sent_in": "mL"}}}, "cannot be sent in mL"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(fields, told):
    with pytest.raises(ConfigurationError, match=told):
        MqttRunner(**(REACTOR | SHORT | fields))


def test_a_parameter_without_a_setting_is_refused():
    with pytest.raises(ConfigurationError, match="nothing says how 'gas' reaches the instrument"):
        MqttRunner(**(REACTOR | SHORT)).check_space(
            search_space([RangeParameterConfig("x", (0, 1)), RangeParameterConfig("gas", (0, 1))])
        )


@pytest.mark.anyio
async def test_a_missing_library_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "aiomqtt", None)
    for one in (MqttRunner(**(REACTOR | SHORT)), MqttMetric("y", host="127.0.0.1", topic="room/7")):
        with pytest.raises(ConfigurationError, match=r"pip install 'titrant\[mqtt\]'"):
            async with one:
                pass


def test_every_error_of_the_library_has_a_meaning():
    assert MqttRunner.errors.unlisted(aiomqtt, aiomqtt.exceptions) == []
    assert MqttRunner.errors.dangling() == []


# --- the closed loop --------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_a_killed_engine_takes_its_runs_up_and_starts_nothing_twice(lab, door, mosquitto, tmp_path):
    loop = await killed_and_resumed(
        "mqtt",
        json.loads(json.dumps(twin_at(door.prefix) | {"host": "127.0.0.1", "port": mosquitto.port, "places": 2})),
        starts=lab.starts,
        folder=tmp_path,
        parameters={"volt": (0.0, 3.0)},
        parallelism=2,
    )

    assert (loop.lost, loop.starts) == ([], 12)
