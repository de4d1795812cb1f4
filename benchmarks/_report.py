"""From raw samples to the table of the README."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from _cases import CASES, COLUMNS, Row

Sample = dict[str, Any]


def trials(samples: Sequence[Sample], case: str, variant: str) -> int | None:
    """How many trials the plan had: a quick run has fewer, and so has Ax where its time grows with their square."""
    found = (s["plan"].get("trials") for s in samples if s["case"] == case and s["variant"] == variant and "plan" in s)
    return next(found, None)


def label(samples: Sequence[Sample], case: str, row: Row) -> str:
    count = next((n for variant in COLUMNS if (n := trials(samples, case, variant)) is not None), None)
    return row.label if count is None else row.label.format(trials=f"{count:,}")


def values(samples: Sequence[Sample], case: str, variant: str, key: str) -> list[float]:
    """The numbers of one case and variant, over the rounds."""
    return [
        sample["result"][key]
        for sample in samples
        if sample["case"] == case and sample["variant"] == variant and key in sample.get("result", {})
    ]


def spread(found: Sequence[float], row: Row) -> str:
    if not found:
        return "–"
    low, middle, high = min(found), statistics.median(found), max(found)
    text = f"{_number(middle, row.digits)} {row.unit}".strip()
    return text if len(found) == 1 else f"{text} [{_number(low, row.digits)}–{_number(high, row.digits)}]"


def _number(value: float, digits: int) -> str:
    if value >= 1000:
        digits = 0
    elif value >= 100:
        digits = min(digits, 1)
    return f"{value:,.{digits}f}"


def summary(samples: Sequence[Sample]) -> list[dict[str, Any]]:
    """One entry a row: medians and extremes by variant, and whether the target is met (by titrant's defaults)."""
    rows = []
    for case in CASES:
        for row in case.rows:
            found = {variant: values(samples, case.name, variant, row.key) for variant in COLUMNS}
            if not any(found.values()):
                continue
            ours = found["titrant"]
            rows.append(
                {
                    "case": case.name,
                    "key": row.key,
                    "label": label(samples, case.name, row),
                    "target": row.target,
                    "met": row.met(statistics.median(ours)) if ours else None,
                    "values": {
                        variant: {"median": statistics.median(v), "min": min(v), "max": max(v), "n": len(v)}
                        for variant, v in found.items()
                        if v
                    },
                }
            )
    return rows


def others(samples: Sequence[Sample], case: str, variants: Sequence[str]) -> str:
    """Cores that other processes used meanwhile: the median, by variant."""
    parts = []
    for variant in variants:
        found = [s["watch"]["others_cores"] for s in samples if s["case"] == case and s["variant"] == variant]
        if found:
            parts.append(f"{statistics.median(found):.1f}")
    return " / ".join(parts)


def markdown(samples: Sequence[Sample], *, with_ax: bool) -> str:
    """The table: medians [least–most] over the rounds."""
    variants = [variant for variant in COLUMNS if with_ax or not variant.startswith("ax")]
    heads = [COLUMNS[variant] for variant in variants]
    lines = [
        "| | " + " | ".join(heads) + " | target | met | others' cores |",
        "|---" * (len(heads) + 4) + "|",
    ]
    for case in CASES:
        for place, row in enumerate(case.rows):
            found = {variant: values(samples, case.name, variant, row.key) for variant in variants}
            if not any(found.values()):
                continue
            sizes = {variant: trials(samples, case.name, variant) for variant in variants}
            cells = [spread(found[variant], row) for variant in variants]
            for nr, variant in enumerate(variants):
                if found[variant] and sizes[variant] != sizes["titrant"] and sizes["titrant"]:
                    cells[nr] += f" ({sizes[variant]} trials)"
            verdict = row.met(statistics.median(found["titrant"])) if found["titrant"] else None
            said = {True: "yes", False: "**no**", None: "–"}[verdict]
            busy = others(samples, case.name, variants) if place == 0 else ""
            lines.append(f"| {label(samples, case.name, row)} | {' | '.join(cells)} | {row.target} | {said} | {busy} |")
    failed = sorted({f"{sample['case']}/{sample['variant']}" for sample in samples if "error" in sample})
    if failed:
        lines += ["", f"Failed: {', '.join(failed)}"]
    return "\n".join(lines)
