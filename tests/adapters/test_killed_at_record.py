"""An engine that dies in the moment between what is recorded and what is started: what another one makes of it."""

from __future__ import annotations

import pytest
import structlog
from tests.adapters.loops import killed_at
from tests.adapters.test_mqtt import twin_at
from tests.adapters.test_sila import TWIN as SILA
from tests.adapters.twin.wiring import make_lab, opened

pytestmark = pytest.mark.anyio
VOLT = {"volt": (0.0, 3.0)}
TRIALS = 2


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(autouse=True)
def quiet():
    """The library of the SiLA server is talkative."""
    with structlog.testing.capture_logs():
        yield


async def test_what_the_device_certainly_never_heard_of_is_started_without_asking_anybody(mosquitto, tmp_path):
    async with opened("mqtt", make_lab(0.1), broker_port=mosquitto.port, prefix="test/recorded") as door:
        fields = twin_at(door.prefix) | {"host": "127.0.0.1", "port": mosquitto.port}
        loop = await killed_at(
            "runner.recorded", "mqtt", fields, starts=door.lab.starts, folder=tmp_path, parameters=VOLT, trials=TRIALS
        )
        keys = [start.key for start in door.lab.ledger.all_starts]

    assert (loop.at_kill, loop.starts, len(set(keys))) == (0, TRIALS, TRIALS)
    assert (loop.lost, loop.ended["trial.completed"]) == ([], TRIALS)


@pytest.mark.parametrize(
    ("point", "at_kill", "starts", "lost"),
    [
        ("runner.recorded#1", 0, TRIALS - 1, [0]),  # before the start: the server names runs only then
        ("runner.recorded#2", 1, TRIALS, []),  # the uuid is in the log, and nobody follows the run
    ],
)
async def test_a_run_is_found_once_its_uuid_is_recorded_and_a_person_asked_before(
    tmp_path, point, at_kill, starts, lost
):
    async with opened("sila", make_lab(0.1)) as door:
        fields = SILA | {"host": "127.0.0.1", "port": door.port, "tls": False, "safe": list(SILA["safe"])}
        loop = await killed_at(
            point, "sila", fields, starts=door.lab.starts, folder=tmp_path, parameters=VOLT, trials=TRIALS
        )

    assert (loop.at_kill, loop.starts, loop.lost) == (at_kill, starts, lost)
    assert loop.ended["trial.completed"] == TRIALS - len(lost)
