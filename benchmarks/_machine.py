"""The machine a number was measured on, and how busy others kept it meanwhile."""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = (
    *("titrant", "ax-platform", "torch", "botorch", "gpytorch", "numpy", "scipy"),
    *("anyio", "msgspec", "aiosqlite", "sqlalchemy", "pandas"),
)
_TICK = os.sysconf("SC_CLK_TCK")


def machine() -> dict[str, Any]:
    cpu = next(
        (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 1e6, 1),
        "os": platform.platform(),
        "load": os.getloadavg(),
    }


def versions(python: str) -> dict[str, str]:
    """Python and package versions of an interpreter."""
    code = (
        "import json, sys, platform\nfrom importlib import metadata\nfound = {'python': platform.python_version()}\n"
        "for name in sys.argv[1:]:\n    try: found[name] = metadata.version(name)\n    except Exception: pass\n"
        "print(json.dumps(found))"
    )
    if python == sys.executable:
        here = {"python": platform.python_version()}
        for name in PACKAGES:
            try:
                here[name] = metadata.version(name)
            except metadata.PackageNotFoundError:
                continue
        return here
    done = subprocess.run([python, "-c", code, *PACKAGES], capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def commit(folder: Path) -> str:
    """The commit id, with ``+`` where tracked files differ from it."""
    try:
        head, dirty = (
            subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()
            for words in (("rev-parse", "HEAD"), ("status", "--porcelain", "-uno"))
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head + ("+" if dirty else "")


def filesystem(folder: Path) -> str:
    """The type of the file system that holds *folder*; a log in memory would be no durable log."""
    best, kind = "", "unknown"
    for line in _lines("/proc/mounts"):
        _, point, this, *_ = line.split()
        if str(folder.resolve()).startswith(point) and len(point) >= len(best):
            best, kind = point, this
    return kind


class Watch:
    """Measures what others used of the machine while one child process ran."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.load = os.getloadavg()
        self.busy = _busy_s()
        self.ours = _children_s()
        self.spin_ms = _spin_ms()

    def stop(self) -> dict[str, Any]:
        wall = time.perf_counter() - self.began
        ours = _children_s() - self.ours
        return {
            "process_wall_s": round(wall, 3),
            "process_cpu_s": round(ours, 3),
            "others_cores": round(max(0.0, (_busy_s() - self.busy - ours) / wall), 2),
            "load_before": self.load,
            "load_after": os.getloadavg(),
            "spin_ms": round(self.spin_ms, 2),
        }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def _busy_s() -> float:
    """CPU seconds all processes together have used, idle and waiting left out."""
    fields = [int(value) for value in (_lines("/proc/stat") or ["cpu 0 0 0 0 0 0 0 0"])[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / _TICK


def _children_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _spin_ms() -> float:
    """A fixed piece of work: how fast this core is just now."""
    began = time.perf_counter()
    total = 0
    for i in range(200_000):
        total += i * i
    return (time.perf_counter() - began) * 1e3
