"""The twin as a device at Debian's MQTT broker, driven by aiomqtt."""

import json

import aiomqtt
import anyio
import pytest
from tests.adapters.twin.wiring import LATE_S, PATIENCE_S, opened

from titrant.errors import ConfigurationError

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"  # aiomqtt knows no other


class Caller:
    """A client of the broker, with what it has heard by topic."""

    def __init__(self, client, prefix):
        self.client, self.prefix, self.asked = client, prefix, 0
        self.heard = {"data": [], "result": [], "status": []}
        self._news = anyio.Event()

    async def listen(self):
        async for message in self.client.messages:
            self.heard[str(message.topic).rpartition("/")[2]].append(message.payload.decode())
            self._news.set()
            self._news = anyio.Event()

    async def until(self, found, patience_s=5.0):
        with anyio.fail_after(patience_s):
            while (answer := found()) is None:
                await self._news.wait()
        return answer

    async def ask(self, do, patience_s=5.0, **more):
        self.asked += 1
        own = str(self.asked)
        await self.client.publish(f"{self.prefix}/cmd", json.dumps({"id": own, "do": do, **more}), qos=1)
        return await self.until(lambda: next((one for one in self.replies() if one["id"] == own), None), patience_s)

    def replies(self):
        return [json.loads(one) for one in self.heard["data"] if one.endswith("}")]

    async def result(self):
        return json.loads(await self.until(lambda: next(iter(self.heard["result"]), None)))


@pytest.fixture
async def door(mosquitto, request):
    prefix = f"twin/{request.node.name}".replace("[", "/").replace("]", "")
    async with opened("mqtt", broker_port=mosquitto.port, prefix=prefix) as door:
        yield door


@pytest.fixture
async def caller(mosquitto, door):
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client, anyio.create_task_group() as tasks:
        await client.subscribe([(f"{door.prefix}/{topic}", 1) for topic in ("data", "result", "status")])
        caller = Caller(client, door.prefix)
        tasks.start_soon(caller.listen)
        await caller.until(lambda: "online" in caller.heard["status"] or None)
        yield caller
        tasks.cancel_scope.cancel()


async def test_a_closed_step(caller):
    begun = await caller.ask("start", key="k", parameters={"volt": 3.0})
    result = await caller.result()

    assert (begun["run"], begun["state"]) == (1, "running")
    assert (result["state"], result["values"]["power"], result["key"]) == ("done", 9.0, "k")


async def test_a_setting_is_set_and_read_back(caller):
    await caller.ask("set", name="volt", value=2.5)

    assert (await caller.ask("read", name="volt"))["set"] == 2.5
    assert (await caller.ask("identify"))["settings"]["volt"] == 2.5
    assert (await caller.ask("stop"))["set"]["volt"] == 1.0


@pytest.mark.parametrize(
    ("do", "more", "said"),
    [
        ("set", {"name": "volt", "value": 99}, "volt takes 0 to 6 V, not 99"),
        ("read", {"name": "ohm"}, "no setting ohm; there are volt, amp"),
        ("dance", {}, "nothing called 'dance' to do; there are identify, set"),
    ],
)
async def test_what_cannot_be_done_is_said(caller, do, more, said):
    assert said in (await caller.ask(do, **more))["error"]


async def test_a_message_that_is_no_order_is_answered_without_an_id(caller):
    await caller.client.publish(f"{caller.prefix}/cmd", "start!")

    assert "not understood" in (await caller.until(lambda: next(iter(caller.replies()), None)))["error"]


async def test_a_broker_that_is_not_there_is_named():
    with pytest.raises(ConfigurationError, match=r"no MQTT broker at 127\.0\.0\.1:1: start one"):
        async with opened("mqtt", broker_port=1):
            pass


# The thirteen faults


async def test_a_delayed_reply_comes(door, caller):
    await door.lab.arm("delay", 0.05)

    assert (await caller.ask("start"))["run"] == 1


@pytest.mark.parametrize(("fault", "seconds"), [("mute", 0), ("half_frame", 0), ("late_reply", LATE_S), ("drop", 0)])
async def test_a_reply_that_does_not_come_whole_and_in_time_leaves_a_run_that_is_found(door, caller, fault, seconds):
    await door.lab.arm(fault, seconds)
    with pytest.raises(TimeoutError):
        await caller.ask("start", PATIENCE_S, key="k", parameters={"volt": 2.0})
    await door.lab.settled()
    await caller.until(lambda: caller.heard["status"][-1] == "online" or None)

    assert await door.lab.starts() == 1
    assert (await caller.ask("status", key="k"))["values"]["power"] == 4.0


async def test_half_a_message_is_half_of_what_it_says(door, caller):
    await door.lab.arm("half_frame")
    with pytest.raises(TimeoutError):
        await caller.ask("start", PATIENCE_S)

    assert caller.heard["data"][0].startswith('{"id":"1"')
    assert not caller.heard["data"][0].endswith("}")


async def test_a_duplicate_comes_twice_with_the_same_id(door, caller):
    await door.lab.arm("duplicate")
    await caller.ask("start")
    await caller.until(lambda: len(caller.replies()) == 2 or None)

    assert [one["id"] for one in caller.replies()] == ["1", "1"]
    assert await door.lab.starts() == 1


async def test_a_lost_device_has_its_will_told_and_comes_back(door, caller):
    await door.lab.arm("drop")
    with pytest.raises(TimeoutError):
        await caller.ask("start", PATIENCE_S)
    await caller.until(lambda: len(caller.heard["status"]) >= 3 or None)

    assert caller.heard["status"][-3:] == ["online", "offline", "online"]


async def test_a_refusal_is_an_error_and_no_start(door, caller):
    await door.lab.arm("refuse")

    assert (await caller.ask("start"))["error"] == "the interlock is open"
    assert await door.lab.starts() == 0


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("alarm", {"state": "done", "quality": "bad", "values": {}}),
        ("defined_error", {"state": "failed", "reason": "the nozzle is clogged"}),
        ("drift", {"state": "done", "values": {"power": pytest.approx(1.1), "ripple": pytest.approx(11.0)}}),
    ],
)
async def test_what_became_of_a_run_is_told_when_it_is_over(door, caller, fault, found):
    await door.lab.arm(fault)
    await caller.ask("start")
    result = await caller.result()

    assert {name: result[name] for name in found} == found


@pytest.mark.parametrize(("fault", "state"), [("crash_in_run", "lost"), ("crash_after_done", "done")])
async def test_a_crash_tells_the_will_and_leaves_what_the_device_remembers(door, caller, fault, state):
    await door.lab.arm(fault)
    # Not asked, only told: the crash may come before the reply.
    await caller.client.publish(f"{caller.prefix}/cmd", json.dumps({"id": "0", "do": "start", "key": "k"}), qos=1)
    await caller.until(lambda: caller.heard["status"][-2:] == ["offline", "online"] or None)

    assert (await caller.ask("status", key="k"))["state"] == state


async def test_a_stuck_setting_shows_in_the_read_back(door, caller):
    await door.lab.arm("stuck")
    await caller.ask("set", name="volt", value=3.0)

    assert (await caller.ask("read", name="volt"))["set"] == 1.0
