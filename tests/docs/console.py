"""Console blocks of a document: found, run in one shell, and held against what the document shows.

A block is fenced with ```` ```console ````.  ``$ `` begins a command, ``> `` goes on with it, and the lines below are
its output.  ``…`` stands for whatever varies: on a line of its own for any number of lines, within a line for any text.
"""

import os
import queue
import re
import signal
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

DONE = "@@done@@"


@dataclass
class Step:
    """A command with the output that is shown."""

    line: int
    command: str
    shown: list[str] = field(default_factory=list)


def steps(document: str) -> list[Step]:
    """The commands of a document, in order."""
    found: list[Step] = []
    inside = False
    for number, line in enumerate(document.splitlines(), 1):
        if line.startswith("```"):
            inside = line == "```console"
        elif inside and line.startswith("$ "):
            found.append(Step(number, line[2:]))
        elif inside and line.startswith("> ") and not found[-1].shown:
            found[-1].command += "\n" + line[2:]
        elif inside:
            found[-1].shown.append(line.rstrip())
    return found


def fits(shown: list[str], printed: list[str]) -> bool:
    """Whether what was printed is what is shown, but for what ``…`` stands for."""
    if not shown:
        return not printed
    first, *rest = shown
    if first == "…":
        return any(fits(rest, printed[skipped:]) for skipped in range(len(printed) + 1))
    if not printed or not re.fullmatch(".*".join(map(re.escape, first.split("…"))), printed[0]):
        return False
    return fits(rest, printed[1:])


class Shell:
    """A shell in a folder, given commands one by one."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            start_new_session=True,  # so that what it leaves in the background can be ended with it
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def run(self, command: str, timeout_s: float = 60.0) -> tuple[int, list[str]]:
        """The command's exit code, and what it printed."""
        assert self._process.stdin is not None
        self._process.stdin.write(f'{command}\nprintf "\\n{DONE} %s\\n" "$?"\n')
        self._process.stdin.flush()
        printed: list[str] = []
        while True:
            try:
                line = self._lines.get(timeout=timeout_s)
            except queue.Empty:
                raise AssertionError(f"{command!r} does not end; so far: {printed}") from None
            assert line is not None, f"the shell ended at {command!r}; it printed {printed}"
            if line.startswith(DONE):
                return int(line.split()[1]), _trimmed(printed)
            printed.append(line.rstrip())

    def close(self) -> None:
        """End it, and what it has started."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._reader.join()
        with self._process:  # closes the pipes
            self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)


def _trimmed(lines: list[str]) -> list[str]:
    """Without the empty lines around the end, one of which is ours."""
    while lines and not lines[-1]:
        lines.pop()
    return lines
