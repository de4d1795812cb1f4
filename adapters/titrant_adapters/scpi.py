"""SCPI instruments over raw TCP (port 5025 and the like): supplies, meters, analysers.  No library is needed.

::

    [[runners]]
    use = "scpi"
    with.host = "192.168.1.20"
    with.settings.voltage = { to = "VOLT", read_back = "VOLT?", tolerance = 0.01 }
    with.measure.power = "MEAS:POW?"
    with.safe = ["OUTP OFF"]

SCPI has no names for runs.  An instrument that keeps one tells a restarted engine what became of its run::

    with.start = 'INIT "{key}"'               # or a text that it stores and gives back: 'DISP:TEXT "{key}";:INIT'
    with.latest = "RUN:NAME?"                 # 'DISP:TEXT?'; or, where it can be asked for a run:
    with.status = 'RUN:STAT? "{key}"'

What became of a run on others after the engine was killed, nobody can say, and a person is asked.
"""

from __future__ import annotations

from titrant_adapters.shape import AskedConfig, AskedRunner, Port, TcpLine


class ScpiConfig(AskedConfig, frozen=True, kw_only=True):
    """Where the instrument is; what is said to it is told in ``AskedConfig``.

    Attributes:
        host: Its name or address.
        port: Its port.
    """

    host: str
    port: Port = 5025


class ScpiRunner(AskedRunner[ScpiConfig, TcpLine]):
    """A SCPI instrument behind a TCP port; see ``ScpiConfig``."""

    config_type = ScpiConfig

    @property
    def address(self) -> str:
        """Where the instrument is, for messages."""
        return f"{self.config.host}:{self.config.port}"

    async def open_line(self) -> TcpLine:
        """Connect."""
        return await TcpLine.open(self.config.host, self.config.port)

    async def ask_line(self, line: TcpLine, text: str) -> str:
        """Send a text and receive the one that answers it."""
        return (await line.ask(text.encode())).decode(errors="replace")
