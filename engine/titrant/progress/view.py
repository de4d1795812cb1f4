"""The live view: a picture as rich renderables; pure, so that it can be drawn without a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from titrant.progress import words
from titrant.progress.picture import Lane, Picture

COLOURS = {
    "completed": "green",
    "running": "cyan",
    "submitting": "cyan",
    "stopping": "yellow",
    "early stopped": "yellow",
    "failed": "red",
    "abandoned": "red",
    "unknown": "bold red",
    "quarantined": "red",
    "error": "bold red",
    "warning": "yellow",
}
BARS = " ▁▂▃▄▅▆▇█"
ASCII_BARS = " .:-=+*#@"
BAR_WIDTH = 18
TRACE_WIDTH = 60
NARROW = 72
"""Columns below which there is no room for bars."""

INDENT = (0, 0, 0, 2)
LATE = 1.5
"""A trial that takes this many times what is expected is shown as late."""

FIXED_LINES = 15
"""Lines of the view that are not lanes, notices included."""


def live_view(picture: Picture, *, width: int = 100, height: int = 40, ascii_only: bool = False) -> RenderableType:
    """The whole view of a run that goes on.

    Args:
        picture: What to show.
        width: Columns of the terminal.
        height: Lines of the terminal; lanes and notices that find no room are counted instead.
        ascii_only: Whether the terminal shows ASCII only.
    """
    room = max(1, height - FIXED_LINES)
    parts: list[RenderableType] = [Rule(Text(picture.name, style="bold"), style="dim", align="left"), _head(picture)]
    parts += [_counts(picture), Text(), _lanes(picture.lanes, room, width, ascii_only=ascii_only), Text()]
    parts += _standing(picture)
    if picture.trace:
        parts.append(_labelled("trace", sparkline(picture.trace, min(TRACE_WIDTH, width - 12), ascii_only=ascii_only)))
    parts.append(_waiting(picture))
    if picture.notices:
        parts += [Text(), *_notices(picture, max(3, min(8, height - FIXED_LINES - len(picture.lanes))))]
    return Group(*parts)


def summary(picture: Picture, path: str | None = None) -> RenderableType:
    """What is left to read when a run is over."""
    outcome = picture.outcome or "interrupted"
    good = outcome == "finished" and not picture.needs_person
    title = Text.assemble(
        (picture.name, "bold"),
        "  ",
        (outcome, "green" if good else "yellow"),
        f"  {words.count(picture.ended, 'trial')} in {_span(picture)}",
    )
    parts: list[RenderableType] = [title]
    if picture.reason:
        parts.append(Padding(Text(picture.reason, style="bold red" if picture.needs_person else "yellow"), INDENT))
    parts.append(_counts(picture))
    parts += _standing(picture)
    parts += [Padding(Text(f"trial {at} failed: {why}", style="red"), INDENT) for at, why in picture.failures[:3]]
    if len(picture.failures) > 3:
        more = f"… and {len(picture.failures) - 3} more failed: see summarize()"
        parts.append(Padding(Text(more, style="red"), INDENT))
    if picture.unknown and picture.waiting and picture.waiting != picture.reason:
        parts.append(Padding(Text(picture.waiting, style="bold red"), INDENT))
    if path is not None:
        parts.append(_labelled("log", Text(path, overflow="fold")))
    return Group(*parts)


def sparkline(trace: Sequence[tuple[float, bool]], width: int = TRACE_WIDTH, *, ascii_only: bool = False) -> Text:
    """Utilities as a row of bars, the highest the best; each stands for the best of as many trials as it must.

    The lowest twentieth is cut off, so that one disaster does not flatten all the rest; points that break a constraint
    are dim.
    """
    points = [point for point in trace if math.isfinite(point[0])]
    if not points:
        return Text()
    each = math.ceil(len(points) / width)
    bins = [max(points[at : at + each], key=lambda point: (point[1], point[0])) for at in range(0, len(points), each)]
    ranked = sorted(utility for utility, _ in bins)
    low, high = ranked[len(ranked) // 20], ranked[-1]
    bars = ASCII_BARS if ascii_only else BARS
    line = Text(no_wrap=True, overflow="crop")
    for utility, feasible in bins:
        share = 1.0 if high <= low else max(0.0, (utility - low) / (high - low))
        line.append(bars[1 + round(share * (len(bars) - 2))], style="cyan" if feasible else "dim")
    return line


# --- parts ----------------------------------------------------------------------------------------------------------


def _head(picture: Picture) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    left = "" if picture.left_s is None else f"about {words.roughly(picture.left_s)} left"
    grid.add_row(
        ProgressBar(total=max(1, picture.asked), completed=picture.ended, width=30),
        Text(f"{picture.ended}/{picture.asked} trials", style="bold"),
        Text(_span(picture)),
        Text(left, style="cyan"),
    )
    return grid


def _span(picture: Picture) -> str:
    return words.duration(picture.elapsed_s) + (" of virtual time" if picture.virtual else "")


def _counts(picture: Picture) -> Text:
    line = Text("  ")
    for place, (name, number) in enumerate(picture.counts):
        line.append(", " if place else "", style="dim")
        line.append(f"{number} {name}", style=COLOURS.get(name, "default"))
    return line


def _lanes(lanes: Sequence[Lane], room: int, width: int, *, ascii_only: bool) -> RenderableType:
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(no_wrap=True, max_width=26, overflow="ellipsis")
    grid.add_column(no_wrap=True, justify="right")
    narrow = width < NARROW
    if not narrow:
        grid.add_column(width=BAR_WIDTH)
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    several = {lane.runner for lane in lanes if lane.slot > 1}
    for lane in lanes[:room]:
        name = f"{lane.runner} {lane.slot}" if lane.runner in several else lane.runner
        number, bar, took, conditions = _lane(lane, ascii_only=ascii_only)
        if not narrow:
            grid.add_row(Text(f"  {name}"), number, bar, took, conditions)
        else:
            grid.add_row(Text(f"  {name}"), number, took if lane.doing == "running" else bar, conditions)
    if len(lanes) <= room:
        return grid
    hidden = lanes[room:]
    busy = sum(lane.trial is not None for lane in hidden)
    return Group(grid, Text(f"  … {words.count(len(hidden), 'more slot')}, {busy} in use", style="dim"))


def _lane(lane: Lane, *, ascii_only: bool) -> tuple[RenderableType, RenderableType, RenderableType, RenderableType]:
    if lane.trial is None:
        empty = Text("-" if ascii_only else "–", style="dim")
        return empty, Text(lane.doing, style=COLOURS.get(lane.doing, "dim")), Text(), Text()
    style = COLOURS.get(lane.doing, "default")
    number = Text(str(lane.trial) + (f" (attempt {lane.attempt})" if lane.attempt > 1 else ""), style="bold")
    conditions = Text(lane.conditions, style="dim")
    elapsed = words.duration(lane.elapsed_s)
    if lane.doing != "running":
        return (
            number,
            Text(lane.doing.upper() if lane.doing == "unknown" else lane.doing, style),
            Text(elapsed),
            conditions,
        )
    if not lane.expected_s:
        return number, Text("running", style), Text(elapsed), conditions
    late = lane.elapsed_s > LATE * lane.expected_s
    bar = ProgressBar(
        total=lane.expected_s,
        completed=min(lane.elapsed_s, lane.expected_s),
        width=BAR_WIDTH,
        complete_style="yellow" if late else "cyan",
        finished_style="yellow" if late else "cyan",
    )
    of = f"{elapsed} / {words.duration(lane.expected_s)}"
    return number, bar, Text(of, style="yellow" if late else "default"), conditions


def _standing(picture: Picture) -> list[RenderableType]:
    """The best so far."""
    parts: list[RenderableType] = []
    if picture.leader is not None:
        found = Text.assemble((picture.leader.result, "bold green"), f"  in trial {picture.leader.trial}")
        parts.append(_labelled("best", found))
        parts.append(_labelled("at", Text(picture.leader.conditions)))
    elif picture.front is not None:
        parts.append(_labelled("front", Text(f"{words.count(picture.front, 'trial')} that no other beats")))
    elif picture.trace:
        parts.append(_labelled("best", Text("no trial keeps the outcome constraints yet", style="yellow")))
    return parts


def _waiting(picture: Picture) -> RenderableType:
    line = Text(picture.waiting, style="bold red" if picture.needs_person else "default")
    if picture.fetching:
        named = ", ".join(map(str, picture.fetching[:5])) + ("…" if len(picture.fetching) > 5 else "")
        line.append(f"{'; ' if picture.waiting else ''}fetching data of {named}")
    return _labelled("waits", line) if line.plain else Text()


def _notices(picture: Picture, room: int) -> list[RenderableType]:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for one in picture.notices[-room:]:
        at = words.time_of_day(one.at, picture.began, virtual=picture.virtual)
        grid.add_row(Text(f"  {at}", style="dim"), Text(one.text, style=COLOURS.get(one.level, "default")))
    return [grid]


def _labelled(label: str, what: RenderableType) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(width=7, no_wrap=True)
    grid.add_column()
    grid.add_row(Text(f"  {label}", style="dim"), what)
    return grid
