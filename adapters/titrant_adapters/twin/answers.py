"""What the lab answers with when it does not do what was asked."""

from __future__ import annotations


class Refused(Exception):
    """The lab says no, and nothing has begun."""


class OutOfRange(Refused):
    """A setting does not take this value."""


class Unknown(Exception):
    """The lab knows no such run, setting or value."""
