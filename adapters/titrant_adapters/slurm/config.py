"""How jobs are submitted, as it is written down."""

from __future__ import annotations

from titrant_adapters.shape import ProgramConfig, Seconds, bad

# A shell says 128 + n of a program that signal n ended; the runner wants -n.
JOB = """#!/bin/sh
cd {cwd} || exit
{command} > {folder}/stdout 2> {folder}/stderr
code=$?
[ $code -gt 128 ] && code=$((128 - code))
echo $code > {folder}/ended.part && mv {folder}/ended.part {folder}/ended
"""

OURS = ("--hold", "--requeue", "--array", "--wait", "--parsable", "--job-name", "--chdir")
"""Options that would make another job of it than the one that is in the log."""


class SlurmConfig(ProgramConfig, frozen=True, kw_only=True):
    """How jobs are submitted; what they call is told in ``ProgramConfig``.

    Attributes:
        options: Options of sbatch: partition, account, time, memory.
        timeout_s: Seconds that one of Slurm's commands may take, and that a file of a node may take to be seen here.
    """

    options: tuple[str, ...] = ()
    timeout_s: Seconds = 30.0
    poll_s: Seconds = 2.0

    def check(self) -> None:
        """The options leave one job one job."""
        super().check()
        for option in self.options:
            if not option.startswith("--") or option.partition("=")[0] in OURS:
                raise bad("options", option, f"write --name=value, and leave {', '.join(OURS)} to this adapter")
