"""How durations, times, values and conditions are written for people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from titrant.model.objective import OptimizationConfig
from titrant.model.trial import Parameterization, ParameterValue

MINUTE, HOUR, DAY = 60, 3_600, 86_400


def duration(seconds: float) -> str:
    """Seconds in the two units that matter: ``"3.2 s"``, ``"1 min 05 s"``, ``"2 h 03 min"``, ``"3 d 4 h"``."""
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE:02} s"
    if whole < DAY:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE:02} min"
    return f"{whole // DAY} d {whole % DAY // HOUR} h"


def roughly(seconds: float) -> str:
    """The same without tenths, for estimates."""
    return duration(seconds) if seconds >= MINUTE else f"{max(1, round(seconds))} s"


def time_of_day(at: int, began: int | None, *, virtual: bool) -> str:
    """When it was: the local time; in virtual time, what had passed since the run began.

    Args:
        at: Microseconds since 1970 UTC.
        began: The same of the run's beginning, where there is one.
        virtual: Whether these are times of a virtual calendar.
    """
    if not virtual:
        return datetime.fromtimestamp(at / 1e6, tz=UTC).astimezone().strftime("%H:%M:%S")
    passed = max(0, at - (at if began is None else began)) // 1_000_000
    return f"+{passed // HOUR:02}:{passed % HOUR // MINUTE:02}:{passed % MINUTE:02}"


def value(number: ParameterValue) -> str:
    """A number with four digits, anything else as it is."""
    return f"{number:.4g}" if isinstance(number, float) else str(number)


def conditions(parameters: Parameterization) -> str:
    """``"x1=0.25  solvent=DMF"``."""
    return "  ".join(f"{name}={value(one)}" for name, one in parameters.items())


def result(optimization: OptimizationConfig, means: Mapping[str, float]) -> str:
    """What was reached: each objective's metric, or where it combines several, their combination; then the bounded."""
    told: dict[str, str] = {}
    for objective in optimization.objectives:
        if len(objective.terms) == 1:
            name = objective.terms[0][0]
            told[name] = f"{name} = {value(means[name])}" if name in means else f"{name} = ?"
        elif objective.terms and all(name in means for name in objective.metric_names):
            told[objective.text] = f"{objective.text} = {value(objective.utility(means))}"
    for name in optimization.metric_names:
        if name not in told and name in means:
            told[name] = f"{name} = {value(means[name])}"
    return ", ".join(told.values())


def count(number: int, noun: str) -> str:
    """``"1 trial"``, ``"2 trials"``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
