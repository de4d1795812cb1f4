"""A platform behind four files, against the lab twin and against managers that do it in another order."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import anyio
import pytest
from tests.adapters.loops import killed_and_resumed
from tests.adapters.twin.wiring import Voltage

from titrant import AsyncClient, ConfigurationError, RangeParameterConfig
from titrant.errors import RunnerError, SubmissionRefused
from titrant.model.space import search_space
from titrant.testing.runner_contract import Carrier, RunnerContract, attempt_of
from titrant_adapters.chemspeed import ChemspeedRunner
from titrant_adapters.twin import Behaviour, LabTwin
from titrant_adapters.twin.four_files import serve_four_files

FIELDS = {
    "commands": [["set_stir", "ISYNTH", "on"], ["run", "{volt}"]],
    "settings": {"x": {"to": "volt", "unit": "V", "read_back": 1}},
    "measure": {"y": 1},
    "safe": [["safe_state"]],
}
SHORT = {"poll_s": 0.005, "timeout_s": 0.8, "run_timeout_s": 2.0}


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def folder(tmp_path):
    found = tmp_path / "exchange"
    found.mkdir()
    return found


@pytest.fixture
async def lab(folder):
    lab = LabTwin(Voltage(), behaviour=Behaviour(duration_s=0.05))
    async with anyio.create_task_group() as tasks:
        await tasks.start(serve_four_files, lab, folder)
        yield lab
        tasks.cancel_scope.cancel()


@pytest.fixture
def make_runner(folder):
    return lambda **fields: ChemspeedRunner(**FIELDS | SHORT | {"folder": str(folder)} | fields)


class TestChemspeedKeepsTheContract(RunnerContract):
    deadline_s = 0.8
    run_deadline_s = 2.0
    cannot: ClassVar = {
        "refuse": "the four files have no word for no: a command that is not done is over as well",
        "defined_error": "the four files have no word for an error: nothing comes back",
    }

    def expected(self, parameters):
        return parameters["x"] ** 2

    @pytest.fixture
    def make_runner(self, make_runner, lab):
        return make_runner


@pytest.mark.anyio
async def test_of_a_run_that_was_under_way_when_the_engine_was_killed_nobody_can_say(lab, folder, tmp_path):
    config = FIELDS | {"folder": str(folder), "poll_s": 0.005}
    loop = await killed_and_resumed("chemspeed", config, starts=lab.starts, folder=tmp_path)

    assert (len(loop.lost), loop.starts) == (1, 12)


def put(folder, name, text):
    Path(folder, f"{name}.csv").write_text(text)


def got(folder, name):
    return Path(folder, f"{name}.csv").read_text()


async def record(_metadata):
    """Says that nothing was sent before."""


@pytest.fixture
async def manager(folder):
    """A manager of the test's own: gives what it was told, and does each as the test says."""
    done = []

    async def serve(work):
        while True:
            first, _, second = got(folder, "command").partition("\n")
            if first.startswith("1,"):
                done.append(f"{first[2:]} {second.strip()}")
                await work(first[2:])
            await anyio.sleep(0.002)

    for name, text in {
        "command": "0,none\nend\n",
        "response": "1,end\n",
        "return": "7,end\n",
        "status": "2,end\n",
    }.items():
        put(folder, name, text)
    async with anyio.create_task_group() as tasks:
        yield done, lambda work: tasks.start_soon(serve, work)
        tasks.cancel_scope.cancel()


@pytest.mark.anyio
async def test_a_command_that_is_over_at_once_is_no_reason_to_wait(folder, manager, make_runner):
    done, serve = manager

    async def work(name):  # never seen to be busy
        put(folder, "return", "4,end\n")
        put(folder, "command", f"0,{name}\n")

    serve(work)
    async with make_runner(safe=[]) as runner:
        ended = await Carrier(runner, "y").carry_out(attempt_of({"x": 2.0}))

    assert (ended.outcome, ended.value) == ("completed", 4.0)
    assert done == ["set_stir ISYNTH,on,end", "run 2.0,end"]


@pytest.mark.anyio
async def test_a_command_is_not_over_because_it_is_taken_before_the_platform_is_busy(folder, manager, make_runner):
    _, serve = manager

    async def work(name):
        put(folder, "command", f"0,{name}\n")
        await anyio.sleep(0.01)
        put(folder, "response", "0,end\n")
        await anyio.sleep(0.05)
        put(folder, "return", f"{4 if name == 'run' else 5},end\n")
        put(folder, "response", "1,end\n")

    serve(work)
    async with make_runner(safe=[], stable=20) as runner:
        ended = await Carrier(runner, "y").carry_out(attempt_of({"x": 2.0}))

    assert (ended.outcome, ended.value) == ("completed", 4.0)


@pytest.mark.anyio
async def test_what_an_earlier_command_returned_is_no_result(folder, manager, make_runner):
    _, serve = manager

    async def work(name):
        put(folder, "command", f"0,{name}\n")

    serve(work)
    async with make_runner(safe=[]) as runner:
        ended = await Carrier(runner, "y").carry_out(attempt_of({"x": 2.0}))

    assert ended.outcome == "unknown"


@pytest.mark.anyio
async def test_a_command_that_nobody_takes_is_withdrawn(folder, manager, make_runner):
    async with make_runner(safe=[]) as runner:
        ended = await Carrier(runner, "y").carry_out(attempt_of({"x": 2.0}))

    assert ended.outcome == "unknown"
    assert "nobody took set_stir within 0.8 s; it was withdrawn" in ended.reason
    assert got(folder, "command") == "0,set_stir\nISYNTH,on,end\n"


@pytest.mark.anyio
async def test_a_platform_that_is_busy_is_left_alone(folder, manager, make_runner):
    put(folder, "response", "0,end\n")
    async with make_runner(safe=[]) as runner:
        with pytest.raises(SubmissionRefused, match=r"an idle platform at .* took longer than"):
            await runner.run(attempt_of({"x": 2.0}), record, None)

    assert got(folder, "command").startswith("0,none")


@pytest.mark.anyio
@pytest.mark.parametrize("held", [2, 10_000])
async def test_a_file_that_is_held_is_written_when_it_is_free(lab, make_runner, monkeypatch, held):
    replace, refused = Path.replace, []

    def replaced(self, target):
        if Path(target).name == "command.csv" and len(refused) < held:
            refused.append(target)
            raise PermissionError(13, "Permission denied")
        return replace(self, target)

    async with make_runner(safe=[]) as runner:
        monkeypatch.setattr(Path, "replace", replaced)
        ended = await Carrier(runner, "y").carry_out(attempt_of({"x": 2.0}))

    assert ended.outcome == ("completed" if held == 2 else "refused"), ended
    assert await lab.starts() == (1 if held == 2 else 0)


@pytest.mark.anyio
async def test_a_text_with_a_comma_is_not_sent_as_two(lab, make_runner):
    async with make_runner() as runner:
        with pytest.raises(RunnerError, match="a comma ends an argument"):
            await runner.run(attempt_of({"x": "1,2"}), None, None)

    assert await lab.starts() == 0


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"commands": []}, r"commands is \(\): say what is done"),
        ({"measure": {}}, "measure is {}: say what is done, and which"),
        ({"measure": {"y": 0}}, "measure"),
        ({"commands": [["run", "{volt},1"]]}, "as words without commas"),
        ({"commands": [["run", "{volt}", "{gas}"]]}, "nothing fills {gas}: add a setting"),
        ({"commands": [["run"]]}, "write {volt} where it belongs in a command"),
        ({"safe": [["stop", "{volt}"]]}, "the safe state depends on no parameter"),
        ({"settings": {"x": {"to": "volt", "read_back": "status"}}}, r"read_back is 'status': give its place"),
        ({"settings": {"x": {"to": "volt", "unit": "volts"}}}, "'volts' is no unit known here"),
        ({"encoding": "utf-99"}, "encoding is 'utf-99'"),
        ({"command": []}, "there is no field 'command': did you mean 'commands'"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(make_runner, fields, told):
    with pytest.raises(ConfigurationError, match=told):
        make_runner(**fields)


def test_a_parameter_that_gets_into_no_command_is_refused(make_runner):
    space = search_space([RangeParameterConfig("x", (0, 1)), RangeParameterConfig("gas", (0, 1))])
    with pytest.raises(ConfigurationError, match="nothing says how 'gas' reaches the instrument"):
        make_runner().check_space(space)


@pytest.mark.anyio
async def test_a_folder_without_the_managers_files_is_told_before_the_first_trial(folder, make_runner):
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig("x", (0.0, 3.0))])
        await client.configure_optimization("y")
        await client.configure_runner(make_runner())
        with pytest.raises(ConfigurationError, match=r"there is no command.csv, .*: start the manager in AutoSuite"):
            await client.run_trials(max_trials=1, progress=False)

        assert client.state.next_index == 0


@pytest.mark.anyio
async def test_the_doctor_is_told_whether_the_platform_is_idle(lab, folder, make_runner):
    (idle,) = await make_runner().probe()
    put(folder, "response", "0,end\n")
    found = await make_runner().probe()

    assert (idle.level, "is idle; its status is 1.0,end" in idle.what) == ("ok", True)
    assert [one.level for one in found] == ["ok", "warn"]
    assert await lab.starts() == 0


def test_every_name_in_the_table_of_errors_leads_to_a_class():
    assert ChemspeedRunner.errors.dangling() == []
