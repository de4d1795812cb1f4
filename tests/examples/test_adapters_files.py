"""Examples of instruments that speak in files, and of programs as instruments."""

import re


def test_orders_and_results_are_files(run_example, tmp_path):
    printed = run_example("adapters/files", "--trials", 6)

    assert re.search(r"best: trial \d at \d+ degC gave [\d.]+ %", printed)
    assert len(list(tmp_path.glob("files-*/orders/*.taken"))) == 6


def test_programs_are_called(run_example):
    printed = run_example("adapters/programs", "--trials", 5)

    assert re.search(r"best: trial \d at \d+ degC gave [\d.]+ %", printed)
    assert "5 runs are in" in printed
