"""SCPI instruments behind VISA: GPIB, USB, LXI, serial lines; with pyvisa-py, or the VISA of a vendor.

::

    [[runners]]
    use = "visa"
    with.resource = "TCPIP0::192.168.1.20::5025::SOCKET"
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

from typing import Any

import msgspec

from titrant_adapters.shape import AskedConfig, AskedRunner, Blocking, Errors, library
from titrant_adapters.shape.visa import VISA_ERRORS, checked_visa, discard_unasked, opening, patience


class VisaConfig(AskedConfig, frozen=True, kw_only=True):
    r"""Where the instrument is; what is said to it is told in ``AskedConfig``.

    Attributes:
        resource: Its VISA resource name.
        library: The back end: ``"@py"``, the path of a vendor's library, or empty for the vendor's where it is found.
        ending: What ends each message, in both directions.
        options: Further attributes of the resource, as pyvisa names them: ``{ baud_rate = 115200 }``.
    """

    resource: str
    library: str = "@py"
    ending: str = "\n"
    options: dict[str, str | int | float | bool] = msgspec.field(default_factory=dict)


class VisaRunner(AskedRunner[VisaConfig, Blocking[Any]]):
    """A SCPI instrument behind VISA; see ``VisaConfig``."""

    config_type = VisaConfig
    errors = Errors(VISA_ERRORS)

    @property
    def address(self) -> str:
        """Where the instrument is, for messages."""
        return self.config.resource

    async def connect(self) -> None:
        """Load VISA, open the resource and ask who answers."""
        checked_visa(self.config.resource, self.config.library)
        await super().connect()

    async def open_line(self) -> Blocking[Any]:
        """Open the resource, in a thread."""
        config, visa = self.config, library("pyvisa", "visa")

        def make() -> Any:
            try:
                return visa.ResourceManager(config.library).open_resource(
                    config.resource,
                    open_timeout=patience(config.timeout_s),
                    read_termination=config.ending,
                    write_termination=config.ending,
                    **config.options,
                )
            except Exception as exc:
                raise opening(exc, config.resource) from exc

        return await Blocking.open(make, lambda resource: resource.close())

    async def ask_line(self, line: Blocking[Any], text: str) -> str:
        """Send a text and receive the one that answers it."""
        seconds = self.config.run_timeout_s if text == "*OPC?" else self.config.timeout_s

        def ask(resource: Any) -> str:
            discard_unasked(resource)
            resource.timeout = patience(seconds)
            return str(resource.query(text))

        return await line.call(ask)
