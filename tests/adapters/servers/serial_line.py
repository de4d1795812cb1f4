"""A reactor at the other end of a serial line: a pair of pseudo terminals, and a thread that plays the instrument.

``ID`` is answered with ``REACTOR 1``, ``RUN 64.0`` with ``OK 96.000`` or ``ERR too hot``; all lines end with a
carriage return.  Below 0 degrees it never answers.
"""

import os
import pty
import select
import threading
import tty
from typing import Literal

from tests.adapters.servers.reactor import LIMIT, hangs, yield_at

END = b"\r"
Fault = Literal["none", "mute", "half", "twice", "garbled"]


class SerialReactor:
    """Opens the line; ``path`` is the client's end of it, ``fault`` what the next answer suffers from."""

    def __init__(self):
        self._instrument, self._line = pty.openpty()
        tty.setraw(self._line)
        self.path = os.ttyname(self._line)
        self.fault: Fault = "none"
        self.runs = []
        self._woken, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._play, daemon=True)
        self._thread.start()

    def unplug(self):
        """Pull the cable."""
        if self._thread.is_alive():
            os.write(self._wake, b"x")
            self._thread.join()
            for each in (self._instrument, self._line, self._woken, self._wake):
                os.close(each)

    def _play(self):
        heard = b""
        while self._woken not in select.select([self._instrument, self._woken], [], [])[0]:
            heard += os.read(self._instrument, 64)
            *requests, heard = heard.split(END)
            for request in requests:
                os.write(self._instrument, self._suffer(self._answer(request.decode("ascii", "replace"))))

    def _answer(self, request):
        match request.split():
            case ["ID"]:
                return b"REACTOR 1" + END
            case ["RUN", temperature]:
                self.runs.append(float(temperature))
                if hangs(self.runs[-1]):
                    return b""
                if self.runs[-1] > LIMIT:
                    return b"ERR too hot" + END
                return f"OK {yield_at(self.runs[-1]):.3f}".encode() + END
        return b"ERR what?" + END

    def _suffer(self, answer):
        fault, self.fault = self.fault, "none"
        match fault:
            case "mute":
                return b""
            case "half":
                return answer[: len(answer) // 2]
            case "twice":
                return answer * 2
            case "garbled":
                return bytes(each ^ 0x20 for each in answer[:-1]) + END
        return answer
