"""The process that runs an experiment in real time and knows nothing of terminals; see ``lab.run_child``."""

import json
import sys
import threading

import msgspec
from tests.control.lab import Slow, make_experiment

from titrant.messages.events import TrialCreated
from titrant.model.approval import ApprovalRule


class Plan(msgspec.Struct):
    """What to do."""

    path: str
    seconds: float = 0.02
    trials: int = 10_000
    parallelism: int = 2
    approval: bool = False


def told(client):
    for record in client.subscribe():
        event = record.event
        line = {"seq": record.seq, "type": type(event).__struct_config__.tag, "trial": record.trial, "by": record.actor}
        if isinstance(event, TrialCreated):
            line["x"] = event.parameters["x"]
        print(json.dumps(line), flush=True)


def main(plan):
    with make_experiment(plan.path, Slow(plan.seconds)) as client:
        threading.Thread(target=told, args=(client,), daemon=True).start()
        if plan.approval:
            client.configure_approval([ApprovalRule(first=1, approvers=("role:chemist",))])
        client.run_trials(plan.trials, parallelism=plan.parallelism, progress=False)


if __name__ == "__main__":
    main(msgspec.json.decode(sys.argv[1], type=Plan))
