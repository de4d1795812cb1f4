"""Orders and results as files, against the lab twin behind two folders."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import anyio
import pytest
from tests.adapters.loops import killed_and_resumed, killed_at
from tests.adapters.twin.wiring import Voltage

from titrant import AsyncClient, ConfigurationError, RangeParameterConfig
from titrant.model.space import search_space
from titrant.testing.runner_contract import Carrier, RunnerContract, attempt_of
from titrant_adapters.file_drop import FileDropRunner
from titrant_adapters.file_drop import runner as file_drop
from titrant_adapters.shape.folders import matching
from titrant_adapters.twin import Behaviour, LabTwin
from titrant_adapters.twin.drop_box import serve_drop_box

SETTINGS = {"x": {"to": "volt", "read_back": "volt", "tolerance": 1e-6}}
FIELDS = {
    "settings": SETTINGS,
    "measure": {"y": "power"},
    "result": "{key}.result*",
    "refused": "{key}.rejected",
    "failed": "{key}.error",
    "status": "status",
    "end": "#END",
}


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def folders(tmp_path):
    found = {name: tmp_path / name for name in ("orders", "results")}
    for folder in found.values():
        folder.mkdir()
    return {name: str(folder) for name, folder in found.items()}


def put(folder, name, text="", encoding="utf-8"):
    Path(folder, name).write_text(text, encoding=encoding)


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir())


@pytest.fixture
async def lab(folders):
    lab = LabTwin(Voltage(), behaviour=Behaviour(duration_s=0.05, places=2))
    async with anyio.create_task_group() as tasks:
        await tasks.start(serve_drop_box, lab, Path(folders["orders"]), Path(folders["results"]))
        yield lab
        tasks.cancel_scope.cancel()


@pytest.fixture
def make_runner(folders):
    def make(**fields):
        given = FIELDS | folders | {"run_timeout_s": 0.8, "timeout_s": 0.5, "poll_s": 0.01} | fields
        return FileDropRunner(**given)

    return make


class TestFileDropKeepsTheContract(RunnerContract):
    deadline_s = 0.8

    def expected(self, parameters):
        return parameters["x"] ** 2

    @pytest.fixture
    def make_runner(self, make_runner, lab):
        return make_runner


@pytest.mark.anyio
async def test_a_killed_engine_finds_its_orders_again(lab, folders, tmp_path):
    config = FIELDS | folders | {"poll_s": 0.01, "workers": 2}
    loop = await killed_and_resumed("file_drop", config, starts=lab.starts, folder=tmp_path, parallelism=2)

    assert (loop.lost, loop.starts) == ([], 12)


@pytest.mark.anyio
async def test_an_engine_that_dies_before_it_drops_an_order_is_no_reason_to_ask_anybody(lab, folders, tmp_path):
    config = FIELDS | folders | {"poll_s": 0.01}
    loop = await killed_at("runner.recorded#2", "file_drop", config, starts=lab.starts, folder=tmp_path)

    assert (loop.at_kill, loop.starts) == (1, 3)
    assert (loop.lost, loop.ended["trial.completed"]) == ([], 3)


@pytest.mark.anyio
@pytest.mark.parametrize("order", ["{key}.csv", "{key}.json"])
async def test_without_an_end_marker_a_file_that_grows_is_waited_for(lab, make_runner, order):
    async with make_runner(end="", stable=5, order=order) as runner:
        ended = await Carrier(runner, "y").carry_out(attempt_of({"x": 3.0}))

    assert (ended.outcome, ended.value) == ("completed", 9.0)


@pytest.mark.anyio
async def test_a_file_is_read_when_it_has_its_name(folders, make_runner):
    """Vendors' software writes under another name, appends the time, and locks what it writes."""
    text = "key;volt;power;status\nother;1;1;ok\n{};2;4;ok\n"

    async def instrument():
        while not (found := [name for name in names(folders["orders"]) if name.endswith(".txt")]):  # noqa: ASYNC110  (nothing tells of a file)
            await anyio.sleep(0.005)
        key = found[0].removesuffix(".txt")
        assert await anyio.Path(folders["orders"], found[0]).read_text("utf-16") == f"RUN {key} 2.0"
        put(folders["results"], f"2026-{key}.csv.tmp", "key;volt")
        await anyio.sleep(0.05)
        put(folders["results"], f"2026-{key}.csv.tmp", text.format(key), "utf-16")
        await anyio.Path(folders["results"], f"2026-{key}.csv.tmp").rename(Path(folders["results"], f"2026-{key}.csv"))

    fields = {"order": "{key}.txt", "template": "RUN {key} {volt}", "result": "*{key}*.csv*", "row": "key"}
    runner = make_runner(**fields, delimiter=";", encoding="utf-16", end="", refused="", failed="")
    async with runner, anyio.create_task_group() as tasks:
        tasks.start_soon(instrument)
        ended = await Carrier(runner, "y").carry_out(attempt_of({"x": 2.0}))

    assert (ended.outcome, ended.value) == ("completed", 4.0)


@pytest.mark.anyio
async def test_a_result_that_the_instrument_holds_is_read_when_it_is_free(lab, make_runner, monkeypatch):
    read, refused = Path.read_bytes, []

    def held(self):
        if self.match("*.result*") and len(refused) < 3:
            refused.append(self)
            raise PermissionError(13, "Permission denied")
        return read(self)

    monkeypatch.setattr(Path, "read_bytes", held)
    async with make_runner() as runner:
        ended = await Carrier(runner, "y").carry_out(attempt_of({"x": 3.0}))

    assert (ended.outcome, ended.value, len(refused)) == ("completed", 9.0, 3)


@pytest.mark.anyio
async def test_a_share_that_hangs_is_looked_at_again(lab, make_runner, monkeypatch):
    freed, hung = threading.Event(), []

    def hanging(folder, pattern):
        if not hung:
            hung.append(pattern)
            freed.wait(5)
        return matching(folder, pattern)

    async with make_runner(timeout_s=0.1, run_timeout_s=5.0) as runner:
        monkeypatch.setattr(file_drop, "matching", hanging)
        runner._free = lambda name: f"{name}-1"  # the look before the order is not the one that is meant
        ended = await Carrier(runner, "y").carry_out(attempt_of({"x": 3.0}))
        freed.set()

    assert (ended.outcome, ended.value, len(hung)) == ("completed", 9.0, 1)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("volt,power,status\n2,nan,ok\n#END", "power is nan: not measured"),
        ("volt,power,status\n2,four,ok\n#END", "power is 'four', which is no number"),
        ("volt,power,status\n2,4,aborted\n#END", "it ended as 'aborted'"),
        ("volt,power,status\n3,9,ok\n#END", r"x is 3\.0, not 2\.0"),
        ("volt,power\n2,4\n#END", "no line of the table names power, status, volt"),
        ("volt,power,status\n2,4,ok\n2,5,ok\n#END", "2 rows for here, which do not agree"),
        ('{"volt": 2, "power": NaN, "status": "ok"}\n#END', "power is nan: not measured"),
        ('{"volt": 2, "status": "ok"}\n#END', "the result has no power; it has volt, status"),
        ("{volt: 2}\n#END", "the result is no JSON"),
    ],
)
async def test_a_result_that_cannot_be_believed_fails_the_trial(folders, make_runner, told, said):
    put(folders["results"], "here.result", told)
    async with make_runner() as runner:
        ended = await Carrier(runner, "y").find_again(attempt_of({"x": 2.0}, metadata={"name": "here"}))

    assert ended.outcome == "failed"
    assert re.search(said, ended.reason)


@pytest.mark.anyio
async def test_what_was_carried_out_instead_can_be_recorded(folders, make_runner):
    put(folders["results"], "here.result", "volt,power,status\n3,9,ok\n#END")
    async with make_runner(otherwise="record") as runner:
        ended = await Carrier(runner, "y").find_again(attempt_of({"x": 2.0}, metadata={"name": "here"}))

    assert (ended.outcome, ended.value, ended.executed) == ("completed", 9.0, {"x": 3.0})


@pytest.mark.anyio
async def test_an_order_that_was_refused_is_given_again_under_another_name(lab, folders, make_runner):
    attempt = attempt_of({"x": 2.0})
    async with make_runner() as runner:
        await lab.arm("refuse")
        ended = [await Carrier(runner, "y").carry_out(attempt) for _ in range(2)]

    assert [one.outcome for one in ended] == ["refused", "completed"]
    assert names(folders["orders"]) == [f"{attempt.key}-1.taken", f"{attempt.key}-2.taken"]


@pytest.mark.anyio
async def test_the_safe_state_is_a_file_of_its_own(folders, make_runner):
    async with make_runner(safe="STOP.txt") as runner:
        await runner.safe_state()

    assert names(folders["orders"]) == ["STOP.txt"]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"measure": {}}, "measure is {}: name a field for each metric"),
        ({"order": "order.csv"}, "order is 'order.csv': write {key} where the name of the run goes"),
        ({"result": "out/{key}.csv"}, "result is 'out/{key}.csv': give a name without a folder"),
        ({"order": "{key}-{x}.csv"}, "write {key} where the name of the run goes, and no other name in braces"),
        ({"order": "{key"}, "order is '{key': .*a brace itself is written twice"),
        ({"safe": "{key}.stop"}, "safe is '{key}.stop'"),
        ({"encoding": "utf-99"}, "encoding is 'utf-99': it is no encoding"),
        ({"template": "RUN {key} {volts}"}, "nothing fills {volts}; there are volt"),
        ({"template": "RUN {key}"}, "write {volt} where it belongs"),
        ({"orders": "in", "results": "in", "result": "{key}.*"}, "an order would be read as its own result"),
        ({"stable": 0}, "stable is 0"),
        ({"settings": {"x": {"to": "T", "unit": "celsius"}}}, "'celsius' is no unit known here"),
        ({"endmark": "x"}, "there is no field 'endmark'"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(make_runner, fields, told):
    with pytest.raises(ConfigurationError, match=told):
        make_runner(**fields)


def test_a_parameter_that_does_not_get_into_the_order_is_refused(make_runner):
    space = search_space([RangeParameterConfig("x", (0, 1)), RangeParameterConfig("gas", (0, 1))])
    with pytest.raises(ConfigurationError, match="nothing says how 'gas' reaches the instrument"):
        make_runner().check_space(space)
    make_runner(settings={}).check_space(space)


@pytest.mark.parametrize(
    ("template", "told"), [("{key} {y}", "nothing fills {y}; there are gas, x"), ("{key} {x}", "write {gas} where it")]
)
def test_a_template_is_held_against_the_parameters_where_there_are_no_settings(make_runner, template, told):
    space = search_space([RangeParameterConfig("x", (0, 1)), RangeParameterConfig("gas", (0, 1))])
    with pytest.raises(ConfigurationError, match=told):
        make_runner(settings={}, template=template).check_space(space)


@pytest.mark.anyio
async def test_a_text_that_cannot_be_written_fails_the_trial_and_drops_no_order(folders, make_runner):
    settings = {"x": {"to": "volt", "words": {"a little": "10 µV"}}}
    async with make_runner(settings=settings, encoding="ascii") as runner:
        ended = await Carrier(runner, "y").carry_out(attempt_of({"x": "a little"}))

    assert (ended.outcome, names(folders["orders"])) == ("failed", [])
    assert "'ascii' codec can't encode" in ended.reason


@pytest.mark.anyio
async def test_a_share_that_cannot_be_written_is_told_before_the_first_trial(make_runner):
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig("x", (0.0, 3.0))])
        await client.configure_optimization("y")
        await client.configure_runner(make_runner(orders="/proc/sys"))  # where not even root makes files
        with pytest.raises(ConfigurationError, match=r"orders is '/proc/sys': it is no folder that can be used here"):
            await client.run_trials(max_trials=1, progress=False)

        assert client.state.next_index == 0


@pytest.mark.anyio
async def test_the_doctor_tells_of_orders_that_nobody_takes(folders, make_runner):
    put(folders["orders"], "old.json")
    found = await make_runner().probe()
    absent = await make_runner(results="/no/such/folder").probe()

    assert [one.level for one in found] == ["ok", "warn"]
    assert "1 orders lie in" in found[1].what
    assert [one.level for one in absent] == ["fail"]
    assert names(folders["orders"]) == ["old.json"]


def test_every_name_in_the_table_of_errors_leads_to_a_class():
    assert FileDropRunner.errors.dangling() == []
