"""A bare VISA client against the instrument that pyvisa-sim plays."""

import pytest
import pyvisa


@pytest.fixture
def supply(visa_library):
    manager = pyvisa.ResourceManager(visa_library)
    resource = manager.open_resource(
        "TCPIP0::psu::5025::SOCKET", read_termination="\n", write_termination="\n", timeout=200
    )
    yield resource
    resource.close()
    manager.close()


def test_a_voltage_is_set_and_read_back(supply):
    assert supply.query("VOLT 3.300") == '0,"No error"'
    assert float(supply.query("VOLT?")) == 3.3


def test_a_voltage_beyond_the_limit_is_refused(supply):
    assert supply.query("VOLT 99.000") == '-222,"Data out of range"'


def test_a_question_without_answer_times_out(supply):
    with pytest.raises(pyvisa.errors.VisaIOError, match="VI_ERROR_TMO"):
        supply.query("MEAS:BROKEN?")
