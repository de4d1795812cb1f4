"""``whatif``: variations of an experiment, many times each, and what came out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import get_args

from titrant.errors import ConfigurationError
from titrant.generators.process import WorkerProcess
from titrant.model.strategy import Method
from titrant.model.trial import Parameterization
from titrant.replay.moment import When
from titrant.whatif import simulated
from titrant.whatif.basis import Basis, budget_of, read_basis, utility_of
from titrant.whatif.oracle import Oracle
from titrant.whatif.report import Report, Setting, estimate
from titrant.whatif.simulated import Ran, Variation

Told = Callable[[str, int, int, float], None]
"""Told how far it is: what is done, steps done, all steps, and about how many seconds are left (NaN: not known)."""


def whatif(
    path: str | Path,
    *,
    parallelism: Sequence[int] = (1, 2, 4),
    method: Method | None = None,
    max_trials: int | None = None,
    from_seq: When = None,
    seeds: int = 10,
    within: float = 5.0,
    log_dir: str | Path | None = None,
    told: Told | None = None,
) -> Report:
    """Run the experiment of a log again in virtual time, otherwise, with a model of its data in the lab's place.

    The same seeds give the same report.  The log is only read.  Each run has a log of its own that names it.

    Args:
        path: The log; 5 finished trials with data at least.
        parallelism: Trials at once, one setting for each.
        method: The generator's method; the log's own where None.
        max_trials: New trials of each run; as many as the log made after *from_seq* where None.
        from_seq: The moment the runs begin from, with the trials finished by then as data; None for the beginning.
            The model that answers is fitted to all data of the log in any case.
        seeds: Runs of each setting; a run's chance is the same in every setting.
        within: How near to the best value of the log counts as reached, in percent of that value.
        log_dir: A folder to keep the runs' logs in; in memory where None.
        told: Called as it goes on.

    Raises:
        CommandRefused: There are too few data, no objective, or several.
        ConfigurationError: An argument makes no sense.
        GenerationError: No model can be fitted to the data.
        LogError: The log is missing or damaged, or *log_dir* holds logs of the same names.
    """
    _check(parallelism, method, seeds, within)
    basis = read_basis(path, from_seq)
    budget = budget_of(basis, max_trials)
    chosen = basis.state.strategy.method if method is None else method
    told = told or (lambda _what, _done, _all, _left: None)
    with WorkerProcess() as worker:
        oracle = Oracle(basis, worker, lambda done, of: told("examining the model", done, of, math.nan))
        target = _target(basis, oracle)
        ran: dict[int, list[Ran]] = {one: [] for one in parallelism}
        kept: dict[int, list[str]] = {one: [] for one in parallelism}
        # A prediction is a fit; so is a suggestion of a model.
        fits = budget * (1 if chosen == "random_search" else 2)
        left = fits * oracle.fit_seconds
        done, of = 0, seeds * len(ran)
        for number in range(seeds):
            for places, runs in ran.items():
                told("running", done, of, left * (of - done))
                variation = Variation(
                    method=chosen,
                    parallelism=places,
                    max_trials=budget,
                    seed=Random(f"{basis.state.seed}/what-if/{number}").getrandbits(31),  # noqa: S311  # no secret
                    path=_log_path(log_dir, Path(path), chosen, places, number),
                )
                began = time.perf_counter()
                runs.append(simulated.run(variation, basis, oracle, worker))
                done += 1
                left += (time.perf_counter() - began - left) / done
                kept[places] += [] if variation.path is None else [str(variation.path)]
        told("running", of, of, 0.0)
        settings = tuple(
            _setting(basis, oracle, places, budget, chosen, runs, target, within, kept[places])
            for places, runs in ran.items()
        )
    sign = -1.0 if basis.request.optimization.objectives[0].minimizes else 1.0
    return Report(
        log_id=basis.head.log_id,
        seq=basis.head.seq,
        start=basis.start,
        given=len(basis.given),
        left_out=basis.left_out,
        objective=basis.request.optimization.text,
        target=sign * target,
        within=within,
        seeds=seeds,
        settings=settings,
        trust=oracle.trust(),
    )


def _check(parallelism: Sequence[int], method: str | None, seeds: int, within: float) -> None:
    if not parallelism or any(one < 1 for one in parallelism):
        raise ConfigurationError(f"parallelism is {list(parallelism)}: give numbers of trials at once, each 1 or more")
    if method is not None and method not in get_args(Method):
        raise ConfigurationError(f"there is no method {method!r}: it is one of {', '.join(get_args(Method))}")
    if seeds < 1:
        raise ConfigurationError(f"seeds is {seeds}: give 1 or more")
    if not 0 <= within < math.inf:
        raise ConfigurationError(f"within is {within}: give a percentage, 0 or more")


def _log_path(folder: str | Path | None, parent: Path, method: str, places: int, number: int) -> Path | None:
    if folder is None:
        return None
    Path(folder).mkdir(parents=True, exist_ok=True)
    return Path(folder) / f"{parent.stem}-{method}-p{places}-{number}.titrant"


def _target(basis: Basis, oracle: Oracle) -> float:
    """The best value of the log without its luck: what the model predicts at the conditions that were tried."""
    space = basis.request.space
    at = [oracle.at(point.parameters) for point in basis.points if space.contains(point.parameters)]
    values = [utility_of(basis, {name: mean for name, (mean, _) in one.items()}) for one in at]
    known = [one for one in values if one is not None]
    return max(known) if known else max(oracle.utilities())


def _setting(
    basis: Basis,
    oracle: Oracle,
    places: int,
    budget: int,
    method: str,
    runs: Sequence[Ran],
    target: float,
    within: float,
    logs: Sequence[str],
) -> Setting:
    sign = -1.0 if basis.request.optimization.objectives[0].minimizes else 1.0
    enough = target - abs(target) * within / 100
    needed = [
        next((place for place, value in enumerate(run.values, 1) if value is not None and value >= enough), math.inf)
        for run in runs
    ]
    best = [max((value for value in run.values if value is not None), default=-math.inf) for run in runs]
    spread = oracle.trust().spread
    tried = [one for run in runs for one in run.tried]
    return Setting(
        method=method,
        parallelism=places,
        max_trials=budget,
        hours=estimate([run.hours for run in runs]),
        best=estimate([sign * one for one in best]),
        needed=estimate(needed),
        censored=sum(not math.isfinite(one) for one in needed),
        extrapolated=sum(_is_guess(basis, oracle, one, spread) for one in tried) / max(1, len(tried)),
        failed=sum(run.failed for run in runs) / max(1, len(tried)),
        logs=tuple(logs),
    )


def _is_guess(basis: Basis, oracle: Oracle, parameters: Parameterization, spread: float) -> bool:
    """Whether conditions lie outside the measured range, or where the model knows no more than the data's spread."""
    for name, value in parameters.items():
        measured = [point.parameters[name] for point in basis.points if name in point.parameters]
        if isinstance(value, bool | str):
            if value not in measured:
                return True
        else:
            numbers = [float(one) for one in measured]
            if not numbers or not min(numbers) <= value <= max(numbers):
                return True
    return oracle.sem(oracle.at(parameters)) > spread
