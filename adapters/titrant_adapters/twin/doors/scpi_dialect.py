"""What the lab twin understands of SCPI."""

from __future__ import annotations

import re
from typing import Protocol

from titrant_adapters.twin.answers import OutOfRange, Refused, Unknown
from titrant_adapters.twin.doors.scpi_words import NAN, NEXT, SHORT, text_of
from titrant_adapters.twin.faults import Exchange
from titrant_adapters.twin.lab import MAKER, MODEL, LabTwin
from titrant_adapters.twin.ledger import Value
from titrant_adapters.twin.runs import Run


class Instrument(Protocol):
    """What all sessions have in common."""

    lab: LabTwin
    errors: list[str]

    def wrong(self, code: int, text: str) -> None:
        """Enter an error into the queue."""

    def started(self, run: Run) -> Run:
        """A run was started here."""

    def about_to_reply(self, exchange: Exchange) -> None:
        """The next bytes answer *exchange*."""


class Dialect:
    """What one session can say.

    ``*IDN? *RST *CLS *OPC? SYSTem:ERRor? SOURce:<NAME> <value> SOURce:<NAME>? MEASure:<NAME>? INITiate ["key"]
    INITiate? ["key"] READ? FETCh? [<NAME>][,"key"] ABORt ["key"] RUN:STATus? ["key"] RUN:NAME?
    STATus:QUEStionable:CONDition?``; what has no key means the latest run, and ``ABORt`` all of them.
    """

    def __init__(self, door: Instrument) -> None:
        self._door, self._lab = door, door.lab
        self._errors = door.errors
        self._names = {re.sub(r"\W", "", name).upper(): name for name in (*door.lab.settings.inputs,)}
        self._measured = [one.name for one in door.lab.physics.outputs]

    async def hear(self, text: str) -> str | None:
        """Carry out one line; its reply, or None where it asks nothing."""
        replies = [
            await self._carry_out(part) for part in re.split(r';(?=(?:[^"]*"[^"]*")*[^"]*$)', text) if part.strip()
        ]
        asked = [reply for reply in replies if reply is not None]
        return ";".join(asked) if asked else None

    async def _carry_out(self, part: str) -> str | None:
        header, _, argument = part.strip().partition(" ")
        asks, words = header.endswith("?"), header.rstrip("?").upper().lstrip(":").split(":")
        words = [SHORT.get(word, word) for word in words]
        words = [word for word in words if word not in NEXT] or words
        try:
            reply = await self._understand(words, argument.strip(), asks=asks)
        except Refused as exc:
            self._door.wrong(-222 if isinstance(exc, OutOfRange) else -213, str(exc))
            reply = "0"
        except (Unknown, ValueError) as exc:
            self._door.wrong(-224, str(exc))
            reply = NAN
        return reply if asks else None

    async def _understand(self, words: list[str], argument: str, *, asks: bool) -> str | None:  # noqa: C901, PLR0912  # a table
        match words:
            case ["*IDN"]:
                return self._said("identify", f"{MAKER},{MODEL},{len(self._measured)},1")
            case ["*RST"] | ["ABOR"]:
                self._lab.safe_state() if words == ["*RST"] else self._abort(argument.strip('"'))
            case ["*CLS"]:
                self._errors.clear()
            case ["SYST", "ERR"]:
                return self._said("status", self._errors.pop(0) if self._errors else '0,"No error"')
            case ["SOUR", name] if name in self._names:
                if asks:
                    return self._said("read", text_of(self._lab.settings.points[self._names[name]]))
                self._lab.settings.set(self._names[name], self._value(name, argument))
            case ["MEAS", name] if name in self._names:
                return self._said("read", text_of(self._lab.settings.actual()[self._names[name]]))
            case ["INIT"]:
                run = self._door.started(self._lab.start(argument.strip('"')))
                return self._said("start", str(run.number)) if asks else None
            case ["*OPC"] | ["READ"]:
                return await self._wait(starts=words == ["READ"], key=argument.strip('"'))
            case ["FETC"]:
                name, _, key = argument.partition(",")
                found = self._lab.find(key.strip(' "')) if key else self._lab.latest()
                return self._said("result", self._values(found, name.strip()))
            case ["RUN", "NAME"]:
                latest = self._lab.latest()
                return self._said("status", f'"{latest.key if latest else ""}"')
            case ["RUN", "STAT"]:
                run_or_none = self._lab.find(argument.strip('"')) if argument else self._lab.latest()
                return self._said("status", run_or_none.state.upper() if run_or_none else "NONE")
            case ["STAT", "QUES", "COND"]:
                latest = self._lab.latest()
                return self._said("status", "1" if latest and latest.quality == "bad" else "0")
            case _:
                self._door.wrong(-113, f"Undefined header: {':'.join(words)}")
                return NAN
        return None

    async def _wait(self, *, starts: bool, key: str) -> str:
        if starts:
            run = self._door.started(self._lab.start(key))
            ended = await self._lab.runs.finish(run.number)
            return self._said("start", self._values(ended, ""))
        for number in self._lab.runs.under_way():
            await self._lab.runs.finish(number)
        return self._said("status", "1")

    def _said(self, exchange: Exchange, reply: str) -> str:
        self._door.about_to_reply(exchange)
        return reply

    def _abort(self, key: str) -> None:
        for number in self._lab.runs.under_way():
            if key in ("", self._lab.runs.look(number).key):
                self._lab.runs.stop(number)
        self._door.about_to_reply("stop")

    def _value(self, name: str, argument: str) -> Value:
        one = self._lab.settings.inputs[self._names[name]]
        return argument.strip('"') if one.choices else float(argument)

    def _values(self, run: Run | None, name: str) -> str:
        if run is None or run.state not in ("done", "failed"):  # a failure is in the queue since it happened
            self._door.wrong(-230, f"Data corrupt or stale; the run is {run.state if run else 'none'}")
        values = run.values if run else {}
        names = [one for one in self._measured if not name or one.upper() == name.upper()]
        return ",".join(text_of(values[one]) if one in values else NAN for one in names) or NAN
