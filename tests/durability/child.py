"""The process that is killed: it opens or makes a log, goes on with its experiment, and ends when all trials are over.

``forking.py`` forks it; elsewhere it is ``python -m tests.durability.child '{"path": ..., "witness": ..., ...}'``.
"""

import sys
from pathlib import Path

import msgspec
from tests.durability import runners

import titrant.engine
from titrant import Client, RangeParameterConfig
from titrant.actors import mail
from titrant.actors.effects import Effects
from titrant.errors import LogMissing
from titrant.generators.base import Proposal, Reply
from titrant.generators.process import WorkerProcess
from titrant.testing.crash import witness

SEED = 7
ROUNDS = 40  # of run_trials and a person's decisions, before the experiment counts as one that never ends

LANES = {
    # Whatever happens, these need no person.
    "sure": lambda lab: [
        runners.Keyed(lab),
        runners.KeyedPushed(lab),
        runners.Status(lab),
        runners.again_is_safe(lab),
    ],
    # Here a person must look at the instrument.
    "unsure": lambda lab: [
        runners.Polled(lab),
        runners.StatusNoProof(lab),
        runners.StopOnly(lab),
        runners.Dumb(lab),
    ],
    # Every third trial never ends by itself, and is stopped when its time is up.
    "stopping": lambda lab: [runners.Stoppable(lab), runners.Keyed(lab)],
    # Nothing but keys.
    "keyed": lambda lab: [runners.Keyed(lab), runners.KeyedPushed(lab)],
    # titrant's own generator in its own process.
    "sobol": lambda lab: [runners.Keyed(lab), runners.KeyedPushed(lab)],
}


class Plan(msgspec.Struct):
    """What a child is to do."""

    path: str
    witness: str
    port: int
    lab: str
    lane: str = "sure"
    trials: int = 40
    act_first: bool = False


class Golden:
    """A sequence that costs nothing: multiples of the golden ratio, shifted by the seed."""

    def suggest(self, request):
        positions = range(request.position, request.position + request.count)
        return Reply(
            proposals=tuple(
                Proposal(parameters={"x": golden(request.seed, at)}, node="sobol", generator="golden", position=at + 1)
                for at in positions
            )
        )


def golden(seed, position):
    return (seed * 0.1 + position * 0.6180339887498949) % 1.0


def main(plan):
    lab = runners.Lab(plan.port, plan.lab)
    if plan.lane == "stopping":
        lab.seconds = lambda trial: 300.0 if trial % 3 == 2 else 0.002
    said = witness(Path(plan.witness))
    titrant.engine.SNAPSHOT_EVERY = 60
    tell_workers(Path(f"{plan.witness}.workers"))
    if plan.act_first:
        act_before_logging()
    generator = None if plan.lane == "sobol" else Golden()
    try:
        client = Client.open(plan.path, generator=generator)
    except LogMissing:
        client = Client(plan.path, random_seed=SEED, generator=generator)
    with client:
        vouch(said, client)
        client.configure_experiment([RangeParameterConfig(name="x", parameter_type="float", bounds=(0.0, 1.0))])
        client.configure_optimization("-y")
        client.configure_generation_strategy("random_search", initialize_with_center=False)
        client.configure_runners(LANES[plan.lane](lab))
        client.configure_metrics([runners.Y(lab)])
        for _ in range(ROUNDS):
            go_on(client, plan)
            decide_as_a_person(client, lab)
            vouch(said, client)
            if not client.state.open and client.state.next_index >= plan.trials:
                return
    raise SystemExit(f"the experiment never ends: {client.state.last_run}")


def vouch(said, client):
    """State what this process takes the experiment's state to be."""
    supervisor = client._async.engine.supervisor

    async def both():  # within the loop, where the two change together
        return supervisor.durable_seq, supervisor.durable

    said.vouches(*client._call(both))


def go_on(client, plan):
    ttl = 0.05 if plan.lane == "stopping" else None
    last = client.state.last_run
    if last is not None and last.outcome == "interrupted":
        client.resume(progress=False)
    else:
        client.run_trials(
            plan.trials - client.state.next_index,
            parallelism=4,
            tolerated_trial_failure_rate=1.0,
            initial_seconds_between_polls=0.002,
            trial_ttl_seconds=ttl,
            progress=False,
        )


def decide_as_a_person(client, lab):
    """Look at the instruments of UNKNOWN trials, say what became of them, and put the runners to use again."""
    for index in client.state.unknown:
        trial = client.state.trial(index)
        seen = lab.ask("look", lab=lab.name, instrument=trial.runner, trial=index)["runs"]
        if not seen:
            client.resolve(index, "rerun", "the instrument's counter shows that it was never started")
        elif seen[-1]["state"] == "stopped":
            client.resolve(index, "failed", "the instrument shows that it was stopped")
        else:
            client.resolve(index, "completed", "read from its display", raw_data={"y": lab.wait(seen[-1]["id"])})
    for name in client.state.quarantined:
        client.restore_runner(name, "looked at it")


def tell_workers(path):
    """Have the id of every worker process written down."""
    start = WorkerProcess.start

    def started(self):
        start(self)
        with path.open("a") as file:
            file.write(f"{self.pid}\n")

    WorkerProcess.start = started


def act_before_logging():
    """The control: submissions go out when they are decided, not when their intent is durable."""
    of = Effects.of

    def at_once(self, command, events, before, after):
        later = []
        for mailbox, message in of(self, command, events, before, after):
            if isinstance(message, mail.Submit):
                mailbox.tell(message)
            else:
                later.append((mailbox, message))
        return later

    Effects.of = at_once


if __name__ == "__main__":
    main(msgspec.json.decode(sys.argv[1], type=Plan))
