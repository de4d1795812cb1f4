"""A driver of pymeasure, as a laboratory writes one, for the lab twin's SCPI door."""

from pymeasure.instruments import Instrument, SCPIMixin


class TwinSupply(SCPIMixin, Instrument):
    """Power is the square of the voltage."""

    def __init__(self, adapter, name="Twin supply", **kwargs):
        super().__init__(adapter, name, read_termination="\n", write_termination="\n", **kwargs)

    voltage = Instrument.control("SOUR:VOLT?", "SOUR:VOLT %g", "Control the voltage.")
    state = Instrument.measurement("RUN:STAT?", "Get the state of the run.", cast=str)
    power = Instrument.measurement("FETC? POWER", "Get the power.")

    def start(self):
        self.ask("INIT?")

    def shutdown(self):
        self.write("ABOR")
        super().shutdown()
