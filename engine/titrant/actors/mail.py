"""What actors say to each other: frozen messages, delivered at most once (what must survive is an event)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from titrant.generators.base import Examination, PredictionReply, Proposal, Request
from titrant.generators.requests import Fingerprint
from titrant.log.base import Append, Outcome
from titrant.messages.commands import By, Command
from titrant.model.experiment import Node
from titrant.model.insight import Insight
from titrant.model.trial import Attempt, Parameterization, Suggestion
from titrant.rules.state import State
from titrant.runtime.mailbox import Answer, Mailbox


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """The base of all messages between actors."""


# --- to the log writer ----------------------------------------------------------------------------------------------


class Write(Mail, frozen=True, kw_only=True):
    """Make a group of events durable, then say so through ``done``."""

    request: Append
    done: Callable[[Outcome], Awaitable[None]]


# --- to the supervisor ----------------------------------------------------------------------------------------------


class Do(Mail, frozen=True, kw_only=True):
    """Decide a command; the answer comes once its events are durable."""

    command: Command
    by: By = By()
    answer: Answer[State] | None = None
    key: str | None = None
    observed_at: int | None = None


class Written(Mail, frozen=True, kw_only=True):
    """The log writer's word on an earlier ``Write``."""

    ticket: int
    outcome: Outcome


class AskTrials(Mail, frozen=True, kw_only=True):
    """Make up to ``count`` trials for somebody outside the loop; answers with their indices.

    Attributes:
        since: When that was, in seconds of the event loop: its deadline counts from then.
    """

    count: int
    since: float
    answer: Answer[tuple[int, ...]]
    fixed: Parameterization = {}
    by: By = By()


class Suggested(Mail, frozen=True, kw_only=True):
    """The generator's answer to ``Suggest``.

    Attributes:
        request: The one that was answered; None where none was.
        context: What was read of context parameters; None where they were given or there are none.
    """

    ask: int
    proposals: tuple[Proposal, ...]
    short_reason: str | None = None
    failure: str | None = None
    seconds: float = 0.0
    versions: dict[str, str] = {}
    maker: str = ""
    request: Request | None = None
    fingerprint: Fingerprint | None = None
    context: Parameterization | None = None


class Wake(Mail, frozen=True):
    """The supervisor's own alarm: look again at what the free slots wait for."""


class GeneratorLost(Mail, frozen=True, kw_only=True):
    """The generator failed too often and is gone."""

    reason: str


class AwaitRun(Mail, frozen=True, kw_only=True):
    """Answer with the state once no run is under way."""

    answer: Answer[State]


class Connect(Mail, frozen=True, kw_only=True):
    """The mailboxes of the runners and metrics that exist from now on, and the supervisor's answer when it knows."""

    runners: dict[str, Mailbox[Any]]
    metrics: dict[str, Mailbox[Any]]
    answer: Answer[None]


# --- to the generator -----------------------------------------------------------------------------------------------


class Suggest(Mail, frozen=True, kw_only=True):
    """Make up to ``count`` suggestions from what ``state`` knows.

    Attributes:
        held: Suggestions that are made and not yet trials: kept away from, and their points of the sequence used up.
        in_haste: Rather a Sobol point at once than a wait for a model that is still being loaded.
        strategy_node: The strategy's node by name, where the strategy was given as a graph.
        instead: Why Sobol points go in the node's place; empty where they do not.
        for_run: Whether it is the closed loop that asks.
        since: From when the deadline counts, in seconds of the event loop; from its arrival where None.
    """

    ask: int
    state: State
    count: int
    node: Node
    fixed: Parameterization = {}
    held: tuple[Suggestion, ...] = ()
    in_haste: bool = False
    strategy_node: str = ""
    instead: str = ""
    for_run: bool = False
    since: float | None = None


class Predict(Mail, frozen=True, kw_only=True):
    """Predict the metrics at ``points`` with a model of what ``state`` knows."""

    state: State
    points: tuple[Parameterization, ...]
    answer: Answer[PredictionReply]


class Examine(Mail, frozen=True, kw_only=True):
    """Answer a question about the model, within the strategy's deadline."""

    request: Examination
    deadline: float
    answer: Answer[Insight]


class Warm(Mail, frozen=True, kw_only=True):
    """Get ready: suggestions will be asked for soon; with ``model`` load what models need as well, or all of it."""

    model: bool = False
    torch: bool = False


# --- to a runner ----------------------------------------------------------------------------------------------------


class Submit(Mail, frozen=True, kw_only=True):
    """Carry an attempt out.  Its intent is durable."""

    attempt: Attempt
    poll_seconds: float
    ttl_seconds: float | None = None


class Reattach(Mail, frozen=True, kw_only=True):
    """Find out what became of an attempt of an earlier process, and see it to its end."""

    attempt: Attempt
    poll_seconds: float
    ttl_seconds: float | None = None


class StopTrial(Mail, frozen=True, kw_only=True):
    """Stop an attempt.  Its intent is durable; ``lost`` where nobody watches it any more."""

    attempt: Attempt
    reason: str
    lost: bool = False


class Settled(Mail, frozen=True, kw_only=True):
    """What became of an attempt that was UNKNOWN has been said: it is on no instrument any more."""

    attempt: Attempt


# --- to a metric ----------------------------------------------------------------------------------------------------


class Fetch(Mail, frozen=True, kw_only=True):
    """Fetch the metric's value for a trial whose run has finished."""

    trial: int
    metric: str
    metadata: dict[str, Any]
    key: str
