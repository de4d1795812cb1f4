"""A closed loop on a liquid handler and a plate reader, by PyLabRobot: a trial is a well, its parameters are volumes.

python examples/adapters/pylabrobot_bench.py --trials 12

The machines are PyLabRobot's chatterbox back ends, and a reader that sees how much dye is in how much water; put the
back ends of yours in their place in `bench`.  bench.json tells which wells and tips are used, and what is uncertain.
"""

from __future__ import annotations

import argparse
from types import SimpleNamespace

import anyio
from pylabrobot import resources as plr
from pylabrobot.liquid_handling import LiquidHandler, backends
from pylabrobot.plate_reading import PlateReader
from pylabrobot.plate_reading.chatterbox import PlateReaderChatterboxBackend
from pylabrobot.resources.hamilton import STARLetDeck, hamilton_96_tiprack_300uL

from titrant import AsyncClient, RangeParameterConfig
from titrant_adapters.pylabrobot import PylabrobotRunner


class Eye(PlateReaderChatterboxBackend):
    async def read_absorbance(self, plate, wells, wavelength):
        data = [[None] * plate.num_items_x for _ in range(plate.num_items_y)]
        for well in wells:  # best where 90 uL are in it
            data[well.get_row()][well.get_column()] = 1.0 - ((well.tracker.get_used_volume() - 90.0) / 90.0) ** 2
        return [{"wavelength": wavelength, "time": 0.0, "temperature": 25.0, "data": data}]


def bench():
    deck, tips, plates = STARLetDeck(), plr.TIP_CAR_480_A00("tip carrier"), plr.PLT_CAR_L5AC_A00("plate carrier")
    tips[0] = hamilton_96_tiprack_300uL("tips")
    plates[0], plates[1] = plr.cor_96_wellplate_360uL_Fb("plate"), plr.cor_96_wellplate_360uL_Fb("stock")
    for carrier, rails in ((tips, 3), (plates, 15)):
        deck.assign_child_resource(carrier, rails=rails)
    for well in deck.get_resource("stock").get_all_items():
        well.tracker.set_volume(300.0)
    handler = LiquidHandler(backend=backends.LiquidHandlerChatterboxBackend(num_channels=1), deck=deck)
    return SimpleNamespace(handler=handler, reader=PlateReader("reader", 0, 0, 0, backend=Eye()))


async def main(trials: int) -> None:
    dye, seen = {"to": "stock[A1:H12]"}, {"at": {"wavelength": 520}}
    place = {"bench": f"{__name__}:bench", "plate": "plate", "tips": ["tips"], "book": "bench.json"}
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig("dye_ul", (10.0, 200.0))])
        await client.configure_optimization("colour")
        await client.configure_runner(PylabrobotRunner(**place, settings={"dye_ul": dye}, measure={"colour": seen}))
        await client.run_trials(max_trials=trials, progress=False)
        parameters, values, trial, _ = await client.get_best_parameterization()
        print(f"best of {trials} wells: trial {trial} at {parameters} gives {values}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=12, help="how many (default: 12)")
    anyio.run(main, parser.parse_args().trials)
