"""The stand-in gives the recorded answers, within the real server's own schema, and no others."""

import gzip
import itertools
import json
import re
from pathlib import Path

import httpx
import pytest
from jsonschema import Draft202012Validator
from tests.adapters.servers.opentrons_robot import PARAMETERS, RECORDED

DATA = Path(__file__).parents[1] / "data/opentrons"
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")
LABELS = [f"{n:02} {each['method']} {each['path'].split('/')[-1]}" for n, each in enumerate(RECORDED)]
TIP_RACK = {"location": {"slotName": "1"}, "loadName": "opentrons_96_tiprack_300ul"}
PLATE = {"location": {"slotName": "2"}, "loadName": "corning_96_wellplate_360ul_flat"}


@pytest.fixture(scope="module")
def http(opentrons):
    address = f"http://{opentrons.host}:{opentrons.port}"
    with httpx.Client(base_url=address, headers={"Opentrons-Version": "*"}, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def answers(http):
    """What the stand-in says to the 21 recorded requests, with its own ids put in place of the recorded ones."""
    ids, given = {}, []
    for each in RECORDED:
        text = UUID.sub(lambda found: ids.get(found[0], found[0]), json.dumps([each["path"], each["request"]]))
        path, body = json.loads(text)
        answer = http.request(each["method"], path, json=body)
        while each["method"] == "GET" and answer.json().get("data", {}) and running(answer):
            answer = http.request(each["method"], path)
        given.append(answer)
        ids.update(zip(ids_in(each["response"]), ids_in(answer.json()), strict=False))
    return given


def ids_in(value):
    return UUID.findall(json.dumps(value, sort_keys=True))


def running(answer):
    data = answer.json()["data"]
    return isinstance(data, dict) and data.get("status") == "running"


def plain(value):
    """Ids by the order in which they turn up, times as such: the rest must be equal."""
    numbers, count = {}, itertools.count(1)
    text = UUID.sub(lambda found: numbers.setdefault(found[0], f"id {next(count)}"), json.dumps(value, sort_keys=True))
    return json.loads(TIME.sub("a time", text))


@pytest.fixture(scope="module")
def schema():
    document = json.loads(gzip.decompress((DATA / "openapi.json.gz").read_bytes()))
    document["components"]["schemas"]["LabwareDefinition"] = {}  # cut out of the recording, and so of the answers
    return document


def validator(schema, method, path, status):
    """The schema of an answer, by the template that fits the path."""
    path = re.sub("(?<=/runs/)[^/]+", "{runId}", re.sub("(?<=/commands/)[^/]+", "{commandId}", path.split("?")[0]))
    content = schema["paths"][path][method.lower()]["responses"][str(status)]["content"]["application/json"]["schema"]
    return Draft202012Validator(content | {"components": schema["components"]})


def test_there_are_21_recorded_exchanges():
    assert len(RECORDED) == 21


@pytest.mark.parametrize("n", range(21), ids=LABELS)
def test_the_stand_in_answers_as_recorded(n, answers):
    assert (answers[n].status_code, plain(answers[n].json())) == (RECORDED[n]["status"], plain(RECORDED[n]["response"]))


@pytest.mark.parametrize("n", range(21), ids=LABELS)
def test_every_answer_is_as_valid_under_the_servers_own_schema_as_the_recorded_one(n, answers, schema):
    check = validator(schema, RECORDED[n]["method"], RECORDED[n]["path"], RECORDED[n]["status"])
    breaches = [error.message for error in check.iter_errors(answers[n].json())]

    assert breaches == [error.message for error in check.iter_errors(RECORDED[n]["response"])]
    # The real server leaves out what is null in a module, which its schema does not allow; nothing else.
    assert not breaches or RECORDED[n]["path"] == "/modules"


@pytest.fixture
def run(http):
    """Commands to a run of its own."""
    key = http.post("/runs", json={"data": {}}).json()["data"]["id"]

    def command(kind, query="?waitUntilComplete=true&timeout=20000", **params):
        body = {"data": {"commandType": kind, "params": params}}
        return http.post(f"/runs/{key}/commands{query}", json=body)

    command.path = f"/runs/{key}"
    return command


@pytest.fixture
def deck(run):
    """The deck as it was recorded: homed, a tip rack, a plate, a pipette; gives the arguments of a movement."""
    run("home")
    named = {"namespace": "opentrons", "version": 1}
    rack = run("loadLabware", **TIP_RACK, **named).json()["data"]["result"]["labwareId"]
    plate = run("loadLabware", **PLATE, **named).json()["data"]["result"]["labwareId"]
    pipette = run("loadPipette", pipetteName="p300_single", mount="right").json()["data"]["result"]["pipetteId"]
    return {"pipetteId": pipette, "labwareId": rack}, {"pipetteId": pipette, "labwareId": plate}


def test_a_transfer_moves_liquid_with_a_tip_of_its_own(run, deck, opentrons):
    tips, wells = deck
    before = opentrons.starts("dispense")
    for kind, where in (("pickUpTip", tips), ("aspirate", wells), ("dispense", wells), ("dropTip", tips)):
        amount = {"volume": 41.5, "flowRate": 50} if where is wells else {}
        assert run(kind, wellName="C7", **where, **amount).json()["data"]["status"] == "succeeded"

    assert opentrons.starts("dispense") == before + 1


def test_without_a_tip_the_command_fails_and_the_run_goes_on(run, deck, http):
    failed = run("aspirate", wellName="B2", volume=10, flowRate=50, **deck[1]).json()["data"]

    assert (failed["status"], failed["error"]["errorType"]) == ("failed", "TipNotAttachedError")
    assert http.get(run.path).json()["data"]["status"] == "idle"


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("loadLabware", {**PLATE, "location": {"slotName": "3"}, "namespace": "opentrons", "version": 1}),
        ("loadPipette", {"pipetteName": "p1000_single", "mount": "left"}),
        ("touchTip", {}),
        ("home", {"axes": ["x"]}),
        ("waitForDuration", {}),
    ],
)
def test_what_was_not_recorded_is_not_answered(run, kind, params):
    assert run(kind, **params).status_code == 501


def test_no_more_fits_into_a_tip_than_was_recorded(run, deck):
    run("pickUpTip", wellName="A1", **deck[0])

    assert run("aspirate", wellName="A1", volume=300.5, flowRate=50, **deck[1]).status_code == 501


def test_a_command_that_nobody_waits_for_is_not_answered_and_not_begun(run, opentrons):
    before = opentrons.starts()

    assert (run("home", query="").status_code, opentrons.starts()) == (501, before)


def test_every_command_that_is_carried_out_was_recorded_as_a_success():
    done = {each["response"]["data"]["commandType"] for each in RECORDED if '"succeeded"' in json.dumps(each)}

    assert set(PARAMETERS) == done
