"""How parameters reach an instrument, and how it is told whether they did."""

from __future__ import annotations

import pytest

from titrant import ChoiceParameterConfig, ConfigurationError, RangeParameterConfig
from titrant.model.space import search_space
from titrant_adapters.shape import Deviation, Setting, Settings

SPACE = search_space([RangeParameterConfig("t", (20.0, 120.0)), ChoiceParameterConfig("gas", ("N2", "Ar"))])


@pytest.mark.parametrize(
    ("setting", "sent"),
    [
        (Setting(to="T"), 25.0),
        (Setting(to="T", unit="degC", sent_in="K"), 298.15),
        (Setting(to="T", unit="degC", sent_in="degF"), 77.0),
        (Setting(to="T", scale=10), 250.0),
        (Setting(to="T", unit="mL/min", sent_in="uL/min"), 25_000.0),
    ],
)
def test_units_go_out_and_come_back(setting, sent):
    assert setting.outward(25.0) == pytest.approx(sent)
    assert setting.inward(str(setting.outward(25.0))) == pytest.approx(25.0)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"unit": "celsius"}, "'celsius' is no unit known here"),
        ({"unit": "degC", "sent_in": "bar"}, r"degC \(temperature\) cannot be sent in bar \(pressure\)"),
        ({"sent_in": "K"}, "unit is missing"),
        ({"unit": "s", "sent_in": "min", "scale": 60}, "give either"),
        ({"scale": 0}, "scale is 0"),
        ({"tolerance": -1}, "tolerance is -1"),
        ({"offset": float("nan")}, "offset is nan"),
    ],
)
def test_a_wrong_unit_or_scale_is_refused(fields, told):
    with pytest.raises(ConfigurationError, match=told):
        Setting(to="T", **fields)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (Settings({"t": Setting(to="T")}), "nothing says how 'gas' reaches the instrument"),
        (Settings({"t": Setting(to="T"), "p": Setting(to="P")}, ignored=("gas",)), "the settings name 'p'"),
        (Settings({"t": Setting(to="T"), "gas": Setting(to="G", words={"N2": 1})}), "says nothing for 'Ar'"),
        (Settings({"t": Setting(to="T"), "gas": Setting(to="G", unit="s")}), "has texts for values and the unit 's'"),
    ],
)
def test_settings_that_do_not_fit_the_space_are_refused(settings, told):
    with pytest.raises(ConfigurationError, match=told):
        settings.check(SPACE)


def test_settings_that_fit_are_accepted():
    Settings({"t": Setting(to="T"), "gas": Setting(to="G", words={"N2": 1, "Ar": 2})}).check(SPACE)
    Settings({"t": Setting(to="T")}, ignored=("gas",)).check(SPACE)


class Oven:
    """Goes to 100 only, and says so when asked."""

    def __init__(self):
        self.values = {}

    async def write(self, setting, value):
        self.values[setting.to] = min(value, 100.0)

    async def read(self, setting):
        return str(self.values[setting.read_back])


HEATED = {"t": Setting(to="T", read_back="T", tolerance=0.5)}


@pytest.mark.anyio
async def test_what_was_not_taken_fails_with_what_is_in_force():
    oven = Oven()
    with pytest.raises(Deviation, match=r"t is 100\.0, not 120\.0") as told:
        await Settings(HEATED).apply({"t": 120.0}, oven.write, oven.read)

    assert told.value.executed == {"t": 100.0}


@pytest.mark.anyio
async def test_or_is_recorded_where_that_is_the_policy():
    oven = Oven()

    assert await Settings(HEATED, "record").apply({"t": 120.0}, oven.write, oven.read) == {"t": 100.0}
    assert await Settings(HEATED, "record").apply({"t": 100.4}, oven.write, oven.read) == {}


@pytest.mark.parametrize("read", [float("nan"), "nan"])
def test_a_value_that_is_no_number_never_agrees(read):
    setting = Setting(to="T", tolerance=1e9)

    assert not setting.agrees(1.0, setting.inward(read))


@pytest.fixture
def anyio_backend():
    return "asyncio"
