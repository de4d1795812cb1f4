"""Programs of this machine as instruments: a command for each trial, in a process group of its own.

::

    [[runners]]
    use = "shell"
    with.command = ["python", "model.py", "--temperature", "{temperature}"]
    with.measure.yield = "yield"

The last line of its output is a JSON object, or ``result`` names a file.  A program outlives the engine: a keeper
beside it writes down how it ended, so that it is found again.  Who was killed may have acted: that is UNKNOWN, unless
``rerun_safe`` says that twice does no harm.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import msgspec

from titrant.errors import NeverSeen, OutcomeUnknown, SubmissionRefused
from titrant.model.trial import Attempt
from titrant.ports import Finding, Result, run_in_thread
from titrant_adapters.shape import Course, ProgramConfig, ProgramRunner, Secret, bad, keepers
from titrant_adapters.shape.programs import runs_folder

GRACE_SECONDS = 2.0
"""Between asking a process group to end and ending it."""

KILLED = -9


class ShellConfig(ProgramConfig, frozen=True, kw_only=True):
    """What is called is told in ``ProgramConfig``.

    Attributes:
        environment: Variables for the program, beside those of this process.
    """

    environment: dict[str, Secret] = msgspec.field(default_factory=dict)


class ShellRunner(ProgramRunner[ShellConfig]):
    """Calls a program for each trial; see ``ShellConfig``."""

    config_type = ShellConfig

    async def connect(self) -> None:
        """The program and its secrets are there, and the folder of the runs can be written into."""
        config = self.config
        for secret in config.environment.values():
            secret.reveal()  # so that one that is missing is told now
        self._under_keepers: set[Path] = set()
        program = config.command[0]
        if "{" not in program and shutil.which(program) is None:
            raise bad("command", list(config.command), f"there is no program {program} here")
        await run_in_thread(runs_folder, config.runs)

    async def look(self) -> AsyncIterator[Finding]:
        """Where the program is."""
        yield Finding("ok", f"{shutil.which(self.config.command[0])} can be called, {self.config.runs} can be written")

    async def make_safe(self) -> None:
        """End what this process has under way, and all that it called."""
        for folder in list(self._under_keepers):
            await self._end(folder)

    async def carry_out(self, attempt: Attempt, course: Course) -> Result:
        """Have the program called by a keeper, and await its end."""
        folder, words = await run_in_thread(self.prepare, attempt)
        await course.begin({"folder": str(folder)})
        await run_in_thread(keepers.launch, folder, words, self.config.environment)
        return await self._ended(attempt, folder, course)

    async def collect(self, attempt: Attempt, course: Course) -> Result:
        """Await a program that an earlier process had called.

        Raises:
            NeverSeen: It was never called, and never will be.
        """
        folder = Path((attempt.metadata or {})["folder"])
        if await run_in_thread(keepers.taken_over, folder):
            raise NeverSeen(f"nothing was called in {folder}")
        try:
            return await self._ended(attempt, folder, course)
        except SubmissionRefused as exc:
            raise NeverSeen(str(exc)) from exc

    async def stop(self, attempt: Attempt) -> None:
        """End the program of an attempt."""
        if attempt.metadata:
            await self._end(Path(attempt.metadata["folder"]))

    async def _ended(self, attempt: Attempt, folder: Path, course: Course) -> Result:
        config = self.config
        self._under_keepers.add(folder)
        try:
            with course.start.within(config.run_timeout_s, config.command[0]):
                while (code := await run_in_thread(self._code, folder)) is None:  # noqa: ASYNC110  # another process
                    await anyio.sleep(config.poll_s)
        except OutcomeUnknown:
            await self._end(folder)
            raise
        self._under_keepers.discard(folder)
        return await self.outcome(attempt, folder, code)

    def _code(self, folder: Path) -> int | None:
        alive = keepers.alive(folder)  # asked first: it writes the code down, and then goes
        code = self.exit_code(folder)
        if code is not None or alive:
            return code
        if (folder / "stopped").exists():
            return KILLED
        raise OutcomeUnknown(f"the keeper of {folder} is gone, and has not written down how the program ended")

    async def _end(self, folder: Path) -> None:
        """End a process group: ask, and then do not ask."""
        if await run_in_thread(keepers.taken_over, folder):
            return
        await run_in_thread((folder / "stopped").touch)
        for force in (False, True):
            with anyio.move_on_after(GRACE_SECONDS):
                await run_in_thread(keepers.end, folder, force)
                while await run_in_thread(keepers.alive, folder):  # noqa: ASYNC110  # the same
                    await anyio.sleep(self.config.poll_s)
        self._under_keepers.discard(folder)
