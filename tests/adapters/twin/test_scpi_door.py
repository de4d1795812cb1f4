"""The twin as a SCPI instrument, driven by PyVISA and by a bare socket."""

from contextlib import AsyncExitStack

import anyio
import pytest
import pyvisa
from anyio import to_thread
from tests.adapters.twin.wiring import LATE_S, PATIENCE_S, make_lab, opened

from titrant.errors import ConfigurationError
from titrant_adapters.twin import Fault
from titrant_adapters.twin.doors import door_named, open_door

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


class Line:
    """A caller without any library between it and the bytes."""

    def __init__(self, stream):
        self.stream, self.received = stream, b""

    async def say(self, text):
        await self.stream.send(text.encode() + b"\n")

    async def hear(self, patience_s=5.0):
        with anyio.fail_after(patience_s):
            while b"\n" not in self.received:
                self.received += await self.stream.receive()
        line, self.received = self.received.split(b"\n", 1)
        return line.decode()

    async def ask(self, text, patience_s=5.0):
        await self.say(text)
        return await self.hear(patience_s)

    async def result(self):
        await self.ask("*OPC?")
        return await self.ask("RUN:STAT?"), await self.ask("FETC?")


@pytest.fixture
async def door():
    async with opened("scpi") as door:
        yield door


@pytest.fixture
async def connect(door):
    """Opens lines, and closes them in the end."""
    async with AsyncExitStack() as lines:

        async def connect():
            return Line(await lines.enter_async_context(await anyio.connect_tcp("127.0.0.1", door.port)))

        yield connect


@pytest.fixture
async def line(connect):
    return await connect()


async def test_pyvisa_drives_a_closed_step(door):
    def drive():
        manager = pyvisa.ResourceManager("@py")
        with manager.open_resource(
            door.address, read_termination="\n", write_termination="\n", timeout=5000
        ) as instrument:
            said = instrument.query("*IDN?")
            instrument.write("SOURCE:VOLT 3.0")
            back = float(instrument.query("SOUR:VOLT?"))
            instrument.write("INITIATE:IMMEDIATE")
            over = instrument.query("*OPC?")
            values = instrument.query_ascii_values("FETCH?")
            error = instrument.query("SYSTEM:ERROR:NEXT?")
        manager.close()
        return said, back, over, values, error

    said, back, over, values, error = await to_thread.run_sync(drive)

    assert said == "titrant,lab twin,2,1"
    assert (back, over, values, error) == (3.0, "1", [9.0, 10.0], '0,"No error"')


async def test_one_query_may_start_wait_and_read(line):
    assert await line.ask("VOLT 2;:SOUR:VOLT 2;READ?") == "4,10"


async def test_compound_lines_answer_in_one_line(line):
    assert await line.ask("SOUR:VOLT 2;SOUR:VOLT?;*IDN?") == "2;titrant,lab twin,2,1"


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("SOUR:VOLT 99", '-222,"volt takes 0 to 6 V, not 99"'),
        ("SOUR:VOLT much", "-224,\"could not convert string to float: 'much'\""),
        ("BOGUS 1", '-113,"Undefined header: BOGUS"'),
        ("FETC?", '-230,"Data corrupt or stale; the run is none"'),
    ],
)
async def test_mistakes_wait_in_the_error_queue(line, said, error):
    await line.say(said)
    if said.endswith("?"):
        assert await line.hear() == "9.91E37,9.91E37"

    assert await line.ask("SYST:ERR?") == error
    assert await line.ask("SYST:ERR?") == '0,"No error"'


async def test_a_second_start_is_refused_while_the_first_runs():
    lab = make_lab(duration_s=60.0)
    async with opened("scpi", lab) as slow, await anyio.connect_tcp("127.0.0.1", slow.port) as stream:
        caller = Line(stream)
        first, second = await caller.ask('INIT? "a"'), await caller.ask('INIT? "b"')

        assert (first, second) == ("1", "0")
        assert (await caller.ask("SYST:ERR?")).startswith("-213,")
        assert await caller.ask('RUN:STAT? "b"') == "NONE"
        await caller.say("ABORT")
        assert await caller.ask("RUN:STAT?") == "STOPPED"
        assert await lab.starts() == 1


# The thirteen faults, on the wire


async def test_a_delayed_reply_comes(door, line):
    await door.lab.arm("delay", 0.05)

    assert await line.ask("INIT?") == "1"


async def test_a_mute_instrument_has_started_and_says_nothing(door, line):
    await door.lab.arm("mute")
    with pytest.raises(TimeoutError):
        await line.ask("INIT?", PATIENCE_S)

    assert await door.lab.starts() == 1
    assert await line.ask("*IDN?") == "titrant,lab twin,2,1"


async def test_half_a_frame_is_glued_to_the_next_reply(door, line, connect):
    await door.lab.arm("half_frame")
    await line.say("SOUR:VOLT 2;READ?")
    with pytest.raises(TimeoutError):
        await line.hear(PATIENCE_S)

    assert await line.ask("*IDN?") == "4,titrant,lab twin,2,1"
    assert await (await connect()).ask("FETC?") == "4,10"


async def test_a_late_reply_is_taken_for_the_answer_to_the_next_question(door, line, connect):
    await door.lab.arm("late_reply", LATE_S)
    with pytest.raises(TimeoutError):
        await line.ask("INIT?", PATIENCE_S)

    assert await line.ask("*IDN?") == "1"
    fresh = await connect()
    assert await fresh.ask("*IDN?") == "titrant,lab twin,2,1"


async def test_a_duplicate_shifts_the_answers(door, line):
    await door.lab.arm("duplicate")

    assert [await line.ask("INIT?"), await line.ask("*IDN?")] == ["1", "1"]
    assert await door.lab.starts() == 1


async def test_a_dropped_line_is_closed_and_the_next_is_accepted(door, line, connect):
    await door.lab.arm("drop")
    with pytest.raises(anyio.EndOfStream):
        await line.ask("INIT?")

    assert await (await connect()).result() == ("DONE", "1,10")
    assert await door.lab.starts() == 1


async def test_a_refusal_is_an_error_and_no_start(door, line):
    await door.lab.arm("refuse")

    assert await line.ask("INIT?") == "0"
    assert await line.ask("SYST:ERR?") == '-213,"the interlock is open"'
    assert await door.lab.starts() == 0


async def test_an_alarm_is_a_questionable_value(door, line):
    await door.lab.arm("alarm")
    await line.say("INIT")

    assert await line.result() == ("DONE", "9.91E37,9.91E37")
    assert await line.ask("STAT:QUES:COND?") == "1"


async def test_the_defined_error_is_a_hardware_error(door, line):
    await door.lab.arm("defined_error")
    await line.say("INIT")

    assert await line.result() == ("FAILED", "9.91E37,9.91E37")
    assert await line.ask("SYST:ERR?") == '-240,"Hardware error; the nozzle is clogged"'


@pytest.mark.parametrize(
    ("fault", "left"), [("crash_in_run", ("LOST", "9.91E37,9.91E37")), ("crash_after_done", ("DONE", "1,10"))]
)
async def test_a_crash_closes_the_line_without_being_asked(door, line, connect, fault, left):
    await door.lab.arm(fault)
    await line.say('INIT "k"')
    with pytest.raises(anyio.EndOfStream):
        await line.hear()

    assert await (await connect()).result() == left


async def test_a_lab_that_is_down_accepts_no_line_until_it_is_up(door, line, connect):
    await door.lab.arm("crash_in_run", 60.0)
    await line.say("INIT")
    with pytest.raises(anyio.EndOfStream):
        await line.hear()
    with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
        await (await connect()).ask("*IDN?")


async def test_a_drift_shifts_the_value(door, line):
    await door.lab.arm("drift")
    await line.say("INIT")

    assert await line.result() == ("DONE", "1.1,11")


async def test_a_stuck_setting_shows_in_the_read_back(door, line):
    await door.lab.arm("stuck")

    assert await line.ask("SOUR:VOLT 3;SOUR:VOLT?;SYST:ERR?") == '1;0,"No error"'


async def test_a_fault_of_another_exchange_leaves_the_start_alone(door, line):
    door.lab.faults.arm(Fault(kind="mute", on="read"))
    with pytest.raises(TimeoutError):
        await line.ask("SOUR:VOLT?", PATIENCE_S)

    assert await line.ask("INIT?") == "1"


async def test_what_is_raised_inside_comes_out_as_it_is():
    with pytest.raises(KeyError):
        async with opened("scpi"):
            raise KeyError


async def test_the_door_is_shut_with_its_lines(door):
    async with opened("scpi") as other:
        stream = await anyio.connect_tcp("127.0.0.1", other.port)
    with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
        await stream.receive()
    await stream.aclose()
    with pytest.raises(OSError, match="connect"):
        await anyio.connect_tcp("127.0.0.1", other.port)


async def test_a_port_that_is_taken_is_named(door):
    with pytest.raises(ConfigurationError, match=f"port {door.port} cannot be had"):
        async with open_door(door_named("scpi"), make_lab(), door.port):
            pass


def test_a_protocol_that_there_is_not_is_named_with_those_that_there_are():
    with pytest.raises(
        ConfigurationError, match=r"no protocol 'telnet'; there are scpi, rest, modbus, opcua, sila, mqtt"
    ):
        door_named("telnet")
