"""The physics of the twin: an optimum inside, real replicates, a plate that remembers."""

import statistics
import zipfile
from random import Random

import pytest

from titrant.errors import ConfigurationError
from titrant_adapters.twin.physics import MaterialError
from titrant_adapters.twin.physics.deck import Deck, Liquid
from titrant_adapters.twin.physics.kinetics import Kinetics
from titrant_adapters.twin.physics.plate import Plate
from titrant_adapters.twin.physics.replay import Replay
from titrant_adapters.twin.physics.tables import data_sets, read_table

OLYMPUS = '{"parameters": [{"name": "x"}, {"name": "y"}], "measurements": [{"name": "z"}], "default_goal": "minimize"}'
BARRELS = "\ufeffn,theta,toughness\n6,0,1.0\n6,0,3.0\n12,100,51.0\n12,100,1.0\n8,50,30.0\n8,50,32.0\n"
REACTIONS = "NAME,catalyst,temperature,ton,yld\nTYPE,DATA,DATA,DATA,DATA\n0,P1-L3,30,1.1,0.6\n1,P1-L6,110,0,0.1\n"


@pytest.fixture
def barrels(tmp_path):
    path = tmp_path / "barrels.csv"
    path.write_text(BARRELS, encoding="utf-8")
    return Replay.load(path)


def yields(temperatures, **more):
    conditions = {"residence_time": 5.0, "equivalents": 1.2} | more
    return [Kinetics().truth({"temperature": t} | conditions)["yield"] for t in temperatures]


def test_the_yield_is_highest_inside_the_range_of_temperatures():
    cold, mild, warm, hot, hottest = yields([30, 60, 90, 120, 150])

    assert cold < mild < warm > hot > hottest


def test_the_yield_is_what_the_rate_equations_give():
    assert yields([90.0]) == pytest.approx([27.0], abs=0.5)


def test_conversion_only_grows_with_temperature():
    found = [
        Kinetics().truth({"temperature": t, "residence_time": 5.0, "equivalents": 1.2})["conversion"]
        for t in (30, 90, 150)
    ]

    assert found == sorted(found)


def test_a_reading_is_a_replicate_and_a_design_is_worth_their_mean(barrels):
    asked = {"n": 12, "theta": 100}

    readings = {barrels.measure(asked, Random(seed))["toughness"] for seed in range(20)}

    assert readings == {51.0, 1.0}
    assert barrels.truth(asked) == {"toughness": 26.0}


def test_the_luckiest_reading_does_not_belong_to_the_best_design(barrels):
    assert barrels.best("toughness") == (8.0, 50.0)
    assert barrels.best("toughness", highest=False) == (6.0, 0.0)


def test_replicates_spread_as_those_measured_do(barrels):
    asked = {"n": 12, "theta": 100}
    draws = Random(1)

    drawn = [barrels.measure(asked, draws)["toughness"] for _ in range(4000)]

    assert statistics.pstdev(drawn) == pytest.approx(25.0, rel=0.02)


def test_settings_between_designs_get_the_nearest_one(barrels):
    assert barrels.design({"n": 8.9, "theta": 60}) == (8.0, 50.0)


def test_a_wheel_is_read_as_the_archive_it_is(tmp_path):
    wheel = tmp_path / "olymp-0.0.1b0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("olympus/datasets/dataset_snar/config.json", OLYMPUS)
        archive.writestr("olympus/datasets/dataset_snar/data.csv", "1.24,2.43,2.06\n0.81,4.59,1.94\n")
        archive.writestr("summit/benchmarks/data/suzuki.csv", REACTIONS)

    assert data_sets(wheel) == ["snar", "suzuki"]
    snar = read_table(wheel, "snar")
    assert (snar.inputs, snar.outputs, len(snar.rows)) == (("x", "y"), ("z",), 2)
    suzuki = Replay.load(wheel, "suzuki")
    assert [one.choices for one in suzuki.inputs] == [("P1-L3", "P1-L6"), ()]
    assert suzuki.truth({"catalyst": "P1-L6", "temperature": 110}) == {"ton": 0.0, "yld": 0.1}


def test_rows_without_a_measured_number_are_left_out_and_counted(tmp_path):
    (tmp_path / "set.csv").write_text("x,yield\n1,50\n2,≥90%\n", encoding="utf-8")
    found = Replay.load(tmp_path / "set.csv")

    assert (list(found.replicates), found.left_out) == ([(1.0,)], 1)


def test_a_folder_of_olympus_is_read_by_its_configuration(tmp_path):
    (tmp_path / "config.json").write_text(OLYMPUS)
    (tmp_path / "data.csv").write_text("1.24,2.43,2.06\n")

    assert read_table(tmp_path).outputs == ("z",)


@pytest.mark.parametrize(
    ("content", "outputs", "said"),
    [
        ("a,b\n1\n", None, "fewer than 2 cells"),
        ("a,b\n1,2\n", ("c",), "no column c; there are a, b"),
        ("a,b\n1,text\n", None, "not a number"),
    ],
)
def test_data_that_cannot_be_replayed_are_named(tmp_path, content, outputs, said):
    (tmp_path / "set.csv").write_text(content)

    with pytest.raises(ConfigurationError, match=said):
        Replay.load(tmp_path / "set.csv", outputs=outputs)


def test_a_data_set_that_is_not_there_is_named_with_those_that_are(tmp_path):
    (tmp_path / "one.csv").write_text(BARRELS)

    with pytest.raises(ConfigurationError, match=r"no data set 'two'; it holds one"):
        read_table(tmp_path, "two")
    (tmp_path / "three.csv").write_text(BARRELS)
    with pytest.raises(ConfigurationError, match="holds several data sets: say which; it holds one, three"):
        read_table(tmp_path)


def test_a_plate_reads_what_is_in_its_wells():
    plate = Plate({"red": 2.5}, noise_sd=0.0, deck=Deck(carry_over=0.0))

    assert plate.measure({"red": 80.0}, Random(1)) == pytest.approx({"absorbance": 1.0})
    assert plate.truth({"red": 80.0}) == pytest.approx({"absorbance": 1.0})


def test_wells_and_tips_are_used_up():
    plate = Plate({"red": 2.5}, deck=Deck(wells=2, tips=3))
    plate.measure({"red": 80.0}, Random(1))
    with pytest.raises(MaterialError, match="no tips are left"):
        plate.measure({"red": 80.0}, Random(1))

    assert [well.volume > 0 for well in plate.deck.wells] == [True, True]
    assert plate.deck.tips == 0


def test_a_tip_that_is_used_again_contaminates_the_next_well():
    clean, dirty = (
        Plate({"red": 2.5}, noise_sd=0.0, fresh_tips=fresh, deck=Deck(carry_over=0.05)) for fresh in (True, False)
    )
    for plate in (clean, dirty):
        plate.measure({"red": 200.0}, Random(1))

    assert clean.measure({"red": 0.0}, Random(1)) == {"absorbance": 0.0}
    assert dirty.measure({"red": 0.0}, Random(1))["absorbance"] > 0.05


def test_liquid_is_neither_made_nor_lost():
    deck = Deck(carry_over=0.02)
    source, target = Liquid({"red": 100.0}), Liquid()
    deck.pick_up_tip()
    deck.transfer(source, target, 50.0)
    deck.transfer(source, target, 30.0)

    assert source.volume == pytest.approx(20.0)
    assert target.volume == pytest.approx(80.0 - 0.02 * 30.0)


@pytest.mark.parametrize(("volume", "said"), [(150.0, "holds 100 ul"), (301.0, "a tip holds"), (90.0, "a well holds")])
def test_what_does_not_fit_does_not_move(volume, said):
    deck, source, target = Deck(well_ul=80.0), Liquid({"red": 100.0}), Liquid()
    deck.pick_up_tip()
    with pytest.raises(MaterialError, match=said):
        deck.transfer(source, target, volume)

    assert (source.volume, target.volume) == (100.0, 0.0)
