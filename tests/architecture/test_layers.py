"""Imports go down only: the contracts of pyproject.toml hold, and they bite."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
FOR_ADAPTERS = ("titrant.ports", "titrant.model", "titrant.errors", "titrant.testing", "titrant.runtime.calls")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of a checkout."""
    code = (
        f"import sys; sys.path[:0] = [{str(folder / 'engine')!r}, {str(folder / 'adapters')!r}];"
        "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache', '--no-logo'])"
    )
    return subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the code, to plant violations in."""
    folder = tmp_path_factory.mktemp("checkout")
    ignore = shutil.ignore_patterns("__pycache__")
    for name in ("engine", "adapters"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_the_contracts_hold():
    checked = lint(ROOT)

    assert checked.returncode == 0, checked.stdout
    assert "0 broken" in checked.stdout


def test_every_planted_violation_is_caught_by_its_contract(checkout):
    """One run for all of them: building the graph is what takes the time."""
    planted = {
        "engine/titrant/log/base.py": ("import titrant.actors.mail", "Imports go down only"),
        "engine/titrant/rules/state.py": ("import time", "Model, messages and rules"),
        "engine/titrant/actors/mail.py": ("import torch", "Only generators.bo"),
        "engine/titrant/hub.py": ("import sqlite3", "Only the log"),
        "engine/titrant/analysis/results.py": ("import numpy", "Only generators import"),
        "engine/titrant/actors/runner.py": ("import asyncio", "Only the runtime"),
        "engine/titrant/actors/metric.py": ("import rich", "Only what people look at"),
        "engine/titrant/engine.py": ("import titrant_adapters", "The engine knows no adapter"),
        "adapters/titrant_adapters/pump.py": ("import titrant.rules.state", "An adapter sees the ports"),
        "engine/titrant/newcomer.py": ("", "Imports go down only"),
    }
    for path, (line, _) in planted.items():
        with (checkout / path).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")

    told = " ".join(lint(checkout).stdout.split())

    for path, (_, contract) in planted.items():
        assert re.search(rf"{re.escape(contract)}[^.]*? BROKEN", told), f"{path} was not caught"
    assert "newcomer" in told


def test_adapters_import_only_what_is_there_for_them():
    for path in (ROOT / "adapters").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                ours = name == "titrant" or name.startswith("titrant.")
                assert not ours or name.startswith(FOR_ADAPTERS), f"{path.name} imports {name}"


@pytest.mark.parametrize(
    "name",
    ["time.time", "time.time_ns", "time.sleep", "datetime.datetime.now", "uuid.uuid4", "secrets", "random.random"],
)
def test_clock_chance_and_identity_are_banned_outside_their_homes(name):
    assert name in CONFIG["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"]


def test_only_the_homes_of_clock_and_chance_are_exempt_from_the_ban():
    ignores = CONFIG["ruff"]["lint"]["per-file-ignores"]

    exempt = {path for path, codes in ignores.items() if "TID251" in codes and path.startswith("engine")}
    assert exempt == {"engine/titrant/runtime/clock.py", "engine/titrant/mint.py"}


def test_the_ban_bites():
    planted = "import time\nfrom datetime import datetime\nnow = time.time()\nlater = datetime.now()\n"
    checked = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--select", "TID251", "--stdin-filename", "engine/titrant/hub.py", "-"],
        input=planted,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.stdout.count("ask the clock") == 2
