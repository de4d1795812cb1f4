r"""Instruments on serial lines (RS-232, RS-485, USB), or behind a device server, that answer lines of text.

::

    [[runners]]
    use = "serial"
    with.port = "/dev/ttyUSB0"                # or socket://192.168.1.20:4001
    with.baudrate = 9600
    with.who = "ID"
    with.identity = "PUMP 33"
    with.error = ""                           # commands are answered, as the next line says
    with.acknowledged = "00S"
    with.settings.rate = { to = "RAT {:.3f}", read_back = "RAT" }
    with.start = "RUN"
    with.status = "STA"
    with.measure.volume = "DIS"
    with.value = "00S(.*)"
    with.safe = ["STP"]

Such lines name no runs: what became of one after the engine was killed, nobody can say, and a person is asked; unless
the device keeps a text of ours (``latest``, as with ``scpi``).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import anyio

from titrant.errors import OutcomeUnknown, RunnerError, SubmissionRefused
from titrant.ports import Finding
from titrant_adapters.serial.config import SerialConfig
from titrant_adapters.serial.line import ERRORS, SerialLine
from titrant_adapters.shape import AskedRunner, Course, Start, library


class SerialRunner(AskedRunner[SerialConfig, SerialLine]):
    """An instrument on a serial line; see ``SerialConfig``."""

    config_type = SerialConfig
    errors = ERRORS

    @property
    def address(self) -> str:
        """Where the instrument is, for messages."""
        return self.config.port

    async def open_line(self) -> SerialLine:
        """Open the port."""
        config, serialx = self.config, library("serialx", "serial")
        return await SerialLine.open(
            config.port,
            config.sent_end.encode(),
            config.end.encode(),
            baudrate=config.baudrate,
            parity=serialx.Parity[config.parity.upper()],
            stopbits=serialx.StopBits(config.stopbits),
        )

    async def ask_line(self, line: SerialLine, text: str) -> str:
        """Send a text and receive the one that answers it."""
        await line.send(text)
        return await line.receive()

    async def _identify(self, line: SerialLine) -> str:
        """Ask who it is; a port that is opened again still holds what came late for whoever had it before."""
        known, said = self.session.identity, ""
        with anyio.move_on_after(0.8 * self.config.timeout_s):
            await line.send(self.config.who)
            while True:
                said = (await line.receive()).strip()
                if said == known or (known is None and self.config.identity in said):
                    return said
        if said and known is None:
            raise RunnerError(f"{self.address} says it is {said!r}, not {self.config.identity!r}: is it the right one?")
        raise TimeoutError(f"{self.address} does not say who it is")

    async def look(self) -> AsyncIterator[Finding]:
        """Who answers, and whether something stands in its error queue, if it has one."""
        if self.config.error:
            async for finding in super().look():
                yield finding
        else:
            yield Finding("ok", f"{self.address} is {self.session.identity}")

    async def _tell(self, command: str, course: Course | None = None) -> None:
        """Send a command; without an error queue, its own answer says whether it was understood."""
        if self.config.error:
            await super()._tell(command, course)
            return
        said = await super()._ask(command, course)
        if re.search(self.config.refused, said):
            raise SubmissionRefused(f"{command} was answered with {said!r}")
        if not re.fullmatch(self.config.acknowledged, said):
            start = Start() if course is None else course.start
            raise start.lost(f"{command} was answered with {said!r}, which is no acknowledgement")

    async def _ask(self, query: str, course: Course | None = None, deadline_s: float | None = None) -> str:
        """The value in an answer; one that does not look like an answer has lost bits on the way."""
        said = await super()._ask(query, course, deadline_s)
        found = re.fullmatch(self.config.value, said)
        if found is None:
            start = Start() if course is None else course.start
            raise start.lost(f"{query} was answered with {said!r}, which is no value")
        return found[1].strip()

    async def _ended_as(self, said: str, course: Course) -> RunnerError:
        if self.config.error:
            return await super()._ended_as(said, course)
        kind = RunnerError if re.search(self.config.failed, said) else OutcomeUnknown
        return kind(f"the run ended with {self.config.status} at {said!r}")


__all__ = ["SerialConfig", "SerialRunner"]
