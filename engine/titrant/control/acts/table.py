"""The table of acts: each has a name, arguments of its own, and a function that does it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec

from titrant.api.calls import Calls
from titrant.control import arguments as a

A = TypeVar("A", bound=a.Arguments)


class Act(msgspec.Struct, frozen=True):
    """One kind of act.

    Attributes:
        name: What it is called.
        arguments: The Struct of its arguments.
        summary: What it does, in a line.
        perform: Does it; the answer is the outcome's value.
    """

    name: str
    arguments: type[a.Arguments]
    summary: str
    perform: Callable[[Calls, Any], Awaitable[Any]]


ACTS: dict[str, Act] = {}
"""Every act there is, by name."""


def act(
    name: str, arguments: type[A]
) -> Callable[[Callable[[Calls, A], Awaitable[Any]]], Callable[[Calls, A], Awaitable[Any]]]:
    """Enter a function into the table; the first line of its docstring says what it does."""

    def entered(function: Callable[[Calls, A], Awaitable[Any]]) -> Callable[[Calls, A], Awaitable[Any]]:
        summary = (function.__doc__ or "").partition("\n")[0]
        ACTS[name] = Act(name, arguments, summary, function)
        return function

    return entered
