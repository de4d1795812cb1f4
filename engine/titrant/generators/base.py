"""The port of the generators: plain frozen values in, suggestions out; no engine, no log, no clock."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from titrant.model.comparison import Verdict
from titrant.model.experiment import Node
from titrant.model.factorial import USUAL, Levels
from titrant.model.fidelity import Cost
from titrant.model.objective import OptimizationConfig
from titrant.model.observation import Observation
from titrant.model.space import SearchSpace
from titrant.model.trial import Parameterization


class Point(msgspec.Struct, frozen=True, omit_defaults=True):
    """A trial as a generator sees it: where it was made and what was measured there."""

    trial: int
    parameters: Parameterization
    observations: tuple[Observation, ...] = ()


class Sample(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of a related problem: its points stand in the present search space, as far as they fit."""

    name: str
    points: tuple[Point, ...] = ()


class Design(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an initial design is like, where its node needs to know.

    Attributes:
        size: Points of a latin hypercube.
        levels: Levels of a grid's ranges.
        last: Whether nothing follows a grid that is used up: no model takes over.
    """

    size: int = 0
    levels: Levels = USUAL
    last: bool = False


class Request(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="suggest"):
    """Ask for ``count`` suggestions.

    Attributes:
        space: The search space.
        optimization: What is sought; None where the node needs no model.
        node: Which node of the strategy is to make them.
        method: The strategy's method.
        count: How many.
        seed: Seed of the quasi-random sequence and of everything random in this request.
        position: Points of the quasi-random sequence used up so far.
        observed: Trials with data, in order of their index (empty where the node needs none).
        pending: Trials that are under way or were given up: taken into account, kept away from.
        taken: Parameterizations that must not be suggested again (finite spaces only).
        failed: Trials whose failure says something of their conditions, in order of their index.
        cost: What trials cost, in a space with fidelities; None where nothing is said of it.
        comparisons: Where a preference is sought: which of two of the observed trials is better.
        fixed: Parameters held at a value for this request.
        design: What an initial design is like; None where the node needs to know nothing of it.
        past: What past experiments gave; models learn from it as far as it is like the present one.
    """

    space: SearchSpace
    optimization: OptimizationConfig | None = None
    node: Node = "sobol"
    method: str = "fast"
    count: int = 1
    seed: int = 0
    position: int = 0
    observed: tuple[Point, ...] = ()
    pending: tuple[Point, ...] = ()
    taken: tuple[Parameterization, ...] = ()
    fixed: Parameterization = {}
    design: Design | None = None
    failed: tuple[Point, ...] = ()
    cost: Cost | None = None
    comparisons: tuple[Verdict, ...] = ()
    past: tuple[Sample, ...] = ()


class Proposal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One suggested parameterization, and what it was made from (see ``titrant.model.trial.Suggestion``)."""

    parameters: Parameterization
    node: str
    generator: str
    position: int = 0
    predicted: dict[str, tuple[float, float]] = {}
    acquisition_value: float | None = None
    fallback: str | None = None


class Reply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to a request: as many proposals as asked for, or fewer with a reason (a space used up).

    Attributes:
        proposals: What is suggested.
        short_reason: Why they are fewer than asked for.
        versions: What had a part in it, and what its numbers may depend on: packages, the machine's kind, threads.
        maker: ``module:class`` of a generator that was brought along; ``InProcess`` fills it in.
        virtual_seconds: What making it is taken to have cost where time is virtual, and costs nothing else there.
    """

    proposals: tuple[Proposal, ...]
    short_reason: str | None = None
    versions: dict[str, str] = {}
    maker: str = ""
    virtual_seconds: float = 0.0


class PredictionRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="predict"):
    """Ask a model fitted to ``observed``, and to what past experiments gave, for its prediction at ``points``."""

    space: SearchSpace
    optimization: OptimizationConfig
    observed: tuple[Point, ...]
    points: tuple[Parameterization, ...]
    seed: int = 0
    comparisons: tuple[Verdict, ...] = ()
    past: tuple[Sample, ...] = ()


class PredictionReply(msgspec.Struct, frozen=True, kw_only=True):
    """For each point: metric name to (mean, SEM of the mean), in the metrics' own units.

    Where a preference is sought: the utility, which has no unit, and how likely each point is the best of them.
    """

    predictions: tuple[dict[str, tuple[float, float]], ...]
    generator: str
    chances: tuple[float, ...] = ()


class Examination(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="examine"):
    """Ask about the model that the next suggestion would be made from.

    Attributes:
        question: How well it fits, what the metrics depend on, what is left to gain, with one objective or for a front
            of several, or which trials to compare next.
        basis: The request for that suggestion.
        candidates: Conditions that may be the best so far, each once; for ``"optimality"`` and ``"front"``.
        leader: The trial of them that is best as observed.
    """

    question: Literal["fit", "importance", "optimality", "front", "pairing"]
    basis: Request
    candidates: tuple[Point, ...] = ()
    leader: int = 0


class Generator(Protocol):
    """Makes suggestions.  Contract: ``titrant.testing.GeneratorContract``.

    A generator keeps no state between calls that the request does not carry, so that a killed worker loses nothing.
    """

    def suggest(self, request: Request) -> Reply:
        """Make ``request.count`` suggestions that fit the space, or fewer with a reason.

        Raises:
            GenerationError: Nothing could be suggested; the message says why.
        """
