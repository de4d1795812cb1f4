"""A MADSci node: a real one in its own environment behind a line that goes wrong, and canned answers of another."""

from __future__ import annotations

from typing import ClassVar

import pytest
from tests.adapters.canned import canned
from tests.adapters.lines import CountedWire
from tests.adapters.loops import killed_and_resumed
from tests.adapters.servers.reactor import yield_at

from titrant import ConfigurationError
from titrant.errors import NeverSeen, OutcomeUnknown, RunnerError, SubmissionRefused
from titrant.testing.runner_contract import RunnerContract, attempt_of
from titrant_adapters.madsci import MadsciRunner

FIELDS = {
    "action": "run_reaction",
    "settings": {"x": {"to": "temperature"}},
    "measure": {"y": ""},
    "reset": True,
    "poll_s": 0.02,
}


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def recorded(_metadata):
    pass


# --- the real node ----------------------------------------------------------------------------------------------------


@pytest.fixture
async def lab(madsci):
    rewrite = {
        "refuse": lambda request: request.replace(b'"temperature"', b'"temparature"'),
        "defined_error": lambda request: request.replace(b"64.0", b"230 "),
    }

    def is_start(request):
        return (b'"args"' if wire.armed in rewrite else b"/start ") in request

    async with CountedWire(madsci, is_start=is_start, rewrite=rewrite) as wire:
        yield wire


@pytest.mark.adapters_slow
class TestMadsciKeepsTheContract(RunnerContract):
    points = ({"x": 64.0}, {"x": 72.0})
    deadline_s = 2.0  # an answer takes the node a quarter of a second
    run_deadline_s = 20.0  # and a restart ten
    cannot: ClassVar = {
        "duplicate": "HTTP has no second reply, and each request has a connection of its own",
        "alarm": "an action gives a result or an error, and no quality",
        "drift": "the node is another's, and its physics does not drift",
        "stuck": "a node has no settings: arguments go with the action",
    }

    def expected(self, parameters):
        return yield_at(parameters["x"])

    @pytest.fixture
    def make_runner(self, lab):
        url = f"http://{lab.host}:{lab.port}"
        return lambda: MadsciRunner(**FIELDS, url=url, timeout_s=self.deadline_s, run_timeout_s=self.run_deadline_s)


@pytest.mark.adapters_slow
@pytest.mark.anyio
async def test_a_killed_engine_finds_its_action_again(madsci, tmp_path):
    before = madsci.starts()
    loop = await killed_and_resumed(
        "madsci",
        {**FIELDS, "url": f"http://{madsci.host}:{madsci.port}"},
        starts=lambda: madsci.starts() - before,
        folder=tmp_path,
        parameters={"x": (40.0, 120.0)},
    )

    assert loop.lost == []
    assert loop.starts == 12


@pytest.mark.adapters_slow
@pytest.mark.anyio
async def test_a_node_in_an_error_state_refuses_until_a_person_resets_it(madsci):
    url = f"http://{madsci.host}:{madsci.port}"
    runner = MadsciRunner(**FIELDS | {"reset": False}, url=url)
    async with runner:
        with pytest.raises(RunnerError, match=r"failed: TooHotError: 230\.0 degrees"):
            await runner.run(attempt_of({"x": 230.0}), recorded, None)
        with pytest.raises(SubmissionRefused, match="the node did not start it: NodeNotReady"):
            await runner.run(attempt_of({"x": 64.0}), recorded, None)
    levels = [one.level for one in await runner.probe()]
    async with MadsciRunner(**FIELDS, url=url) as patient:
        result = await patient.run(attempt_of({"x": 64.0}), recorded, None)

    assert levels == ["ok", "warn"]
    assert result.data == {"y": yield_at(64.0)}


@pytest.mark.adapters_slow
@pytest.mark.anyio
async def test_an_action_that_was_created_and_never_started_was_never_seen(madsci):
    async with MadsciRunner(**FIELDS, url=f"http://{madsci.host}:{madsci.port}") as runner:
        made = await runner.http.ask("POST", "/action/run_reaction", json={"args": {"temperature": 64.0}})
        with pytest.raises(NeverSeen, match="the node knows no action"):
            await runner.reattach(attempt_of({"x": 64.0}, metadata=made.body))


@pytest.mark.adapters_slow
@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"action": "run"}, "action is 'run': the node has run_reaction"),
        ({"settings": {}}, "args is {}: run_reaction wants temperature"),
        ({"args": {"minutes": 5}}, "run_reaction takes temperature, and no minutes"),
        ({"safe": ["safety_stop"]}, "safe is 'safety_stop': the node has the admin commands lock, reset"),
        ({"cancel": True}, "cancel is True: the node has the admin commands lock"),
    ],
)
async def test_what_the_node_does_not_have_is_told_when_connecting(madsci, fields, told):
    with pytest.raises(ConfigurationError, match=told):
        async with MadsciRunner(**FIELDS | fields, url=f"http://{madsci.host}:{madsci.port}"):
            pass


# --- what that node does not do, in the words it would use ------------------------------------------------------------

ARGS = {"temperature": {"name": "temperature", "required": True}}
INFO = {
    "node_name": "n", "module_name": "m", "module_version": "1",
    "actions": {"run_reaction": {"args": ARGS}},
    "capabilities": {"admin_commands": ["cancel", "reset", "safety_stop"]},
}  # fmt: skip
READY = {"errored": False, "initializing": False, "ready": True, "description": ""}


def failed(kind, status="failed"):
    return 200, {"status": status, "errors": [{"error_type": kind, "message": "so"}], "json_result": None}


def answers(**more):
    node = {
        "GET /info": (200, INFO),
        "GET /status": (200, READY),
        "POST /action/run_reaction": (200, {"action_id": "A"}),
        "POST /action/run_reaction/A/start": (200, {"status": "running", "errors": []}),
        "GET /action/A/status": [(200, "running"), (500, "trouble"), (200, "succeeded")],
        "GET /action/A/result": (200, {"status": "succeeded", "json_result": 4.0, "errors": []}),
        "POST /admin/cancel": (200, {"success": True}),
        "POST /admin/reset": (200, {"success": True}),
        "POST /admin/safety_stop": (200, failed("Jammed")[1] | {"success": False}),
    }
    return node | more


@pytest.fixture
def make_runner():
    return lambda node, **fields: MadsciRunner(**FIELDS | {"url": node.url, "timeout_s": 0.4} | fields)


@pytest.mark.anyio
async def test_an_action_is_created_recorded_started_and_awaited(make_runner):
    told = []
    async with canned(answers()) as node:

        async def record(metadata):
            told.append((dict(metadata), node.lines[-1]))

        async with make_runner(node) as runner:
            result = await runner.run(attempt_of({"x": 64.0}), record, None)

    assert result.data == {"y": 4.0}
    assert told == [({"action_id": "A"}, "POST /action/run_reaction")]


@pytest.mark.anyio
@pytest.mark.parametrize(("otherwise", "status"), [("fail", "failed"), ("record", "completed")])
async def test_what_was_carried_out_instead_fails_the_trial_or_is_recorded(make_runner, otherwise, status):
    told = {"status": "succeeded", "json_result": {"y": 4.0, "T": 60.0}, "errors": []}
    settings = {"x": {"to": "temperature", "read_back": "/T"}}
    async with canned(answers(**{"GET /action/A/result": (200, told)})) as node:
        fields = {"settings": settings, "measure": {"y": "/y"}, "otherwise": otherwise}
        async with make_runner(node, **fields) as runner:
            result = await runner.run(attempt_of({"x": 64.0}), recorded, None)

    assert (result.status, result.executed) == (status, {"x": 60.0})


@pytest.mark.anyio
async def test_another_service_at_the_address_is_told(make_runner):
    async with canned({"GET /info": (200, ["no", "node"])}) as service:
        (found,) = await make_runner(service).probe()

    assert (found.level, "there is no /actions in" in found.what) == ("fail", True)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"POST /action/run_reaction/A/start": failed("NodeNotReady", "not_ready")}, SubmissionRefused),
        ({"POST /action/run_reaction/A/start": failed("NotFound")}, SubmissionRefused),
        ({"POST /action/run_reaction": (422, {"detail": "Field required"})}, RunnerError),
        ({"POST /action/run_reaction": None}, SubmissionRefused),
        ({"GET /action/A/status": (200, "unknown")}, OutcomeUnknown),
        ({"GET /action/A/status": (200, "cancelled"), "GET /action/A/result": failed("Cancelled")}, RunnerError),
    ],
)
async def test_how_an_action_ends_without_a_result(make_runner, more, kind):
    async with canned(answers(**more)) as node, make_runner(node) as runner:
        with pytest.raises(RunnerError) as caught:
            await runner.run(attempt_of({"x": 64.0}), recorded, None)

    assert type(caught.value) is kind


@pytest.mark.anyio
async def test_a_start_that_nobody_answered_is_asked_for_and_not_sent_again(make_runner):
    async with canned(answers(**{"POST /action/run_reaction/A/start": None})) as node, make_runner(node) as runner:
        assert (await runner.run(attempt_of({"x": 64.0}), recorded, None)).data == {"y": 4.0}

    assert node.lines.count("POST /action/run_reaction/A/start") == 1


@pytest.mark.anyio
async def test_a_node_is_reset_before_a_trial_only_where_that_was_said(make_runner):
    errored = {"GET /status": (200, READY | {"errored": True})}
    for reset in (True, False):
        async with canned(answers(**errored)) as node, make_runner(node, reset=reset) as runner:
            await runner.run(attempt_of({"x": 64.0}), recorded, None)
        assert ("POST /admin/reset" in node.lines) is reset


@pytest.mark.anyio
async def test_a_node_is_given_time_to_initialize(make_runner):
    initializing = READY | {"initializing": True, "ready": False}
    statuses = READY | {"errored": True}, initializing, initializing, READY
    answer = answers(**{"GET /status": [(200, one) for one in statuses]})
    async with canned(answer) as node, make_runner(node, reset=True) as runner:
        await runner.run(attempt_of({"x": 64.0}), recorded, None)

    create = node.lines.index("POST /action/run_reaction")
    assert node.lines[:create].count("GET /status") == len(statuses)


@pytest.mark.anyio
async def test_a_node_that_never_gets_initialized_begins_no_trial(make_runner):
    answer = answers(**{"GET /status": (200, READY | {"initializing": True})})
    async with canned(answer) as node, make_runner(node, initialize_timeout_s=0.1) as runner:
        with pytest.raises(SubmissionRefused, match=r"the node's initializing took longer than 0\.1 s"):
            await runner.run(attempt_of({"x": 64.0}), recorded, None)

    assert "POST /action/run_reaction" not in node.lines


@pytest.mark.anyio
async def test_a_safe_state_that_is_not_reached_is_told_and_a_trial_can_be_cancelled(make_runner):
    async with canned(answers()) as node:
        runner = make_runner(node, safe=["safety_stop"], cancel=True)
        with pytest.raises(RunnerError, match="safety_stop was answered with Jammed: so"):
            async with runner:
                await runner.stop(attempt_of({"x": 1.0}, metadata={"action_id": "A"}))

    assert node.lines[-2:] == ["POST /admin/cancel", "POST /admin/safety_stop"]
    assert not hasattr(make_runner(node), "stop")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"measure": {"y": "yield"}}, r"measure\.y is 'yield': a JSON pointer begins with a slash"),
        ({"settings": {"x": {"to": "T", "read_back": "T"}}}, r"settings\.x\.read_back is 'T': a JSON pointer"),
        ({"url": "node"}, "url is 'node': write http://"),
    ],
)
def test_what_cannot_work_is_refused(fields, told):
    with pytest.raises(ConfigurationError, match=told):
        MadsciRunner(**FIELDS | {"url": "http://node"} | fields)


@pytest.mark.anyio
async def test_a_node_that_is_not_there_is_told_with_what_to_do():
    (absent,) = await MadsciRunner(**FIELDS, url="http://127.0.0.1:1").probe()

    assert absent.level == "fail"
    assert absent.remedy
