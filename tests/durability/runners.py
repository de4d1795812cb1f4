"""Runners for the server of ``instruments.py``, one for each row of the table of what a runner can do after a crash."""

import json
import os
import socket

from titrant import FunctionRunner, Metric, PushedRunner, Runner, TrialStatus
from titrant.errors import NeverSeen
from titrant.runtime.calls import RetryPolicy
from titrant.runtime.threads import run_in_thread

QUICK = RetryPolicy(attempts=6, initial_seconds=0.01, max_seconds=0.05)


class Lab:
    """The way to the server, as one laboratory (one log) of several that it serves."""

    def __init__(self, port, name, seconds=lambda trial: 0.002 + 0.004 * (trial % 4)):
        self.port = port
        self.name = name
        self.seconds = seconds

    def ask(self, do, **question):
        """One question, one answer; ConnectionResetError where the connection ends without one."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(json.dumps({"do": do, **question}).encode() + b"\n")
            answer = connection.makefile("rb").readline()
        if not answer:
            raise ConnectionResetError(f"no answer to {do}")
        return json.loads(answer)

    def told(self, do, instrument, **question):
        """A question by a process that may be killed for it."""
        return self.ask(do, pid=os.getpid(), lab=self.name, instrument=instrument, **question)

    def start(self, instrument, trial, x, key=None, **more):
        seconds = self.seconds(trial)
        return self.told("start", instrument, key=key, trial=trial, x=x, seconds=seconds, **more)["id"]

    def wait(self, run):
        return self.ask("wait", pid=os.getpid(), run=run)["y"]

    async def run(self, instrument, attempt, key=None, **more):
        """A whole run, for pushed runners."""
        run = await run_in_thread(lambda: self.start(instrument, attempt.trial, attempt.parameters["x"], key, **more))
        return {"y": await run_in_thread(lambda: self.wait(run))}


class OnLab:
    """A runner of a lab, named after its class."""

    capacity = 1
    min_seconds_between_polls = 0.002
    retry = QUICK

    def __init__(self, lab):
        self.lab = lab
        self.name = type(self).__name__


class Polled(OnLab, Runner):
    """Ax's shape: status by metadata and nothing else."""

    def run_trial(self, trial_index, parameterization):
        return {"id": self.lab.start(self.name, trial_index, parameterization["x"])}

    def poll_trial(self, trial_index, trial_metadata):
        state = self.lab.told("status", self.name, run=trial_metadata["id"])["state"]
        return {"running": TrialStatus.RUNNING, "done": TrialStatus.COMPLETED, "stopped": TrialStatus.ABANDONED}[state]


class Keyed(Polled):
    """Honours keys; cannot say what became of an attempt."""

    honours_keys = True
    can_report_status = False

    def run_trial(self, trial_index, parameterization, attempt):
        x = parameterization["x"]
        return {"id": self.lab.start(self.name, trial_index, x, attempt.key, honours_keys=True)}


class KeyedPushed(OnLab, PushedRunner):
    """Honours keys; awaited instead of polled."""

    honours_keys = True

    async def run(self, attempt):
        return await self.lab.run(self.name, attempt, attempt.key, honours_keys=True)


class Status(Polled):
    """Knows attempts by their key, and would start one twice if asked to; what it does not know was not started."""

    absence_is_proof = True

    def run_trial(self, trial_index, parameterization, attempt):
        return {"id": self.lab.start(self.name, trial_index, parameterization["x"], attempt.key)}

    def reattach(self, attempt):
        found = self.lab.told("status", self.name, key=attempt.key)
        if found["state"] == "never":
            raise NeverSeen(f"nothing was started under {attempt.key}")
        return {"id": found["id"]}


class StatusNoProof(Status):
    """Knows attempts by their key; one that it does not know may have been started all the same."""

    absence_is_proof = False


class Stoppable(Status):
    """As ``Status``, and can be stopped."""

    def stop_trial(self, trial_index, trial_metadata):
        self.lab.told("stop", self.name, run=trial_metadata["id"])


class StopOnly(OnLab, PushedRunner):
    """Can stop, and nothing else."""

    async def run(self, attempt):
        return await self.lab.run(self.name, attempt)

    def stop(self, attempt):
        self.lab.told("stop", self.name, trial=attempt.trial)

    def safe_state(self):
        self.lab.told("safe_state", self.name)


class Dumb(OnLab, PushedRunner):
    """Can do nothing but run."""

    async def run(self, attempt):
        return await self.lab.run(self.name, attempt)


def again_is_safe(lab):
    """A function: rerun where it was interrupted."""

    def again(parameters):
        return {"y": lab.wait(lab.start("again", -1, parameters["x"]))}

    return FunctionRunner(again, capacity=1)


class Y(Metric):
    """Fetches the result of a polled run."""

    retry = QUICK

    def __init__(self, lab):
        super().__init__("y")
        self.lab = lab

    def fetch(self, trial_index, trial_metadata):
        return self.lab.told("status", "metric", run=trial_metadata["id"])["y"]
