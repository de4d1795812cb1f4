"""Questions about the model that the next suggestion would be made from: its fit, what matters, what is left."""

from __future__ import annotations

import msgspec

from titrant.errors import GenerationError
from titrant.generators.axes import Floats
from titrant.generators.base import Examination, Request
from titrant.generators.encoding import encoding_of
from titrant.generators.gp.answering import answering, need_finite
from titrant.generators.gp.asked import asked, data_of
from titrant.generators.gp.data import Data
from titrant.generators.gp.domain import Domain
from titrant.generators.gp.fitted import Fitted, fit, worths
from titrant.generators.gp.importance import importance_of
from titrant.generators.gp.leaving_out import fit_of
from titrant.generators.gp.optimality import optimality_of
from titrant.model.insight import Insight
from titrant.model.objective import OptimizationConfig


def examine(request: Examination) -> Insight:
    """Answer ``request.question``.

    Raises:
        GenerationError: There are too few data, the question has no meaning here, or the numbers fail.
    """
    config = request.basis.optimization
    if config is None:
        raise GenerationError("no answer: there is no objective yet, so there is no model")
    with answering("answer"):
        answer = _answer(request, config)
    need_finite("answer", msgspec.to_builtins(answer))
    return answer


def _answer(request: Examination, config: OptimizationConfig) -> Insight:
    basis = request.basis
    if request.question == "optimality":
        if config.is_multi_objective:
            raise GenerationError("with several objectives there is no single best: ask for front_optimality()")
        found = asked(basis, config)
        return optimality_of(_fit(basis, config, found.data, worths(found.data, found.target)), found, config, request)
    if request.question == "front":
        from titrant.generators.pareto.optimality import front_optimality_of  # noqa: PLC0415 - it stands on this package

        if not config.is_multi_objective:
            raise GenerationError("with one objective there is no front: ask for optimality()")
        found = asked(basis, config)
        fitted = _fit(basis, config, found.data, found.target.worths(found.data.y))
        return front_optimality_of(fitted, found, config, request)
    data = data_of(basis, config)
    fitted = _fit(basis, config, data, data.y[:, 0])
    if request.question == "fit":
        return fit_of(fitted, basis.seed)
    return importance_of(fitted, config, Domain(basis.space, basis.fixed, basis.seed), basis.seed)


def _fit(basis: Request, config: OptimizationConfig, data: Data, worth: Floats) -> Fitted:
    """The model of the next suggestion; of several objectives fidelities are columns like any other."""
    if not basis.space.having("fidelity") or config.is_multi_objective:
        return fit(config, data, worth)
    from titrant.generators.fidelity import model  # noqa: PLC0415 - it stands on this package
    from titrant.generators.fidelity.level import Level  # noqa: PLC0415

    return model.fit(config, data, worth, Level(encoding_of(basis.space, {}))).fitted
