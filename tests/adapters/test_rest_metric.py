"""A metric over REST: canned answers of a service that has the value, or will have it."""

from __future__ import annotations

import pytest
from tests.adapters.canned import canned

from titrant import ConfigurationError
from titrant.errors import RunnerError, SubmissionRefused
from titrant.testing.metric_contract import MetricContract
from titrant_adapters.rest_metric import RestMetric

ASK = "GET /results?sample=3&run=r-7"
FIELDS = {
    "get": {"path": "/results", "query": {"sample": "{trial}", "run": "{id}"}},
    "value": "/peaks/0/area",
    "timeout_s": 0.3,
    "run_timeout_s": 0.6,
    "poll_s": 0.01,
}
HAS = {"peaks": [{"area": 4.0, "sd": 0.5}]}


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def service():
    async with canned({"GET /": (200, "hplc"), ASK: (200, HAS)}) as service:
        yield service


@pytest.fixture
def make(service):
    return lambda **fields: RestMetric("purity", **FIELDS | {"url": service.url} | fields)


class TestRestMetricKeepsTheContract(MetricContract):
    expected = 4.0
    deadline_s = 0.6

    @pytest.fixture
    def metric(self, make):
        return make(get={"path": "/results", "query": {"sample": 3, "run": "r-7"}})

    @pytest.fixture
    def silenced(self, service):
        async def silence():
            service.answers[ASK] = None

        return silence


@pytest.mark.anyio
async def test_a_value_that_is_not_there_yet_is_waited_for(service, make):
    service.answers[ASK] = [(404, {}), (200, {"peaks": []}), (200, {"peaks": [{"area": None}]}), (200, HAS)]
    async with make(sem="/peaks/0/sd") as metric:
        assert await metric.fetch(3, {"id": "r-7"}) == (None, (4.0, 0.5))

    assert service.lines.count(ASK) == 4


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        ((404, {}), SubmissionRefused, "waiting for purity took longer than 0.6 s"),
        ((500, "trouble"), SubmissionRefused, "answered with 500"),
        ((200, {"peaks": [{"area": "overload"}]}), RunnerError, "purity is 'overload', which is no measured number"),
    ],
)
async def test_a_value_that_never_comes_or_is_none_is_told(service, make, answer, kind, told):
    service.answers[ASK] = answer
    async with make() as metric:
        with pytest.raises(RunnerError, match=told) as caught:
            await metric.fetch(3, {"id": "r-7"})

    assert type(caught.value) is kind


@pytest.mark.anyio
async def test_what_the_runner_did_not_record_is_named(make):
    async with make() as metric:
        with pytest.raises(RunnerError, match=r"nothing fills \{id\}: the runner recorded trial, key"):
            await metric.fetch(3, {"key": "k"})


@pytest.mark.anyio
async def test_a_service_that_is_not_there_is_told_with_what_to_do(make):
    (found,) = await make().probe()
    (absent,) = await make(url="http://127.0.0.1:1").probe()

    assert (found.level, absent.level) == ("ok", "fail")
    assert absent.remedy


def test_a_pointer_that_is_none_is_refused():
    with pytest.raises(ConfigurationError, match="value is 'area': a JSON pointer begins with a slash"):
        RestMetric("y", **FIELDS | {"url": "http://lab", "value": "area"})
