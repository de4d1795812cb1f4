"""An Opentrons robot: commands against the stand-in for the recorded robot-server, behind a line that goes wrong."""

from __future__ import annotations

import functools
import gzip
import json
import re
from typing import ClassVar

import anyio
import httpx
import msgspec
import pytest
from jsonschema import Draft202012Validator
from tests.adapters.canned import canned
from tests.adapters.lines import CountedWire
from tests.adapters.loops import killed_and_resumed
from tests.adapters.servers.opentrons_robot import HEALTH
from tests.adapters.servers.test_opentrons import DATA, validator
from tests.adapters.servers.wire import WIRE_FAULTS
from tests.adapters.stopping import Under

from titrant import AsyncClient, ConfigurationError, RangeParameterConfig
from titrant.errors import NeverSeen, OutcomeUnknown, RunnerError
from titrant.testing.runner_contract import RunnerContract, attempt_of
from titrant_adapters.opentrons import OpentronsRunner

NAMED = {"namespace": "opentrons", "version": 1}
PIPETTE = {"pipetteId": "{pipette/pipetteId}"}
WELL = PIPETTE | {"labwareId": "{plate/labwareId}", "volume": "{volume}", "flowRate": 50}
TIP = PIPETTE | {"labwareId": "{tips/labwareId}", "wellName": "A1"}
COMMANDS = [
    {"do": "home"},
    {
        "do": "loadLabware",
        "name": "tips",
        "params": {"location": {"slotName": "1"}, "loadName": "opentrons_96_tiprack_300ul", **NAMED},
    },
    {
        "do": "loadLabware",
        "name": "plate",
        "params": {"location": {"slotName": "2"}, "loadName": "corning_96_wellplate_360ul_flat", **NAMED},
    },
    {"do": "loadPipette", "name": "pipette", "params": {"pipetteName": "p300_single", "mount": "right"}},
    {"do": "pickUpTip", "params": TIP},
    {"do": "aspirate", "params": WELL | {"wellName": "H12"}},
    {"do": "dispense", "params": WELL | {"wellName": "A1"}},
    {"do": "dropTip", "params": TIP},
]
WITHOUT_FRILLS = COMMANDS[:-1]
"""What a trial needs: to a new run of the stand-in the tips are where they were."""
FIELDS = {
    "settings": {"x": {"to": "volume", "unit": "uL", "read_back": "/aspirate/volume"}},
    "commands": WITHOUT_FRILLS,
    "measure": {"y": "/dispense/volume"},
    "poll_s": 0.01,
}
BODY = re.compile(rb"\{.*\}", re.DOTALL)


@pytest.fixture
def anyio_backend():
    return "asyncio"


def instead(document):
    """Put another document of the same length into a request."""

    def rewrite(request):
        return BODY.sub(lambda found: document.ljust(len(found[0])), request)

    return rewrite


def more(request):
    """Ask for 150 in the place of 100: a robot that does something else than it was told."""
    return request.replace(b"100.0", b"150.0")


@pytest.fixture
async def lab(opentrons):
    rewrite = {
        "refuse": instead(b'{"data":{"commandType":"frobnicate","params":{}}}'),
        "defined_error": instead(
            b'{"data":{"commandType":"home","params":{}}}'
        ),  # then there is no tip to aspirate with
        "stuck": more,
    }

    def is_start(request):
        return (b'"aspirate"' if wire.armed == "stuck" else b'"pickUpTip"') in request

    async with CountedWire(opentrons, is_start=is_start, of="pickUpTip", rewrite=rewrite) as wire:
        yield wire


@pytest.fixture
def make_runner(lab):
    def make(**fields):
        given = FIELDS | {"url": f"http://{lab.host}:{lab.port}", "timeout_s": 0.8, "run_timeout_s": 3.0} | fields
        return OpentronsRunner(**given)

    return make


class TestCommandsKeepTheContract(RunnerContract):
    points = ({"x": 100.0}, {"x": 60.0})
    deadline_s = 0.8
    run_deadline_s = 3.0
    cannot: ClassVar = {
        "duplicate": "HTTP has no second reply, and each request has a connection of its own",
        "alarm": "the robot has no sensor that could doubt what it did",
        "drift": "the robot reports the volumes it was told, and measures none",
    }

    def expected(self, parameters):
        return parameters["x"]

    @pytest.fixture
    def make_runner(self, make_runner):
        return make_runner


@pytest.mark.anyio
async def test_a_trial_that_was_being_pipetted_when_the_engine_was_killed_is_for_a_person(opentrons, tmp_path):
    before = opentrons.starts("pickUpTip")
    wait = {"do": "waitForDuration", "params": {"seconds": 0.1}}  # after the tip was picked up
    loop = await killed_and_resumed(
        "opentrons",
        FIELDS | {"url": f"http://{opentrons.host}:{opentrons.port}", "commands": [*COMMANDS[:5], wait, *COMMANDS[5:]]},
        starts=lambda: opentrons.starts("pickUpTip") - before,
        folder=tmp_path,
        parameters={"x": (20.0, 200.0)},
    )

    assert len(loop.lost) == 1
    assert loop.starts == 12


@pytest.mark.anyio
async def test_a_refusal_after_the_first_command_is_no_reason_to_begin_anew(make_runner, lab):
    await lab.arm("refuse")
    async with make_runner() as runner:
        with pytest.raises(RunnerError, match=r"No match for discriminator 'commandType'") as caught:
            await runner.run(attempt_of({"x": 100.0}), _recorded, None)

    assert type(caught.value) is RunnerError


async def _recorded(_metadata):
    pass


@pytest.mark.anyio
async def test_a_robot_that_is_not_there_is_told_before_the_first_trial(make_runner):
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig("x", (0.0, 3.0))])
        await client.configure_optimization("y")
        await client.configure_runner(make_runner(url="http://127.0.0.1:1"))
        with pytest.raises(RunnerError, match=r"GET /health at http://127\.0\.0\.1:1: ConnectError"):
            await client.run_trials(max_trials=1, progress=False)

        assert client.state.next_index == 0


@pytest.mark.anyio
async def test_the_doctor_is_told_which_robot_it_is(make_runner, lab):
    (found,) = await make_runner().probe()

    assert (found.level, "opentrons-dev is an OT-2 Standard" in found.what) == ("ok", True)
    assert await lab.starts() == 0


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"commands": []}, "protocol is '': give either the id of a protocol, or commands"),
        ({"protocol": "p"}, "protocol is 'p': give either"),
        ({"protocol": "p", "commands": []}, "measure is .*: a protocol's run has no results"),
        ({"commands": COMMANDS[4:]}, r"nothing before it fills \{pipette/pipetteId\}"),
        ({"settings": {}}, r"nothing before it fills \{volume\}"),
        ({"measure": {"y": "/mix/volume"}}, r"measure\.y is '/mix/volume': point into the result of a command"),
        ({"settings": {"x": {"to": "volume", "unit": "ul"}}}, "'ul' is no unit known here"),
    ],
)
def test_what_cannot_work_is_refused(fields, told):
    with pytest.raises(ConfigurationError, match=told):
        OpentronsRunner(**FIELDS | {"url": "http://robot"} | fields)


# --- runs of a protocol: never recorded, so held to the server's own OpenAPI document ---------------------------------

RUN = {
    "id": "r1", "ok": True, "createdAt": "2026-11-21T02:12:31.476088+00:00", "current": True, "errors": [],
    "hasEverEnteredErrorRecovery": False, "pipettes": [], "modules": [], "labware": [], "liquids": [],
    "labwareOffsets": [], "runTimeParameters": [], "outputFileIds": [],
}  # fmt: skip
PLAY = {"id": "a1", "createdAt": RUN["createdAt"], "actionType": "play"}
ERROR = {
    "id": "e1", "createdAt": RUN["createdAt"], "isDefined": False, "errorType": "PipetteOverpressureError",
    "errorCode": "3006", "detail": "the tip is clogged", "errorInfo": {}, "wrappedErrors": [],
}  # fmt: skip
PROTOCOL = {"settings": {"x": {"to": "volume"}}, "commands": [], "measure": {}, "protocol": "p1", "poll_s": 0.01}


@functools.cache
def schema():
    document = json.loads(gzip.decompress((DATA / "openapi.json.gz").read_bytes()))
    document["components"]["schemas"]["LabwareDefinition"] = {}
    return document


def run_in(status, *actions, errors=()):
    return 200, {"data": RUN | {"status": status, "actions": list(actions), "errors": list(errors)}}


def answers(*later):
    return {
        "GET /health": (200, HEALTH),
        "GET /protocols/p1": (200, {}),
        "POST /runs": (201, run_in("idle")[1]),
        "POST /runs/r1/actions": (201, {"data": PLAY}),
        "GET /runs/r1": list(later) or [run_in("idle", PLAY), run_in("running", PLAY), run_in("succeeded", PLAY)],
    }


@pytest.fixture
def make_protocol_runner():
    return lambda service, **fields: OpentronsRunner(
        **FIELDS | PROTOCOL | {"url": service.url, "timeout_s": 0.4} | fields
    )


@pytest.mark.anyio
async def test_a_protocol_is_made_a_run_recorded_and_only_then_played(make_protocol_runner):
    recorded = []
    async with canned(answers()) as robot:

        async def record(metadata):
            recorded.append((dict(metadata), robot.lines[-1]))

        async with make_protocol_runner(robot) as runner:
            result = await runner.run(attempt_of({"x": 40.0}), record, None)

    assert (result.status, result.data) == ("completed", None)
    assert recorded == [({"run": "r1"}, "POST /runs")]
    for _, headers, _ in robot.asked:
        assert headers["opentrons-version"] == "*"
    bodies = {head: body for head, _, body in robot.asked if body is not None}
    wanted = {"protocolId": "p1", "runTimeParameterValues": {"volume": 40.0}}
    assert bodies == {"POST /runs": {"data": wanted}, "POST /runs/r1/actions": {"data": {"actionType": "play"}}}
    for body, model in zip(bodies.values(), ("RunCreate", "RunActionCreate"), strict=True):
        check = schema()["components"]["schemas"][model] | {"components": schema()["components"]}
        Draft202012Validator(check | {"additionalProperties": False}).validate(body["data"])


def test_the_answers_above_are_valid_under_the_servers_own_schema():
    for head, given in answers().items():
        method, path = head.split()
        for status, body in given if isinstance(given, list) else [given]:
            if path != "/protocols/p1":  # nothing of it is read
                validator(schema(), method, path, status).validate(body)
    validator(schema(), "GET", "/runs/r1", 200).validate(run_in("failed", PLAY, errors=[ERROR])[1])


@pytest.mark.anyio
async def test_a_run_that_was_played_although_nobody_said_so_is_awaited(make_protocol_runner):
    async with canned(answers() | {"POST /runs/r1/actions": None}) as robot, make_protocol_runner(robot) as runner:
        assert (await runner.run(attempt_of({"x": 1.0}), _recorded, None)).status == "completed"

    assert robot.lines.count("POST /runs/r1/actions") == 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("last", "kind", "told"),
    [
        (
            run_in("failed", PLAY, errors=[ERROR]),
            RunnerError,
            "failed: PipetteOverpressureError 3006: the tip is clogged",
        ),
        (run_in("stopped", PLAY), RunnerError, "run r1 ended as stopped"),
        (run_in("idle"), NeverSeen, "run r1 was never played"),
        (run_in("awaiting-recovery", PLAY), OutcomeUnknown, "run r1 took longer than 0.3 s"),
        ((404, {"errors": []}), OutcomeUnknown, r"run r1 took longer than 0\.3 s; last, GET /runs/r1 .* with 404"),
    ],
)
async def test_after_a_restart_the_run_tells_what_became_of_it(make_protocol_runner, last, kind, told):
    async with canned(answers(last)) as robot:
        runner = make_protocol_runner(robot, run_timeout_s=0.3)
        async with runner:
            with pytest.raises(kind, match=told) as caught:
                await runner.reattach(attempt_of({"x": 1.0}, metadata={"run": "r1"}))

    assert type(caught.value) is kind
    assert "POST /runs/r1/actions" not in robot.lines


@pytest.mark.anyio
async def test_a_trial_is_stopped_by_its_run_once(make_protocol_runner):
    playing = [run_in("running", PLAY), run_in("stop-requested", PLAY), run_in("stopped", PLAY)]
    async with canned(answers(*playing)) as robot, make_protocol_runner(robot) as runner:
        for _ in range(2):
            await runner.stop(attempt_of({"x": 1.0}, metadata={"run": "r1"}))

    assert [body for head, _, body in robot.asked if head == "POST /runs/r1/actions"] == [
        {"data": {"actionType": "stop"}}
    ]


@pytest.mark.anyio
async def test_a_protocol_that_the_robot_does_not_have_is_told_when_connecting(make_protocol_runner):
    async with canned(answers() | {"GET /protocols/p1": (404, {"errors": [{"id": "ProtocolNotFound"}]})}) as robot:
        with pytest.raises(RunnerError, match="ProtocolNotFound"):
            async with make_protocol_runner(robot):
                pass


# --- the robot that plays a protocol, and a plate reader beside it ----------------------------------------------------

READ = {"settings": {"x": {"to": "volume", "unit": "uL", "read_back": "volume"}}, "protocol": "p1", "poll_s": 0.01}


class ReadRobot(OpentronsRunner):
    """A robot whose runs are measured as they end; elsewhere a metric does that."""

    reader = ""

    async def _played(self, *given):
        result = await super()._played(*given)
        run = given[0]
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"{self.reader}/plate-reader/{run}")
        return msgspec.structs.replace(result, data={"y": answer.json()["volume"]})


class ProtocolLab(CountedWire):
    """The line to the robot; what the robot does wrong is told to itself."""

    async def arm(self, fault, seconds=0.0):
        if fault in WIRE_FAULTS or fault in self.rewrite:
            await super().arm(fault, seconds)
            return
        async with httpx.AsyncClient() as client:
            await client.post(f"http://{self.server.host}:{self.server.port}/faults", json={"kind": fault})


class TestAProtocolKeepsTheContract(RunnerContract):
    points = ({"x": 100.0}, {"x": 60.0})
    deadline_s = 0.8
    run_deadline_s = 3.0
    cannot: ClassVar = {
        "duplicate": "HTTP has no second reply, and each request has a connection of its own",
        "alarm": "the robot has no sensor that could doubt what it did",
    }

    def expected(self, parameters):
        return parameters["x"]

    @pytest.fixture
    async def lab(self, opentrons_protocols):
        refuse = {"refuse": instead(b'{"data":{"actionType":"frob"}}')}

        async with ProtocolLab(
            opentrons_protocols, is_start=lambda request: b'"play"' in request, of="play", rewrite=refuse
        ) as lab:
            yield lab

    @pytest.fixture
    def make_runner(self, lab):
        def make():
            runner = ReadRobot(url=f"http://{lab.host}:{lab.port}", timeout_s=0.8, run_timeout_s=3.0, **READ)
            runner.reader = f"http://{lab.server.host}:{lab.server.port}"
            return runner

        return make


@pytest.mark.anyio
async def test_a_killed_engine_finds_the_run_of_its_protocol_again(opentrons_protocols, tmp_path):
    url, before = f"http://{opentrons_protocols.host}:{opentrons_protocols.port}", opentrons_protocols.starts("play")
    reader = {"url": url, "get": {"path": "/plate-reader/{run}"}, "value": "/volume"}
    loop = await killed_and_resumed(
        "opentrons",
        READ | {"url": url},
        starts=lambda: opentrons_protocols.starts("play") - before,
        folder=tmp_path,
        parameters={"x": (20.0, 200.0)},
        metrics={"y": ("rest", reader)},
    )

    assert (loop.lost, loop.starts) == ([], 12)


@pytest.mark.anyio
async def test_a_protocol_is_stopped_and_the_robot_is_free_for_the_next(opentrons_protocols):
    url, before = f"http://{opentrons_protocols.host}:{opentrons_protocols.port}", opentrons_protocols.starts("play")
    async with OpentronsRunner(url=url, **READ) as runner, anyio.create_task_group() as tasks:
        under = Under(runner, attempt_of({"x": 300.0}))  # it takes half a minute
        tasks.start_soon(under.carry_out)
        while opentrons_protocols.starts("play") == before:  # noqa: ASYNC110  # the server tells it by a file
            await anyio.sleep(0.005)
        await runner.stop(under.recorded)
        again = await runner.run(attempt_of({"x": 40.0}), _recorded, None)

    assert (under.ended.outcome, again.status) == ("failed", "completed")
    assert "ended as stopped" in under.ended.reason


@pytest.mark.anyio
async def test_a_run_time_parameter_that_the_protocol_does_not_have_is_no_run(opentrons_protocols):
    url, before = f"http://{opentrons_protocols.host}:{opentrons_protocols.port}", opentrons_protocols.starts("play")
    settings = {"x": {"to": "volume", "read_back": "flow"}}
    async with OpentronsRunner(url=url, **READ | {"settings": settings}) as runner:
        with pytest.raises(RunnerError, match="has no run-time parameter 'flow'; it has volume"):
            await runner.run(attempt_of({"x": 40.0}), _recorded, None)

    assert opentrons_protocols.starts("play") == before
