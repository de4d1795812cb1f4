"""The page on SiLA 2 is run as a reader runs it."""


def test_a_loop_over_sila_needs_no_hardware(run_example):
    assert "best of 5 runs" in run_example("adapters/sila_reactor", "--trials", 5)
