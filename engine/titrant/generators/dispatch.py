"""The built-in generators behind one pair of functions; torch is loaded by the first request that needs it."""

from __future__ import annotations

from typing import TypeVar

from msgspec.structs import replace

from titrant.generators.base import Examination, PredictionReply, PredictionRequest, Reply, Request
from titrant.model.insight import Insight

Asked = TypeVar("Asked", Request, PredictionRequest)

# Imports stand in the functions because the first trial must not wait for numpy, nor the first dozen for torch.


def suggest(request: Request) -> Reply:
    """Make ``request.count`` suggestions by the generator of ``request.node``.

    Raises:
        GenerationError: Nothing could be suggested; the message says why.
    """
    reply = _suggest(_seeded(request))
    if not request.space.restrictions:
        return reply
    from titrant.generators import nonlinear  # noqa: PLC0415

    return replace(reply, versions={**reply.versions, **nonlinear.versions(request.space)})


def _seeded(asked: Asked) -> Asked:
    """The same with a seed that generators of random numbers take: logs of before this was checked may have others."""
    return asked if asked.seed >= 0 else replace(asked, seed=-asked.seed)


def _suggest(request: Request) -> Reply:
    if request.space.having("fidelity"):
        from titrant.generators.fidelity import turns  # noqa: PLC0415

        return turns.suggest(request, _made)
    return _made(request)


def _made(request: Request) -> Reply:
    match request.node:
        case "centre":
            from titrant.generators import centre  # noqa: PLC0415

            return centre.suggest(request)
        case "sobol":
            from titrant.generators import sobol  # noqa: PLC0415

            return sobol.suggest(request)
        case "random" | "latin_hypercube":
            from titrant.generators import designs  # noqa: PLC0415

            return designs.random(request) if request.node == "random" else designs.latin_hypercube(request)
        case "grid":
            from titrant.generators import grid  # noqa: PLC0415

            return grid.suggest(request)
        case "bo" if request.optimization is not None and request.optimization.is_preference:
            from titrant.generators.preference import generator as preference  # noqa: PLC0415

            return preference.suggest(request)
        case "bo" if needs_torch(request.method):
            from titrant.generators.bo import load_botorch  # noqa: PLC0415

            load_botorch()
            from titrant.generators.bo import generator as botorch  # noqa: PLC0415

            return botorch.suggest(request)
        case "bo" if request.past or request.space.having("task"):
            from titrant.generators.transfer import generator as transfer  # noqa: PLC0415

            return transfer.suggest(request)
        case "bo" if request.optimization is not None and request.optimization.is_multi_objective:
            from titrant.generators.pareto import generator as pareto  # noqa: PLC0415

            return pareto.suggest(request)
        case "bo":
            from titrant.generators.gp import generator as gp  # noqa: PLC0415

            return gp.suggest(request)


def needs_torch(method: str) -> bool:
    """Whether BoTorch makes a model's suggestions: only where it is asked for by name."""
    return method == "botorch"


def predict(request: PredictionRequest) -> PredictionReply:
    """Fit a model to ``request.observed`` and predict at ``request.points``.

    Raises:
        GenerationError: No model can be fitted; the message says why.
    """
    request = _seeded(request)
    if request.optimization.is_preference:
        from titrant.generators.preference import generator as preference  # noqa: PLC0415

        return preference.predict(request)
    if request.space.having("fidelity") and not request.optimization.is_multi_objective:
        from titrant.generators.fidelity import generator as fidelity  # noqa: PLC0415

        return fidelity.predict(request)
    if request.past and not request.space.having("task"):
        from titrant.generators.transfer import generator as transfer  # noqa: PLC0415

        return transfer.predict(request)
    from titrant.generators.gp import generator  # noqa: PLC0415

    return generator.predict(request)


def examine(request: Examination) -> Insight:
    """Fit a model as for the next suggestion, and answer ``request.question`` about it.

    Raises:
        GenerationError: No model can be fitted; the message says why.
    """
    request = replace(request, basis=_seeded(request.basis))
    if request.question == "pairing":
        from titrant.generators.preference import choosing  # noqa: PLC0415

        return choosing.pairing(request)
    from titrant.generators.gp import examined  # noqa: PLC0415

    return examined.examine(request)


def warm(*, torch: bool = True) -> dict[str, str]:
    """Load what Bayesian optimization needs, BoTorch only where asked for; the versions of it."""
    from titrant.generators.gp import generator, versions  # noqa: F401, PLC0415 - the point of this function

    if not torch:
        return versions()
    from titrant.generators import bo  # noqa: PLC0415

    bo.load_botorch()
    return bo.versions()
