"""EPICS: a softioc IOC over Channel Access and a p4p server over PV Access, behind lines that fail."""

from __future__ import annotations

import sys

import aioca
import p4p.client.asyncio
import p4p.client.raw
import pytest
from epicscorelibs.ca import cadef
from tests.adapters.loops import killed_and_resumed
from tests.adapters.servers.epics_pva import client_settings
from tests.adapters.servers.epics_wire import PvaWire, starts_over_ca, starts_over_pva
from tests.adapters.servers.reactor import yield_at
from tests.adapters.servers.wire import WIRE_FAULTS, FaultyWire
from tests.adapters.told import told

import titrant_adapters.epics
from titrant import ConfigurationError, RangeParameterConfig
from titrant.errors import RunnerError
from titrant.model.space import search_space
from titrant.testing.runner_contract import RunnerContract, attempt_of
from titrant_adapters.epics import EpicsRunner

CA = {
    "prefix": "REACTOR:",
    "settings": {"t": {"to": "SP", "read_back": "RBV"}},
    "start": "GO",
    "count": "RUNS",
    "measure": {"y": "YIELD"},
    "poll_s": 0.01,
}
PVA = CA | {"protocol": "pva", "settings": {"t": {"to": "SET", "read_back": "RBV"}}, "start_value": 1.0}


@pytest.fixture
def anyio_backend():
    return "asyncio"


class Instrument:
    """What makes a lab of a faulty line: instrument faults are put to a variable; every test begins the ledger anew."""

    before = 0

    async def starts(self):
        return await super().starts() - self.before

    async def arm(self, fault, seconds=0.0):
        if fault in WIRE_FAULTS:
            await super().arm(fault, seconds)
        else:
            await self.put_fault(fault)


class CaLab(Instrument, FaultyWire):
    async def put_fault(self, fault):
        await aioca.caput("REACTOR:GO.DISP", "1" if fault == "refuse" else "0", wait=True, timeout=5)
        await aioca.caput("REACTOR:FAULT", fault, wait=True, timeout=5)

    async def settled(self):
        await super().settled()
        await self.put_fault("")


class PvaLab(Instrument, PvaWire):
    async def put_fault(self, fault):
        with p4p.client.asyncio.Context("pva", conf=client_settings(self.server.port), useenv=False) as context:
            await context.put("REACTOR:FAULT", fault)


@pytest.fixture
async def ca_lab(epics_ca):
    async with CaLab(epics_ca, is_start=starts_over_ca) as lab:
        lab.before, epics_ca.search.tcp_port = epics_ca.starts(), lab.port
        yield lab
        aioca.purge_channel_caches()
    epics_ca.search.tcp_port = None


@pytest.fixture
async def pva_lab(epics_pva, monkeypatch):
    async with PvaLab(epics_pva, is_start=starts_over_pva) as lab:
        lab.before = epics_pva.starts()
        for name, value in client_settings(lab.port).items():
            monkeypatch.setenv(name, value)
        yield lab


class Epics(RunnerContract):
    deadline_s = 1.0
    run_deadline_s = 3.0
    points = ({"t": 64.0}, {"t": 88.0})

    def expected(self, parameters):
        return yield_at(parameters["t"])


class TestChannelAccessKeepsTheContract(Epics):
    @pytest.fixture
    def lab(self, ca_lab):
        return ca_lab

    @pytest.fixture
    def make_runner(self, lab):
        return lambda: EpicsRunner(**CA, timeout_s=self.deadline_s, run_timeout_s=self.run_deadline_s)


class TestPvAccessKeepsTheContract(Epics):
    @pytest.fixture
    def lab(self, pva_lab):
        return pva_lab

    @pytest.fixture
    def make_runner(self, lab):
        return lambda: EpicsRunner(**PVA, timeout_s=self.deadline_s, run_timeout_s=self.run_deadline_s)


@pytest.mark.anyio
async def test_a_killed_engine_over_channel_access_goes_on_and_starts_nothing_twice(epics_ca, tmp_path):
    fields = CA | {"settings": {"x": {"to": "SP", "read_back": "RBV"}}}
    await killed_over_two_reactors(fields, epics_ca, tmp_path)


@pytest.mark.anyio
async def test_a_killed_engine_over_pv_access_goes_on_and_starts_nothing_twice(epics_pva, tmp_path):
    fields = PVA | {"settings": {"x": {"to": "SET", "read_back": "RBV"}}}
    await killed_over_two_reactors(fields, epics_pva, tmp_path, client_settings(epics_pva.port))


async def killed_over_two_reactors(fields, server, folder, env=None):
    """Of two trials one is under way; one whose start was recorded and not made is awaited, as a count can't tell."""
    fields |= {"run_timeout_s": 5.0}
    return await killed_and_resumed(
        "epics",
        [fields, fields | {"prefix": "REACTOR2:"}],
        starts=server.starts,
        folder=folder,
        parameters={"x": (20.0, 150.0)},
        parallelism=2,
        env=env,
    )


@pytest.mark.anyio
async def test_without_a_count_a_run_ends_with_the_answer_and_nobody_claims_to_find_it_again(pva_lab):
    runner = EpicsRunner(**PVA | {"count": ""})
    async with runner:
        ended = await runner.run(attempt_of({"t": 64.0}), no_record, None)

    assert ended.data == {"y": 96.0}
    assert not runner.can_report_status


async def no_record(_metadata):
    """Nothing is recorded where nothing names the run."""
    raise AssertionError(_metadata)


@pytest.mark.anyio
async def test_the_doctor_is_told_what_is_set_and_measured(pva_lab):
    found = await EpicsRunner(**PVA).probe()
    absent = await EpicsRunner(**PVA | {"prefix": "NOBODY:", "timeout_s": 0.2}).probe()

    assert [(one.level, one.what.partition(" is ")[0]) for one in found] == [("ok", "t"), ("ok", "y")]
    assert [one.level for one in absent] == ["fail"]


# --- what cannot work is told before the first trial -----------


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"protocol": "modbus"}, "protocol is 'modbus': invalid enum value"),
        ({"measure": {}}, "measure is {}: name a variable for each metric"),
        ({"settings": {"t": {"to": "SP", "unit": "Grad"}}}, "'Grad' is no unit known here"),
        ({"alarm": "RED"}, "alarm is 'RED'"),
        ({"begin": "GO"}, "there is no field 'begin'"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(fields, told):
    with pytest.raises(ConfigurationError, match=told):
        EpicsRunner(**CA | fields)


def test_what_the_module_tells_to_write_is_a_configuration():
    runner = told(titrant_adapters.epics.__doc__)

    assert runner["use"] == "epics"
    assert EpicsRunner(**runner["with"])


def test_a_parameter_without_a_setting_is_refused():
    space = search_space([RangeParameterConfig("t", (0, 1)), RangeParameterConfig("gas", (0, 1))])
    with pytest.raises(ConfigurationError, match="nothing says how 'gas' reaches the instrument"):
        EpicsRunner(**CA).check_space(space)


@pytest.mark.anyio
async def test_a_variable_that_may_not_be_written_is_told_before_the_first_trial(ca_lab):
    with pytest.raises(ConfigurationError, match=r"REACTOR:YIELD\.NAME may not be written: ask for the permission"):
        async with EpicsRunner(**CA | {"settings": {"t": {"to": "YIELD.NAME"}}}):
            pass


@pytest.mark.anyio
@pytest.mark.parametrize("protocol", ["ca", "pva"])
async def test_a_variable_that_nobody_has_is_told_before_the_first_trial(ca_lab, pva_lab, protocol):
    with pytest.raises(RunnerError, match=r"NOBODY:\* took longer than 0\.2 s"):
        async with EpicsRunner(**CA | {"protocol": protocol, "prefix": "NOBODY:", "timeout_s": 0.2}):
            pass


@pytest.mark.anyio
@pytest.mark.parametrize(("protocol", "module"), [("ca", "aioca"), ("pva", "p4p.client.asyncio")])
async def test_the_missing_extra_is_named(monkeypatch, protocol, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigurationError, match=r"pip install 'titrant\[epics\]'"):
        async with EpicsRunner(**CA | {"protocol": protocol}):
            pass


def test_every_error_of_the_libraries_has_a_meaning():
    assert EpicsRunner.errors.unlisted(aioca, p4p.client.raw, p4p.client.asyncio, cadef) == []
    assert EpicsRunner.errors.dangling() == []
