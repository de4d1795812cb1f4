"""Reports that come later than the run, as a metric."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from titrant import ConfigurationError
from titrant.errors import RunnerError
from titrant.testing.metric_contract import MetricContract
from titrant_adapters.file_report import FileReportMetric

REPORT = "printed 9:30\nvial;area_percent;state\n7;81.5;ok\n#END\n"
LIMITS = {"poll_s": 0.01, "timeout_s": 0.5, "report_timeout_s": 0.3}
FIELDS = {"column": "area_percent", "delimiter": ";", "end": "#END", "result": "*{run}*.csv", **LIMITS}


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def folder(tmp_path):
    found = tmp_path / "reports"
    found.mkdir()
    return found


def put(folder, name, text=REPORT):
    Path(folder, name).write_text(text, encoding="utf-8")


@pytest.fixture
def make_metric(folder):
    return lambda **fields: FileReportMetric("purity", **{"results": str(folder), **FIELDS, **fields})


class TestFileReportKeepsTheContract(MetricContract):
    metadata = {"key": "run-1"}  # noqa: RUF012
    expected = 81.5
    deadline_s = 0.3

    @pytest.fixture
    def metric(self, folder, make_metric):
        put(folder, "2026-11-21 run-1.csv")
        return make_metric()

    @pytest.fixture
    def silenced(self, folder):
        async def silence():
            for path in folder.iterdir():
                path.unlink()

        return silence


@pytest.mark.anyio
async def test_a_report_that_is_still_written_is_waited_for(folder, make_metric):
    async def write():
        for end in range(0, len(REPORT) + 1, 8):
            put(folder, "run-1.csv", REPORT[:end])
            await anyio.sleep(0.005)
        put(folder, "run-1.csv")

    async with make_metric(report_timeout_s=5.0) as metric, anyio.create_task_group() as tasks:
        tasks.start_soon(write)
        assert await metric.fetch(0, {"key": "run-1"}) == 81.5


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("pattern", "metadata", "name"),
    [
        ("{run}.csv", {"job": "a/b", "uuid": "u"}, "a-b.csv"),
        ("{trial}.csv", {}, "3.csv"),
        ("{rack}-{trial}.csv", {"rack": "left"}, "left-3.csv"),
    ],
)
async def test_a_report_is_found_by_what_the_runner_recorded(folder, make_metric, pattern, metadata, name):
    put(folder, name)
    put(folder, "another.csv", REPORT.replace("81.5", "1"))

    async with make_metric(result=pattern) as metric:
        assert await metric.fetch(3, metadata) == 81.5


@pytest.mark.anyio
async def test_one_table_may_report_of_many_runs(folder, make_metric):
    put(folder, "tray.csv", REPORT.replace("#END", "8;12.5;ok\n#END"))

    async with make_metric(result="tray.csv", row="vial") as metric:
        assert await metric.fetch(0, {"key": "8"}) == 12.5


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("text", "told"),
    [
        (REPORT.replace("ok", "leak"), "ended as 'leak'"),
        (REPORT.replace("81.5", "n.a."), "no measured number"),
        ("nothing\n#END\n", "no line of the table names"),
    ],
)
async def test_what_was_not_measured_is_no_value(folder, make_metric, text, told):
    put(folder, "run-1.csv", text)

    async with make_metric(status="state") as metric:
        with pytest.raises(RunnerError, match=told):
            await metric.fetch(0, {"key": "run-1"})


@pytest.mark.anyio
async def test_a_name_that_nobody_recorded_is_said(make_metric):
    async with make_metric(result="{rack}.csv") as metric:
        with pytest.raises(ConfigurationError, match="recorded no 'rack' of trial 0; there are key, trial, run"):
            await metric.fetch(0, {"key": "1"})


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"result": "report.csv"}, "where the name of the run goes"),
        ({"result": "{run"}, "a brace itself is written twice"),
        ({"encoding": "utf-99"}, "it is no encoding"),
        ({"results": "nowhere"}, "it is no folder that can be used here"),
        ({"delimiter": "|"}, "delimiter"),
    ],
)
async def test_bad_configuration_is_told_before_the_first_trial(make_metric, fields, told):
    with pytest.raises(ConfigurationError, match=told):
        async with make_metric(**fields):
            pass


@pytest.mark.anyio
async def test_the_doctor_is_told_whether_the_folder_can_be_read(folder, make_metric):
    put(folder, "run-1.csv")
    (found,) = await make_metric().probe()
    (absent,) = await make_metric(results="nowhere").probe()

    assert (found.level, found.what) == ("ok", f"{folder} can be read; files in it: 1")
    assert absent.level == "fail"
