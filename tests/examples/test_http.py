"""The page on instruments behind HTTP runs against the lab twin."""

import re


def test_a_mapping_drives_a_service(run_example):
    printed = run_example("adapters/rest", "--trials", 6)

    assert re.search(r"best of 6 runs: trial \d at .*temperature_c.* gives .*yield", printed)
