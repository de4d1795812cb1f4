"""On which line of a file a field stands, as far as that can be told."""

from __future__ import annotations

import re
from collections.abc import Iterator

from titrant.definition.problems import Path

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=""")
_PART = re.compile(r""""([^"]*)"|'([^']*)'|([\w-]+)""")


def line_of(text: str, path: Path, kind: str) -> int | None:
    """The line (from 1) on which *path*, or as much of it as can be found, stands; None where nothing is.

    Args:
        text: The file.
        path: The way into it.
        kind: ``"toml"``, ``"yaml"`` or ``"json"``.
    """
    found = dict(_toml(text)) if kind == "toml" else _yaml(text)
    for length in range(len(path), 0, -1):
        if path[:length] in found:
            return found[path[:length]]
    return None


def _toml(text: str) -> Iterator[tuple[Path, int]]:
    """Paths and lines of what begins on a line of its own; the first mention wins by coming last."""
    table: Path = ()
    arrays: dict[Path, int] = {}
    seen: list[tuple[Path, int]] = []
    within: Path = ()
    depth = element = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if depth:
            if depth == 1 and line.strip() and not line.lstrip().startswith(("#", "]")):
                seen.append(((*within, element), number))
                element += 1
            depth += _deeper(line)
        elif header := _HEADER.match(line):
            table = tuple(_parts(header[2]))
            if header[1] == "[[":
                arrays[table] = arrays.get(table, -1) + 1
                table = (*table, arrays[table])
            seen.append((table, number))
        elif key := _KEY.match(line):
            within, element = (*table, *_parts(key[1])), 0
            seen.append((within, number))
            depth = max(0, _deeper(line[key.end() :]))
    return reversed(seen)


def _parts(dotted: str) -> Iterator[str]:
    return (a or b or c for a, b, c in _PART.findall(dotted))


def _deeper(line: str) -> int:
    """How many more brackets a line opens than it closes, those in texts and comments left out."""
    bare = re.sub(r""""(?:\\.|[^"\\])*"|'[^']*'|#.*""", "", line)
    return sum(bare.count(one) for one in "[{") - sum(bare.count(one) for one in "]}")


def _yaml(text: str) -> dict[Path, int]:
    import yaml  # noqa: PLC0415  # only where such a file is faulty

    found: dict[Path, int] = {}

    def walk(node: yaml.Node, path: Path) -> None:
        found.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                inner = (*path, str(key.value))
                found.setdefault(inner, key.start_mark.line + 1)
                walk(value, inner)
        elif isinstance(node, yaml.SequenceNode):
            for at, value in enumerate(node.value):
                walk(value, (*path, at))

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:  # JSON that is no YAML, such as one indented with tabs
        return {}
    if root is not None:
        walk(root, ())
    return found
