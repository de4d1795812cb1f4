"""Campaigns that were run, in a file that is brought up to date after each: one that was broken off goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from _machine import commit, machine, versions

HERE = Path(__file__).parent
MARKS = ("optimizer", "problem", "parallel", "seed", "budget", "seconds")
PEERS = {"ax": "ax-platform", "optuna-gp": "optuna", "optuna-tpe": "optuna", "baybe": "baybe"}


class Kept:
    """The campaigns of one file."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        known = json.loads(path.read_text()) if path is not None and path.exists() else {}
        self._document = {
            "machine": machine(),
            "versions": known.get("versions", {}) | versions(sys.executable),
            "commit": commit(HERE),
            "runs": known.get("runs", []),
        }

    def ever(self, work: Callable[..., dict[str, Any]], *marks: Any) -> dict[str, Any]:
        """The campaign of these marks: as it was run by the same generators or the same version, or run now."""
        optimizer = marks[0]
        by = f"{PEERS[optimizer]} {version(PEERS[optimizer])}" if optimizer in PEERS else _generators()
        wanted = [*marks, by]
        for one in self._document["runs"]:
            if [*(one[mark] for mark in MARKS), one["by"]] == wanted:
                return dict(one)
        found = work(*marks) | {"by": by}
        others = [one for one in self._document["runs"] if [one[mark] for mark in MARKS] != list(marks)]
        self._document["runs"] = [*others, found]
        self._write()
        return found

    def _write(self) -> None:
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lines = ",\n".join(json.dumps(one, separators=(",", ":")) for one in self._document["runs"])
        head = json.dumps(self._document | {"runs": []}, indent=1)
        self._path.write_text(head.replace('"runs": []', f'"runs": [\n{lines}\n]') + "\n")


def _generators() -> str:
    """What titrant's suggestions depend on: the trees of its generators and its model, as git names them."""
    trees = [
        subprocess.run(["git", *words], cwd=HERE.parent, capture_output=True, text=True, check=True).stdout.split()
        for words in (
            ("rev-parse", "HEAD:engine/titrant/generators", "HEAD:engine/titrant/model"),
            ("status", "--porcelain", "-uno", "engine/titrant/generators", "engine/titrant/model"),
        )
    ]
    return "titrant " + "-".join(tree[:8] for tree in trees[0]) + ("+" if trees[1] else "")
