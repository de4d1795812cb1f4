"""A liquid handler and a plate reader of PyLabRobot that share one physical truth.

The handler's back end only talks; the reader computes what it sees from the wells' own volume trackers, after
Beer and Lambert.
"""

from pylabrobot.liquid_handling import LiquidHandler
from pylabrobot.liquid_handling.backends import LiquidHandlerChatterboxBackend
from pylabrobot.plate_reading import PlateReader
from pylabrobot.plate_reading.chatterbox import PlateReaderChatterboxBackend
from pylabrobot.resources import (
    PLT_CAR_L5AC_A00,
    TIP_CAR_480_A00,
    cor_96_wellplate_360uL_Fb,
    set_tip_tracking,
    set_volume_tracking,
)
from pylabrobot.resources.hamilton import STARLetDeck, hamilton_96_tiprack_300uL

ABSORBANCE = 2.5
"""Of a well that is full of dye."""
STOCK_UL, WELL_UL = 300.0, 360.0


class Reader(PlateReaderChatterboxBackend):
    """Sees of each well how full it is."""

    async def read_absorbance(self, plate, wells, wavelength):
        data = [[None] * plate.num_items_x for _ in range(plate.num_items_y)]
        for well in wells:
            data[well.get_row()][well.get_column()] = ABSORBANCE * well.tracker.get_used_volume() / WELL_UL
        return [{"wavelength": wavelength, "time": 0.0, "temperature": 25.0, "data": data}]


class Bench:
    """The handler, its tips, a plate of stock, the plate that is measured, and the reader."""

    def __init__(self):
        self.deck = STARLetDeck()
        self.handler = LiquidHandler(backend=LiquidHandlerChatterboxBackend(num_channels=1), deck=self.deck)
        self.tips = hamilton_96_tiprack_300uL("tips")
        self.stock, self.plate = cor_96_wellplate_360uL_Fb("stock"), cor_96_wellplate_360uL_Fb("plate")
        tip_carrier, plate_carrier = TIP_CAR_480_A00("tip carrier"), PLT_CAR_L5AC_A00("plate carrier")
        tip_carrier[0], plate_carrier[0], plate_carrier[1] = self.tips, self.plate, self.stock
        self.deck.assign_child_resource(tip_carrier, rails=3)
        self.deck.assign_child_resource(plate_carrier, rails=15)
        self.reader = PlateReader(name="reader", size_x=0, size_y=0, size_z=0, backend=Reader())
        for well in self.stock.get_all_items():
            well.tracker.set_volume(STOCK_UL)

    async def __aenter__(self):
        set_tip_tracking(enabled=True)
        set_volume_tracking(enabled=True)
        await self.handler.setup()
        await self.reader.setup()
        return self

    async def __aexit__(self, *_):
        await self.reader.stop()
        await self.handler.stop()
        set_tip_tracking(enabled=False)
        set_volume_tracking(enabled=False)
