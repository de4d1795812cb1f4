"""The calls a file stands for: what a Python script would say, in the same order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from titrant.client import Client
from titrant.definition import meaning
from titrant.definition.connecting import Connected
from titrant.definition.reading import Loaded
from titrant.model.approval import ApprovalRule


def apply(client: Client, loaded: Loaded, connected: Connected) -> None:
    """Set the experiment up as the file says; what the log says already stays as it is.

    Raises:
        ConfigurationError: Something makes no sense.
        CommandRefused: The experiment's present state does not allow it.
    """
    file, state = loaded.file, client.state
    if state.experiment is None:
        client.configure_experiment(
            meaning.parameters(file),
            file.constraints,
            name=loaded.name,
            description=file.description,
            experiment_type=file.experiment_type,
            owner=file.owner,
            candidates=loaded.candidates,
            definition=loaded.definition(_log(client)),
        )
    # From here on: after a kill, what had not been said yet; what a person changed meanwhile is not changed back.
    if state.optimization is None and file.preference:
        client.configure_preference()
    elif state.optimization is None and file.objective:
        client.configure_optimization(file.objective, file.outcome_constraints)
    if file.tracking_metrics and not state.tracking:
        client.configure_tracking_metrics(file.tracking_metrics)
    if file.strategy is not None and not _begun(client):
        said = msgspec.structs.asdict(file.strategy)
        client.configure_generation_strategy(nodes=said.pop("node"), **said)
    if file.past and not client.state.past and not _begun(client):
        for past in file.past:
            client.learn_from(loaded.folder / past.log, names=past.names, scaled=past.scaled, fill=past.fill)
    if file.approval and not _begun(client):
        client.configure_approval([_rule(rule) for rule in file.approval])
    if connected.runners:
        client.configure_runners(connected.runners)
    if connected.metrics:
        client.configure_metrics(connected.metrics)


def keep(client: Client, loaded: Loaded) -> None:
    """Let the log keep another file than it did, to be connected from the next time on."""
    client.keep_definition(loaded.definition(_log(client)))


def _begun(client: Client) -> bool:
    """Whether setting up was over before: runners are connected last, and then trials are made."""
    state = client.state
    return bool(state.runners or state.next_index or state.run or state.last_run)


def _log(client: Client) -> Path:
    return client.path or Path("in memory")


def _rule(rule: Any) -> ApprovalRule:
    return ApprovalRule(**msgspec.structs.asdict(rule))
