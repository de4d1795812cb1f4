"""The page on ophyd-async devices is run as a reader runs it."""

from pathlib import Path

from tests.adapters.told import told

from titrant_adapters.epics import EpicsConfig

PAGE = Path(__file__).parents[2] / "examples/adapters/ophyd.py"


def test_a_loop_over_simulated_devices_needs_no_hardware(run_example):
    assert "best of 5 positions" in run_example("adapters/ophyd", "--trials", 5)


def test_what_the_page_says_of_epics_is_a_configuration():
    assert EpicsConfig.read(told(PAGE.read_text())["with"]).pv("GO") == "BL7:GO"
