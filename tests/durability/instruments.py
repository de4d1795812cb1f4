"""A server of instruments in a process of its own: it outlives the kills and keeps its own ledger of physical starts.

JSON lines over loopback TCP, one connection a question.  It ends when its stdin does, so that no test leaves it behind.

A *trap* makes the asker die at a named moment of the instrument's side (``start.before``: asked and not begun;
``start.after``: begun and not answered; ``status``, ``wait``, ``stop``).  A *drop* closes the connection there instead.
"""

import asyncio
import json
import os
import signal
import sys
import time


class Bench:
    """What all connections share."""

    def __init__(self, ledger):
        self.ledger = ledger  # the file of physical starts
        self.runs = {}  # id -> run
        self.by_key = {}  # (lab, instrument, key) -> id
        self.open = set()  # connections
        self.settled = []  # those who wait until nobody else is connected
        self.traps = []  # [event, times to let pass, "kill" | "drop"]
        self.safe = []  # instruments brought into their safe state


class Connection(asyncio.Protocol):
    """One connection: each line that arrives is a question."""

    def __init__(self, bench):
        self.bench = bench
        self.rest = b""

    def connection_made(self, transport):
        self.transport = transport
        self.bench.open.add(self)

    def connection_lost(self, _exc):
        self.bench.open.discard(self)
        self.settle()

    def data_received(self, data):
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            question = json.loads(line)
            answer = getattr(self, question.pop("do"))(**question)
            if answer is not None:
                self.say(answer)

    def say(self, answer):
        if not self.transport.is_closing():
            self.transport.write(json.dumps(answer).encode() + b"\n")

    # --- what runners ask -------------------------------------------------------------------------------------------

    def start(self, pid, lab, instrument, key, trial, x, seconds, honours_keys=False):
        """Begin physical work, or point to the work begun before under the same key."""
        if self.trapped("start.before", pid):
            return None
        known = self.bench.by_key.get((lab, instrument, key))
        if known is None or not honours_keys:
            known = f"run-{len(self.bench.runs)}"
            began = {"id": known, "lab": lab, "instrument": instrument, "key": key, "trial": trial, "x": x}
            self.bench.runs[known] = {**began, "ends": time.monotonic() + seconds, "stopped": False}
            self.bench.by_key[lab, instrument, key] = known
            self.bench.ledger.write(json.dumps(began) + "\n")
            self.bench.ledger.flush()
            os.fsync(self.bench.ledger.fileno())
        return None if self.trapped("start.after", pid) else {"id": known}

    def status(self, pid, lab, instrument, run=None, key=None):
        """Where a run stands, by the instrument's name for it or by the key it was started with."""
        if self.trapped("status", pid):
            return None
        found = self.bench.runs.get(run or self.bench.by_key.get((lab, instrument, key)))
        return {"state": "never"} if found is None else told(found)

    def wait(self, pid, run):
        """Answer once a run is over."""
        if self.trapped("wait", pid):
            return
        awaited = self.bench.runs[run]

        def over():
            if not self.trapped("wait.over", pid):
                self.say(told(awaited))

        asyncio.get_running_loop().call_later(max(0.0, awaited["ends"] - time.monotonic()), over)

    def stop(self, pid, lab, instrument, run=None, trial=None):
        """Stop a run, or whatever the instrument does for a trial."""
        if self.trapped("stop", pid):
            return None
        for one in self.bench.runs.values():
            if one["id"] == run or (one["lab"], one["instrument"], one["trial"]) == (lab, instrument, trial):
                one["stopped"] = True
        return {}

    def safe_state(self, pid, lab, instrument):
        if self.trapped("safe_state", pid):
            return None
        self.bench.safe.append([lab, instrument])
        return {}

    # --- what the test and a person ask -----------------------------------------------------------------------------

    def look(self, lab, instrument, trial):
        """What a person sees who walks up to the instrument."""
        return {
            "runs": [
                told(run)
                for run in self.bench.runs.values()
                if (run["lab"], run["instrument"], run["trial"]) == (lab, instrument, trial)
            ],
            "safe": [lab, instrument] in self.bench.safe,
        }

    def trap(self, event, nth, action):
        self.bench.traps[:] = [[event, nth, action]] if event else []
        return {}

    def until_settled(self):
        """Answer once everything that others sent has been read and their connections are gone."""
        self.bench.settled.append(self)
        self.settle()

    # --- helpers ----------------------------------------------------------------------------------------------------

    def settle(self):
        for one in list(self.bench.settled):
            if self.bench.open <= set(self.bench.settled):
                self.bench.settled.remove(one)
                one.say({})

    def trapped(self, event, pid):
        for trap in self.bench.traps:
            if trap[0] == event:
                trap[1] -= 1
                if trap[1] == 0:
                    if trap[2] == "kill":
                        os.kill(pid, signal.SIGKILL)
                    self.transport.close()
                    return True
        return False


def told(run):
    """The state of a run, with its result once it is over."""
    if run["stopped"]:
        return {"id": run["id"], "state": "stopped"}
    if time.monotonic() < run["ends"]:
        return {"id": run["id"], "state": "running"}
    return {"id": run["id"], "state": "done", "y": (run["x"] - 0.3) ** 2}


async def main(ledger):
    loop = asyncio.get_running_loop()
    bench = Bench(ledger)
    server = await loop.create_server(lambda: Connection(bench), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ended.set)  # it says nothing: readable means closed
    await ended.wait()


if __name__ == "__main__":
    with open(sys.argv[1], "a", encoding="utf-8") as file:
        asyncio.run(main(file))
