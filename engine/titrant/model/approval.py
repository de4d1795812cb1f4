"""Approval: which trials a person must see before anything is done with them.

A policy is a list of rules; a trial to which one applies is PROPOSED until a person approves it.  What a rule says of
the conditions is text in a grammar of its own, on the expressions of ``model/expressions.py``::

    when       = comparison {"and" comparison}
    comparison = expression ("<" | "<=" | ">" | ">=" | "==" | "!=") expression       both linear, of numeric parameters
               | name ("==" | "!=") ("'text'" | '"text"' | "true" | "false")         or the other way round
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Literal, NamedTuple

import msgspec

from titrant.errors import ConfigurationError
from titrant.model.expressions import Terms, as_float, parse_linear
from titrant.model.space import ChoiceParameterConfig, SearchSpace
from titrant.model.trial import ParameterValue

Sign = Literal["<", "<=", ">", ">=", "==", "!="]

PERSON = "user:"
"""What the name of an actor that is a person begins with."""


class ApprovalRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One reason to ask a person; all conditions given in a rule must hold, and one without any asks for every trial.

    Attributes:
        name: What people are told before the conditions.
        when: Comparisons of parameters, joined by ``and``: ``"temperature > 80 and solvent == 'DMF'"``.
        first: Only the first so many trials of the experiment; rejected ones and those gone stale are not counted.
        proposed_by: A pattern (``*`` and ``?``) on who brings the trial in: ``"agent:*"``, ``"generator"`` (the closed
            loop).
        approvers: Who may approve: actors (``"user:kim"``) or roles (``"role:chemist"``), patterns allowed; any
            person (``user:…``) where empty.  Where somebody is named, nobody approves what they brought in themselves.
            An agent never approves.

    Raises:
        ConfigurationError: A condition cannot be read; the message names it.
    """

    name: str = ""
    when: str = ""
    first: int | None = None
    proposed_by: str = ""
    approvers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.when:
            _read(self.when)
        if self.first is not None and self.first < 1:
            raise ConfigurationError(f"an approval rule asks for the first {self.first} trials: give 1 or more")
        for approver in self.approvers:
            if not approver.startswith((PERSON, "role:")) or approver in (PERSON, "role:"):
                raise ConfigurationError(
                    f"an approval rule names the approver {approver!r}: name a person ('user:kim') or a role "
                    "('role:chemist'); nobody else may approve"
                )

    @property
    def words(self) -> str:
        """The rule in words, its name first; it is told apart from other rules by them."""
        parts = [self.when.strip()] if self.when else []
        if self.first is not None:
            parts.append(f"the first {self.first} trials")
        if self.proposed_by:
            parts.append(f"from {self.proposed_by}")
        said = ", ".join(parts) or "every trial"
        return f"{self.name}: {said}" if self.name else said

    def applies(self, parameters: Mapping[str, ParameterValue], *, place: int, proposer: str) -> bool:
        """Whether a trial needs a person by this rule.

        Args:
            parameters: Its conditions.  A comparison of one that it lacks holds: in doubt a person is asked.
            place: Its place among the experiment's trials, from 0.
            proposer: The actor who brought it in.
        """
        if self.first is not None and place >= self.first:
            return False
        if self.proposed_by and not fits(self.proposed_by, proposer):
            return False
        return not self.when or all(one.holds(parameters) for one in _read(self.when))

    def check(self, space: SearchSpace, *, values: bool = True) -> None:
        """Make sure that the search space has what the rule compares.

        Args:
            space: The search space.
            values: Whether a text must be among the values of its parameter.

        Raises:
            ConfigurationError: It has no such parameter, or one of another type; the message names it.
        """
        for one in _read(self.when) if self.when else ():
            one.check(space, f"approval rule {self.when!r}", values=values)


class ApprovalPolicy(msgspec.Struct, frozen=True, omit_defaults=True):
    """The rules; a trial to which one applies is PROPOSED until a person approves it.

    Raises:
        ConfigurationError: Two rules say the same.
    """

    rules: tuple[ApprovalRule, ...] = ()

    def __post_init__(self) -> None:
        said = [rule.words for rule in self.rules]
        if twice := sorted({words for words in said if said.count(words) > 1}):
            raise ConfigurationError(
                f"two approval rules say {twice[0]!r}: leave one out, or name both approvers in it"
            )

    def applying(
        self, parameters: Mapping[str, ParameterValue], *, place: int, proposer: str
    ) -> Iterator[ApprovalRule]:
        """The rules by which a trial needs a person, in their order."""
        return (rule for rule in self.rules if rule.applies(parameters, place=place, proposer=proposer))

    def check(self, space: SearchSpace, *, values: bool = True) -> None:
        """Make sure that the search space has what the rules compare.

        Raises:
            ConfigurationError: It has no such parameter, or one of another type; the message names it.
        """
        for rule in self.rules:
            rule.check(space, values=values)


def fits(pattern: str, name: str) -> bool:
    """Whether a name fits a pattern, in which ``*`` stands for any characters and ``?`` for one."""
    return _pattern(pattern).fullmatch(name) is not None


def may_decide(approvers: tuple[str, ...], actor: str, role: str | None) -> bool:
    """Whether somebody is among those who may approve and reject: a person, and one of *approvers* where it has any."""
    if not actor.startswith(PERSON) or actor == PERSON:
        return False
    names = (actor,) if role is None else (actor, f"role:{role}")
    return not approvers or any(fits(pattern, name) for pattern in approvers for name in names)


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> re.Pattern[str]:
    signs = {"*": ".*", "?": "."}
    return re.compile("".join(signs.get(sign) or re.escape(sign) for sign in pattern), re.DOTALL)


# --- what a rule says of the conditions -----------------------------------------------------------------------------


class _Numbers(NamedTuple):
    """``sum(weight * parameter) sign bound``."""

    terms: Terms
    sign: Sign
    bound: float

    def holds(self, parameters: Mapping[str, ParameterValue]) -> bool:
        parts = []
        for name, weight in self.terms:
            number = as_float(parameters.get(name))
            if number is None:
                return True
            parts.append(weight * number)
        total = math.fsum(parts)
        same = math.isclose(total, self.bound, rel_tol=1e-12, abs_tol=1e-12 * math.fsum(map(abs, parts)))
        match self.sign:
            case "==":
                return same
            case "!=":
                return not same
            case "<=":
                return same or total < self.bound
            case ">=":
                return same or total > self.bound
            case "<":
                return not same and total < self.bound
            case ">":
                return not same and total > self.bound

    def check(self, space: SearchSpace, where: str, *, values: bool) -> None:
        for name, _ in self.terms:
            kind = _kind(space, name, where)
            if kind not in ("float", "int"):
                raise ConfigurationError(
                    f"{where} compares {name!r} with a number, and it is of type {kind}: "
                    "compare it with == or != and a text between quotes, true or false"
                )


class _Word(NamedTuple):
    """``parameter == value`` or ``!=``, the value being a text, true or false."""

    name: str
    sign: Sign
    value: str | bool

    def holds(self, parameters: Mapping[str, ParameterValue]) -> bool:
        value = parameters.get(self.name)
        return value is None or (value == self.value) is (self.sign == "==")

    def check(self, space: SearchSpace, where: str, *, values: bool) -> None:
        kind = _kind(space, self.name, where)
        wanted = "bool" if isinstance(self.value, bool) else "str"
        if kind != wanted:
            raise ConfigurationError(
                f"{where} compares {self.name!r} with {self.value!r}, and it is of type {kind}: give it such a value"
            )
        parameter = space.parameter(self.name)
        if values and isinstance(parameter, ChoiceParameterConfig) and self.value not in parameter.values:
            some = ", ".join(map(repr, parameter.values[:10]))
            raise ConfigurationError(
                f"{where} compares {self.name!r} with {self.value!r}, which is none of its values: use one of {some}"
            )


def _kind(space: SearchSpace, name: str, where: str) -> str:
    if name not in space.names:
        raise ConfigurationError(f"{where}: there is no parameter {name!r}; use {', '.join(space.names)}")
    return space.parameter(name).parameter_type


_PIECE = re.compile(
    r"""(?P<quoted>'[^']*'|"[^"]*")
    |(?P<sign><=|>=|==|!=|[<>=≤≥≠])
    |(?P<name>[^\W\d]\w*(?:[.:]\w+|/[^\W\d]\w*)*|`[^`]*`)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_SIGNS: dict[str, Sign] = {
    "<": "<", "<=": "<=", "≤": "<=", ">": ">", ">=": ">=", "≥": ">=", "==": "==", "=": "==", "!=": "!=", "≠": "!=",
}  # fmt: skip
_FLIPPED: dict[Sign, Sign] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_BOOLS = {"true": True, "false": False}


@lru_cache(maxsize=256)
def _read(text: str) -> tuple[_Numbers | _Word, ...]:
    """The comparisons of a rule.

    Raises:
        ConfigurationError: The text is none; the message quotes it.
    """
    parts: list[list[re.Match[str]]] = [[]]
    for piece in _PIECE.finditer(text):
        word = piece["name"].lower() if piece["name"] else ""
        if word in ("or", "not"):
            instead = "give a rule for each: any rule suffices" if word == "or" else "turn the comparison round"
            raise ConfigurationError(f"cannot read the approval rule {text!r}: there is no {word!r}; {instead}")
        if word == "and":
            parts.append([])
        else:
            parts[-1].append(piece)
    return tuple(_comparison(text, part) for part in parts)


def _comparison(text: str, pieces: list[re.Match[str]]) -> _Numbers | _Word:
    signs = [place for place, piece in enumerate(pieces) if piece["sign"]]
    said = "".join(piece.group() for piece in pieces).strip()
    where = f"cannot read the approval rule {text!r}"
    if len(signs) != 1:
        what = f"{said!r} is no comparison" if said else "a comparison is missing"
        raise ConfigurationError(f"{where}: {what}; write comparisons such as temperature > 80, joined by 'and'")
    sign = _SIGNS[pieces[signs[0]].group()]
    left, right = pieces[: signs[0]], pieces[signs[0] + 1 :]
    for one, other in ((left, right), (right, left)):
        value = _literal(other)
        if value is None:
            continue
        name = _name(one)
        if name is None or sign not in ("==", "!="):
            raise ConfigurationError(
                f"{where}: {said!r} compares a text or truth value; write a parameter's name, == or !=, and the value"
            )
        return _Word(name, sign, value)
    return _numbers(where, said, "".join(map(_text, left)).strip(), "".join(map(_text, right)).strip(), sign)


def _numbers(where: str, said: str, left: str, right: str, sign: Sign) -> _Numbers:
    try:
        terms, constant = parse_linear(left)
        more, bound = parse_linear(right)
    except ConfigurationError as exc:
        raise ConfigurationError(f"{where}: {exc} (texts stand between quotes)") from exc
    weights = dict(terms)
    for name, weight in more:
        weights[name] = weights.get(name, 0.0) - weight
    kept = tuple((name, weight) for name, weight in weights.items() if weight)
    if not kept:
        raise ConfigurationError(f"{where}: {said!r} has no parameter in it; name at least one")
    if not terms:
        kept = tuple((name, -weight) for name, weight in kept)
        return _Numbers(kept, _FLIPPED[sign], constant - bound)
    return _Numbers(kept, sign, bound - constant)


def _text(piece: re.Match[str]) -> str:
    return piece.group()


def _literal(side: list[re.Match[str]]) -> str | bool | None:
    """The text or truth value that a side is; None where it is something else."""
    found = [piece for piece in side if not piece.group().isspace()]
    if len(found) != 1:
        return None
    if found[0]["quoted"]:
        return found[0].group()[1:-1]
    return _BOOLS.get(found[0].group().lower())


def _name(side: list[re.Match[str]]) -> str | None:
    found = [piece for piece in side if not piece.group().isspace()]
    return found[0].group().strip("`") if len(found) == 1 and found[0]["name"] else None
