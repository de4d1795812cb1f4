"""What packages have registered by name: runners, metrics and generators."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from titrant.cli.health.finding import Finding, Findings

GROUPS = ("titrant.runners", "titrant.metrics", "titrant.generators")


def installed() -> Findings:
    """Whether each entry point can be loaded, and what it says of itself."""
    found = [one for group in GROUPS for one in entry_points(group=group)]
    if not found:
        yield Finding("ok", "no runners, metrics or generators are installed by name; module:attribute names others")
    for one in found:
        yield _entry(one)


def _entry(one: EntryPoint) -> Finding:
    what = f"{one.group.removeprefix('titrant.').removesuffix('s')} {one.name!r} ({one.value})"
    try:
        target = one.load()
        answer = _probe(target)
    except Exception as exc:  # noqa: BLE001  # foreign code may raise anything
        return Finding("fail", f"{what}: {type(exc).__name__}: {exc}", "install what it needs, or remove its package")
    return Finding("ok", what + (f": {answer}" if answer else ""))


def _probe(target: Any) -> str:
    """What an adapter says of its own surroundings, where it has a ``probe()`` to ask."""
    probe: Callable[[], Any] | None = getattr(target, "probe", None)
    if inspect.isclass(target) and inspect.isfunction(probe):
        return ""  # a method asks an instrument, and which one only an experiment file says
    probe = probe or getattr(sys.modules.get(getattr(target, "__module__", "")), "probe", None)
    return "" if probe is None else str(probe() or "")
