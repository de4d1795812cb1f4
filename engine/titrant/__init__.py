"""titrant: closed-loop experiments in self-driving laboratories, as actors on an event log."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from titrant.api.running import RunReport
    from titrant.async_client import AsyncClient
    from titrant.client import Client
    from titrant.errors import (
        CommandRefused,
        ConfigurationError,
        FailureRateExceeded,
        NeverSeen,
        OutcomeUnknown,
        SubmissionRefused,
        TitrantError,
    )
    from titrant.model.space import ChoiceParameterConfig, FixedParameterConfig, RangeParameterConfig
    from titrant.model.trial import Attempt, TrialStatus
    from titrant.ports import FunctionRunner, Metric, PushedRunner, Result, Runner
    from titrant.runtime.calls import RetryPolicy

_HOME = {
    "AsyncClient": "async_client",
    "Attempt": "model.trial",
    "ChoiceParameterConfig": "model.space",
    "Client": "client",
    "CommandRefused": "errors",
    "ConfigurationError": "errors",
    "FailureRateExceeded": "errors",
    "FixedParameterConfig": "model.space",
    "FunctionRunner": "ports",
    "Metric": "ports",
    "NeverSeen": "errors",
    "OutcomeUnknown": "errors",
    "PushedRunner": "ports",
    "RangeParameterConfig": "model.space",
    "Result": "ports",
    "RetryPolicy": "runtime.calls",
    "RunReport": "api.running",
    "Runner": "ports",
    "SubmissionRefused": "errors",
    "TitrantError": "errors",
    "TrialStatus": "model.trial",
}

__all__ = [
    "AsyncClient",
    "Attempt",
    "ChoiceParameterConfig",
    "Client",
    "CommandRefused",
    "ConfigurationError",
    "FailureRateExceeded",
    "FixedParameterConfig",
    "FunctionRunner",
    "Metric",
    "NeverSeen",
    "OutcomeUnknown",
    "PushedRunner",
    "RangeParameterConfig",
    "Result",
    "RetryPolicy",
    "RunReport",
    "Runner",
    "SubmissionRefused",
    "TitrantError",
    "TrialStatus",
]


def __getattr__(name: str) -> Any:
    """Load a public name on first use: importing titrant itself costs next to nothing."""
    if name in _HOME:
        value = getattr(import_module(f"titrant.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'titrant' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
