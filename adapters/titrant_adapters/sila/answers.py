"""What a SiLA 2 server answers: values in structures, and errors."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from titrant.errors import RunnerError
from titrant_adapters.shape import Errors

ERRORS = Errors(
    {
        "sila.framework.SiLAConnectionError": "unknown",
        "sila.framework.CommandExecutionNotAccepted": "refused",
        "sila.framework.CommandExecutionNotFinished": "unknown",
        "sila.framework.InvalidMetadata": "misconfigured",
        "sila.framework.NoMetadataAllowed": "misconfigured",
        "sila.framework.SiLAError": "failed",  # what the command ends with, and values that it does not take
        "sila.framework.ConversionError": "failed",
        "sila.framework.DecodeError": "failed",
        "sila.framework.EncodeError": "failed",
        "sila.framework.ParseError": "misconfigured",
        "sila.framework.FeatureLoadError": "misconfigured",
        "sila.client.AmbiguousIdentifierError": "misconfigured",
    }
)


def at(answer: Any, path: str) -> Any:
    """What stands at a path in an answer.

    Raises:
        RunnerError: Nothing does.
    """
    found = answer
    try:
        for step in path.split("."):
            found = msgspec.json.decode(found)[step] if isinstance(found, str) else found[step]
    except (KeyError, TypeError, msgspec.DecodeError) as exc:
        raise RunnerError(f"the answer has no {path}: it is {answer!r}") from exc
    return found


def number(answer: Any, path: str) -> float:
    """The number at a path.

    Raises:
        RunnerError: There is none.
    """
    value = at(answer, path)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise RunnerError(f"{path} is {value!r}, which is no measurement")
    return float(value)
