"""A workcell of twins behind SCPI and REST: the contract with the faults in each step."""

from __future__ import annotations

from typing import ClassVar

import anyio
import pytest
from tests.adapters.twin.wiring import make_lab, opened

from titrant.testing.runner_contract import GENEROUS, RunnerContract, attempt_of
from titrant_adapters.workcell import WorkcellRunner

SHORT = {"timeout_s": 0.8, "run_timeout_s": 3.0, "poll_s": 0.01}
SCPI = {
    "start": 'INIT "{key}"',
    "status": 'RUN:STAT? "{key}"',
    "running": ["RUNNING"],
    "settings": {"x": {"to": "SOUR:VOLT", "unit": "V", "read_back": "SOUR:VOLT?", "tolerance": 1e-3}},
    "measure": {"y": "FETC? POWER"},
    "safe": ["*RST"],
}
REST = {
    "settings": {"x": {"to": "volt", "read_back": "/conditions/volt"}},
    "start": {"method": "POST", "path": "/runs", "json": {"key": "{key}", "parameters": {"volt": "{x}"}}},
    "find": {"path": "/runs", "query": {"key": "{key}"}},
    "status": {"path": "/runs/{id}"},
    "id": "/number",
    "measure": {"y": "/values/power"},
    "quality": "/quality",
    "absence_is_proof": True,
    "stop": {"method": "DELETE", "path": "/runs/{id}"},
    "safe": [{"method": "POST", "path": "/safe-state"}],
}


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def doors():
    """A supply behind SCPI and a reactor behind REST."""
    async with opened("scpi", make_lab()) as scpi, opened("rest", make_lab(places=2)) as rest:
        yield scpi, rest


def steps(scpi, rest, *, given="reactor", short=SHORT, **supply):
    """The supply first, then the reactor; the data are those of one of them."""
    settings = SCPI["settings"]
    return [
        {
            "name": "supply",
            "use": "scpi",
            "with": SCPI | {"host": "127.0.0.1", "port": scpi.port, "settings": settings} | short,
            "until": "reactor",
            "rename": {} if given == "supply" else {"y": ""},
        }
        | supply,
        {
            "name": "reactor",
            "use": "rest",
            "with": REST | {"url": rest.address} | short,
            "rename": {} if given == "reactor" else {"y": ""},
        },
    ]


class Contract(RunnerContract):
    deadline_s = 0.8
    run_deadline_s = 6.0  # of both steps
    points = ({"x": 2.0}, {"x": 3.0})  # the safe state of the supply is 1 V
    given: ClassVar[str]

    def expected(self, parameters):
        return parameters["x"] ** 2

    @pytest.fixture
    def make_runner(self, doors):
        return lambda: WorkcellRunner(steps=steps(*doors, given=self.given))


class TestTheReactorGoesWrong(Contract):
    given = "reactor"

    @pytest.fixture
    def lab(self, doors):
        return doors[1].lab


class TestTheSupplyGoesWrong(Contract):
    given = "supply"

    @pytest.fixture
    def lab(self, doors):
        return doors[0].lab

    @pytest.mark.anyio
    async def test_a_restart_finds_the_run_again_and_starts_nothing(self, lab, make_runner, metrics):
        """SCPI has no name for its runs: of the supply's step nobody can tell, and that is said of it by name."""
        begun = attempt_of(self.points[0])
        async with self._connected(make_runner(), metrics) as carrier, anyio.create_task_group() as tasks:
            tasks.start_soon(carrier.carry_out, begun)
            with anyio.fail_after(GENEROUS):
                while not await lab.starts():  # noqa: ASYNC110  # as in the contract
                    await anyio.sleep(0.005)
            tasks.cancel_scope.cancel()
        begun = attempt_of(self.points[0], metadata=carrier.recorded)
        async with self._connected(make_runner(), metrics) as again:
            ended = await again.find_again(begun)

        assert ended.outcome == "unknown"
        assert "step 'supply' (1 of 2, scpi): the engine went down" in ended.reason
        assert await lab.starts() == 1
