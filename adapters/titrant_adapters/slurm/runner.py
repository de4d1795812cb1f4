"""A job for each trial, held until its number is in the log."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio

from titrant.errors import NeverSeen, OutcomeUnknown, RunnerError, SubmissionRefused
from titrant.model.trial import Attempt
from titrant.ports import Finding, Result, run_in_thread
from titrant_adapters.shape import Course, ProgramRunner, bad
from titrant_adapters.shape.programs import runs_folder
from titrant_adapters.slurm.config import JOB, SlurmConfig

GOING_ON = (
    "PENDING",
    "CONFIGURING",
    "RUNNING",
    "COMPLETING",
    "SUSPENDED",
    "STOPPED",
    "STAGE_OUT",
    "SIGNALING",
    "RESIZING",
)
FORGOTTEN = "Invalid job id"


class SlurmRunner(ProgramRunner[SlurmConfig]):
    """Submits a job for each trial; see ``SlurmConfig``."""

    config_type = SlurmConfig

    async def connect(self) -> None:
        """Slurm's commands are there, and a controller answers."""
        self._jobs: set[str] = set()
        if missing := [name for name in ("sbatch", "scontrol", "scancel", "sinfo") if shutil.which(name) is None]:
            raise bad("use", "slurm", f"there is no {', '.join(missing)} here: it needs a login node of the cluster")
        await run_in_thread(runs_folder, self.config.runs)
        try:
            await self._ask("sbatch", "--test-only", *self.config.options, "--wrap=true")
        except SubmissionRefused as exc:
            if "nvalid" in str(exc):  # a partition, account or form of time; nodes that are away come back
                raise bad("options", list(self.config.options), str(exc)) from exc
        await self._ask("sinfo", "--noheader")

    async def look(self) -> AsyncIterator[Finding]:
        """Which nodes can take jobs."""
        told = await self._ask("sinfo", "--noheader", "--format=%P %T %D")
        states = [line.split() for line in told.splitlines()]
        fit = [line for line in states if line[1].rstrip("*~#") in ("idle", "mixed", "allocated")]
        yield Finding("ok", f"Slurm answers: {'; '.join(' '.join(line) for line in states)}")
        if not fit:
            yield Finding("warn", "no node takes jobs", "ask those who run the cluster, or see `sinfo --list-reasons`")

    async def make_safe(self) -> None:
        """Cancel the jobs that this process has under way."""
        for job in list(self._jobs):
            await self._ask("scancel", job)

    async def carry_out(self, attempt: Attempt, course: Course) -> Result:
        """Submit a held job, have its number in the log, let it go, and await its end."""
        folder, words = await run_in_thread(self.prepare, attempt)
        at = shlex.quote(str(folder))
        text = JOB.format(cwd=shlex.quote(str(Path.cwd())), folder=at, command=shlex.join(words))
        await run_in_thread((folder / "job.sh").write_text, text)
        options = ("--parsable", "--hold", "--no-requeue", f"--job-name={folder.name}", f"--output={folder}/slurm.out")
        job = (await self._ask("sbatch", *options, *self.config.options, str(folder / "job.sh"))).partition(";")[0]
        if not job.isdigit():
            raise SubmissionRefused(f"sbatch answered {job!r}, which is no number of a job")
        await course.begin({"job": job, "folder": str(folder)})
        return await self._ended(attempt, job, folder, course)

    async def collect(self, attempt: Attempt, course: Course) -> Result:
        """Await a job that an earlier process submitted; one that it did not let go, is let go now."""
        told: dict[str, Any] = attempt.metadata or {}
        try:
            return await self._ended(attempt, told["job"], Path(told["folder"]), course)
        except SubmissionRefused as exc:
            raise NeverSeen(str(exc)) from exc

    async def stop(self, attempt: Attempt) -> None:
        """Cancel the job of an attempt."""
        if attempt.metadata:
            await run_in_thread(Path(attempt.metadata["folder"], "stopped").touch)
            await self._ask("scancel", attempt.metadata["job"])

    async def _ended(self, attempt: Attempt, job: str, folder: Path, course: Course) -> Result:
        config = self.config
        self._jobs.add(job)
        try:
            with course.start.within(config.run_timeout_s, f"job {job}"):
                code = await self._code(job, folder)
        except OutcomeUnknown:
            await self._ask("scancel", job, lost_is_fine=True)
            raise
        self._jobs.discard(job)
        return await self.outcome(attempt, folder, code)

    async def _code(self, job: str, folder: Path) -> int:
        """Await the code that a job leaves, as long as Slurm knows of the job."""
        since_end = 0.0
        while (code := await run_in_thread(self.exit_code, folder)) is None:
            state = await self._state(job)
            if state == "HELD":
                await self._ask("scontrol", "release", job, lost_is_fine=True)
            elif state and state not in GOING_ON:
                since_end += self.config.poll_s  # a shared folder may show the file late
                if since_end > self.config.timeout_s or state not in ("COMPLETED", FORGOTTEN):
                    self._jobs.discard(job)
                    raise self._without_code(job, state, folder)
            await anyio.sleep(self.config.poll_s)
        return code

    def _without_code(self, job: str, state: str, folder: Path) -> RunnerError:
        told = f"job {job} is {state} and has left no exit code in {folder}"
        if (folder / "stopped").exists():
            return RunnerError(f"it was stopped; {told}")
        return RunnerError(told) if self.rerun_safe else OutcomeUnknown(told)

    async def _state(self, job: str) -> str:
        """Slurm's word for how a job stands; empty while it cannot be asked."""
        told = await self._ask("scontrol", "--oneliner", "show", "job", job, lost_is_fine=True)
        if FORGOTTEN in told:
            return FORGOTTEN
        fields = dict(word.split("=", 1) for word in told.split() if "=" in word)
        state = fields.get("JobState", "")
        return "HELD" if state == "PENDING" and fields.get("Reason") == "JobHeldUser" else state

    async def _ask(self, command: str, *words: str, lost_is_fine: bool = False) -> str:
        """What a command of Slurm's answers.

        Raises:
            SubmissionRefused: It fails, and nothing runs that did not run before; or not, where *lost_is_fine*.
        """
        said = f"{command} did not answer within {self.config.timeout_s:g} s"
        with anyio.move_on_after(self.config.timeout_s):
            done = await anyio.run_process([command, *words], check=False)
            if done.returncode == 0:
                return done.stdout.decode(errors="replace").strip()
            said = f"{command}: {done.stderr.decode(errors='replace').strip()}"
        if lost_is_fine:
            return said
        raise SubmissionRefused(said)
