"""The built-in generators behind one pair of functions; torch is loaded by the first request that needs it."""

from __future__ import annotations

from titrant.generators.base import PredictionReply, PredictionRequest, Reply, Request

# Imports stand in the functions because the first trial must not wait for numpy, nor the first dozen for torch.


def suggest(request: Request) -> Reply:
    """Make ``request.count`` suggestions by the generator of ``request.node``.

    Raises:
        GenerationError: Nothing could be suggested; the message says why.
    """
    match request.node:
        case "centre":
            from titrant.generators import centre  # noqa: PLC0415

            return centre.suggest(request)
        case "sobol":
            from titrant.generators import sobol  # noqa: PLC0415

            return sobol.suggest(request)
        case "bo":
            from titrant.generators.bo import generator  # noqa: PLC0415

            return generator.suggest(request)


def predict(request: PredictionRequest) -> PredictionReply:
    """Fit a model to ``request.observed`` and predict at ``request.points``.

    Raises:
        GenerationError: No model can be fitted; the message says why.
    """
    from titrant.generators.bo import generator  # noqa: PLC0415

    return generator.predict(request)


def warm() -> dict[str, str]:
    """Load what Bayesian optimization needs; the versions of it."""
    from titrant.generators.bo import load_botorch, versions  # noqa: PLC0415

    load_botorch()
    return versions()
