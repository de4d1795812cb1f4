"""Candidate sets: a catalogue or a pool of points, the only ones that may be suggested."""

from __future__ import annotations

import hashlib
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from titrant.errors import ParameterizationError, SearchSpaceError
from titrant.model.constraints import LinearConstraint
from titrant.model.given import listed
from titrant.model.trial import Parameterization, ParameterValue

if TYPE_CHECKING:
    from titrant.model.space import SearchSpace

MOST = 100_000
"""Candidates there may be."""

_TOLD = 3  # ill-fitting candidates that a message tells of

PART = 900_000
"""Characters of a packed set that stand in one event of the log; what is longer is kept apart from its space."""

_SMALL = 400_000  # what stands in the space's own event, beside whatever else there is

Columns = list[list[ParameterValue | None]]
"""For each name the values of all candidates; None where a parameter is not active."""


class CandidateSet(msgspec.Struct, frozen=True):
    """Points, packed so that they stand in a log once and take little room.

    Attributes:
        names: The parameters that a candidate has values of.
        count: How many there are.
        digest: SHA-256 (hex) of the values.
        packed: The columns: MessagePack, deflated, as base64.  Only in events of a log it may lack its end, which
            events right after them bring.
    """

    names: tuple[str, ...]
    count: int
    digest: str
    packed: str

    def __repr__(self) -> str:
        return f"CandidateSet({self.count} of {', '.join(self.names)}, sha256 {self.digest[:12]}…)"

    @property
    def columns(self) -> Columns:
        """The values, by the order of ``names``; not to be changed."""
        return _unpacked(self.packed)

    def points(self) -> list[Parameterization]:
        """All candidates."""
        rows = zip(*self.columns, strict=True)
        return [{name: value for name, value in zip(self.names, row, strict=True) if value is not None} for row in rows]

    def offers(self, parameterization: Mapping[str, Any]) -> bool:
        """Whether a canonical parameterization is one of them, whatever values it has of other parameters."""
        places: Iterable[int] = range(self.count)
        for name, column in zip(self.names, self.columns, strict=True):
            wanted = parameterization.get(name)
            places = [place for place in places if column[place] == wanted]
        return bool(places)


def with_candidates(space: SearchSpace, rows: Iterable[Mapping[str, Any]]) -> SearchSpace:
    """The space with candidates, each checked and once; takes seconds for very many.

    Args:
        space: Parameters and constraints.
        rows: A value of every parameter for each candidate; context parameters are left out, fixed ones may be.

    Raises:
        SearchSpaceError: There are none, or too many, or some do not fit the space; the message tells which.
    """
    given = listed("candidates", rows, "mappings, a value of every parameter in each", SearchSpaceError)
    if not given or len(given) > MOST:
        raise SearchSpaceError(f"there are {len(given)} candidates: give 1 to {MOST}")
    chosen = tuple(p for p in space.parameters if p.role != "context")
    if not chosen:
        raise SearchSpaceError("candidates need a parameter that is no context")
    names = {p.name for p in chosen}
    own = replace(
        space,
        parameters=chosen,
        constraints=tuple(one for one in space.constraints if names.issuperset(one.names)),
        restrictions=tuple(one for one in space.restrictions or () if names.issuperset(one.names)),
        candidates=UNSET,
    )
    columns = (None if own.is_conditional else _quickly(own, given)) or _one_by_one(own, given)
    return replace(space, candidates=_packed(own.names, columns))


def apart(space: SearchSpace) -> tuple[SearchSpace, tuple[str, ...]]:
    """The space as it stands in one event, and the parts of its candidates that have no place there."""
    if space.candidates is UNSET or len(space.candidates.packed) <= _SMALL:
        return space, ()
    packed = space.candidates.packed
    parts = tuple(packed[start : start + PART] for start in range(0, len(packed), PART))
    return replace(space, candidates=replace(space.candidates, packed="")), parts


def joined(space: SearchSpace, digest: str, part: str) -> SearchSpace:
    """The space with the next part of its candidates; as it is where the part is of others."""
    known = space.candidates
    if known is UNSET or known.digest != digest:
        return space
    return replace(space, candidates=replace(known, packed=known.packed + part))


def refitted(old: SearchSpace, new: SearchSpace) -> SearchSpace:
    """A changed space with those of the old one's candidates that fit it.

    Raises:
        SearchSpaceError: None does, or they say nothing of a new parameter.
    """
    if old.candidates is UNSET or new.candidates is not UNSET:
        return new
    names = [p.name for p in new.parameters if p.role != "context" and not hasattr(p, "value")]
    lacking = [name for name in names if name not in old.candidates.names]
    if lacking:
        raise SearchSpaceError(
            f"the candidates have no {lacking[0]!r}: change the search space to one with other candidates"
        )
    kept = [
        own
        for point in old.candidates.points()
        if new.contains(own := {name: value for name, value in point.items() if name in new.names})
    ]
    if not kept:
        raise SearchSpaceError(f"none of the {old.candidates.count} candidates fits the changed search space")
    return with_candidates(new, kept)


def _quickly(space: SearchSpace, rows: list[Mapping[str, Any]]) -> Columns | None:
    """The columns of candidates that fit, parameter by parameter; None where some do not, or seem not to."""
    names = set(space.names)
    if any(not isinstance(row, Mapping) or not names.issuperset(row) for row in rows):
        return None
    try:
        columns = [_checked(p, rows) for p in space.parameters]
    except (ParameterizationError, TypeError):
        return None
    for one in space.every_constraint:
        parts = [columns[space.names.index(name)] for name in one.names]
        for values in zip(*parts, strict=True):
            at = dict(zip(one.names, values, strict=True))
            if isinstance(one, LinearConstraint) and one.excess(at):
                return None
            if not isinstance(one, LinearConstraint) and one.fault(at):
                return None
    return columns


def _checked(parameter: Any, rows: list[Mapping[str, Any]]) -> list[ParameterValue | None]:
    """The canonical values of a parameter, each different one looked at once.

    Raises:
        ParameterizationError: One is not allowed, or missing.
    """
    name, known = parameter.name, {}
    # Floats within the bounds of a range without steps are as they should be: looking closer takes ten times longer.
    plain = parameter.size() is None and parameter.parameter_type == "float"
    low, high = parameter.interval if plain else (0.0, 0.0)
    found: list[ParameterValue | None] = []
    for row in rows:
        value = row[name] if name in row else getattr(parameter, "value", None)
        if value is None:
            raise ParameterizationError(name)
        if plain and type(value) is float and low <= value <= high:
            found.append(value)
            continue
        key = (type(value), value)
        if key not in known:
            known[key] = parameter.check(value)
        found.append(known[key])
    return found


def _one_by_one(space: SearchSpace, rows: list[Mapping[str, Any]]) -> Columns:
    """The columns of candidates, row by row.

    Raises:
        SearchSpaceError: Some do not fit; the message tells of the first ones.
    """
    points: list[Parameterization] = []
    wrong: list[str] = []
    for number, row in enumerate(rows):
        try:
            points.append(space.check(row))
        except (ParameterizationError, TypeError, AttributeError) as error:
            wrong.append(f"candidate {number} does not fit the search space: {error}")
            if len(wrong) == _TOLD:
                break
    if wrong:
        raise SearchSpaceError("; ".join(wrong))
    return [[point.get(name) for point in points] for name in space.names]


def _packed(names: Sequence[str], columns: Columns) -> CandidateSet:
    """Each candidate once, in the order in which they first came."""
    rows = dict.fromkeys(zip(*columns, strict=True))
    columns = [list(column) for column in zip(*rows, strict=True)]
    content = msgspec.msgpack.encode(columns)
    packed = b64encode(zlib.compress(content, 6)).decode("ascii")
    return CandidateSet(tuple(names), len(rows), hashlib.sha256(content).hexdigest(), packed)


@lru_cache(maxsize=4)
def _unpacked(packed: str) -> Columns:
    return msgspec.msgpack.decode(zlib.decompress(b64decode(packed)), type=Columns)
