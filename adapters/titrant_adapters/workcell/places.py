"""Room on one instrument for the trials of a workcell: first come, first served."""

from __future__ import annotations

from collections import deque

import anyio


class Places:
    """The places of an instrument, each held by the key of a trial.

    Args:
        capacity: How many there are; None where nothing bounds them.
    """

    def __init__(self, capacity: int | None) -> None:
        self._capacity = capacity
        self._holders: set[str] = set()
        self._queue: deque[tuple[str, anyio.Event]] = deque()

    async def take(self, key: str) -> None:
        """Wait for a place; nothing to wait for where the trial has one."""
        if key in self._holders:
            return
        turn = key, anyio.Event()
        self._queue.append(turn)
        self._hand_out()
        try:
            await turn[1].wait()
        except BaseException:
            if turn in self._queue:
                self._queue.remove(turn)
            else:  # it was handed over in the moment of the cancellation
                self._holders.discard(key)
            self._hand_out()
            raise

    def seize(self, key: str) -> None:
        """Have a place, whoever waits: the trial is on the instrument already."""
        self._holders.add(key)

    def give(self, key: str) -> None:
        """Give the place back, if the trial has one."""
        self._holders.discard(key)
        self._hand_out()

    def others(self, key: str) -> bool:
        """Whether other trials are on the instrument."""
        return bool(self._holders - {key})

    def _hand_out(self) -> None:
        while self._queue and (self._capacity is None or len(self._holders) < self._capacity):
            key, turn = self._queue.popleft()
            self._holders.add(key)
            turn.set()
