"""What pyvisa's sessions need, under texts of our own as under the drivers that stand on pyvisa."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from titrant.errors import ConfigurationError
from titrant_adapters.shape.blocking import library
from titrant_adapters.shape.outcomes import Meaning

EARLIER = 0.9
"""The driver's own deadline as a share of the adapter's, so that its thread ends before it is given up."""

VISA_ERRORS: Mapping[str, Meaning] = {
    "pyvisa.errors.Error": "unknown",
    "pyvisa.errors.VisaIOError": "unknown",  # a timeout, a reset line; a closed socket is a timeout as well
    "pyvisa.errors.InvalidSession": "unknown",  # closed meanwhile
    "pyvisa.errors.InvalidBinaryFormat": "unknown",
    "pyvisa.errors.UnknownHandler": "misconfigured",
    "pyvisa.errors.VisaTypeError": "misconfigured",
    "pyvisa.errors.OSNotSupported": "misconfigured",
    "pyvisa.errors.LibraryError": "misconfigured",
    "pyvisa.rname.InvalidResourceName": "misconfigured",
    "builtins.UnicodeError": "unknown",  # bits were lost on the way
}


def checked_visa(resource: str, back_end: str) -> None:
    """Import what a VISA resource needs, and see whether it can be one.

    Raises:
        ConfigurationError: A library is missing, or no resource is called that.
    """
    visa = library("pyvisa", "visa")
    if back_end.endswith(("@py", "@sim")):
        library(f"pyvisa_{back_end.rpartition('@')[2]}", "visa")
    try:
        visa.rname.ResourceName.from_string(resource)
    except visa.rname.InvalidResourceName as exc:
        raise ConfigurationError(f"resource is {resource!r}: write it as VISA does ({exc})") from exc


def opening(exc: Exception, resource: str) -> Exception:
    """What it means that a resource cannot be opened: back ends raise bare ``Exception`` where nobody answers."""
    if isinstance(exc, ValueError | TypeError | AttributeError):
        return ConfigurationError(f"{resource} cannot be opened: {exc}")
    return exc if isinstance(exc, OSError) else OSError(f"{resource} cannot be opened: {exc}")


def patience(seconds: float) -> int:
    """A deadline for pyvisa, in milliseconds."""
    return max(1, int(1000 * EARLIER * seconds))


def discard_unasked(resource: Any) -> None:
    """Throw away what came without a question, where bytes bear no mark of whose answer they are.

    A question that was given up has closed its line, so this can only be the repetition of an answer that was read.
    Buses (GPIB, USB, LXI) frame their messages and must not be read from when nothing was asked.
    """
    name = str(resource.resource_name).upper()
    if not (name.endswith("::SOCKET") or name.startswith("ASRL")):
        return
    errors = library("pyvisa.errors", "visa")
    before, resource.timeout = resource.timeout, 0
    try:
        while True:
            resource.read_raw()
    except errors.VisaIOError:
        pass  # nothing (more) is there
    finally:
        resource.timeout = before
