"""Commands of a trial, one after the other, each awaited by what the files say and not by their change."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import anyio

from titrant.errors import OutcomeUnknown, RunnerError, SubmissionRefused
from titrant.model.trial import Attempt, ParameterValue
from titrant.ports import Finding, Result
from titrant_adapters.chemspeed.config import ChemspeedConfig
from titrant_adapters.shape import AdapterRunner, Course, Errors, Setting, Settings, bad, bounded
from titrant_adapters.shape.documents import number
from titrant_adapters.shape.folders import drop, folder_in, touch

COMMAND, RESPONSE, RETURN, STATUS = "command.csv", "response.csv", "return.csv", "status.csv"
IDLE, PENDING, TAKEN, END = "1", "1", "0", "end"


class ChemspeedRunner(AdapterRunner[ChemspeedConfig]):
    """Has commands carried out by the manager in AutoSuite; see ``ChemspeedConfig``."""

    config_type = ChemspeedConfig
    errors = Errors({"builtins.UnicodeDecodeError": "failed", "builtins.UnicodeEncodeError": "failed"})

    @property
    def settings(self) -> Settings:
        """How parameters get into the commands."""
        return Settings(self.config.settings, self.config.otherwise, self.config.ignored)

    async def connect(self) -> None:
        """The folder can be written into, and the manager has put its files there."""
        config = self.config
        folder = await touch(config.timeout_s, lambda: folder_in("folder", config.folder, write=True))
        if missing := [name for name in (COMMAND, RESPONSE, STATUS) if not (folder / name).exists()]:
            raise bad("folder", config.folder, f"there is no {', '.join(missing)}: start the manager in AutoSuite")

    async def look(self) -> AsyncIterator[Finding]:
        """Whether the platform is idle, and what its status says."""
        idle, status = await self._idle(), await self._line(STATUS)
        yield Finding("ok", f"{self.config.folder} is {'idle' if idle else 'busy'}; its status is {','.join(status)}")
        if not idle:
            yield Finding("warn", "a command is pending or under way", "see that it ends before the first trial")

    async def make_safe(self) -> None:
        """Send the commands for the safe state; what lies there untaken is withdrawn by the first."""
        for command in self.config.safe:
            await self._send(PENDING, command)
            with bounded(self.config.timeout_s, f"the manager's taking {command[0]}"):
                await self._taken()

    async def carry_out(self, attempt: Attempt, course: Course) -> Result:
        """Await an idle platform, do command after command, read back, read what came back."""
        config = self.config
        values = {str(one.to): _word(value) for one, value in self.settings.outward(attempt.parameters).values()}
        commands = [tuple(word.format_map(values) for word in command) for command in config.commands]
        with course.start.within(config.timeout_s, f"an idle platform at {config.folder}"):
            await self._over()
        await touch(config.timeout_s, drop, Path(config.folder, RETURN), f"{END}\n", config.encoding)  # not an old one
        await course.begin()
        with course.start.within(config.run_timeout_s, "the run"):
            for place, command in enumerate(commands):
                await self._do(command, first=place == 0)
            returned = await self._told(RETURN, max(config.measure.values()))
            executed = await self.settings.compare(attempt.parameters, self._read_back)
        data = {name: number(name, returned[place - 1]) for name, place in config.measure.items()}
        return Result(data=data, executed=executed or None)

    async def _do(self, command: tuple[str, ...], *, first: bool = False) -> None:
        """Send a command, and await that it was taken and is over: both stay so, however short it was."""
        try:
            await self._send(PENDING, command)
        except PermissionError as exc:
            if first:  # it does not lie there, and nothing was done before it
                raise SubmissionRefused(f"{COMMAND} is held by another: {exc}") from exc
            raise
        with anyio.move_on_after(self.config.timeout_s) as waiting:
            await self._taken()
        if waiting.cancelled_caught:
            await self._send(TAKEN, command)  # or it would be begun whenever the manager is started
            raise OutcomeUnknown(f"nobody took {command[0]} within {self.config.timeout_s:g} s; it was withdrawn")
        await self._over()

    async def _send(self, flag: str, command: tuple[str, ...]) -> None:
        """Write the command at once; whoever reads it just now may hold it for a while."""
        path, end = Path(self.config.folder, COMMAND), anyio.current_time() + self.config.timeout_s
        text = f"{flag},{command[0]}\n{','.join((*command[1:], END))}\n"
        while True:
            try:
                return await touch(self.config.timeout_s, drop, path, text, self.config.encoding)
            except PermissionError:
                if anyio.current_time() >= end:
                    raise
            await anyio.sleep(self.config.poll_s)

    async def _taken(self) -> None:
        while (await self._line(COMMAND))[:1] != [TAKEN]:  # noqa: ASYNC110  # it is elsewhere
            await anyio.sleep(self.config.poll_s)

    async def _over(self) -> None:
        """Await that nothing is pending and nothing under way, by several looks: one may come between the two."""
        agreed = 0
        while agreed < self.config.stable:
            agreed = agreed + 1 if await self._idle() else 0
            await anyio.sleep(self.config.poll_s)

    async def _idle(self) -> bool:
        return (await self._line(COMMAND))[:1] == [TAKEN] and (await self._line(RESPONSE))[:2] == [IDLE, END]

    async def _told(self, name: str, wanted: int) -> list[str]:
        """What stands in a file, once it is whole and has as much as is wanted."""
        while not (len(line := await self._line(name)) > wanted and line[-1] == END):  # noqa: ASYNC110  # the same
            await anyio.sleep(self.config.poll_s)
        return line[:-1]

    async def _read_back(self, setting: Setting) -> str:
        place = int(str(setting.read_back))
        return (await self._told(STATUS, place))[place - 1]

    async def _line(self, name: str) -> list[str]:
        """The cells of a file's first line; none while it is held, or the share is away."""
        try:
            content = await touch(self.config.timeout_s, Path(self.config.folder, name).read_bytes)
        except OSError:
            return []
        return [cell.strip() for cell in content.decode(self.config.encoding).partition("\n")[0].split(",")]


def _word(value: ParameterValue) -> str:
    """A value as it stands in a command.

    Raises:
        RunnerError: It would be read as several.
    """
    text = repr(value) if isinstance(value, float) else str(value)
    if any(mark in text for mark in ",\r\n"):
        raise RunnerError(f"{text!r} cannot be sent: a comma ends an argument; give words for it in its setting")
    return text
