"""Serial lines against instruments at the far ends of pseudo terminals, and a simulated Julabo circulator."""

from __future__ import annotations

import os
import pty
import sys
import tty
from contextlib import suppress

import anyio
import pytest
import serialx
from serialx import descriptor_transport
from tests.adapters import scpi_server
from tests.adapters.loops import killed_and_resumed
from tests.adapters.serial_lab import Pump, SerialScpi

from titrant import AsyncClient, ConfigurationError, RangeParameterConfig
from titrant.errors import RunnerError
from titrant.model.space import search_space
from titrant.testing.runner_contract import Carrier, RunnerContract, attempt_of
from titrant_adapters.serial import SerialRunner
from titrant_adapters.serial.line import SerialLine
from titrant_adapters.shape.line import shut

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo terminals of this kind")

SCPI = {
    "sent_end": "\n",
    "end": "\n",
    "identity": "ACME",
    "settings": {"x": {"to": "VOLT", "read_back": "VOLT?", "tolerance": 1e-6}},
    "measure": {"y": "MEAS:POW?"},
    "status": "STAT?",
    "safe": ["OUTP OFF"],
}
PUMP = {
    "end": "\x03",
    "who": "ID",
    "identity": "PUMP 33",
    "error": "",
    "acknowledged": "00S",
    "refused": r"\?",
    "failed": "STALLED",
    "value": "00S(.*)",
    "settings": {"x": {"to": "RAT {:.3f}", "read_back": "RAT", "tolerance": 1e-3}},
    "start": "RUN",
    "status": "STA",
    "measure": {"y": "DIS"},
    "safe": ["STP"],
}
FAST = {"timeout_s": 0.8, "run_timeout_s": 2.0, "poll_s": 0.01}


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def port(tmp_path):
    return tmp_path / "tty"


async def served(instrument, port):
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(instrument.serve_line, port)
        await anyio.wait_all_tasks_blocked()
        yield instrument
        tasks.cancel_scope.cancel()


@pytest.fixture
async def instrument(port):
    async for one in served(SerialScpi(), port):
        yield one


@pytest.fixture
async def second(tmp_path):
    async for one in served(SerialScpi(), tmp_path / "second"):
        yield one


@pytest.fixture
async def pump(port):
    async for one in served(Pump(), port):
        yield one


@pytest.fixture
def make_runner(port):
    return lambda fields=SCPI, **more: SerialRunner(**({"port": str(port)} | fields | FAST | more))


class TestSerialKeepsTheContract(RunnerContract):
    deadline_s = 0.8
    run_deadline_s = 2.0

    def expected(self, parameters):
        return parameters["x"] ** 2

    @pytest.fixture
    def lab(self, instrument):
        return instrument

    @pytest.fixture
    def make_runner(self, make_runner, instrument):
        return make_runner


@pytest.mark.anyio
async def test_a_killed_engine_with_two_lines_goes_on_and_starts_nothing_twice(
    instrument, second, port, tmp_path, monkeypatch
):
    monkeypatch.setattr(scpi_server, "RUN_SECONDS", 0.1)
    both = [SCPI | {"port": str(one), "poll_s": 0.01} for one in (port, tmp_path / "second")]

    async def starts():
        return await instrument.starts() + await second.starts()

    loop = await killed_and_resumed("serial", both, starts=starts, folder=tmp_path, parallelism=2)

    assert 1 <= len(loop.lost) <= 2  # such lines name no runs


# Few words, and what they mean


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("x", "outcome", "runs"),
    [(1.5, ("completed", 3.0), 1), (9.5, ("refused", None), 0), (8.5, ("failed", None), 1)],
)
async def test_commands_that_are_answered_need_no_error_queue(pump, make_runner, x, outcome, runs):
    async with make_runner(PUMP) as runner:
        ended = await Carrier(runner, "y").carry_out(attempt_of({"x": x}))

    assert (ended.outcome, ended.value, pump.runs) == (*outcome, runs)
    assert pump.heard[-1] == "STP"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("garbled", "outcome"), [("RAT", "refused"), ("RUN", "unknown"), ("STA", "completed"), ("DIS", "completed")]
)
async def test_bits_that_were_lost_are_no_answer(pump, make_runner, garbled, outcome):
    async with make_runner(PUMP) as runner:
        pump.garble = garbled
        ended = await Carrier(runner, "y").carry_out(attempt_of({"x": 1.5}))

    assert ended.outcome == outcome
    assert pump.runs == (0 if garbled == "RAT" else 1)


@pytest.mark.anyio
async def test_what_came_late_is_not_the_answer_to_the_next_question(instrument, make_runner):
    """A port that is opened again still holds what came after it was closed."""
    async with make_runner() as runner:
        await instrument.arm("late_reply", 1.2)
        ended = await Carrier(runner, "y").carry_out(attempt_of({"x": 2.0}))
        await instrument.settled()

        assert await runner._ask("*IDN?") == "ACME,PSU,0,1"
    assert (ended.outcome, instrument.begun) in [("unknown", 1), ("completed", 1)]


# What cannot work


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fields", "kind", "told"),
    [
        ({"port": "/dev/nowhere"}, RunnerError, "/dev/nowhere"),
        ({"port": "socket://nowhere"}, ConfigurationError, "socket"),
        ({"port": "socket://127.0.0.1:1"}, RunnerError, "127.0.0.1"),
        ({"identity": "KEYSIGHT"}, RunnerError, "says it is 'ACME,PSU,0,1', not 'KEYSIGHT'"),
        ({"who": "OUTP ON"}, RunnerError, "does not say who it is|took longer than"),
    ],
)
async def test_what_cannot_work_is_told_before_the_first_trial(instrument, make_runner, fields, kind, told):
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig("x", (0.0, 3.0))])
        await client.configure_optimization("y")
        await client.configure_runner(make_runner(**fields, timeout_s=1.0))
        with pytest.raises(kind, match=told):
            await client.run_trials(max_trials=1, progress=False)

        assert (client.state.next_index, instrument.begun) == (0, 0)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"measure": {}}, "name a question for each metric"),
        ({"identity": ""}, "late answers are told by it"),
        ({"value": "00S"}, "put the value into a group"),
        ({"refused": "("}, "give a regular expression"),
        ({"status": ""}, "name the question that tells whether a run goes on"),
        ({"parity": "sometimes"}, "parity is 'sometimes'"),
        ({"settings": {"x": {"to": "RAT", "unit": "drops"}}}, "'drops' is no unit known here"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(make_runner, fields, told):
    with pytest.raises(ConfigurationError, match=told):
        make_runner(PUMP, **fields)


def test_a_parameter_without_a_setting_is_refused(make_runner):
    with pytest.raises(ConfigurationError, match="nothing says how 'gas' reaches the instrument"):
        make_runner().check_space(
            search_space([RangeParameterConfig("x", (0, 1)), RangeParameterConfig("gas", (0, 1))])
        )


@pytest.mark.anyio
async def test_a_missing_library_is_named_with_its_extra(make_runner, monkeypatch):
    monkeypatch.setitem(sys.modules, "serialx", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'titrant\[serial\]'"):
        async with make_runner():
            pass


@pytest.mark.anyio
async def test_a_port_that_may_not_be_opened_is_told_before_the_first_trial(make_runner, monkeypatch):
    async def denied(*_, **__):
        raise PermissionError(13, "Permission denied", "/dev/ttyS0")

    monkeypatch.setattr(serialx, "create_serial_connection", denied)
    with pytest.raises(RunnerError, match=r"PermissionError: .*Permission denied: '/dev/ttyS0'"):
        async with make_runner(port="/dev/ttyS0"):
            pass


@pytest.mark.anyio
async def test_a_line_is_closed_once_the_system_has_let_go_of_it(serial_reactor, monkeypatch):
    """Until then it is locked: the next to open it would be told that another process has it."""
    real, closed = descriptor_transport._safe_close, []
    monkeypatch.setattr(descriptor_transport, "_safe_close", lambda number: closed.append(real(number)))
    line = await SerialLine.open(serial_reactor.path, b"\r", b"\r", baudrate=9600)
    await shut(line)

    assert len(closed) == 1


@pytest.mark.anyio
async def test_a_line_whose_other_end_takes_nothing_is_closed_all_the_same(monkeypatch):
    monkeypatch.setattr("titrant_adapters.shape.line.CLOSE_SECONDS", 0.05)
    far, near = pty.openpty()  # nobody reads at the far end
    tty.setraw(near)
    line = await SerialLine.open(os.ttyname(near), b"\r", b"\r", baudrate=9600)
    await line.send("x" * (1 << 20))
    await shut(line)

    await shut(await opened_in_the_end(os.ttyname(near)))
    os.close(far)
    os.close(near)


async def opened_in_the_end(port):
    with anyio.fail_after(10):
        while True:
            with suppress(OSError):
                return await SerialLine.open(port, b"\r", b"\r", baudrate=9600)


@pytest.mark.anyio
async def test_the_doctor_is_told_who_answers_and_who_does_not(pump, make_runner):
    found = await make_runner(PUMP).probe()
    absent = await make_runner(PUMP, port="/dev/nowhere").probe()

    assert [one.level for one in (*found, *absent)] == ["ok", "fail"]
    assert "00SPUMP 33" in found[0].what
    assert pump.runs == 0


def test_every_error_of_the_library_has_a_meaning():
    assert SerialRunner.errors.unlisted(serialx, serialx.common) == []
    assert SerialRunner.errors.dangling() == []


# A circulator behind a device server


@pytest.mark.adapters_slow
@pytest.mark.anyio
@pytest.mark.parametrize(("x", "outcome"), [(30.0, "completed"), (99999.0, "failed")])
async def test_a_julabo_heats_or_shows_that_it_does_not(julabo, x, outcome):
    """It answers a set point that it does not take as any other: only reading back tells."""
    runner = SerialRunner(
        port=f"socket://{julabo.host}:{julabo.port}",
        end="\r\n",
        who="VERSION",
        identity="JULABO",
        error="",
        settings={"x": {"to": "OUT_SP_00 {:.1f}", "read_back": "IN_SP_00", "tolerance": 0.1}},
        start="OUT_MODE_05 1",
        status="IN_MODE_05",
        running=("0",),
        done=("1",),
        measure={"y": "IN_PV_00"},
        safe=("OUT_MODE_05 0",),
    )
    async with runner:
        ended = await Carrier(runner, "y").carry_out(attempt_of({"x": x}))

    assert ended.outcome == outcome
    assert (ended.value is not None) == (outcome == "completed")
