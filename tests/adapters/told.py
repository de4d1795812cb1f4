"""What texts tell a reader to write into an experiment file."""

import re
import tomllib


def told(text):
    """The first ``[[runners]]`` of a text, as the file's reader gets it."""
    block = re.search(r" {4}\[\[runners\]\]\n(?: {4}.*\n)+", text).group()
    (runner,) = tomllib.loads(block)["runners"]
    return runner
