"""The contract of metrics: a sound one keeps it, and one that waits for ever is caught."""

from __future__ import annotations

import anyio
import pytest

from titrant import Metric
from titrant.testing import metric_contract
from titrant.testing.metric_contract import MetricContract


class Probe(Metric):
    mute = False

    async def fetch(self, trial_index, trial_metadata):
        with anyio.fail_after(0.05):
            return await self.read()

    async def read(self):
        if self.mute:
            await anyio.sleep_forever()
        return None, 4.0


class Patient(Probe):
    async def fetch(self, trial_index, trial_metadata):
        return await self.read()


def silencing(metric):
    async def silenced():
        metric.mute = True

    return silenced


class TestASoundMetricKeepsIt(MetricContract):
    expected = 4.0
    deadline_s = 0.05

    @pytest.fixture
    def metric(self):
        return Probe("y")

    @pytest.fixture
    def silenced(self, metric):
        return silencing(metric)


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.anyio
async def test_a_metric_without_a_deadline_is_caught(monkeypatch):
    monkeypatch.setattr(metric_contract, "GENEROUS", 0.1)
    metric, contract = Patient("y"), type("Hasty", (MetricContract,), {"deadline_s": 0.01})()

    with pytest.raises(AssertionError, match="kept waiting"):
        await contract.test_a_mute_instrument_is_told_within_the_deadline(metric, silencing(metric))


@pytest.mark.anyio
async def test_another_value_than_expected_is_caught():
    with pytest.raises(AssertionError):
        await MetricContract().test_it_reads_the_value_as_often_as_it_is_asked(Probe("y"))
