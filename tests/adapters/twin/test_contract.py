"""The twin as the lab of a runner's contract: an adapter that keeps it over a wire that is spoiled."""

import pytest
from tests.adapters.twin.wiring import opened

from titrant.testing.runner_contract import ALLOWED, RunnerContract
from titrant_adapters.scpi import ScpiRunner
from titrant_adapters.twin.faults import KINDS


def test_the_twins_faults_are_the_contracts():
    assert set(KINDS) == set(ALLOWED)


class TestScpiOverTheTwinsWire(RunnerContract):
    deadline_s = 0.4
    run_deadline_s = 1.0

    def expected(self, parameters):
        return parameters["x"] ** 2

    @pytest.fixture
    async def door(self):
        async with opened("scpi") as door:
            yield door

    @pytest.fixture
    def lab(self, door):
        return door.lab

    @pytest.fixture
    def make_runner(self, door):
        def make():
            return ScpiRunner(
                host="127.0.0.1",
                port=door.port,
                settings={"x": {"to": "SOUR:VOLT", "read_back": "SOUR:VOLT?", "tolerance": 1e-6}},
                status="RUN:STAT?",
                running=("RUNNING",),
                done=("DONE",),
                measure={"y": "FETC? POWER"},
                safe=("ABOR",),
                timeout_s=0.4,
                run_timeout_s=1.0,
                poll_s=0.01,
            )

        return make
