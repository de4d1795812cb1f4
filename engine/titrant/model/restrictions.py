"""What restricts a search space beside linear constraints: numbers of components, formulas, functions."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

import msgspec

from titrant.errors import SearchSpaceError
from titrant.model import formulas
from titrant.model.constraints import TOLERANCE, LinearConstraint
from titrant.model.parameters import ParameterConfig

_COUNTED = re.compile(
    r"""\s*(?:(?P<most>at\s+most)\s+(?P<k>\d+)|(?P<least>at\s+least)\s+(?P<m>\d+)|exactly\s+(?P<exact>\d+)
    |(?P<low>\d+)\s+to\s+(?P<high>\d+)|any)\s+of\s+
    (?P<names>.+?)
    (?:,?\s+each\s+(?:zero|0)\s+or\s+(?:>=|≥|at\s+least)\s*(?P<minimum>[0-9.eE+-]+))?\s*$""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_BEGINS = re.compile(r"\s*(at\s+(most|least)|exactly|\d+\s+to|any\s+of)\s", re.IGNORECASE)
_REFERENCE = re.compile(r"[^\W\d][\w.]*:[^\W\d][\w.]*")
_CALL = re.compile(r"[^\W\d]\w*\s*\(")
_NAME = re.compile(r"\s*(?:`([^`]+)`|([^,`]+?))\s*(?:,|$)")
_FORM = '"at most 3 of a, b, c", "2 to 3 of a, b, c, each 0 or >= 0.05"'
HAIR = 1e-9
"""How far, relative to it, a component may fall short of the least amount that it has where it is present."""


class Cardinality(msgspec.Struct, frozen=True, tag="cardinality"):
    """How many of some parameters are other than zero: a formulation of at most 3 out of 20 components.

    Attributes:
        text: As it was written.
        names: The parameters; their bounds begin at 0, which is "absent".
        most: How many may be present.
        least: How many must be.
        minimum: The least amount of one that is present, in the parameters' own unit; 0 for any.
    """

    text: str
    names: tuple[str, ...]
    most: int
    least: int = 0
    minimum: float = 0.0

    def __post_init__(self) -> None:
        what = f"constraint {self.text!r}"
        if len(set(self.names)) < len(self.names):
            raise SearchSpaceError(f"{what} names a parameter twice: leave one out")
        if self.least > len(self.names):
            raise SearchSpaceError(f"{what} wants {self.least} of {len(self.names)}: name more, or want fewer")
        if not 0 <= self.least <= self.most:
            raise SearchSpaceError(f"{what} wants at least {self.least} and at most {self.most}: exchange them")
        if not (math.isfinite(self.minimum) and self.minimum >= 0):
            raise SearchSpaceError(f"{what} has the minimum {self.minimum:g}: give a finite number that is not below 0")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``"at most 3 of a, b, c, d"``, ``"exactly 2 of …"``, ``"any of a, b, each 0 or >= 0.05"``.

        Raises:
            SearchSpaceError: It is no such text.
        """
        match = _COUNTED.match(text)
        if match is None:
            raise SearchSpaceError(f"cannot read {text!r}: how many of which parameters? Write for example {_FORM}")
        said = match.groupdict()
        names = _names(text, said["names"])
        least = int(said["m"] or said["exact"] or said["low"] or 0)
        most = int(said["k"] or said["exact"] or said["high"] or len(names))
        try:
            minimum = float(said["minimum"] or 0.0)
        except ValueError:
            raise SearchSpaceError(f"cannot read {text!r}: {said['minimum']!r} is no number") from None
        return cls(text.strip(), names, most, least, minimum)

    def present(self, values: Mapping[str, bool | int | float | str]) -> tuple[str, ...]:
        """Those that are other than zero."""
        return tuple(name for name in self.names if values[name] != 0)

    def fault(self, values: Mapping[str, bool | int | float | str]) -> str | None:
        """What is wrong with ``values``, in words; None where they keep it."""
        there = self.present(values)
        if not self.least <= len(there) <= self.most:
            some = ", ".join(there) or "none"
            return f"constraint {self.text!r} is violated: {len(there)} are other than zero ({some}): change some"
        for name in there:
            if float(values[name]) < self.minimum * (1 - HAIR):
                return (
                    f"constraint {self.text!r} is violated: {name} = {values[name]!r} is neither 0 nor at least "
                    f"{self.minimum:g}: change it"
                )
        return None

    def misfit(self, parameters: Mapping[str, ParameterConfig]) -> str | None:
        """Why it makes no sense for these parameters, in words; None where it does."""
        what = f"constraint {self.text!r}"
        for name in self.names:
            if name not in parameters:
                return f"{what}: {name!r} is none of {', '.join(parameters)}; use numeric parameters of the space"
            ends = parameters[name].interval
            if ends is None:
                return f"{what}: {name!r} is no ordered number; use numeric parameters"
            if ends[0] < 0 or (ends[0] > 0 and ends[0] < ends[1]):
                return (
                    f"{what}: the bounds of {name!r} begin at {ends[0]:g}, and absent means 0: let them begin at 0"
                    + (f', and write "…, each 0 or >= {ends[0]:g}"' if ends[0] > 0 else "")
                )
        return None


def _names(text: str, listed: str) -> tuple[str, ...]:
    found: list[str] = []
    at = 0
    while at < len(listed):
        match = _NAME.match(listed, at)
        if match is None or not (name := (match.group(1) or match.group(2) or "").strip()):
            raise SearchSpaceError(f"cannot read {text!r}: give names set apart by commas, unusual ones in backquotes")
        found.append(name)
        at = match.end()
    return tuple(found)


class Formula(msgspec.Struct, frozen=True, tag="formula"):
    """A relation that need not be linear: ``"a*b <= 3"``, ``"exp(-e/t) >= 0.1"`` (see ``titrant.model.formulas``)."""

    text: str

    def __post_init__(self) -> None:
        if not self.names:
            raise SearchSpaceError(f"constraint {self.text!r} has no parameter in it: name at least one")

    @property
    def parsed(self) -> formulas.Parsed:
        """What it says."""
        return formulas.parse(self.text)

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters in it."""
        return tuple(dict.fromkeys([*formulas.names(self.parsed.left), *formulas.names(self.parsed.right)]))

    def fault(self, values: Mapping[str, bool | int | float | str]) -> str | None:
        """What is wrong with ``values``, in words; None where they keep it within the tolerance."""
        numbers = {name: float(values[name]) for name in self.names}
        left, right = formulas.number(self.parsed.left, numbers), formulas.number(self.parsed.right, numbers)
        at = ", ".join(f"{name} = {values[name]!r}" for name in self.names)
        if math.isnan(left) or math.isnan(right):
            return f"constraint {self.text!r} is violated: it has no value at {at}: change one of them"
        over = left - right if self.parsed.relation == "<=" else right - left
        if over > TOLERANCE * max(abs(left), abs(right)):
            return f"constraint {self.text!r} is violated by {over:g} at {at}: change one of them"
        return None

    def misfit(self, parameters: Mapping[str, ParameterConfig]) -> str | None:
        """Why it makes no sense for these parameters, or leaves none of their values, in words; None where it does."""
        what = f"constraint {self.text!r}"
        ends: dict[str, tuple[float, float]] = {}
        for name in self.names:
            if name not in parameters:
                return f"{what}: {name!r} is none of {', '.join(parameters)}; use numeric parameters of the space"
            if (interval := parameters[name].interval) is None:
                return f"{what}: {name!r} is no ordered number; use numeric parameters"
            ends[name] = interval
        left, relation, right = self.parsed
        low, high = formulas.reach(left, ends)
        least, most = formulas.reach(right, ends)
        slack = TOLERANCE * max((abs(end) for end in (low, high, least, most) if math.isfinite(end)), default=0.0)
        if (low > most + slack) if relation == "<=" else (high < least - slack):
            return (
                f"{what} cannot be met: within the bounds its left side is between {low:g} and {high:g}, "
                f"its right side between {least:g} and {most:g}: change the constraint or the bounds"
            )
        return None


class Function(msgspec.Struct, frozen=True, tag="function"):
    """A function that says whether a parameterization is allowed, by where it is found: ``"my_lab:is_soluble"``.

    It is given the parameterization, and returns True or a number that is not negative where it is allowed. Generators
    ask it, in their own process; what people bring in is not asked about.
    """

    text: str

    def __post_init__(self) -> None:
        if not _REFERENCE.fullmatch(self.text):
            raise SearchSpaceError(f'constraint {self.text!r}: name a function as "module:function"')

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Self:
        """The constraint of a function that can be imported.

        Raises:
            SearchSpaceError: It cannot, as it stands inside another one or in the script that is run.
        """
        module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
        if module in {None, "__main__"} or not _REFERENCE.fullmatch(f"{module}:{name}"):
            raise SearchSpaceError(
                f"constraint {function!r} cannot be imported in the generator's process: put the function into a "
                'module of its own and give it as "module:function"'
            )
        return cls(f"{module}:{name}")

    @property
    def names(self) -> tuple[str, ...]:
        """No parameter in particular."""
        return ()

    def fault(self, values: Mapping[str, bool | int | float | str]) -> str | None:
        """None: only generators ask it."""
        return None

    def misfit(self, parameters: Mapping[str, ParameterConfig]) -> str | None:
        """None: only generators ask it."""
        return None


Restriction = Cardinality | Formula | Function
"""Whatever restricts a space beside its linear constraints."""


def constraint(given: object, names: Iterable[str] = ()) -> LinearConstraint | Restriction:
    """Read what people give as a constraint: a text of any kind, a function, or a constraint as it is.

    Args:
        given: The constraint.
        names: The space's parameters: ``a/b`` is a name where there is one, and a quotient where there is none.

    Raises:
        SearchSpaceError: It cannot be read.
    """
    if isinstance(given, LinearConstraint | Restriction):
        return given
    if callable(given):
        return Function.of(given)
    if not isinstance(given, str):
        raise SearchSpaceError(f"{given!r} is no constraint: give a text such as 'a + 2*b <= 3', or a function")
    if _BEGINS.match(given):
        return Cardinality.parse(given)
    if _REFERENCE.fullmatch(given.strip()):
        return Function(given.strip())
    try:
        linear = LinearConstraint.parse(given)
    except SearchSpaceError as error:
        if "not linear" in str(error) or "**" in given or _CALL.search(given) or "/" in given:
            return Formula(given.strip())
        raise
    if any("/" in name and f"`{name}`" not in given for name in set(linear.names) - set(names)):
        return Formula(given.strip())
    return linear


def parted(
    given: Iterable[LinearConstraint | Restriction],
) -> tuple[tuple[LinearConstraint, ...], tuple[Restriction, ...]]:
    """The linear ones, and the others."""
    every = tuple(given)
    linear = tuple(one for one in every if isinstance(one, LinearConstraint))
    return linear, tuple(one for one in every if not isinstance(one, LinearConstraint))
