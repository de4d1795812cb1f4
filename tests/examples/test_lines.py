"""The pages on instruments behind VISA, Modbus and serial lines run against the lab twin, PyLabRobot on its own."""

import json
import re

import pytest


@pytest.mark.parametrize("page", ["visa", "modbus", "serial_line"])
def test_a_page_drives_the_twin(run_example, page):
    printed = run_example(f"adapters/{page}", "--trials", 6)

    assert re.search(r"best of 6 runs: trial \d at .*temperature_c.* gives .*yield", printed)


def test_a_bench_is_driven_and_keeps_its_book(run_example, tmp_path):
    printed = run_example("adapters/pylabrobot_bench", "--trials", 6)

    assert re.search(r"best of 6 wells: trial \d at .*dye_ul.* gives .*colour", printed)
    assert len(json.loads((tmp_path / "bench.json").read_text())["used"]) == 6
