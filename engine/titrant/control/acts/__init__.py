"""The acts: everything that people do to an experiment, by name, each with arguments of its own.

One table for all ways in.  The server performs acts on a running engine, the caller on a log that nobody holds, and
the command line has a command for each.
"""

# In the order in which people are shown them.
# isort: off
from titrant.control.acts import loop, trials, results, changes

# isort: on
from titrant.control.acts.performing import perform
from titrant.control.acts.table import ACTS, Act

__all__ = ["ACTS", "Act", "changes", "loop", "perform", "results", "trials"]
