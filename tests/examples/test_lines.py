"""The pages on instruments behind VISA, Modbus and serial lines run against the lab twin."""

import re

import pytest


@pytest.mark.parametrize("page", ["visa", "modbus", "serial_line"])
def test_a_page_drives_the_twin(run_example, page):
    printed = run_example(f"adapters/{page}", "--trials", 6)

    assert re.search(r"best of 6 runs: trial \d at .*temperature_c.* gives .*yield", printed)
