"""What people are told where a model has no answer to a question: which one, and why."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from titrant.errors import ConfigurationError, GenerationError
from titrant.generators.gp.asked import TooFewError
from titrant.generators.gp.fitted import NUMERICAL


@contextmanager
def answering(what: str) -> Iterator[None]:
    """Let whatever keeps a model from an answer be an error that says so.

    Args:
        what: What is asked for: ``"prediction"``, ``"answer"``.

    Raises:
        GenerationError: Inside there were too few data, what is sought cannot be put into numbers, or numbers failed.
    """
    with np.errstate(all="ignore"):
        try:
            yield
        except (TooFewError, ConfigurationError) as error:
            raise GenerationError(f"no {what}: {error}") from error
        except NUMERICAL as error:
            raise GenerationError(f"no {what}, the model failed: {type(error).__name__}: {error}") from error


def need_finite(what: str, answer: Any) -> None:
    """See to it that all numbers of an answer, in plain values, are finite.

    Raises:
        GenerationError: One of them is not.
    """
    if not all(map(math.isfinite, _numbers(answer))):
        raise GenerationError(f"no {what}, the model failed: its numbers are not finite")


def _numbers(value: Any) -> Iterator[float]:
    """All numbers in plain values."""
    if isinstance(value, dict):
        for one in value.values():
            yield from _numbers(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _numbers(one)
    elif isinstance(value, float):
        yield value
