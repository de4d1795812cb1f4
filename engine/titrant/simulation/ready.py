"""Simulated labs ready to be named in an experiment file: ``use = "titrant.simulation:reaction"``."""

from __future__ import annotations

from typing import Any

from titrant.simulation import problems
from titrant.simulation.behaviour import Lognormal, PerMetric
from titrant.simulation.lab import SimulatedLab
from titrant.simulation.problems import Problem

NO_NOISE: PerMetric = 0.0


def reaction(
    *,
    duration_s: float = 3600.0,
    spread: float = 0.3,
    noise_sd: PerMetric | None = None,
    failure_probability: float = 0.0,
    seed: int = 0,
    **more: Any,
) -> SimulatedLab:
    """A reactor that gives yield and impurity in per cent (``problems.REACTION``).

    Args:
        duration_s: Median duration of a trial, in seconds.
        spread: How much durations vary: standard deviation of their logarithm.
        noise_sd: Standard deviation of what is measured, by metric or for all; 0.5 % yield and 0.1 % impurity.
        failure_probability: Share of attempts that fail.
        seed: Seed of everything by chance here.
        more: Further arguments of ``SimulatedLab``: ``capacity``, ``hang_probability``, ``drift_per_hour`` …
    """
    noise = {"yield": 0.5, "impurity": 0.1} if noise_sd is None else noise_sd
    return _lab(problems.REACTION, "reactor", duration_s, spread, noise, failure_probability, seed, more)


def hartmann6(
    *,
    duration_s: float = 3600.0,
    spread: float = 0.3,
    noise_sd: PerMetric = NO_NOISE,
    failure_probability: float = 0.0,
    seed: int = 0,
    **more: Any,
) -> SimulatedLab:
    """Hartmann's function of x1 … x6 (``problems.HARTMANN6``); arguments as of ``reaction``, without noise."""
    return _lab(problems.HARTMANN6, "hartmann6", duration_s, spread, noise_sd, failure_probability, seed, more)


def branin(
    *,
    duration_s: float = 3600.0,
    spread: float = 0.3,
    noise_sd: PerMetric = NO_NOISE,
    failure_probability: float = 0.0,
    seed: int = 0,
    **more: Any,
) -> SimulatedLab:
    """Branin's function of x1 and x2 (``problems.BRANIN``); arguments as of ``reaction``, without noise."""
    return _lab(problems.BRANIN, "branin", duration_s, spread, noise_sd, failure_probability, seed, more)


def mixture(
    *,
    duration_s: float = 3600.0,
    spread: float = 0.3,
    noise_sd: PerMetric | None = None,
    failure_probability: float = 0.0,
    seed: int = 0,
    **more: Any,
) -> SimulatedLab:
    """A mixing robot that gives conductivity and viscosity (``problems.MIXTURE``); arguments as of ``reaction``."""
    noise = {"conductivity": 0.1, "viscosity": 0.02} if noise_sd is None else noise_sd
    return _lab(problems.MIXTURE, "mixer", duration_s, spread, noise, failure_probability, seed, more)


def _lab(
    problem: Problem,
    name: str,
    duration_s: float,
    spread: float,
    noise_sd: PerMetric,
    failure_probability: float,
    seed: int,
    more: dict[str, Any],
) -> SimulatedLab:
    return SimulatedLab(
        problem.evaluate,
        **({"name": name} | more),
        seed=seed,
        duration_s=Lognormal(duration_s, spread) if spread else duration_s,
        noise_sd=noise_sd,
        failure_probability=failure_probability,
    )
