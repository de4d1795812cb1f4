"""Every answer of the robot that plays protocols is valid under the real server's own OpenAPI document."""

import gzip
import json
import re

import httpx
import pytest
from jsonschema import Draft202012Validator
from tests.adapters.servers.test_opentrons import DATA

RUN = {"protocolId": "p1", "runTimeParameterValues": {"volume": 40.0}}


@pytest.fixture(scope="module")
def schema():
    document = json.loads(gzip.decompress((DATA / "openapi.json.gz").read_bytes()))
    document["components"]["schemas"]["LabwareDefinition"] = {}
    return document


@pytest.fixture
def ask(opentrons_protocols, schema):
    """Ask the robot, and hold what it says to the document."""

    def asked(method, path, data=None):
        url = f"http://{opentrons_protocols.host}:{opentrons_protocols.port}{path}"
        answer = httpx.request(method, url, json=None if data is None else {"data": data})
        template = re.sub("(?<=/runs/)[^/]+", "{runId}", re.sub("(?<=/protocols/)[^/]+", "{protocolId}", path))
        responses = schema["paths"][template][method.lower()]["responses"]
        content = responses[str(answer.status_code)]["content"]["application/json"]["schema"]
        Draft202012Validator(content | {"components": schema["components"]}).validate(answer.json())
        return answer

    return asked


def test_a_protocol_is_played_to_its_end_once(ask, opentrons_protocols):
    before = opentrons_protocols.starts("play")
    assert ask("GET", "/health").json()["robot_model"] == "OT-2 Standard"
    assert ask("GET", "/protocols/p1").json()["data"]["id"] == "p1"
    run = ask("POST", "/runs", RUN).json()["data"]
    assert (run["status"], run["runTimeParameters"][0]["value"]) == ("idle", 40.0)
    assert ask("POST", f"/runs/{run['id']}/actions", {"actionType": "play"}).status_code == 201
    while (ended := ask("GET", f"/runs/{run['id']}").json()["data"])["status"] == "running":
        pass

    assert ended["status"] == "succeeded"
    assert opentrons_protocols.starts("play") == before + 1


def test_a_run_is_stopped_and_then_plays_no_more(ask):
    run = ask("POST", "/runs", RUN | {"runTimeParameterValues": {"volume": 300.0}}).json()["data"]["id"]
    assert ask("POST", f"/runs/{run}/actions", {"actionType": "play"}).status_code == 201
    assert ask("POST", f"/runs/{run}/actions", {"actionType": "play"}).status_code == 409
    assert ask("POST", "/runs", RUN).status_code == 409
    assert ask("POST", f"/runs/{run}/actions", {"actionType": "stop"}).status_code == 201
    while ask("GET", f"/runs/{run}").json()["data"]["status"] == "stop-requested":
        pass

    assert ask("GET", f"/runs/{run}").json()["data"]["status"] == "stopped"
    assert ask("POST", f"/runs/{run}/actions", {"actionType": "play"}).status_code == 409


def test_what_is_not_there_or_not_known_is_refused(ask):
    run = ask("POST", "/runs", RUN).json()["data"]["id"]

    assert ask("GET", "/protocols/p2").status_code == 404
    assert ask("POST", "/runs", {"protocolId": "p2"}).status_code == 404
    assert ask("GET", "/runs/nowhere").status_code == 404
    assert ask("POST", "/runs/nowhere/actions", {"actionType": "play"}).status_code == 404
    assert ask("POST", f"/runs/{run}/actions", {"actionType": "frobnicate"}).status_code == 422


def test_an_error_of_the_robot_is_told_in_its_form(ask, opentrons_protocols):
    url = f"http://{opentrons_protocols.host}:{opentrons_protocols.port}/faults"
    httpx.post(url, json={"kind": "defined_error"})
    run = ask("POST", "/runs", RUN).json()["data"]["id"]
    ask("POST", f"/runs/{run}/actions", {"actionType": "play"})
    while (ended := ask("GET", f"/runs/{run}").json()["data"])["status"] == "running":
        pass

    assert (ended["status"], ended["errors"][0]["errorCode"]) == ("failed", "3006")
