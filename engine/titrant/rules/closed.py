"""The trials that are over: a map that never changes, and to which a trial is added in constant time.

Every trial comes here once, so that this is what grows with an experiment.  A general persistent map (rpds) copies a
path of nodes and asks each key for its hash for every trial: 2 µs, a fifth of folding all of its events.  But almost
all that ever happens here is that the newest map gets one trial more.  Therefore all maps that follow from each other
share one record of what was added, in which a place is written once, and each counts only the places before its own
end.  What does not go on from the end, a second future of an older map, a trial that changes after it was closed or is
opened again, is kept beside the record in a persistent map of rpds: O(log n), and nothing is ever copied or written
over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar, overload

from rpds import HashTrieMap

from titrant.model.trial import Trial

T = TypeVar("T")


class ClosedTrials(Mapping[int, Trial]):
    """Index to trial, immutable; may be read, and added to, from several threads."""

    __slots__ = ("_beside", "_end", "_places", "_record")

    _record: dict[int, Trial]  # by place, in the order in which they were closed; no pairs, which the collector follows
    _places: dict[int, int]  # index to place; of other maps too, with a place not before this one's end
    _end: int
    _beside: HashTrieMap[int, Trial | None] | None  # goes before the record; None where one was taken away

    def __init__(
        self,
        record: dict[int, Trial],
        places: dict[int, int],
        end: int,
        beside: HashTrieMap[int, Trial | None] | None,
    ) -> None:
        self._record = record
        self._places = places
        self._end = end
        self._beside = beside

    @classmethod
    def of(cls, trials: Mapping[int, Trial]) -> ClosedTrials:
        """These trials."""
        record = dict(enumerate(trials.values()))
        return cls(record, {trial.index: place for place, trial in record.items()}, len(record), None)

    def insert(self, trial: Trial) -> ClosedTrials:
        """The same trials and *trial*, in place of the one of its index if there is one."""
        index, end, record, places = trial.index, self._end, self._record, self._places
        if not end:  # not in the record of ``NONE``, which is there once for all experiments of a process
            record, places = {}, {}
        # One step that no other thread can come into: whoever is first to write at a place goes on from there.
        if places.get(index, end) >= end and record.setdefault(end, trial) is trial:
            places[index] = end
            return ClosedTrials(record, places, end + 1, self._beside)
        return ClosedTrials(record, places, end, (self._beside or HashTrieMap()).insert(index, trial))

    def remove(self, index: int) -> ClosedTrials:
        """The same trials but for that of *index*.

        Raises:
            KeyError: There is none.
        """
        if index not in self:
            raise KeyError(index)
        beside = (self._beside or HashTrieMap()).insert(index, None)
        return ClosedTrials(self._record, self._places, self._end, beside)

    @overload
    def get(self, key: int, /) -> Trial | None: ...
    @overload
    def get(self, key: int, /, default: Trial | T) -> Trial | T: ...
    def get(self, key: int, /, default: Trial | T | None = None) -> Trial | T | None:
        """The trial of that index, or *default*."""
        if self._beside is not None and key in self._beside:
            found = self._beside[key]
            return default if found is None else found
        place = self._places.get(key, self._end)
        return self._record[place] if place < self._end else default

    def __getitem__(self, key: int) -> Trial:
        found = self.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def __contains__(self, key: object) -> bool:
        return isinstance(key, int) and self.get(key) is not None

    def __iter__(self) -> Iterator[int]:
        recorded = [self._record[place].index for place in range(self._end)]
        if self._beside is None:
            return iter(recorded)
        beside = [index for index in self._beside if self._places.get(index, self._end) >= self._end]
        return iter([index for index in (*recorded, *beside) if index in self])

    def __len__(self) -> int:
        return self._end if self._beside is None else sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"ClosedTrials({dict(self)!r})"


NONE = ClosedTrials.of({})
"""Nothing is over yet."""
