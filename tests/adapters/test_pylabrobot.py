"""Liquid handling and plate reading by PyLabRobot, on back ends that only talk."""

from __future__ import annotations

import sys
from typing import ClassVar

import msgspec
import pylabrobot.liquid_handling.errors
import pylabrobot.resources.errors
import pytest
from pylabrobot.resources import set_tip_tracking, set_volume_tracking
from tests.adapters import plr_bench
from tests.adapters.loops import killed_and_resumed
from tests.adapters.servers.plate import ABSORBANCE, STOCK_UL, WELL_UL

from titrant import AsyncClient, ConfigurationError, RangeParameterConfig
from titrant.model.space import search_space
from titrant.testing.runner_contract import Carrier, RunnerContract, attempt_of
from titrant_adapters.pylabrobot import PylabrobotRunner
from titrant_adapters.pylabrobot.book import Page

FIELDS = {
    "bench": "tests.adapters.plr_bench:bench",
    "plate": "plate",
    "tips": ["tips"],
    "settings": {"x": {"to": "stock[A1:H1]", "unit": "uL"}},
    "measure": {"y": {"at": {"wavelength": 520}}},
}
FAST = {"timeout_s": 0.8, "run_timeout_s": 2.0, "poll_s": 0.01}


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(autouse=True)
def trackers():
    yield
    set_tip_tracking(enabled=False)
    set_volume_tracking(enabled=False)


@pytest.fixture
def lab(tmp_path, monkeypatch):
    lab = plr_bench.Faulty(tmp_path / "ledger")
    monkeypatch.setattr(plr_bench, "bench", lambda: plr_bench.bench_of(lab))
    return lab


@pytest.fixture
def book(tmp_path):
    return tmp_path / "bench.json"


@pytest.fixture
def make_runner(lab, book):
    return lambda **more: PylabrobotRunner(**(FIELDS | FAST | {"book": str(book)} | more))


def page_of(book):
    return msgspec.json.decode(book.read_bytes(), type=Page)


class TestPylabrobotKeepsTheContract(RunnerContract):
    deadline_s = 0.8
    run_deadline_s = 2.0
    points = ({"x": 30.0}, {"x": 60.0})
    cannot: ClassVar = {
        "half_frame": "the library is called in this process: there are no frames",
        "duplicate": "a call returns once: there is no second answer",
        "stuck": "what was pipetted can be measured but not read back",
    }

    def expected(self, parameters):
        return ABSORBANCE * parameters["x"] / WELL_UL

    @pytest.fixture
    def make_runner(self, make_runner):
        return make_runner


@pytest.mark.anyio
async def test_a_killed_engine_uses_no_well_twice(tmp_path, book):
    ledger = tmp_path / "ledger"
    loop = await killed_and_resumed(
        "pylabrobot",
        FIELDS | {"book": str(book)},
        starts=plr_bench.Faulty(ledger).starts,
        folder=tmp_path,
        parameters={"x": (10.0, 100.0)},
        env={plr_bench.LEDGER: str(ledger)},
    )
    page = page_of(book)

    assert len(loop.lost) == 1  # the arm stood somewhere when the engine was killed
    assert len(page.used) == 12
    assert [name for name in page.uncertain if name in page.used] == [list(page.used)[loop.lost[0]]]


# What is used up, and what is uncertain


@pytest.mark.anyio
@pytest.mark.parametrize("fault", ["mute", "drop"])
async def test_a_well_of_unknown_content_is_never_used_again(lab, book, make_runner, fault):
    """The library rolls its trackers back as if no liquid had moved."""
    async with make_runner() as runner:
        await lab.arm(fault)
        ended = await Carrier(runner, "y").carry_out(attempt_of({"x": 30.0}))
        source = runner.bench.deck.get_resource("stock").get_item("A1")
        left = source.tracker.get_used_volume()
        after = await Carrier(runner, "y").carry_out(attempt_of({"x": 60.0}))
    page = page_of(book)
    found = await make_runner().probe()

    assert (ended.outcome, after.outcome) == ("unknown", "completed")
    assert list(page.used) == ["plate_well_A1", "plate_well_B1"]
    assert set(page.uncertain) == {"plate_well_A1", "stock_well_A1"}
    assert left == STOCK_UL - 30.0  # what may be gone is gone
    assert [one.level for one in found] == ["ok", "warn", "warn"]
    assert "plate_well_C1" in found[0].what


@pytest.mark.anyio
async def test_the_deck_is_as_the_book_says_after_a_restart(lab, make_runner):
    for _ in range(2):
        async with make_runner() as runner:
            await Carrier(runner, "y").carry_out(attempt_of({"x": 30.0}))
    async with make_runner() as runner:
        left = runner.bench.deck.get_resource("stock").get_item("A1").tracker.get_used_volume()

        assert (left, runner.bench.tip().name, runner.bench.well().name) == (240.0, "tips_tipspot_C1", "plate_well_C1")


@pytest.mark.anyio
async def test_a_source_that_is_empty_gives_way_to_the_next(lab, make_runner):
    async with make_runner() as runner:
        ended = [await Carrier(runner, "y").carry_out(attempt_of({"x": 200.0})) for _ in range(2)]
        stock = runner.bench.deck.get_resource("stock")

        assert [one.outcome for one in ended] == ["completed"] * 2
        assert [stock.get_item(at).tracker.get_used_volume() for at in ("A1", "B1")] == [100.0, 100.0]


@pytest.mark.anyio
async def test_more_than_any_source_holds_is_a_failed_trial(lab, make_runner):
    async with make_runner() as runner:
        ended = await Carrier(runner, "y").carry_out(attempt_of({"x": 301.0}))

    assert (ended.outcome, await lab.starts()) == ("failed", 0)
    assert "nothing in stock[A1:H1] holds 301 uL" in ended.reason


@pytest.mark.anyio
async def test_the_tip_of_a_run_that_broke_off_is_thrown_away(lab, make_runner):
    async with make_runner() as runner:
        await lab.arm("crash_in_run")
        await Carrier(runner, "y").carry_out(attempt_of({"x": 30.0}))
        await runner.safe_state()

        assert not any(channel.has_tip for channel in runner.bench.handler.head.values())


# What cannot work


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"bench": "no.such.module:bench"}, "bench is 'no.such.module:bench': there is no such function"),
        ({"bench": "types:SimpleNamespace"}, "what it gives is a SimpleNamespace without handler and reader"),
        ({"book": "/proc/sys/book.json"}, "book is '/proc/sys': it is no folder that can be used here"),
        ({"plate": "dish"}, "dish"),
        ({"settings": {"x": {"to": "stock[Z9]"}}}, r"there is no 'stock\[Z9\]' on the deck"),
    ],
)
async def test_what_cannot_work_is_told_before_the_first_trial(lab, make_runner, fields, told):
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig("x", (10.0, 100.0))])
        await client.configure_optimization("y")
        await client.configure_runner(make_runner(**fields))
        with pytest.raises(ConfigurationError, match=told):
            await client.run_trials(max_trials=1, progress=False)

        assert (client.state.next_index, await lab.starts()) == (0, 0)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"bench": "deck"}, "give module:function"),
        ({"measure": {}}, "measure is {}: it must not be empty"),
        ({"settings": {"x": {"to": "stock"}}}, r"as 'stock\[A1:H1\]'"),
        ({"settings": {"x": {"to": "stock[A1]", "unit": "mL"}}}, "PyLabRobot wants microlitres"),
        ({"settings": {"x": {"to": "stock[A1]", "read_back": "stock[A1]"}}}, "cannot be read back"),
        ({"settings": {"x": {"to": "stock[A1]", "unit": "degC", "sent_in": "uL"}}}, "cannot be sent in uL"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(make_runner, fields, told):
    with pytest.raises(ConfigurationError, match=told):
        make_runner(**fields)


def test_a_parameter_without_a_source_is_refused(make_runner):
    with pytest.raises(ConfigurationError, match="nothing says how 'gas' reaches the instrument"):
        make_runner().check_space(
            search_space([RangeParameterConfig("x", (0, 1)), RangeParameterConfig("gas", (0, 1))])
        )


@pytest.mark.anyio
async def test_a_book_that_cannot_be_read_stops_everything(lab, make_runner, book):
    book.write_text("{")
    with pytest.raises(ConfigurationError, match="which cannot be read"):
        async with make_runner():
            pass


@pytest.mark.anyio
async def test_a_missing_library_is_named_with_its_extra(make_runner, monkeypatch):
    monkeypatch.setitem(sys.modules, "pylabrobot.resources", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'titrant\[pylabrobot\]'"):
        async with make_runner():
            pass


def test_every_error_of_the_library_has_a_meaning():
    assert PylabrobotRunner.errors.unlisted(pylabrobot.liquid_handling.errors, pylabrobot.resources.errors) == []
    assert PylabrobotRunner.errors.dangling() == []
