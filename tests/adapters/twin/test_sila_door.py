"""The twin as a SiLA 2 server, driven by the UniteLabs client; one server for all tests."""

import json
import math
from contextlib import suppress

import anyio
import pytest
import structlog
from sila.client import Client, ClientConfig
from sila.client.command_execution import CommandExecution
from sila.framework import (
    CommandExecutionNotAccepted,
    DefinedExecutionError,
    SiLAConnectionError,
    UndefinedExecutionError,
    ValidationError,
)
from tests.adapters.twin.wiring import LATE_S, PATIENCE_S, expressible, make_lab, opened

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend():
    return "asyncio"  # gRPC knows no other


@pytest.fixture(autouse=True)
def quiet():
    """The server's library prints each error, with a page of variables; here they happen on purpose."""
    with structlog.testing.capture_logs():
        yield


@pytest.fixture(scope="module")
async def door():
    async with opened("sila") as door:
        yield door


@pytest.fixture
async def lab(door):
    """The lab in its first state, whatever the test before has done to it."""
    await door.lab.settled()
    door.lab.faults.arm()
    door.lab.safe_state()
    return door.lab


def client_of(door):
    # gRPC shares one line among all channels of a process that lead to the same place, unless it is told not to:
    # a second client would be as mute as the first.
    own_line = [("grpc.use_local_subchannel_pool", 1)]
    config = ClientConfig(hostname="127.0.0.1", port=door.port, tls=False, options=own_line, default_timeout=5000)
    return Client(config)


@pytest.fixture
async def reactor(lab, door):
    async with client_of(door) as client:
        yield client.Reactor


async def begin(reactor, key="k", volt=3.0, **more):
    return await reactor.Run(Volt=volt, Amp=1.0, Key=key, **more)


async def ended(execution):
    with anyio.fail_after(5):
        async for _ in await execution.subscribe_status():
            pass
        return await execution.get_responses()


async def carry_out(reactor, **values):
    return await ended(await begin(reactor, **values))


async def found(door, key="k"):
    """What a caller who comes later is told of a run."""
    await door.lab.settled()
    async with client_of(door) as client:
        return json.loads((await client.Reactor.FindRun(Key=key)).Run)


async def test_a_closed_step(reactor):
    answer = await carry_out(reactor)

    assert (answer.Power, answer.Ripple, answer.Quality) == (9.0, 10.0, "good")
    assert json.loads(answer.Conditions) == {"volt": 3.0, "amp": 1.0}


async def test_progress_is_told():
    async with opened("sila", make_lab(0.6)) as door, client_of(door) as client:
        execution = await begin(client.Reactor)
        told = [status.progress.value async for status in await execution.subscribe_status()]

    assert told == sorted(told)
    assert len([progress for progress in told if 0.2 < progress < 1.0]) >= 2


async def test_another_connection_takes_up_an_execution_by_its_id(reactor, door):
    execution = await begin(reactor, volt=2.0)
    async with client_of(door) as other:
        again = CommandExecution(command=other.Reactor.Run, command_execution_uuid=execution.command_execution_uuid)

        assert (await ended(again)).Power == 4.0


async def test_settings_are_set_and_read_back(reactor):
    await reactor.SetValue(Name="volt", Value=2.5)

    assert (await reactor.ReadValue(Name="volt")).Value == 2.5


async def test_what_is_out_of_range_is_rejected_before_anything_starts(reactor, lab):
    before = await lab.starts()
    with pytest.raises(ValidationError, match="volt takes 0 to 6 V, not 99"):
        await begin(reactor, volt=99.0)

    assert await lab.starts() == before


async def test_a_second_run_is_not_accepted_while_one_goes_on():
    async with opened("sila", make_lab(60.0)) as door, client_of(door) as client:
        await begin(client.Reactor, key="first")
        with pytest.raises(CommandExecutionNotAccepted, match="busy"):
            await begin(client.Reactor, key="second")
        await client.Reactor.Stop()

        assert (await found(door, "first"))["state"] == "stopped"
        assert await found(door, "second") is None


# The faults, on the wire


def test_all_faults_can_be_expressed():
    assert len(expressible("sila")) == 13


async def test_a_delayed_confirmation_comes(reactor, lab):
    await lab.arm("delay", 0.05)

    assert (await carry_out(reactor)).Power == 9.0


@pytest.mark.parametrize(("fault", "seconds"), [("mute", 0), ("half_frame", 0), ("late_reply", LATE_S)])
async def test_a_confirmation_that_does_not_come_in_time_leaves_a_run_that_is_found(reactor, lab, door, fault, seconds):
    before = await lab.starts()
    await lab.arm(fault, seconds)
    with pytest.raises(TimeoutError), anyio.fail_after(PATIENCE_S):
        await begin(reactor, key=fault)

    assert await lab.starts() == before + 1
    assert (await found(door, fault))["values"]["power"] == 9.0


async def test_a_duplicate_confirmation_is_taken_for_nothing(reactor, lab):
    before = await lab.starts()
    await lab.arm("duplicate")
    answers = [(await carry_out(reactor, volt=volt)).Power for volt in (2.0, 3.0)]

    assert answers == [4.0, 9.0]
    assert (await reactor.ReadValue(Name="volt")).Value == 3.0
    assert await lab.starts() == before + 2


async def test_a_dropped_line_leaves_a_run_that_is_found(reactor, lab, door):
    before = await lab.starts()
    await lab.arm("drop")
    with pytest.raises(Exception, match=r"(?i)unavailable|connection|closed|reset"), anyio.fail_after(5):
        await begin(reactor, key="dropped")

    assert (await found(door, "dropped"))["state"] == "done"
    assert await lab.starts() == before + 1


async def test_a_refusal_is_not_accepted_and_starts_nothing(reactor, lab):
    before = await lab.starts()
    await lab.arm("refuse")
    with pytest.raises(CommandExecutionNotAccepted, match="interlock"):
        await begin(reactor)

    assert await lab.starts() == before


async def test_an_alarm_is_bad_quality_and_not_a_number(reactor, lab):
    await lab.arm("alarm")
    answer = await carry_out(reactor)

    assert (answer.Quality, math.isnan(answer.Power)) == ("bad", True)


async def test_the_defined_error_is_the_features_own(reactor, lab):
    await lab.arm("defined_error")
    with pytest.raises(DefinedExecutionError, match="the nozzle is clogged") as caught:
        await carry_out(reactor)

    assert type(caught.value).__name__ == "CloggedNozzle"


@pytest.mark.parametrize(("fault", "state"), [("crash_in_run", "lost"), ("crash_after_done", "done")])
async def test_a_crash_leaves_what_the_lab_remembers(reactor, lab, door, fault, state):
    await lab.arm(fault)
    with suppress(SiLAConnectionError):  # the crash may come before the confirmation
        await begin(reactor, key=fault)

    assert (await found(door, fault))["state"] == state


async def test_an_execution_that_was_lost_ends_with_an_undefined_error(reactor, lab, door):
    await lab.arm("crash_in_run")
    execution = await begin(reactor)
    await lab.settled()
    async with client_of(door) as other:
        again = CommandExecution(command=other.Reactor.Run, command_execution_uuid=execution.command_execution_uuid)
        with pytest.raises(UndefinedExecutionError, match="lost: the lab went down"):
            await ended(again)


async def test_a_drift_shifts_the_values(reactor, lab):
    await lab.arm("drift")

    assert (await carry_out(reactor)).Power == pytest.approx(9.9)


async def test_stuck_settings_show_in_what_was_really_done(reactor, lab):
    await lab.arm("stuck")
    answer = await carry_out(reactor)

    assert (json.loads(answer.Conditions)["volt"], answer.Power) == (1.0, 1.0)
