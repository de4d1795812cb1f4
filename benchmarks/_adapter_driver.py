"""A driver of pymeasure for the lab twin behind SCPI."""

from pymeasure.instruments import Instrument, SCPIMixin


class TwinReactor(SCPIMixin, Instrument):
    """A reactor."""

    def __init__(self, adapter, name="Twin reactor", **kwargs):
        super().__init__(adapter, name, read_termination="\n", write_termination="\n", **kwargs)

    temperature = Instrument.control("SOUR:TEMPERATURE?", "SOUR:TEMPERATURE %g", "Control the temperature.")
    state = Instrument.measurement("RUN:STAT?", "Get the state of the run.", cast=str)
    product = Instrument.measurement("FETC? YIELD", "Get the yield.")

    def start(self):
        """Start a run."""
        self.write("INIT")
