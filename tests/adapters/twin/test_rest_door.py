"""The twin behind HTTP, driven by httpx."""

import sys
from contextlib import suppress

import httpx
import pytest
from tests.adapters.twin.wiring import LATE_S, PATIENCE_S, make_lab, opened

from titrant.errors import ConfigurationError

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"  # uvicorn knows no other


@pytest.fixture
async def door():
    async with opened("rest") as door:
        yield door


@pytest.fixture
async def http(door):
    async with httpx.AsyncClient(base_url=door.address, timeout=5.0) as client:
        yield client


async def start(http, timeout=5.0, **parameters):
    return await http.post("/runs", json={"key": "k", "parameters": parameters}, timeout=timeout)


async def ask_anew(door, path):
    async with httpx.AsyncClient(base_url=door.address) as http:
        return (await http.get(path)).json()


async def ended(door):
    await door.lab.settled()
    return await ask_anew(door, "/runs/1")


async def test_a_closed_step(door, http):
    told = (await http.get("/")).json()
    begun = await start(http, volt=3.0)
    run = await ended(door)

    assert [one["name"] for one in told["settings"]] == ["volt", "amp"]
    assert (begun.status_code, begun.json()["state"]) == (201, "running")
    assert (run["state"], run["values"]["power"], run["conditions"]["volt"]) == ("done", 9.0, 3.0)
    assert (await http.get("/runs", params={"key": "k"})).json() == run
    assert (await http.get("/runs/1/result")).json()["values"] == {"power": 9.0, "ripple": 10.0}


async def test_a_setting_is_put_and_read_back(http):
    assert (await http.put("/settings/volt", json={"value": 2.5})).json() == {"value": 2.5}
    assert (await http.get("/settings/volt")).json() == {"set": 2.5, "actual": 2.5}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("PUT", "/settings/volt", {"value": 99}, 422, "volt takes 0 to 6 V, not 99"),
        ("PUT", "/settings/ohm", {"value": 1}, 404, "there is no setting ohm; there are volt, amp"),
        ("POST", "/runs", {"parameter": {}}, 422, "unknown field `parameter`"),
        ("POST", "/runs", {"parameters": {"volt": "much"}}, 422, "volt takes numbers"),
        ("GET", "/runs/7", None, 404, "there is no run 7"),
        ("GET", "/runs?key=x", None, 404, "no run with the key 'x'"),
        ("GET", "/settings/ohm", None, 404, "no setting ohm"),
    ],
)
async def test_what_cannot_be_done_is_said(door, http, method, path, body, status, said):
    answer = await http.request(method, path, json=body)

    assert answer.status_code == status
    assert said in answer.json()["error"]
    assert await door.lab.starts() == 0


async def test_a_key_that_is_honoured_gives_the_run_again():
    async with (
        opened("rest", make_lab(60.0, honours_keys=True)) as door,
        httpx.AsyncClient(base_url=door.address) as http,
    ):
        first, second = await start(http), await start(http)

        assert (first.status_code, second.status_code) == (201, 200)
        assert first.json()["number"] == second.json()["number"] == 1
        assert (await http.delete("/runs/1")).json()["state"] == "stopped"


# The thirteen faults, on the wire


async def test_a_delayed_answer_comes(door, http):
    await door.lab.arm("delay", 0.05)

    assert (await start(http)).status_code == 201


@pytest.mark.parametrize(("fault", "seconds"), [("mute", 0), ("half_frame", 0), ("late_reply", LATE_S)])
async def test_an_answer_that_does_not_come_in_time_is_a_timeout_and_the_run_is_found_by_its_key(
    door, http, fault, seconds
):
    await door.lab.arm(fault, seconds)
    with pytest.raises(httpx.ReadTimeout):
        await start(http, PATIENCE_S, volt=2.0)

    assert await door.lab.starts() == 1
    found = (await http.get("/runs", params={"key": "k"})).json()
    assert (found["number"], found["conditions"]["volt"]) == (1, 2.0)


async def test_a_duplicate_answer_is_taken_for_the_next_one_on_a_line_that_is_kept(door, http):
    await door.lab.arm("duplicate")
    begun = (await start(http)).json()
    on_the_same_line = (await http.get("/settings/volt")).json()
    on_another = await ask_anew(door, "/settings/volt")

    assert on_the_same_line == begun
    assert on_another == {"set": 1.0, "actual": 1.0}
    assert await door.lab.starts() == 1


async def test_a_dropped_line_is_a_protocol_error(door, http):
    await door.lab.arm("drop")
    with pytest.raises(httpx.RemoteProtocolError):
        await start(http)

    assert (await ended(door))["state"] == "done"


async def test_a_refusal_is_a_conflict_and_no_start(door, http):
    await door.lab.arm("refuse")
    answer = await start(http)

    assert (answer.status_code, answer.json()) == (409, {"error": "the interlock is open"})
    assert await door.lab.starts() == 0


async def test_an_alarm_is_bad_quality_without_values(door, http):
    await door.lab.arm("alarm")
    await start(http)

    run = await ended(door)
    assert (run["state"], run["quality"], run["values"]) == ("done", "bad", {})


async def test_the_defined_error_is_the_reason_of_a_failure(door, http):
    await door.lab.arm("defined_error")
    await start(http)

    assert (await ended(door))["reason"] == "the nozzle is clogged"
    assert (await http.get("/runs/1/result")).status_code == 409


@pytest.mark.parametrize(("fault", "state"), [("crash_in_run", "lost"), ("crash_after_done", "done")])
async def test_a_crash_leaves_what_the_lab_remembers(door, http, fault, state):
    await door.lab.arm(fault)
    with suppress(httpx.TransportError):  # the crash may come before the answer
        await start(http)

    assert (await ended(door))["state"] == state


async def test_a_crash_closes_the_line_that_was_kept_alive(door, http):
    await door.lab.arm("crash_in_run", 60.0)
    with suppress(httpx.TransportError):
        await start(http)
    await door.lab.settled()
    with pytest.raises(httpx.TransportError):
        await http.get("/")


async def test_a_drift_shifts_the_values(door, http):
    await door.lab.arm("drift")
    await start(http)

    assert (await ended(door))["values"]["power"] == pytest.approx(1.1)


async def test_stuck_settings_show_in_what_was_really_done(door, http):
    await door.lab.arm("stuck")
    await start(http, volt=3.0)

    assert (await ended(door))["conditions"]["volt"] == 1.0


async def test_a_missing_library_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(ConfigurationError, match=r"needs uvicorn .* pip install 'titrant\[twin\]'"):
        async with opened("rest"):
            pass
