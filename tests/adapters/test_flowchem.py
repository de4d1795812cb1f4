"""flowchem: its own simulated heater and pump behind a line that goes wrong, and canned answers of another server."""

from __future__ import annotations

import re
from typing import ClassVar

import pytest
from tests.adapters.canned import canned
from tests.adapters.lines import CountedWire
from tests.adapters.loops import killed_and_resumed

from titrant import ConfigurationError
from titrant.errors import OutcomeUnknown, RunnerError, SubmissionRefused
from titrant.testing.runner_contract import RunnerContract, attempt_of
from titrant_adapters.flowchem import FlowchemRunner

HEATER = "/r4/reactor1/temperature"
FIELDS = {
    "settings": {"x": {"to": f"{HEATER}?temp", "unit": "degC", "read_back": HEATER, "tolerance": 0.5}},
    "ready": {"/r4/reactor1/target-reached": True},
    "start": ["/pump/pump/infuse?rate=1 ml/min&volume=0.1 ml"],
    "measure": {"y": HEATER},
    "safe": ["/pump/pump/stop", "/r4/reactor1/power-off"],
    "poll_s": 0.02,
}


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def recorded(_metadata):
    pass


# --- flowchem-sim -----------------------------------------------------------------------------------------------------


class InfusionWire(CountedWire):
    """Counts the infusions in the server's log: flowchem keeps no ledger."""

    async def __aenter__(self):
        self._earlier = self._logged()
        return await super().__aenter__()

    def _logged(self):
        return len(re.findall(r'"PUT /pump/pump/infuse\S* HTTP/1.1" 200', self.server.log.read_text(errors="replace")))

    async def starts(self):
        return self._logged() - self._earlier


@pytest.fixture
async def lab(flowchem):
    rewrite = {
        "refuse": lambda request: request.replace(b"/infuse?", b"/infuze?"),
        "stuck": lambda request: request.replace(b"temp=64.0", b"temp=50.0"),
    }

    def is_start(request):
        return (b"?temp=" if wire.armed == "stuck" else b"/infuse?") in request

    async with InfusionWire(flowchem, is_start=is_start, rewrite=rewrite) as wire:
        yield wire


@pytest.mark.adapters_slow
class TestFlowchemKeepsTheContract(RunnerContract):
    points = ({"x": 64.0}, {"x": 72.0})
    deadline_s = 1.0
    run_deadline_s = 15.0  # a restart takes eight
    cannot: ClassVar = {
        "duplicate": "HTTP has no second reply, and each request has a connection of its own",
        "alarm": "flowchem gives values without any quality",
        "defined_error": "flowchem answers all errors with 500, which does not say what was done",
        "drift": "the simulated heater is at its set point, always",
    }

    def expected(self, parameters):
        return parameters["x"]

    @pytest.fixture
    def make_runner(self, lab):
        url = f"http://{lab.host}:{lab.port}"
        return lambda: FlowchemRunner(**FIELDS, url=url, timeout_s=self.deadline_s, run_timeout_s=self.run_deadline_s)


@pytest.mark.adapters_slow
@pytest.mark.anyio
async def test_a_set_point_that_is_clamped_fails_with_what_was_set_instead(flowchem):
    async with FlowchemRunner(**FIELDS, url=f"http://{flowchem.host}:{flowchem.port}") as runner:
        result = await runner.run(attempt_of({"x": 900.0}), recorded, None)

    assert (result.status, result.executed) == ("failed", {"x": 250.0})


@pytest.mark.adapters_slow
@pytest.mark.anyio
async def test_of_a_run_that_was_under_way_when_the_engine_was_killed_nobody_can_say(lab, tmp_path):
    loop = await killed_and_resumed(
        "flowchem",
        {**FIELDS, "url": f"http://{lab.host}:{lab.port}"},
        starts=lab.starts,
        folder=tmp_path,
        parameters={"x": (30.0, 200.0)},
    )

    assert len(loop.lost) == 1


@pytest.mark.adapters_slow
@pytest.mark.anyio
async def test_the_doctor_is_told_which_devices_there_are(flowchem):
    (found,) = await FlowchemRunner(**FIELDS, url=f"http://{flowchem.host}:{flowchem.port}").probe()

    assert found.level == "ok"
    assert found.what.endswith("has pump, r4")


@pytest.mark.adapters_slow
@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"start": ["/pump/pump/infuze"]}, "path is '/pump/pump/infuze': the server has nothing there to put"),
        ({"measure": {"y": "/pump/pump/infuse"}}, "path is '/pump/pump/infuse': the server has nothing there to get"),
    ],
)
async def test_a_path_that_is_not_there_is_told_when_connecting(flowchem, fields, told):
    with pytest.raises(ConfigurationError, match=told):
        async with FlowchemRunner(**FIELDS | fields, url=f"http://{flowchem.host}:{flowchem.port}"):
            pass


# --- what that server does not do -------------------------------------------------------------------------------------

PATHS = {
    HEATER: {"get": {}, "put": {}},
    "/r4/reactor1/target-reached": {"get": {}},
    "/r4/reactor1/power-off": {"put": {}},
    "/pump/pump/infuse": {"put": {}},
    "/pump/pump/stop": {"put": {}},
    "/pump/pump/is-pumping": {"get": {}},
}
INFUSE = "PUT /pump/pump/infuse?rate=1+ml%2Fmin&volume=0.1+ml"


def answers(**more):
    server = {
        "GET /openapi.json": (200, {"paths": PATHS}),
        f"PUT {HEATER}?temp=64.0+degC": (200, None),
        f"GET {HEATER}": (200, "64.2"),
        "GET /r4/reactor1/target-reached": [(200, False), (200, True)],
        INFUSE: (200, True),
        "GET /pump/pump/is-pumping": [(200, True), (200, False)],
        "PUT /pump/pump/stop": (200, True),
        "PUT /r4/reactor1/power-off": (200, None),
    }
    return server | more


@pytest.fixture
def make_runner():
    given = FIELDS | {"until": {"/pump/pump/is-pumping": False}, "timeout_s": 0.4, "run_timeout_s": 0.6}
    return lambda server, **fields: FlowchemRunner(**given | {"url": server.url} | fields)


@pytest.mark.anyio
async def test_a_run_waits_for_levels_and_leaves_the_devices_safe(make_runner):
    async with canned(answers()) as server, make_runner(server) as runner:
        result = await runner.run(attempt_of({"x": 64.0}), recorded, None)

    assert result.data == {"y": 64.2}
    assert server.lines.index(INFUSE) == 5, "it started before it was ready"
    assert server.lines[-2:] == ["PUT /pump/pump/stop", "PUT /r4/reactor1/power-off"]


@pytest.mark.anyio
async def test_a_set_point_that_was_lost_during_the_run_spoils_it(make_runner):
    readings = [(200, 64.0), (200, 31.0), (200, 25.0)]  # read back, measured, read back again
    async with canned(answers(**{f"GET {HEATER}": readings})) as server, make_runner(server) as runner:
        result = await runner.run(attempt_of({"x": 64.0}), recorded, None)

    assert (result.status, result.executed) == ("failed", {"x": 25.0})


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("more", "kind", "infused"),
    [
        ({"GET /r4/reactor1/target-reached": (200, False)}, SubmissionRefused, 0),
        ({INFUSE: (500, "Internal Server Error")}, OutcomeUnknown, 1),
        ({INFUSE: (422, {"detail": "rate"})}, RunnerError, 1),
        ({INFUSE: (200, False)}, RunnerError, 1),
        ({INFUSE: None}, OutcomeUnknown, 1),
        ({"GET /pump/pump/is-pumping": (200, True)}, OutcomeUnknown, 1),
    ],
)
async def test_how_a_run_ends_without_a_result(make_runner, more, kind, infused):
    async with canned(answers(**more)) as server, make_runner(server) as runner:
        with pytest.raises(RunnerError) as caught:
            await runner.run(attempt_of({"x": 64.0}), recorded, None)

    assert type(caught.value) is kind
    assert server.lines.count(INFUSE) == infused


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"settings": {"x": {"to": HEATER}}}, r"settings\.x\.to is '/r4.*': add the argument's name"),
        ({"settings": {"x": {"to": f"{HEATER}?temp", "unit": "celsius"}}}, "'celsius' is no unit known here"),
        ({"start": []}, r"start is \(\): say what starts a run"),
        ({"measure": {}}, "measure is {}: name a path for each metric"),
        ({"safe": ["pump/pump/stop"]}, "path is 'pump/pump/stop': write it from the server's root"),
    ],
)
def test_what_cannot_work_is_refused(fields, told):
    with pytest.raises(ConfigurationError, match=told):
        FlowchemRunner(**FIELDS | {"url": "http://lab"} | fields)


@pytest.mark.anyio
async def test_another_service_at_the_address_is_told():
    async with canned({"GET /openapi.json": (200, {"openapi": "3.1.0"})}) as service:
        (found,) = await FlowchemRunner(**FIELDS, url=service.url).probe()

    assert (found.level, "there is no /paths in" in found.what) == ("fail", True)


@pytest.mark.anyio
async def test_a_server_that_is_not_there_is_told_with_what_to_do():
    (absent,) = await FlowchemRunner(**FIELDS, url="http://127.0.0.1:1").probe()

    assert absent.level == "fail"
    assert absent.remedy
