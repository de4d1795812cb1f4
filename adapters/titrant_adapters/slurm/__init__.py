"""Jobs of a Slurm cluster as instruments, by Slurm's own commands: a batch job for each trial.

::

    [[runners]]
    use = "slurm"
    with.command = ["python", "model.py", "{temperature}"]
    with.options = ["--partition=short", "--time=30"]
    with.runs = "/shared/runs"
    with.measure.yield = "yield"
    with.workers = 20
    with.rerun_safe = true

A job is submitted held, its number goes into the log, and then it is let go: no job runs that is not known.  How it
ended is read from a file that it leaves in ``runs``, which all nodes must see: Slurm forgets its jobs within minutes.
"""

from titrant_adapters.slurm.config import SlurmConfig
from titrant_adapters.slurm.runner import SlurmRunner

__all__ = ["SlurmConfig", "SlurmRunner"]
