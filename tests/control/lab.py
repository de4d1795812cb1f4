"""A slow laboratory, and the two processes about it: the one that runs the experiment, and a terminal."""

import json
import subprocess
import sys
import threading

import anyio

from titrant import Client, PushedRunner, RangeParameterConfig
from titrant.messages.commands import By

KIM = By("user:kim", "chemist")

TERMINAL = """
import json, sys
from titrant.control.caller import act_on
from titrant.errors import TitrantError
from titrant.messages.commands import By
path, act, arguments = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
try:
    outcome = act_on(path, act, arguments, By("user:kim", "chemist"))
except TitrantError as error:
    print(json.dumps({"error": type(error).__name__, "message": str(error)}))
else:
    tags = [str(type(record.event).__struct_config__.tag) for record in outcome.events]
    print(json.dumps({"events": tags, "seqs": [r.seq for r in outcome.events], "value": outcome.value}))
"""


class Slow(PushedRunner):
    """Takes *seconds* of real time; can be stopped, and has a safe state that it reports as data of the lab."""

    name = "slow"
    capacity = 2
    rerun_safe = True

    def __init__(self, seconds):
        self.seconds = seconds
        self.safe = threading.Event()

    async def run(self, attempt):
        await anyio.sleep(self.seconds)
        return attempt.parameters["x"]

    def stop(self, attempt):
        pass

    def safe_state(self):
        self.safe.set()


class Stuck(Slow):
    """Reaches its safe state only when it is let."""

    def __init__(self):
        super().__init__(3600.0)
        self.let = threading.Event()

    def safe_state(self):
        self.safe.set()
        self.let.wait(30)


def make_experiment(path, runner=None, **options):
    """An experiment with all it needs to run."""
    client = Client(path, random_seed=1, **options)
    client.configure_experiment([RangeParameterConfig("x", (0.0, 1.0))], name="slow")
    client.configure_optimization("y")
    client.configure_generation_strategy("random_search")
    if runner is not None:
        client.configure_runner(runner)
    return client


class Child:
    """The process that runs the experiment: it prints a line for each event."""

    def __init__(self, process):
        self.process = process
        self.seen = []

    def until(self, tag):
        """Wait for the next event of that kind, and give it back."""
        for line in self.process.stdout:
            self.seen.append(json.loads(line))
            if self.seen[-1]["type"] == tag:
                return self.seen[-1]
        raise AssertionError(f"the child ended without {tag}: {self.process.stderr.read()}")

    def end(self):
        """Wait for its end; its exit code."""
        for line in self.process.stdout:
            self.seen.append(json.loads(line))
        return self.process.wait(60)


def terminal(path, act, **arguments):
    """What a terminal prints that has somebody's act done."""
    done = subprocess.run(
        [sys.executable, "-c", TERMINAL, str(path), act, json.dumps(arguments)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout)
