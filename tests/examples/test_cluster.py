"""The page on Dask is run as a reader runs it."""

import re


def test_a_function_is_evaluated_on_a_cluster(run_example):
    printed = run_example("adapters/dask_cluster", "--trials", 6)

    assert re.search(r"best of 6 calls: trial \d at .*temperature_c.* gives .*yield", printed)
