"""Expressions that need not be linear, as texts: ``"a*b <= 3"``, ``"exp(-e/t) >= 0.1"``.

The grammar is that of ``expressions``, and beside it products and quotients of names, powers (``**``) and the functions
exp, log, sqrt, abs, min and max. Nothing else can be said: a text is read, never executed. A slash divides here; a name
with a slash in it stands between backquotes.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, reduce
from typing import Any, Literal, NamedTuple

from titrant.errors import SearchSpaceError

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<name>[^\W\d]\w*(?:[.:]\w+)*|`[^`]+`)
    |(?P<sign><=|>=|==|\*\*|[-+*/(),<>=^≤≥−])
    |(?P<other>\S))""",
    re.VERBOSE,
)
_SAME = {"=": "==", "≤": "<=", "≥": ">=", "−": "-"}
_ARGUMENTS = {"exp": (1, 1), "log": (1, 1), "sqrt": (1, 1), "abs": (1, 1), "min": (1, 99), "max": (1, 99)}
_DEEPEST = 40  # parentheses, signs and powers within each other; far below Python's recursion limit
_SIGNS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "**": "power"}

Tree = tuple[Any, ...]
"""``("number", 2.0)``, ``("name", "a")``, or an operation or function and its arguments."""


class Parsed(NamedTuple):
    """A relation between two expressions."""

    left: Tree
    relation: Literal["<=", ">="]
    right: Tree


@lru_cache(maxsize=256)
def parse(text: str) -> Parsed:
    """Read a relation.

    Raises:
        SearchSpaceError: It is none; names the text, the column and what to do.
    """
    reader = _Reader(text)
    left = reader.sum(0)
    match reader.take():
        case ("sign", "<=" | ">=" as relation, _):
            right = reader.sum(0)
        case ("sign", "==", at):
            raise reader.fault(
                at, "an equation that is not linear leaves hardly any point; write two inequalities with a margin"
            )
        case ("sign", "<" | ">" as sign, at):
            raise reader.fault(at, f"write {sign}= instead of {sign}")
        case (_, _, at):
            raise reader.fault(at, "a relation is missing; write <= or >= and a bound")
    reader.end()
    return Parsed(left, relation, right)


def names(tree: Tree) -> Iterator[str]:
    """The parameters in an expression, each as often as it stands there."""
    if tree[0] == "name":
        yield tree[1]
    elif tree[0] != "number":
        for part in tree[1:]:
            yield from names(part)


def evaluate(tree: Tree, values: Mapping[str, Any], calls: Mapping[str, Callable[..., Any]]) -> Any:
    """The value of an expression.

    Args:
        tree: The expression.
        values: The parameters' values.
        calls: What ``add``, ``subtract``, ``multiply``, ``divide``, ``power``, ``negative`` and the functions are.
    """
    match tree:
        case ("number", value):
            return value
        case ("name", name):
            return values[name]
        case (operation, *parts):
            return calls[operation](*(evaluate(part, values, calls) for part in parts))
    raise AssertionError(tree)


def number(tree: Tree, values: Mapping[str, float]) -> float:
    """The value of an expression as a number; NaN where it has none, as the logarithm of a negative number."""
    try:
        return float(evaluate(tree, values, _NUMBERS))
    except (ArithmeticError, ValueError):
        return math.nan


def _raised(base: Any, exponent: Any) -> Any:
    found = base**exponent
    if not isinstance(found, complex):
        return found
    raise ArithmeticError("a negative number has no such power")  # another function could make it real again


_NUMBERS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "power": _raised,
    "negative": operator.neg,
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "abs": abs,
    "min": lambda *parts: min(parts),
    "max": lambda *parts: max(parts),
}

_Token = tuple[str, str, int]


class _Reader:
    """Recursive descent over the tokens of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._read())
        self._next = 0

    def _read(self) -> Iterator[_Token]:
        for match in _TOKEN.finditer(self._text.rstrip()):
            kind = match.lastgroup or ""
            said, at = match.group(kind), match.start(kind) + 1
            if kind == "other":
                raise self.fault(at, f"{said!r} means nothing here; put an unusual name between backquotes")
            yield kind, _SAME.get(said, said), at
        yield "end", "", len(self._text) + 1

    def fault(self, at: int, what: str) -> SearchSpaceError:
        return SearchSpaceError(f"cannot read {self._text!r} at column {at}: {what}")

    @property
    def ahead(self) -> str:
        return self._tokens[self._next][1]

    def take(self) -> _Token:
        token = self._tokens[self._next]
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def end(self) -> None:
        kind, said, at = self.take()
        if kind != "end":
            raise self.fault(at, f"{said!r} does not belong here; state one relation, with operators between names")

    def sum(self, depth: int) -> Tree:
        return self._chain(("+", "-"), self._product, depth)

    def _product(self, depth: int) -> Tree:
        return self._chain(("*", "/"), self._signed, depth)

    def _chain(self, signs: tuple[str, ...], part: Callable[[int], Tree], depth: int) -> Tree:
        tree = part(depth)
        while self.ahead in signs:
            tree = (_SIGNS[self.take()[1]], tree, part(depth))
        return tree

    def _signed(self, depth: int) -> Tree:
        if depth > _DEEPEST:
            raise self.fault(self._tokens[self._next][2], f"more than {_DEEPEST} levels within each other; simplify")
        if self.ahead == "-":
            self.take()
            return "negative", self._signed(depth + 1)
        if self.ahead == "+":
            self.take()
            return self._signed(depth + 1)
        base = self._atom(depth)
        if self.ahead == "^":
            raise self.fault(self._tokens[self._next][2], "write ** for a power")
        if self.ahead == "**":
            self.take()
            return "power", base, self._signed(depth + 1)
        return base

    def _atom(self, depth: int) -> Tree:
        match self.take():
            case ("number", said, _):
                return "number", float(said)
            case ("name", said, at) if self.ahead == "(" and not said.startswith("`"):
                return self._call(said, at, depth)
            case ("name", said, _):
                return "name", said.strip("`")
            case (_, "(", at):
                tree = self.sum(depth + 1)
                if self.take()[1] != ")":
                    raise self.fault(at, "this '(' is not closed; add ')'")
                return tree
            case (_, said, at):
                found = repr(said) if said else "the end"
                raise self.fault(at, f"a name, a number or '(' is missing before {found}; complete the expression")

    def _call(self, name: str, at: int, depth: int) -> Tree:
        if name not in _ARGUMENTS:
            raise self.fault(at, f"there is no function {name!r}: use one of {', '.join(_ARGUMENTS)}")
        self.take()
        parts = [self.sum(depth + 1)]
        while self.ahead == ",":
            self.take()
            parts.append(self.sum(depth + 1))
        if self.take()[1] != ")":
            raise self.fault(at, f"the '(' after {name} is not closed; add ')'")
        least, most = _ARGUMENTS[name]
        if not least <= len(parts) <= most:
            raise self.fault(at, f"{name} takes one argument, not {len(parts)}")
        return name, *parts


# --- what an expression can be within bounds --------------------------------------------------------------------------

Ends = tuple[float, float]
_ALL = (-math.inf, math.inf)


def reach(tree: Tree, intervals: Mapping[str, Ends]) -> Ends:
    """The least and the greatest value within intervals, or wider: by interval arithmetic."""
    match tree:
        case ("number", value):
            return value, value
        case ("name", name):
            return intervals[name]
        case (operation, *parts):
            ends = _REACHES[operation](*(reach(part, intervals) for part in parts))
            return _ALL if any(map(math.isnan, ends)) else ends
    raise AssertionError(tree)


def _corners(operation: Callable[[float, float], float], one: Ends, other: Ends) -> Ends:
    try:
        found = [operation(x, y) for x in one for y in other]
    except (ArithmeticError, ValueError):
        return _ALL
    return _ALL if any(isinstance(x, complex) or math.isnan(x) for x in found) else (min(found), max(found))


def _power(base: Ends, exponent: Ends) -> Ends:
    if base[0] > 0 or (base[0] == 0 and exponent[0] > 0):
        return _corners(operator.pow, base, exponent)
    if exponent[0] == exponent[1] and exponent[0] > 0 and exponent[0].is_integer():
        low, high = _corners(operator.pow, base, exponent)
        return (0.0 if base[1] >= 0 and exponent[0] % 2 == 0 else low), high
    return _ALL


def _rising(function: Callable[[float], float], least: float, ends: Ends) -> Ends:
    """Of a function that rises from ``least`` on, and has no values below."""
    if ends[1] < least:
        return _ALL
    try:
        low = function(ends[0]) if ends[0] > least else -math.inf
    except OverflowError:
        low = math.inf
    try:
        return low, function(ends[1]) if ends[1] > least else low
    except OverflowError:
        return low, math.inf


_REACHES: dict[str, Callable[..., Ends]] = {
    "add": lambda one, other: (one[0] + other[0], one[1] + other[1]),
    "subtract": lambda one, other: (one[0] - other[1], one[1] - other[0]),
    "multiply": lambda one, other: _corners(operator.mul, one, other),
    "divide": lambda one, other: _ALL if other[0] <= 0 <= other[1] else _corners(operator.truediv, one, other),
    "power": _power,
    "negative": lambda one: (-one[1], -one[0]),
    "exp": lambda one: _rising(math.exp, -math.inf, one),
    "log": lambda one: _rising(math.log, 0.0, one),
    "sqrt": lambda one: (math.sqrt(max(one[0], 0.0)), math.sqrt(max(one[1], 0.0))),
    "abs": lambda one: (0.0 if one[0] <= 0 <= one[1] else min(map(abs, one)), max(map(abs, one))),
    "min": lambda *parts: reduce(lambda one, other: (min(one[0], other[0]), min(one[1], other[1])), parts),
    "max": lambda *parts: reduce(lambda one, other: (max(one[0], other[0]), max(one[1], other[1])), parts),
}
