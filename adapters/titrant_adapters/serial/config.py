"""What a person writes down about an instrument on a serial line."""

from __future__ import annotations

import re
from typing import Literal

from titrant_adapters.shape import AskedConfig, bad


class SerialConfig(AskedConfig, frozen=True, kw_only=True):
    r"""The line, and how frames are read; what is said is told in ``AskedConfig``, and needs no question marks here.

    Attributes:
        port: The device, or a ``socket://`` or ``rfc2217://`` address of a device server.
        baudrate: Bits in a second.
        parity: The parity bit.
        stopbits: How many stop bits.
        sent_end: What ends a frame that is sent.
        end: What ends a frame that is received.
        value: A pattern for answers to questions; its first group is the value.
        acknowledged: A pattern for answers to commands, where ``error`` is empty.
        refused: A pattern for answers that say that nothing was done.
        failed: A pattern for answers to ``status`` that say that the run has failed.
    """

    port: str
    baudrate: int = 9600
    parity: Literal["none", "even", "odd"] = "none"
    stopbits: Literal[1, 2] = 1
    sent_end: str = "\r"
    end: str = "\r"
    value: str = "(.*)"
    acknowledged: str = ".*"
    refused: str = "(?!)"
    failed: str = "(?!)"
    identity: str

    def check(self) -> None:
        """Patterns are patterns, and something can be measured."""
        if not self.measure:
            raise bad("measure", self.measure, 'name a question for each metric: { volume = "DIS" }')
        if not self.identity:
            raise bad("identity", self.identity, "give what its answer to `who` contains: late answers are told by it")
        if not self.sent_end or not self.end:
            raise bad("end", self.end, "give what ends a frame")
        if not self.status and not self.error:
            raise bad("status", self.status, "name the question that tells whether a run goes on")
        for name in ("value", "acknowledged", "refused", "failed"):
            try:
                groups = re.compile(getattr(self, name)).groups
            except re.error as exc:
                raise bad(name, getattr(self, name), f"give a regular expression ({exc})") from exc
            if name == "value" and not groups:
                raise bad(name, self.value, "put the value into a group: '00S(.*)'")
