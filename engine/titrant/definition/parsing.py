"""The text of a file as plain values: TOML, YAML or JSON, each without the traps of its format."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from titrant.definition.problems import Problem

KINDS = {".toml": "toml", ".yaml": "yaml", ".yml": "yaml", ".json": "json"}


class Unreadable(Exception):
    """The text is not of its format; ``problem`` says where."""

    def __init__(self, text: str, line: int | None = None) -> None:
        self.problem = Problem("", text, line)
        super().__init__(text)


def kind_of(path: Path) -> str:
    """The format, by the file's ending.

    Raises:
        Unreadable: It is none of those known.
    """
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise Unreadable(f"an experiment file ends in {', '.join(KINDS)}, not in {path.suffix or 'nothing'}")
    return kind


def parse(text: str, kind: str) -> Any:
    """Plain values of a text.

    Raises:
        Unreadable: It cannot be read, or says the same key twice.
    """
    try:
        match kind:
            case "toml":
                return tomllib.loads(text)
            case "yaml":
                return _yaml(text)
            case _:
                return _json(text)
    except tomllib.TOMLDecodeError as exc:
        place = re.search(r"\(at line (\d+), column (\d+)\)", str(exc))
        said = re.sub(r"\s*\(at [^)]*\)$", "", str(exc))
        raise Unreadable(f"no TOML: {said}", int(place[1]) if place else None) from exc
    except json.JSONDecodeError as exc:
        raise Unreadable(f"no JSON: {exc.msg}", exc.lineno) from exc
    except RecursionError as exc:
        raise Unreadable("it is nested too deeply") from exc


def _json(text: str) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        for name, _ in pairs:
            if sum(name == other for other, _ in pairs) > 1:
                raise Unreadable(f"{name!r} stands twice: remove one")
        return dict(pairs)

    return json.loads(text, object_pairs_hook=unique)


def _yaml(text: str) -> Any:
    import yaml  # noqa: PLC0415  # only where such a file is read

    class Loader(yaml.SafeLoader):
        """YAML 1.2's idea of numbers and truth: ``1e-3`` is a number, ``no`` and ``12:30`` are texts."""

        yaml_implicit_resolvers = {  # noqa: RUF012  # PyYAML's own way
            first: [
                (tag, pattern) for tag, pattern in rules if not tag.endswith((":float", ":bool", ":int", ":timestamp"))
            ]
            for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            """Refuse a key that stands twice; PyYAML would take the last."""
            names = [key.value for key, _ in node.value]
            for at, name in enumerate(names):
                if name in names[:at]:
                    raise Unreadable(f"{name!r} stands twice: remove one", node.value[at][0].start_mark.line + 1)
            return super().construct_mapping(node, deep=deep)

    number = r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"[-+]?[0-9]+$"), list("-+0123456789"))
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(number + "$"), list("-+.0123456789"))
    Loader.add_implicit_resolver(
        "tag:yaml.org,2002:bool", re.compile("(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
    )
    Loader.add_constructor("tag:yaml.org,2002:int", lambda _loader, node: int(node.value))
    Loader.add_constructor("tag:yaml.org,2002:float", lambda _loader, node: float(node.value))
    try:
        return yaml.load(text, Loader=Loader)  # noqa: S506  # a SafeLoader
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        raise Unreadable(f"no YAML: {exc.problem}", None if mark is None else mark.line + 1) from exc
    except yaml.YAMLError as exc:
        raise Unreadable(f"no YAML: {exc}") from exc
