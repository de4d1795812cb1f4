"""A SCPI instrument over TCP that goes wrong when told to: power = (scaled) voltage squared."""

from __future__ import annotations

import anyio
import anyio.abc

RUN_SECONDS = 0.02


class ScpiInstrument:
    """What the physical instrument is, and what shall go wrong in its next run."""

    looks = frozenset({"STAT?", "MEAS:POW?"})
    """Questions in which a crash is noticed."""

    def __init__(self, status=True):
        self.port = 0
        self.voltage = 0.0
        self.begun = 0
        self.state = "IDLE"
        self.until = 0.0
        self.output = 0.0
        self.queue = []
        self.fault, self.seconds = None, 0.0
        self.late = 0
        self.heard = []
        self.on_next = None

    # --- what the contract asks for ---

    async def arm(self, fault, seconds=0.0):
        self.fault, self.seconds = fault, seconds

    async def starts(self):
        return self.begun

    async def settled(self):
        while self.late or anyio.current_time() < self.until:  # noqa: ASYNC110
            await anyio.sleep(0.005)

    # --- the wire ---

    async def serve(self, *, task_status):
        async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
            self.port = listener.extra(anyio.abc.SocketAttribute.local_port)
            task_status.started()
            await listener.serve(self.talk)

    async def talk(self, stream):
        rest = b""
        async with stream:
            try:
                while True:
                    rest += await stream.receive()
                    while b"\n" in rest:
                        line, _, rest = rest.partition(b"\n")
                        await self.answer(line.decode(), stream)
            except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                pass

    async def answer(self, line, stream):
        self.heard.append(line)
        parts = [part.removeprefix(":").strip() for part in line.split(";")]
        fault = self.spoiling(parts)
        if self.on_next is not None and self.looks & set(parts):
            act, self.on_next = self.on_next, None
            act()
            await stream.aclose()
            return
        said = [reply for part in parts if (reply := self.obey(part)) is not None]
        frame = ";".join(said).encode() + b"\n"
        if fault == "mute":
            return
        if fault in ("delay", "late_reply"):
            self.late += 1
            try:
                await anyio.sleep(self.seconds)
                await stream.send(frame)
            finally:
                self.late -= 1
        elif fault == "half_frame":
            await stream.send(frame[: len(frame) // 2])
        elif fault == "duplicate":
            await stream.send(frame * 2)
        elif fault == "drop":
            await stream.aclose()
        elif said:
            await stream.send(frame)

    def spoiling(self, parts):
        """The fault that meets the reply to what was asked."""
        return self.fault if "INIT" in parts else None

    def obey(self, command):
        word, _, value = command.partition(" ")
        match word:
            case "*IDN?":
                return "ACME,PSU,0,1"
            case "SYST:ERR?":
                return self.queue.pop(0) if self.queue else '0,"No error"'
            case "VOLT":
                if self.fault != "stuck":
                    self.voltage = float(value)
            case "VOLT?":
                return str(self.voltage)
            case "INIT":
                self.start()
            case "STAT?":
                return self.standing()
            case "*OPC?":
                return "1"
            case "MEAS:POW?":
                return str(self.output)
            case "OUTP":
                pass
            case _:
                self.queue.append('-113,"Undefined header"')
        return None

    def start(self):
        fault, self.fault = self.fault, None
        if fault == "refuse":
            self.queue.append('-221,"Settings conflict"')
            return
        self.begun += 1
        self.state, self.until = "RUN", anyio.current_time() + RUN_SECONDS
        self.output = self.voltage**2 + (0.1 if fault == "drift" else 0.0)
        if fault == "alarm":
            self.output = 9.91e37
        elif fault == "defined_error":
            self.state = "FAULT"
            self.queue = ['0,"No error"', '301,"Overheated"']
        elif fault == "crash_in_run":
            self.on_next = self.lose
        elif fault == "crash_after_done":
            self.on_next = lambda: None

    def lose(self):
        self.state, self.until = "OFF", 0.0

    def standing(self):
        if self.state == "RUN" and anyio.current_time() >= self.until:
            self.state = "DONE"
        return self.state
