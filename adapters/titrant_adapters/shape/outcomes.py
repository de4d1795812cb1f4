"""What a foreign error means for a trial: one table an adapter, one context manager that applies it.

Four words say all: ``refused`` (nothing started), ``unknown`` (the line broke, or nobody answered: nothing started if
the start was not sent yet, else it may have), ``failed`` (it was carried out, and ended badly), ``misconfigured``.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Literal

import anyio

from titrant.errors import ConfigurationError, OutcomeUnknown, RunnerError, SubmissionRefused, TitrantError
from titrant_adapters.shape.named import led_to, name_of

Meaning = Literal["refused", "unknown", "failed", "misconfigured"]

COMMON: Mapping[str, Meaning] = {
    "builtins.OSError": "unknown",  # TimeoutError and all broken connections among them
    "builtins.EOFError": "unknown",
    "anyio.EndOfStream": "unknown",
    "anyio.BrokenResourceError": "unknown",
    "anyio.ClosedResourceError": "unknown",
    "anyio.IncompleteRead": "unknown",
    "anyio.DelimiterNotFound": "unknown",
}
"""What holds for every line; an adapter's own table goes before."""


class Start:
    """Where an attempt stands.

    Attributes:
        sent: Whether what starts it has been sent.
        trouble: Why asking failed the last time, while it is asked again; empty once there is an answer.
    """

    def __init__(self, *, sent: bool = False) -> None:
        self.sent = sent
        self.trouble = ""

    def lost(self, said: str) -> RunnerError:
        """What it means now that nobody answers."""
        return OutcomeUnknown(said) if self.sent else SubmissionRefused(said)

    @contextmanager
    def within(self, seconds: float, what: str) -> Iterator[None]:
        """Bound a wait.

        Raises:
            OutcomeUnknown: It took longer, after the start was sent.
            SubmissionRefused: It took longer, before that.
        """
        try:
            with anyio.fail_after(seconds):
                yield
        except TimeoutError as exc:
            said = f"; last, {self.trouble}" if self.trouble else ""
            raise self.lost(f"{what} took longer than {seconds:g} s{said}") from exc


class Errors:
    """A table from exception classes to what they mean; the nearest base class that is named decides.

    Args:
        table: ``"module.Class"`` to its meaning; as texts, so that no library is imported for the table.
    """

    def __init__(self, table: Mapping[str, Meaning] | None = None) -> None:
        self.own = dict(table or {})
        self.table: dict[str, Meaning] = {**COMMON, **self.own}

    def meaning(self, kind: type[BaseException]) -> Meaning | None:
        """What an exception of that class means; None where neither it nor a base of it is named."""
        # A library that raises is imported, so the texts lead to classes now; where they say the private module that
        # a class was made in, its own name agrees.
        found = {led_to(name): meaning for name, meaning in self.table.items()}
        for base in kind.__mro__:
            meaning = found.get(base) or self.table.get(name_of(base))
            if meaning is not None:
                return meaning
        return None

    @contextmanager
    def translated(self, start: Start, what: str) -> Iterator[None]:
        """Turn what the table names into an error of ours; all else passes as it is.

        Args:
            start: Where the attempt stands.
            what: What is being done, for the message.

        Raises:
            TitrantError: What the foreign error means.
        """
        try:
            yield
        except TitrantError:
            raise
        except Exception as exc:
            meaning = self.meaning(type(exc))
            if meaning is None:
                raise
            raise self._error(meaning, start, f"{what}: {_said(exc)}") from exc

    @staticmethod
    def _error(meaning: Meaning, start: Start, said: str) -> TitrantError:
        match meaning:
            case "refused":
                return SubmissionRefused(said)
            case "unknown":
                return start.lost(said)
            case "failed":
                return RunnerError(said)
            case "misconfigured":
                return ConfigurationError(said)

    def unlisted(self, *modules: ModuleType) -> list[str]:
        """For tests: exception classes of foreign modules that neither are in the table nor derive from one there.

        Classes that only derive from ``COMMON``'s are listed as well: say for each what it means.
        """
        found = {
            name_of(kind): kind
            for module in modules
            for kind in vars(module).values()
            if inspect.isclass(kind) and issubclass(kind, Exception) and not issubclass(kind, Warning)
            if name_of(kind).partition(".")[0] == module.__name__.partition(".")[0]
        }
        listed = {led_to(name) for name in self.own} - {None}
        return sorted(name for name, kind in found.items() if listed.isdisjoint(kind.__mro__))

    def dangling(self) -> list[str]:
        """For tests: names in the adapter's own table that lead to no exception class (its library is imported)."""

        def leads(name: str) -> bool:
            kind = led_to(name)
            return kind is not None and issubclass(kind, BaseException)

        return sorted(name for name in self.own if not leads(name))


def _said(exc: Exception) -> str:
    text = str(exc)
    return f"{type(exc).__name__}: {text}" if text else type(exc).__name__
