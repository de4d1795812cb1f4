"""The page on OPC UA is run as a reader runs it."""


def test_a_loop_over_opcua_needs_no_hardware(run_example):
    assert "best of 5 runs" in run_example("adapters/opcua", "--trials", 5)
