"""Pairs of pseudo terminals: a SCPI instrument, and a pump of few words, at the far ends of serial lines."""

import os
import pty
import tty

import anyio
from tests.adapters.scpi_server import ScpiInstrument


class Terminal:
    """The instrument's end; ``path`` leads to the client's, also after the cable was pulled and put back."""

    def __init__(self, path):
        self.path = path
        self._plug()

    def _plug(self):
        self._ours, self._theirs = pty.openpty()
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(self._theirs))

    async def receive(self):
        await anyio.wait_readable(self._ours)
        return os.read(self._ours, 4096)

    async def send(self, data):
        os.write(self._ours, data)

    async def aclose(self):
        """Pull the cable, and put it back."""
        self.pull()
        self._plug()

    def pull(self):
        anyio.notify_closing(self._ours)
        os.close(self._ours)
        os.close(self._theirs)


class OnALine:
    """Mixed into an instrument: it serves a terminal for ever."""

    async def serve_line(self, path):
        terminal = Terminal(path)
        rest = b""
        try:
            while True:
                try:
                    rest += await terminal.receive()
                except (OSError, anyio.ClosedResourceError):  # the cable was pulled just now
                    rest = b""
                    continue
                while self.end in rest:
                    line, _, rest = rest.partition(self.end)
                    await self.answer(line.decode("ascii", "replace"), terminal)
        finally:
            terminal.pull()


class SerialScpi(OnALine, ScpiInstrument):
    """SCPI over a serial line."""

    end = b"\n"


class Pump(OnALine):
    """``ID``, ``RAT 1.5``, ``RAT``, ``RUN``, ``STA``, ``DIS``, ``STP``; answers are framed by ``00S`` and ETX."""

    end = b"\r"

    def __init__(self):
        self.rate, self.runs, self.heard, self.garble = 0.0, 0, [], ""

    async def answer(self, line, terminal):
        self.heard.append(line)
        word, _, value = line.partition(" ")
        said = "00S" + self.obey(word, value)
        if self.garble == word:
            self.garble, said = "", said.replace("0", "p")
        await terminal.send(said.encode() + b"\x03")

    def obey(self, word, value):
        match word:
            case "ID":
                return "PUMP 33"
            case "RAT" if not value:
                return f"{self.rate:.3f}"
            case "RAT" if float(value) > 9:
                return "?OOR"
            case "RAT":
                self.rate = float(value)
            case "RUN":
                self.runs += 1
            case "STA":
                return "STALLED" if self.rate > 8 else "IDLE"
            case "DIS":
                return f"{2 * self.rate:.3f}"
        return ""
