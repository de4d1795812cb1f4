"""Programs as instruments: a run is a folder, with the order, what the program wrote, and how it ended."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from titrant.errors import OutcomeUnknown, RunnerError, SubmissionRefused
from titrant.model.space import SearchSpace
from titrant.model.trial import Attempt
from titrant.ports import Result
from titrant_adapters.shape.config import bad
from titrant_adapters.shape.folders import drop, file_name, folder_in
from titrant_adapters.shape.program_config import ProgramConfig
from titrant_adapters.shape.tables import from_json, from_table
from titrant_adapters.shape.written import WrittenRunner

OURS = frozenset({"key", "folder"})


P = TypeVar("P", bound=ProgramConfig)


class ProgramRunner(WrittenRunner[P], Generic[P]):
    """Makes folders of runs, and reads them; see ``ProgramConfig``."""

    can_report_status = True
    absence_is_proof = True  # a run's folder is in the log before anything is called

    def __init__(self, config: P | None = None, *, name: str | None = None, **fields: Any) -> None:
        super().__init__(config, name=name, **fields)
        self.capacity = self.config.workers
        self.rerun_safe = self.config.rerun_safe
        self.on_unknown = "rerun" if self.rerun_safe else "ask"

    def check_space(self, space: SearchSpace) -> None:
        """Hold the command against the search space.

        Raises:
            ConfigurationError: They do not fit.
        """
        super().check_space(space)
        config = self.config
        known = {str(one.to) for one in config.settings.values()} or set(space.names) - set(config.ignored)
        if unknown := config.placeholders() - known - OURS:
            told = f"no parameter goes by {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}"
            raise bad("command", list(config.command), told)

    def prepare(self, attempt: Attempt) -> tuple[Path, list[str]]:
        """A new folder with the order in it, and the words of the command."""
        tries, name = 1, file_name(attempt.key)
        while True:
            folder = Path(self.config.runs, f"{name}-{tries}").absolute()
            try:
                folder.mkdir(parents=True)
                break
            except FileExistsError:  # an attempt that was refused before
                tries += 1
        ordered = self.ordered(attempt)
        drop(folder / "order.json", msgspec.json.encode({"key": attempt.key, **ordered}).decode())
        values = {name: repr(value) if isinstance(value, float) else str(value) for name, value in ordered.items()}
        values |= {"key": attempt.key, "folder": str(folder)}
        return folder, [word.format_map(values) for word in self.config.command]

    def exit_code(self, folder: Path) -> int | None:
        """How the program ended; None where that is not written."""
        try:
            return int((folder / "ended").read_text())
        except (FileNotFoundError, ValueError):
            return None

    async def outcome(self, attempt: Attempt, folder: Path, code: int) -> Result:
        """What a program that ended with *code* has done.

        Raises:
            SubmissionRefused: It says that it did nothing.
            OutcomeUnknown: It was killed in the middle of what it did.
            RunnerError: It ended badly.
        """
        if code == 0:
            return await self.judged(attempt, self._fields(folder))
        told = f"{self.config.command[0]} ended with {code}: {_last(folder / 'stderr') or 'nothing is said'}"
        if code in self.config.refused:
            raise SubmissionRefused(told)
        if (folder / "stopped").exists():
            raise RunnerError(f"it was stopped; {told}")
        if code < 0 and not self.rerun_safe:
            raise OutcomeUnknown(f"{told} (a signal ended it)")
        raise RunnerError(told)

    def _fields(self, folder: Path) -> dict[str, Any]:
        name = self.config.result
        if not name:
            return from_json(_last(folder / "stdout"))
        try:
            text = (folder / name).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as exc:
            raise RunnerError(f"the result {name} cannot be read: {exc}") from exc
        return from_json(text) if name.endswith(".json") else from_table(text, self.config.fields)


def runs_folder(path: str) -> Path:
    """The folder of the runs, made where there is none."""
    with suppress(OSError):
        Path(path).mkdir(parents=True, exist_ok=True)
    return folder_in("runs", path, write=True)


def _last(path: Path) -> str:
    """The last line of a file that has anything in it."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
