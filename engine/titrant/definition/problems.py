"""What is wrong with an experiment file: where, what, and what to do."""

from __future__ import annotations

from difflib import get_close_matches

import msgspec

Path = tuple[str | int, ...]
"""A way into a file: ``("runners", 0, "use")``."""


class Problem(msgspec.Struct, frozen=True):
    """One fault.

    Attributes:
        where: The field, as ``runners[0].use``; empty for the file as a whole.
        text: What is wrong and what to do.
        line: The line of the file, where it is known.
        level: ``"error"`` keeps the experiment from running, ``"warning"`` does not.
    """

    where: str
    text: str
    line: int | None = None
    level: str = "error"

    def __str__(self) -> str:
        line = "" if self.line is None else f"line {self.line}, "
        return f"{line}{self.where}: {self.text}" if self.where else f"{line}{self.text}"


def written(path: Path) -> str:
    """A way into a file as people write it: ``runners[0].use``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def suggestion(name: str, known: list[str]) -> str:
    """``; did you mean 'bounds'?`` where one of *known* is close, else what there is."""
    close = get_close_matches(name, known, 1)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(sorted(known)) or 'none'}"
