"""Read what people hand in: linear expressions as text, and numbers from whatever library.

The grammar is Ax's, on names instead of Python identifiers (``yield`` is a fine metric)::

    relation   = expression ("<=" | ">=" | "==" | "=") expression
    expression = ["+" | "-"] term {("+" | "-") term}
    term       = factor {("*" | "/") factor}          at most one factor with names, never below "/"
    factor     = number | name | ("+" | "-") factor | "(" expression ")"

A name starts with a letter or underscore and may hold dots, colons and, between letters, slashes; any other name stands
between backquotes: ``"`pH (25 C)` - 2*b"``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Sized
from typing import Literal, NamedTuple, SupportsFloat

from titrant.errors import ConfigurationError

Terms = tuple[tuple[str, float], ...]
"""Name and weight, each name once, in the order of first appearance; a weight may be zero."""

Relation = Literal["<=", ">=", "=="]

ParameterType = Literal["float", "int", "str", "bool"]

_TOKEN = re.compile(
    r"""(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<name>[^\W\d]\w*(?:[.:]\w+|/[^\W\d]\w*)*|`[^`]+`)
    |(?P<operator><=|>=|==|\*\*|[-+*/(),<>=^≤≥−])""",
    re.VERBOSE,
)
_SAME = {"=": "==", "≤": "<=", "≥": ">=", "−": "-"}
_RELATIONS: dict[str, Relation] = {"<=": "<=", ">=": ">=", "==": "=="}
_FLIPPED: dict[Relation, Relation] = {"<=": ">=", ">=": "<=", "==": "=="}
_DEEPEST = 50  # parentheses; far below Python's recursion limit


def parse_linear(text: str, *, error: type[ConfigurationError] = ConfigurationError) -> tuple[Terms, float]:
    """Read one linear expression: ``"a - 0.5*b + 3"`` gives ``((("a", 1.0), ("b", -0.5)), 3.0)``.

    Args:
        text: The expression.
        error: What to raise, so that each caller's errors are of its own kind.

    Raises:
        ConfigurationError: (or ``error``) The text is not linear; names the text, the column and what to do.
    """
    parser = _Parser(text, error)
    form = parser.expression()
    parser.end()
    return form.terms, form.constant


def parse_linears(text: str, *, error: type[ConfigurationError] = ConfigurationError) -> tuple[tuple[str, Terms], ...]:
    """Read linear expressions set apart by commas, each with its own text; constants are left out.

    Raises:
        ConfigurationError: (or ``error``) As ``parse_linear``.
    """
    parser = _Parser(text, error)
    found = []
    while True:
        start = parser.ahead.column
        form = parser.expression()
        found.append((text[start - 1 : parser.ahead.column - 1].strip(), form.terms))
        if parser.ahead.text != ",":
            parser.end()
            return tuple(found)
        parser.take()


def parse_relation(text: str, *, error: type[ConfigurationError] = ConfigurationError) -> tuple[Terms, Relation, float]:
    """Read a relation, all names on the left: ``"a + 1 <= 2*b"`` gives ``((("a", 1.0), ("b", -2.0)), "<=", -1.0)``.

    Where only the right side has names the sides change places: ``"1 <= a"`` is ``"a >= 1"``.

    Raises:
        ConfigurationError: (or ``error``) The text is not a linear relation; names the text, the column and what to do.
    """
    parser = _Parser(text, error)
    left = parser.expression()
    relation = parser.relation()
    right = parser.expression()
    parser.end()
    if right.terms and not left.terms:
        left, right, relation = right, left, _FLIPPED[relation]
    merged = left.plus(right, -1.0)
    return merged.terms, relation, right.constant - left.constant


def plain(value: object) -> object:
    """Give a scalar or 0-d array of numpy, torch … as Python's own value, anything else as it is."""
    if getattr(value, "ndim", None) == 0 and callable(item := getattr(value, "item", None)):
        return item()
    return value


def cast(value: object, kind: ParameterType) -> bool | int | float | str | None:
    """Give a value as Python's own type of that kind; None where it is of another kind or not finite.

    Whole floats are ints where ints are wanted, ints are floats where floats are; a bool is never a number.
    """
    value = plain(value)
    if kind == "str":
        return str(value) if isinstance(value, str) else None
    if kind == "bool" or isinstance(value, bool):
        return value if kind == "bool" and isinstance(value, bool) else None
    number = as_float(value)
    if number is None or not math.isfinite(number):
        return None
    if kind == "float":
        return number
    if isinstance(value, int):
        return int(value)
    return int(number) if number.is_integer() else None


def as_float(value: object) -> float | None:
    """Give a number of any kind as a float, NaN and infinity too; None where it is none, as a bool, a text, a list."""
    if type(value) is float:  # nearly always; what follows takes ten times as long
        return value
    value = plain(value)
    if isinstance(value, bool | Sized) or not isinstance(value, SupportsFloat):
        return None
    try:
        return float(value)
    except (OverflowError, TypeError, ValueError):  # 10**400, a signalling decimal
        return None


def kind_of(value: object) -> ParameterType | None:
    """The parameter type that has such values; None where there is none."""
    kinds: dict[type, ParameterType] = {bool: "bool", int: "int", float: "float", str: "str"}
    return kinds.get(type(plain(value)))


def is_same(one: bool | int | float | str, other: bool | int | float | str) -> bool:
    """True if two values of one kind are equal, floats but for the noise of their last digits."""
    return one == other or (isinstance(one, float) and isinstance(other, float) and math.isclose(one, other))


def key(value: object, kind: ParameterType) -> Hashable:
    """A value made fit for finding duplicates: floats to 1e-10 of themselves; what is of another kind in words."""
    found = cast(value, kind)
    if found is None:
        return None if value is None else repr(value)
    return float(f"{found:.10e}") + 0.0 if isinstance(found, float) else found  # + 0.0: no -0.0


class _Form(NamedTuple):
    terms: Terms
    constant: float

    def plus(self, other: _Form, sign: float) -> _Form:
        weights = dict(self.terms)
        for name, weight in other.terms:
            weights[name] = weights.get(name, 0.0) + sign * weight
        return _Form(tuple(weights.items()), self.constant + sign * other.constant)

    def times(self, factor: float) -> _Form:
        return _Form(tuple((name, factor * weight) for name, weight in self.terms), factor * self.constant)

    @property
    def is_finite(self) -> bool:
        return math.isfinite(self.constant) and all(math.isfinite(weight) for _, weight in self.terms)


class _Token(NamedTuple):
    kind: str
    text: str
    column: int


class _Parser:
    """Recursive descent over the tokens of one text; ``ahead`` is the token to be read next."""

    def __init__(self, text: str, error: type[ConfigurationError]) -> None:
        if not isinstance(text, str):
            raise error(f'expected a text such as "a + 2*b", got {text!r} ({type(text).__name__})')
        self._text, self._error = text, error
        self._tokens = self._tokenize()
        self._next = 0
        self._depth = 0

    def _tokenize(self) -> list[_Token]:
        tokens, at = [], 0
        while at < len(self._text):
            if self._text[at].isspace():
                at += 1
            elif match := _TOKEN.match(self._text, at):
                text = match.group()
                tokens.append(_Token(match.lastgroup or "", _SAME.get(text, text), at + 1))
                at = match.end()
            else:
                raise self._fail(
                    at + 1, f"{self._text[at]!r} means nothing here; put an unusual name between backquotes"
                )
        return [*tokens, _Token("end", "", len(self._text) + 1)]

    @property
    def ahead(self) -> _Token:
        return self._tokens[self._next]

    def take(self) -> _Token:
        token = self.ahead
        self._next += 1
        return token

    def _fail(self, column: int, what: str) -> ConfigurationError:
        return self._error(f"cannot read {self._text!r} at column {column}: {what}")

    def end(self) -> None:
        match self.ahead:
            case ("end", _, _):
                return
            case ("operator", "<=" | ">=" | "==" | "<" | ">" as sign, column):
                raise self._fail(column, f"{sign!r} is one relation too many; state one relation, in a constraint")
            case ("operator", "^" | "**" as sign, column):
                raise self._fail(
                    column, f"{sign!r} is not linear; define the power as a metric or parameter of its own"
                )
            case ("operator", sign, column):
                raise self._fail(column, f"{sign!r} does not belong here; remove it")
            case (_, text, column):
                raise self._fail(column, f"an operator is missing before {text!r}; write 2*a, a + b, a - b")

    def relation(self) -> Relation:
        sign = self.ahead.text
        if sign in _RELATIONS:
            self.take()
            return _RELATIONS[sign]
        if sign in {"<", ">"}:
            raise self._fail(
                self.ahead.column, f"{sign!r} cannot be told from {sign + '='!r} in measured values; write that"
            )
        if sign:
            self.end()
        raise self._fail(self.ahead.column, "a relation is missing; write <=, >= or == and a bound")

    def expression(self) -> _Form:
        form = self._term()
        while self.ahead.text in {"+", "-"}:
            sign = 1.0 if self.take().text == "+" else -1.0
            form = form.plus(self._term(), sign)
        if not form.is_finite:
            raise self._fail(self.ahead.column, "a number before this is too large; use other units")
        return form

    def _term(self) -> _Form:
        form = self._factor()
        while self.ahead.text in {"*", "/"}:
            operator = self.take()
            other = self._factor()
            if operator.text == "/":
                if other.terms:
                    raise self._fail(
                        operator.column, "division by a name is not linear; multiply both sides, or use a number"
                    )
                if other.constant == 0.0:
                    raise self._fail(operator.column, "division by zero; use another number")
                form = _Form(tuple((n, w / other.constant) for n, w in form.terms), form.constant / other.constant)
            elif form.terms and other.terms:
                names = " * ".join(repr(name) for name in (form.terms[0][0], other.terms[0][0]))
                raise self._fail(operator.column, f"{names} is not linear; multiply a name by numbers only")
            else:
                form = form.times(other.constant) if form.terms else other.times(form.constant)
        return form

    def _factor(self) -> _Form:
        token = self.take()
        match token:
            case ("number", text, _):
                return _Form((), float(text))
            case ("name", text, _):
                return _Form(((text.strip("`"), 1.0),), 0.0)
            case ("operator", "+" | "-" | "(", column):
                self._depth += 1
                if self._depth > _DEEPEST:
                    raise self._fail(column, f"more than {_DEEPEST} signs and parentheses within each other; simplify")
                form = self._signed(token)
                self._depth -= 1
                return form
            case _:
                found = repr(token.text) if token.text else "the end"
                raise self._fail(
                    token.column, f"a name, a number or '(' is missing before {found}; complete the expression"
                )

    def _signed(self, token: _Token) -> _Form:
        if token.text != "(":
            return self._factor().times(1.0 if token.text == "+" else -1.0)
        form = self.expression()
        if self.ahead.text != ")":
            raise self._fail(token.column, "this '(' is not closed; add ')'")
        self.take()
        return form
