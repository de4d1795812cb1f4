"""A program that stands for an instrument, y = x², and goes wrong when told to: ``python program.py LAB X``.

It needs the standard library alone, so that it starts at once; as a function it is ``evaluate``.
"""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

REFUSED, CLOGGED = 75, 7
RUN_SECONDS = 0.05


class Refused(Exception):
    """Nothing was begun."""


class Clogged(Exception):
    """What this instrument says when it is."""


def run(lab, x, say):
    """One run in the folder *lab*; what it measured goes to *say*, once or as the fault wants it."""
    fault, seconds = _armed(lab)
    if fault == "refuse":
        raise Refused("the interlock is open")
    with (lab / "starts").open("a") as starts:
        starts.write(f"{x}\n")
    here = lab / f"running-{os.getpid()}-{threading.get_native_id()}"
    here.touch()
    last = lab / "last"
    if fault == "stuck":
        x = float(last.read_text())
    last.write_text(str(x))
    time.sleep(RUN_SECONDS)
    if fault == "drop":
        os.kill(os.getppid(), signal.SIGKILL)
    if fault == "crash_in_run":
        os.kill(os.getpid(), signal.SIGKILL)
    if fault == "defined_error":
        here.unlink()
        raise Clogged("the nozzle is clogged")
    value = x**2 * (1.1 if fault == "drift" else 1.0)
    told = {"x": x, "y": float("nan") if fault == "alarm" else value}
    time.sleep(seconds)
    if fault == "half_frame":
        say(told, half=True)
    if fault in ("mute", "half_frame"):
        while not (lab / "release").exists():
            time.sleep(0.01)
    else:
        say(told)
    if fault == "duplicate":
        say(told)
    if fault == "crash_after_done":
        os.kill(os.getpid(), signal.SIGKILL)
    here.unlink()


def _armed(lab):
    """The fault that lies ahead, once; with how late the reply is."""
    taken = lab / f"taken-{threading.get_native_id()}"
    try:
        (lab / "armed").rename(taken)
    except FileNotFoundError:
        return None, 0.0
    return json.loads(taken.read_text())


def evaluate(conditions):
    """The same as a function, in the folder that the environment names."""
    told = []
    run(Path(os.environ["PROGRAM_LAB"]), conditions["x"], told.append)
    return told[-1]


def main(lab, x):
    def say(told, half=False):
        text = json.dumps(told)
        print(text[: len(text) // 2] if half else text, flush=True)

    try:
        run(lab, x, say)
    except Refused as exc:
        print(exc, file=sys.stderr)
        sys.exit(REFUSED)
    except Clogged as exc:
        print(exc, file=sys.stderr)
        sys.exit(CLOGGED)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
