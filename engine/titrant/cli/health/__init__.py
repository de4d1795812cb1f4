"""What the doctor looks at, by subject: each finding with what to do about it."""

from titrant.cli.health.experiment import of_file, of_log
from titrant.cli.health.finding import Finding
from titrant.cli.health.machine import of_machine

__all__ = ["Finding", "of_file", "of_log", "of_machine"]
