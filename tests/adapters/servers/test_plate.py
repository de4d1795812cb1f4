"""A transfer on the bench, and a fault."""

import pytest
from pylabrobot.resources.errors import TooLittleLiquidError
from tests.adapters.servers.plate import ABSORBANCE, WELL_UL, Bench

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def bench(capsys):
    async with Bench() as bench:
        yield bench


async def test_what_was_dispensed_is_what_the_reader_sees(bench):
    well = bench.plate.get_item("A1")
    await bench.handler.pick_up_tips([bench.tips.get_item("A1")])
    await bench.handler.aspirate([bench.stock.get_item("A1")], vols=[90.0])
    await bench.handler.dispense([well], vols=[90.0])
    await bench.handler.discard_tips()
    seen = await bench.reader.backend.read_absorbance(bench.plate, [well], 520)

    assert seen[0]["data"][0][0] == pytest.approx(ABSORBANCE * 90.0 / WELL_UL)


async def test_more_than_there_is_cannot_be_aspirated(bench):
    await bench.handler.pick_up_tips([bench.tips.get_item("B1")])

    with pytest.raises(TooLittleLiquidError):
        await bench.handler.aspirate([bench.stock.get_item("A1")], vols=[300.5])
