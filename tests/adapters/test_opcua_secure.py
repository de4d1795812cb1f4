"""OPC UA over signed and encrypted channels, to a server that takes no others and knows whom it lets in."""

from __future__ import annotations

import logging
import shutil

import pytest
from tests.adapters.secure_opcua import SecureDoor, certified
from tests.adapters.test_opcua import DUPLICATE, FIELDS, RUNS_S, Square

from titrant import ConfigurationError
from titrant.testing.runner_contract import RunnerContract, attempt_of
from titrant_adapters.opcua import OpcUaRunner
from titrant_adapters.twin import Behaviour, LabTwin, Pace
from titrant_adapters.twin.doors import open_door


@pytest.fixture(scope="module")
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="module", autouse=True)
def quiet():
    """asyncua logs each line that it does not take as an error; here that is on purpose."""
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)


@pytest.fixture(scope="module")
async def files(tmp_path_factory):
    """Keys and certificates: our own, which is trusted, and a stranger's."""
    folder = tmp_path_factory.mktemp("certificates")
    (folder / "trusted").mkdir()
    _, own = await certified(folder, "own")
    shutil.copy(own, folder / "trusted")
    await certified(folder, "stranger")
    return folder


@pytest.fixture(scope="module")
async def door(files):
    lab = LabTwin(Square(), behaviour=Behaviour(duration_s=RUNS_S), clock=Pace())
    async with open_door(SecureDoor, lab, folder=files) as door:
        yield door


@pytest.fixture
async def lab(door):
    await door.lab.settled()
    door.lab.faults.arm()
    door.lab.safe_state()
    return Since(door.lab)


class Since:
    """The lab of all tests, as one test sees it."""

    def __init__(self, lab):
        self.before, self.lab = lab.ledger.starts(), lab
        self.arm, self.settled = lab.arm, lab.settled

    async def starts(self):
        return self.lab.ledger.starts() - self.before


@pytest.fixture
def make_runner(door, files, monkeypatch):
    monkeypatch.setenv("PLC_PASSWORD", "sesame")

    def make(security=None, /, **fields):
        files_of = {"certificate": files / "own.der", "private_key": files / "own.pem"}
        given = {name: str(path) for name, path in (files_of | {"server_certificate": files / "server.der"}).items()}
        who = {"user": "kim", "password": "env:PLC_PASSWORD", "timeout_s": 8.0, "run_timeout_s": 20.0}
        return OpcUaRunner(url=door.address, **(FIELDS | who | {"security": given | (security or {})} | fields))

    return make


class TestAnEncryptedChannelKeepsTheContract(RunnerContract):
    deadline_s = 0.8  # a channel is opened with four signatures
    run_deadline_s = 2.5
    cannot = DUPLICATE

    def expected(self, parameters):
        return parameters["x"] ** 2

    @pytest.fixture(scope="module")
    @classmethod
    def anyio_backend(cls):
        return "asyncio"

    @pytest.fixture
    def make_runner(self, make_runner):
        return lambda: make_runner(timeout_s=self.deadline_s, run_timeout_s=self.run_deadline_s)


@pytest.mark.anyio
@pytest.mark.parametrize(("mode", "readable"), [("sign", True), ("encrypt", False)])
async def test_what_is_signed_can_be_read_by_others_and_what_is_encrypted_cannot(
    make_runner, lab, door, monkeypatch, mode, readable
):
    seen, passing = bytearray(), type(door._wire)._pass

    async def overheard(self, chunk, caller, fault):
        seen.extend(chunk)
        return await passing(self, chunk, caller, fault)

    monkeypatch.setattr(type(door._wire), "_pass", overheard)
    async with make_runner({"mode": mode}) as runner:
        result = await runner.run(attempt_of({"x": 2.0}), None, None)

    assert result.data == {"y": 4.0}
    assert (b"FunctionalUnitSet" in seen) is readable


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("security", "fields", "told"),
    [
        ({}, {"security": None}, "wants a signed or encrypted channel: give `security`"),
        ({"policy": "Aes256Sha256RsaPss"}, {}, r"the server offers Basic256Sha256 \(SignAndEncrypt\), Basic256Sha256"),
        ({"server_certificate": "{}/stranger.der"}, {}, "the server shows another: is it the right one"),
        ({"certificate": "{}/stranger.der", "private_key": "{}/stranger.pem"}, {}, "BadCertificateUntrusted"),
        ({"private_key": "{}/stranger.pem"}, {}, r"it is not the key to .*own\.der"),
        ({"private_key": "{}/own.der"}, {}, "private_key is .*: it cannot be read, or its password is another"),
        ({"certificate": "{}/nowhere.der"}, {}, "certificate is .*nowhere.der': it cannot be read as a certificate"),
        ({}, {"password": "please"}, "BadUserAccessDenied|BadIdentityTokenRejected"),
        ({}, {"user": "", "password": None}, "BadUserAccessDenied|BadIdentityTokenRejected"),
    ],
)
async def test_what_the_server_does_not_take_is_told_before_the_first_trial(
    make_runner, files, lab, security, fields, told
):
    written = {name: value.format(files) for name, value in security.items()}
    with pytest.raises(ConfigurationError, match=told) as refused:
        async with make_runner(written, **fields):
            pass

    assert "sesame" not in str(refused.value)
    assert await lab.starts() == 0


@pytest.mark.parametrize(
    ("security", "told"),
    [
        ({"certificate": "own.der", "private_key": "own.pem"}, "missing required field `server_certificate`"),
        ({"mode": "hide"}, "invalid enum value 'hide'"),
    ],
)
def test_a_channel_that_trusts_anybody_is_refused(security, told):
    with pytest.raises(ConfigurationError, match=told):
        OpcUaRunner(url="opc.tcp://plc:4840", **FIELDS, security=security)
