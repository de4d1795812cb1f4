"""What a model says of an experiment: ``model``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from titrant.cli.errors import BadInput
from titrant.cli.logs import find_log
from titrant.cli.options import Json, Log
from titrant.cli.output import Shown, command, table
from titrant.cli.reading import When

if TYPE_CHECKING:
    from rich.console import Group

    from titrant.model.insight import FrontOptimality, ModelFit, Optimality, ParameterImportance
    from titrant.rules.state import State


_SHOWN = 12
"""Trials of a front that are listed."""


@command
def model(log: Log = None, at: When = None, json: Json = False) -> Shown:
    """Ask the model: how well it fits, which parameters matter, whether to stop.

    A model is fitted to the log's data as for the next suggestion. Numbers are in the metrics' own units, intervals are
    95 %. The log is only read, also while another process writes it.
    """
    path = find_log(log)
    from titrant.replay.moment import state_at  # noqa: PLC0415  # not for --help

    moment = state_at(path, at)
    if moment.state.optimization is None:
        raise BadInput(f"the experiment in {path} has no objective yet")
    fit, importance, optimality = _asked(moment.state)
    value = {"seq": moment.seq, "fit": fit, "importance": importance, "optimality": _document(optimality)}
    return Shown(value, _view(fit, importance, optimality))


def _asked(state: State) -> tuple[ModelFit, ParameterImportance, Optimality | FrontOptimality | str]:
    """The answers; in place of the last one why there is none."""
    from titrant.analysis.questions import examination  # noqa: PLC0415
    from titrant.errors import CommandRefused, GenerationError, WorkerDied  # noqa: PLC0415
    from titrant.generators.process import WorkerProcess  # noqa: PLC0415

    with WorkerProcess() as worker:
        fit: Any = worker.call(examination(state, "fit"))
        importance: Any = worker.call(examination(state, "importance"))
        try:
            several = state.optimization is not None and state.optimization.is_multi_objective
            optimality: Any = worker.call(examination(state, "front" if several else "optimality"))
        except WorkerDied:
            raise
        except (CommandRefused, GenerationError) as exc:  # nothing feasible, say: the rest still counts
            optimality = str(exc)
    return fit, importance, optimality


def _document(optimality: Optimality | FrontOptimality | str) -> dict[str, Any]:
    if isinstance(optimality, str):
        return {"none_because": optimality}
    import msgspec  # noqa: PLC0415

    return {**msgspec.structs.asdict(optimality), "advice": optimality.advice}


def _view(fit: ModelFit, importance: ParameterImportance, optimality: Optimality | FrontOptimality | str) -> Group:
    from rich.console import Group  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    count = len(fit.metrics[0].left_out)
    parts: list[Any] = [Text(f"{fit.model}, fitted to {count} trials; each left out in turn [95 % interval]")]
    columns = ("metric", "fit", "R²", "RMSE", "residuals", *(f"in {one.level:.0%}" for one in fit.metrics[0].coverage))
    rows = [
        (
            one.metric,
            one.word,
            one.r2 or "nothing varies",
            one.rmse,
            f"{one.residual_mean:+.2f} ± {one.residual_sd:.2f}",
            *(f"{covered.observed.value:.0%}" for covered in one.coverage),
        )
        for one in fit.metrics
    ]
    parts.append(table(columns, rows, right=columns[2:]))
    aside = "; constraints left aside" if importance.ignored_constraints else ""
    parts.append(Text(f"shares of the variance (Sobol indices){aside}"))
    columns = ("metric", "parameter", "alone", "with interactions")
    shares = [
        (output.output, one.parameter, one.first, one.total) for output in importance.outputs for one in output.indices
    ]
    parts.append(table(columns, shares, right=columns[2:]))
    parts.extend(Text(line) for line in _left(optimality))
    return Group(*parts)


def _left(optimality: Optimality | FrontOptimality | str) -> Iterator[str]:
    from titrant.model.insight import FrontOptimality  # noqa: PLC0415
    from titrant.progress import words  # noqa: PLC0415

    if isinstance(optimality, str):
        yield optimality
        return
    if isinstance(optimality, FrontOptimality):
        yield from _front(optimality)
        return
    yield f"objective {optimality.objective}: the best of the trials made is"
    for one in optimality.contenders:
        yield f"  trial {one.trial} with probability {one.probability}, predicted {one.value}"
    peak = optimality.peak
    tried = "an untried point" if peak.trial is None else f"trial {peak.trial}"
    yield f"the model would settle on {tried}: {peak.value} at {words.conditions(peak.at)}"
    if not peak.feasible:
        yield "where the outcome constraints are expected to be broken least: nowhere are they expected to hold"
    yield f"expected improvement {optimality.expected_improvement} at {words.conditions(optimality.at)}"
    yield f"advice: {optimality.advice}"


def _front(optimality: FrontOptimality) -> Iterator[str]:
    from titrant.progress import words  # noqa: PLC0415

    yield f"objectives {', '.join(optimality.objectives)}: on the front of the trials made are"
    for one in optimality.front[:_SHOWN]:
        yield f"  trial {one.trial} with probability {one.probability}"
    if len(optimality.front) > _SHOWN:
        yield f"  and {len(optimality.front) - _SHOWN} others with less"
    yield f"hypervolume {optimality.hypervolume:.4g}, in the product of the objectives' units"
    yield f"expected gain {optimality.expected_improvement} at {words.conditions(optimality.at)}"
    yield f"advice: {optimality.advice}"
